"""Followers: soon after a change, patient with faults, and never in the way of anything else."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.calendar.following import Followers, FollowerSettings
from bot.calendar.google_faults import LaterError, RefusedError
from bot.ports.calendars import Following
from bot.ports.inbox import NotStoredError
from rules.calendar.plan import Act, Wanted
from tests.bot.calendar.conftest import MON, weeks
from tests.fakes.clock import FakeClock

EVERY = timedelta(minutes=10)


@dataclass
class Report:
    events: int
    writes: dict[Act, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def written(self) -> int:
        return sum(self.writes.values())


@dataclass
class FakeReconciler:
    calendar: str = "c1"
    shows: list[Wanted] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    calls: int = 0

    async def reconcile(self, wanted: Sequence[Wanted]) -> Report:
        self.calls += 1
        if self.faults:
            raise self.faults.pop(0)
        changed = sum(one not in self.shows for one in wanted)
        self.shows = list(wanted)
        return Report(len(wanted), {Act.UPDATE: changed} if changed else {}, self.problems)


@dataclass
class Rig:
    clock: FakeClock = field(default_factory=lambda: FakeClock(MON))
    reconciler: FakeReconciler = field(default_factory=FakeReconciler)
    saved: list[Following] = field(default_factory=list)
    seen: list[Mapping[Act, int] | None] = field(default_factory=list)
    may_write: bool = True
    broken: bool = False

    def __post_init__(self) -> None:
        self.followers = Followers(
            {"data": self.reconciler},
            self.clock,
            FollowerSettings(
                every=EVERY,
                random=lambda: 0.5,
                save=self.save,
                observe=lambda _rotation, writes: self.seen.append(writes),
                may_write=lambda: self.may_write,
            ),
        )

    async def save(self, state: Following) -> None:
        if self.broken:
            raise NotStoredError("disk full")
        self.saved.append(state)

    @property
    def state(self) -> Following:
        return self.followers.states[0]

    async def after(self, **delta: float) -> int:
        """Let time pass; return how often the calendar was asked since."""
        before = self.reconciler.calls
        self.clock.advance(**delta)
        await self.followers.follow_due()
        return self.reconciler.calls - before


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_change_is_written_at_once_and_drift_looked_for_now_and_then(rig: Rig) -> None:
    rig.followers.want("data", weeks("ana"), MON)
    assert rig.state.lag(MON + EVERY) == EVERY.total_seconds()
    assert await rig.after(seconds=1) == 1
    assert rig.state.behind_since is None
    assert (rig.state.events, rig.state.writes) == (1, 1)
    assert rig.saved == [rig.state]
    assert await rig.after(minutes=9) == 0
    rig.followers.want("data", weeks("ana"), rig.clock.now())
    assert await rig.after(seconds=1) == 0
    rig.followers.want("data", weeks("bo"), rig.clock.now())
    assert await rig.after(seconds=1) == 1
    assert await rig.after(minutes=10) == 1
    assert rig.seen == [{Act.UPDATE: 1}, {Act.UPDATE: 1}, {}]


async def test_a_fault_is_waited_out_and_the_lag_is_seen(rig: Rig) -> None:
    rig.reconciler.faults += [LaterError("Google answers 503"), LaterError("Google answers 503")]
    rig.followers.want("data", weeks("ana"), MON)
    assert await rig.after(seconds=0) == 1
    assert rig.state.problem == "Google answers 503"
    assert await rig.after(seconds=1) == 0
    assert await rig.after(seconds=1) == 1
    assert rig.state.lag(rig.clock.now()) == 2
    assert await rig.after(seconds=2) == 0
    assert await rig.after(seconds=1) == 1
    assert (rig.state.problem, rig.state.lag(rig.clock.now())) == ("", 0)
    assert rig.seen == [None, None, {Act.UPDATE: 1}]


async def test_a_change_does_not_cut_a_pause_short(rig: Rig) -> None:
    rig.reconciler.faults.append(LaterError("429", timedelta(seconds=90)))
    rig.followers.want("data", weeks("ana"), MON)
    await rig.after(seconds=0)
    rig.followers.want("data", weeks("bo"), rig.clock.now())
    assert await rig.after(seconds=89) == 0
    assert await rig.after(seconds=1) == 1
    assert rig.reconciler.shows == weeks("bo")


async def test_pauses_grow_to_ten_minutes_and_no_longer(rig: Rig) -> None:
    rig.reconciler.faults += [RefusedError("Share it")] * 15
    rig.followers.want("data", weeks("ana"), MON)
    await rig.after(seconds=0)
    for _ in range(13):
        await rig.after(minutes=10)
    assert rig.reconciler.calls == 14
    assert rig.state.problem == "Share it"
    assert rig.state.lag(rig.clock.now()) == 130 * 60


async def test_a_fault_of_ours_does_not_escape(rig: Rig) -> None:
    rig.reconciler.faults.append(ZeroDivisionError())
    rig.followers.want("data", weeks("ana"), MON)
    await rig.after(seconds=0)
    assert "ZeroDivisionError" in rig.state.problem
    rig.broken = True
    assert await rig.after(seconds=5) == 1
    assert rig.state.problem == ""


async def test_a_single_event_that_fails_is_told_and_counts_as_behind(rig: Rig) -> None:
    rig.reconciler.problems = [f"event {n}" for n in range(5)]
    rig.followers.want("data", weeks("ana"), MON)
    await rig.after(seconds=3)
    assert rig.state.problem == "event 0 event 1 event 2 And 2 more."
    assert rig.state.lag(rig.clock.now()) == 3


async def test_one_replica_writes(rig: Rig) -> None:
    rig.may_write = False
    rig.followers.want("data", weeks("ana"), MON)
    assert await rig.after(minutes=1) == 0
    rig.may_write = True
    assert await rig.after(seconds=1) == 1


async def test_the_loop_rests_until_there_is_something_to_do(rig: Rig) -> None:
    async def settled() -> int:
        for _ in range(50):
            await asyncio.sleep(0)  # noqa: TID251 - lets the loop run without letting time pass
        return rig.reconciler.calls

    rig.may_write = False
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.followers.run())
        rig.followers.want("data", weeks("ana"), MON)
        assert await settled() == 0
        rig.may_write = True
        rig.clock.advance(seconds=10)
        assert await settled() == 1
        rig.followers.want("data", weeks("bo"), rig.clock.now())
        assert await settled() == 2
        rig.clock.advance(minutes=5)
        assert await settled() == 2
        rig.clock.advance(minutes=5)
        assert await settled() == 3
        running.cancel()


async def test_a_rotation_the_roster_lost_is_left_alone(rig: Rig) -> None:
    rig.followers.want("data", weeks("ana"), MON)
    await rig.after(seconds=1)
    rig.followers.leave("data", "The roster has no rotation data.")
    assert await rig.after(hours=1) == 0
    assert rig.state.problem == "The roster has no rotation data."
    assert rig.saved[-1] == rig.state
    saved = len(rig.saved)
    assert await rig.after(hours=1) == 0
    assert len(rig.saved) == saved
    assert rig.reconciler.shows == weeks("ana")


async def test_what_another_process_did_is_taken_up(rig: Rig) -> None:
    old = Following(name="data", calendar="c1", synced_at=MON, events=3, writes=41)
    rig.followers.restore([old, Following(name="gone")])
    rig.followers.want("data", weeks("ana"), MON)
    await rig.after(seconds=1)
    assert rig.state.writes == 42
    rig.followers.restore([Following(name="data", calendar="another", writes=7)])
    assert rig.state.writes == 42
