"""The outbox on both databases: at least once, in the right order, and never silently given up."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from bot.outbox import _HEAD_START, Outbox, OutboxSettings
from bot.ports.delivering import (
    Dead,
    Delivered,
    GiveUpError,
    LeaseLostError,
    MessageRef,
    Outcome,
    RetryLaterError,
)
from bot.ports.inbox import NotStoredError
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.ports.patience import by_another
from bot.ports.store import Store, Transaction
from bot.store.opening import OpenedStore, open_store
from tests.fakes.clock import FakeClock


@dataclass
class Deliverer:
    """Plays the answers it was given, then delivers."""

    clock: FakeClock
    answers: list[Callable[[Job], None]] = field(default_factory=list)
    seen: list[Job] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    async def deliver(self, job: Job) -> Delivered:
        self.seen.append(job)
        self.times.append(self.clock.now())
        if self.answers:
            self.answers.pop(0)(job)
        return Delivered((MessageRef("page", "D1", f"{len(self.seen)}.0", "ana", job.key),))

    @property
    def keys(self) -> list[str]:
        return [job.key for job in self.seen]


@dataclass
class FailingStore:
    """A store of which so many transactions fail as they begin."""

    store: Store
    failures: int = 0

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        if self.failures:
            self.failures -= 1
            raise NotStoredError("disk full")
        return self.store.begin()


@dataclass
class Desk:
    """One outbox, its deliverer, and what it said had finished."""

    opened: OpenedStore
    clock: FakeClock
    deliverer: Deliverer
    finished: list[tuple[str, Outcome]] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)
    fraction: float = 1.0

    def __post_init__(self) -> None:
        self.outbox = self.make(OutboxSettings())

    def make(self, settings: OutboxSettings) -> Outbox:
        settings = replace(
            settings,
            random=lambda: self.fraction,
            observe=lambda kind, outcome: self.counted.append((kind, outcome)),
        )
        return Outbox(
            self.opened.queue,
            self.opened.store,
            {"page": self.deliverer, "show": self.deliverer},
            self.clock,
            self.note,
            settings=settings,
        )

    async def note(self, tx: Transaction, job: Job, outcome: Outcome, now: datetime) -> None:
        self.finished.append((job.key, outcome))

    async def enqueue(self, *keys: str, kind: str = "page", **other: object) -> None:
        job = NewJob(
            key="",
            kind=kind,
            lane=str(other.get("lane", "")),
            priority=JobPriority(int(str(other.get("priority", 0)))),
            due_at=self.clock.now(),
            incident_id=str(other.get("incident_id", "")),
        )
        async with self.opened.store.begin() as tx:
            for key in keys:
                tx.enqueue(replace(job, key=key))

    async def run_until_idle(self, **limit: float) -> None:
        """Move time from one due moment to the next."""
        end = self.clock.now() + timedelta(**limit)
        while (due := await self.opened.queue.next_due(self.clock.now())) and due <= end:
            self.clock.set(due)
            await self.outbox.run_due()


@pytest.fixture
def desk(opened_store: OpenedStore, clock: FakeClock) -> Desk:
    return Desk(opened_store, clock, Deliverer(clock))


def fails(error: Exception) -> Callable[[Job], None]:
    def fail(job: Job) -> None:
        raise error

    return fail


async def until(holds: Callable[[], bool]) -> None:
    """Let other tasks go on until it holds."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0)  # noqa: TID251 - gives way, takes no time


async def test_what_is_due_goes_out_once(desk: Desk) -> None:
    await desk.enqueue("a", "b", incident_id="")
    assert await desk.outbox.run_due() == 2
    assert await desk.outbox.run_due() == 0
    assert sorted(desk.deliverer.keys) == ["a", "b"]
    assert sorted(key for key, outcome in desk.finished) == ["a", "b"]
    assert desk.counted == [("page", "delivered")] * 2


async def test_messages_are_stored_with_the_incident(desk: Desk) -> None:
    await desk.enqueue("a", incident_id="inc")
    await desk.outbox.run_due()
    (message,) = await desk.opened.reader.messages("inc")
    assert message == MessageRef("page", "D1", "1.0", "ana", "a")


async def test_failures_are_retried_later_and_later(desk: Desk) -> None:
    desk.deliverer.answers = [fails(RetryLaterError("503"))] * 4
    await desk.enqueue("a")
    await desk.run_until_idle(minutes=10)
    waits = [(b - a).total_seconds() for a, b in pairwise(desk.deliverer.times)]
    assert waits == [1, 2, 4, 8]
    assert desk.counted[-1] == ("page", "delivered")


async def test_waits_are_jittered_and_capped(desk: Desk) -> None:
    desk.fraction = 0.5
    desk.deliverer.answers = [fails(RetryLaterError("503"))] * 12
    await desk.enqueue("a", priority=JobPriority.NOTE)
    await desk.run_until_idle(hours=2)
    times = desk.deliverer.times
    waits = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert waits[:3] == [0.5, 1, 2]
    assert max(waits) == 150


async def test_retry_after_is_respected(desk: Desk) -> None:
    after = timedelta(seconds=90)
    desk.deliverer.answers = [fails(RetryLaterError("503", after=after))]
    await desk.enqueue("a")
    await desk.run_until_idle(minutes=10)
    assert desk.deliverer.times[1] - desk.deliverer.times[0] == after


async def test_a_throttled_lane_waits_as_a_whole_and_others_do_not(desk: Desk) -> None:
    began = desk.clock.now()
    slow = RetryLaterError("429", after=timedelta(seconds=30), throttled=True)
    desk.deliverer.answers = [fails(slow)]
    await desk.enqueue("note", "note 2", lane="C1", priority=JobPriority.MACHINE)
    await desk.outbox.run_due()
    await desk.enqueue("page", lane="C1", priority=JobPriority.PAGE)
    await desk.enqueue("elsewhere", lane="C2", priority=JobPriority.NOTE)
    await desk.run_until_idle(minutes=5)
    when = {
        key: (at - began).total_seconds()
        for key, at in zip(desk.deliverer.keys, desk.deliverer.times, strict=True)
    }
    assert when["elsewhere"] == 0
    assert when["page"] == 30, "a page goes first when the lane opens"
    assert sorted([when["note"], when["note 2"]]) == [31, 32]


@pytest.mark.parametrize("lane", ["C1", ""])
@pytest.mark.parametrize("failures", [1, 2])
async def test_who_was_told_to_wait_does_though_that_could_not_be_recorded(
    desk: Desk, failures: int, lane: str
) -> None:
    """One failure hits the outcome, the second the putting back of its job as well."""
    store, after = FailingStore(desk.opened.store), timedelta(minutes=2)
    desk.outbox._store = store

    def throttled(_job: Job) -> None:
        store.failures = failures
        raise RetryLaterError("rate limited", after=after, throttled=True)

    desk.deliverer.answers = [throttled]
    await desk.enqueue("a", lane=lane)
    await desk.run_until_idle(minutes=5)
    first, second = desk.deliverer.times
    assert second - first >= after
    assert store.failures == 0
    assert [key for key, _ in desk.finished] == ["a"]


@pytest.mark.parametrize("shared", [True, False])
async def test_what_fails_by_our_own_fault_another_process_may_do_at_once(
    desk: Desk, shared: bool
) -> None:
    """A replica with a revoked token must not keep those in order from paging."""
    desk.outbox = desk.make(OutboxSettings(shared=shared))
    refused = RetryLaterError(
        "invalid_auth", after=timedelta(minutes=1), whole_lane=True, ours=True
    )
    desk.deliverer.answers = [fails(refused)] * 3
    began = desk.clock.now()
    await desk.enqueue("page", lane="dm:ana")
    await desk.run_until_idle(minutes=5)
    waited = [(at - began).total_seconds() for at in desk.deliverer.times]
    assert waited == ([0, 1, 2, 3] if shared else [0, 60, 120, 180])


async def test_what_no_process_can_do_is_tried_more_and_more_seldom(desk: Desk) -> None:
    await desk.enqueue("page")
    await desk.outbox.run_due()
    (job,) = desk.deliverer.seen
    waits = []
    for _ in range(30):
        waits.append(by_another(job, desk.clock.now()).total_seconds())
        desk.clock.advance(seconds=waits[-1])
    assert waits[0] == 1
    assert waits[-1] == 60
    assert waits == sorted(waits)


async def test_being_throttled_never_leads_to_giving_up(desk: Desk) -> None:
    slow = RetryLaterError("429", after=timedelta(minutes=50), throttled=True)
    desk.deliverer.answers = [fails(slow)] * 60
    await desk.enqueue("a", priority=JobPriority.NOTE, lane="C1")
    await desk.run_until_idle(days=4)
    assert desk.counted == [("page", "throttled")] * 60 + [("page", "delivered")]


async def test_what_can_never_succeed_is_given_up_out_loud(desk: Desk) -> None:
    desk.deliverer.answers = [fails(GiveUpError("invite the bot to #data"))]
    await desk.enqueue("a")
    await desk.outbox.run_due()
    assert desk.finished == [("a", Dead("invite the bot to #data"))]
    ((job, why),) = await desk.opened.reader.dead_jobs(9)
    assert (job.key, why) == ("a", "invite the bot to #data")


async def test_what_another_side_says_is_recorded_whatever_it_is_made_of(desk: Desk) -> None:
    desk.deliverer.answers = [
        fails(RetryLaterError("no\0 \ud800")),
        fails(GiveUpError("no\0 \ud800")),
    ]
    await desk.enqueue("a")
    await desk.run_until_idle(minutes=5)
    ((_, why),) = await desk.opened.reader.dead_jobs(9)
    assert why == "no\ufffd ?"
    assert [word for _, word in desk.counted] == ["retry", "dead"]


async def test_a_note_is_given_up_after_two_hours_and_a_page_not(desk: Desk) -> None:
    began = desk.clock.now()
    desk.deliverer.answers = [fails(RetryLaterError("503"))] * 10_000
    await desk.enqueue("note", priority=JobPriority.NOTE)
    await desk.enqueue("page", priority=JobPriority.PAGE)
    await desk.run_until_idle(hours=3)
    ((key, outcome),) = desk.finished
    assert key == "note"
    assert isinstance(outcome, Dead)
    assert outcome.why.startswith("gave up after ")
    assert outcome.why.endswith(": 503")
    assert desk.clock.now() - began > timedelta(hours=2, minutes=50)


async def test_a_page_is_given_up_after_a_day(desk: Desk) -> None:
    began = desk.clock.now()
    wait = timedelta(hours=1)
    desk.deliverer.answers = [fails(RetryLaterError("503", after=wait))] * 100
    await desk.enqueue("page")
    await desk.run_until_idle(hours=30)
    assert [key for key, _ in desk.finished] == ["page"]
    assert desk.deliverer.times[-1] - began >= timedelta(hours=24)


async def test_a_dead_job_can_be_tried_again(desk: Desk) -> None:
    desk.deliverer.answers = [fails(GiveUpError("no"))]
    await desk.enqueue("a")
    await desk.outbox.run_due()
    job_id = desk.deliverer.seen[0].id
    assert not await desk.outbox.retry_dead("another")
    assert await desk.outbox.retry_dead(job_id)
    assert await desk.outbox.run_due() == 1
    assert desk.finished[-1][0] == "a"
    assert not await desk.opened.reader.dead_jobs(9)
    assert not await desk.outbox.retry_dead(job_id)


async def test_a_fault_of_ours_is_retried_as_unsure(desk: Desk) -> None:
    desk.deliverer.answers = [fails(KeyError("bug"))]
    await desk.enqueue("a")
    await desk.run_until_idle(minutes=1)
    assert [job.unsure for job in desk.deliverer.seen] == [False, True]
    assert desk.counted == [("page", "fault"), ("page", "retry"), ("page", "delivered")]


async def test_doubt_stays_until_it_is_resolved(desk: Desk) -> None:
    desk.deliverer.answers = [
        fails(RetryLaterError("timed out", unsure=True)),
        fails(RetryLaterError("429 on the look-up", throttled=True)),
    ]
    await desk.enqueue("a")
    await desk.run_until_idle(minutes=1)
    assert [job.unsure for job in desk.deliverer.seen] == [False, True, True]


async def test_a_clean_failure_leaves_no_doubt(desk: Desk) -> None:
    desk.deliverer.answers = [fails(RetryLaterError("400"))]
    await desk.enqueue("a")
    await desk.run_until_idle(minutes=1)
    assert [job.unsure for job in desk.deliverer.seen] == [False, False]


async def test_a_delivery_that_hangs_is_ended(desk: Desk) -> None:
    never = asyncio.Event()

    class Hangs:
        async def deliver(self, job: Job) -> Delivered:
            await never.wait()
            return Delivered()

    outbox = desk.make(OutboxSettings(hung_after=0.01))
    outbox._deliverers = {"page": Hangs()}
    await desk.enqueue("a")
    assert await outbox.run_due() == 1
    desk.clock.advance(seconds=1)
    (job,) = await desk.opened.queue.claim(desk.clock.now(), 9)
    assert job.unsure


async def test_an_unknown_kind_waits_for_a_version_that_knows_it(desk: Desk) -> None:
    await desk.enqueue("a", kind="teleport")
    assert await desk.outbox.run_due() == 1
    assert desk.counted[0] == ("teleport", "unknown")
    assert await desk.outbox.run_due() == 0
    assert not desk.finished
    desk.clock.advance(minutes=1)
    (job,) = await desk.opened.queue.claim(desk.clock.now(), 9)
    assert not job.unsure


async def test_a_crash_between_the_post_and_the_commit_leaves_doubt(
    database_url: str, clock: FakeClock
) -> None:
    first = await open_store(database_url, clock)
    desk = Desk(first, clock, Deliverer(clock))
    await desk.enqueue("a")

    async def dies(job: Job, outcome: Outcome) -> None:
        raise asyncio.CancelledError

    desk.outbox._record = dies  # type: ignore[method-assign]
    await desk.outbox.run_due()
    await first.close()
    second = await open_store(database_url, clock)
    after = Desk(second, clock, Deliverer(clock))
    assert await after.outbox.run_due() == 0, "the lease of the dead process still runs"
    clock.advance(seconds=6)
    assert await after.outbox.run_due() == 1
    assert [job.unsure for job in after.deliverer.seen] == [True]
    await second.close()


async def test_an_outcome_that_cannot_be_recorded_is_tried_again_unsure(desk: Desk) -> None:
    async def breaks(tx: Transaction, job: Job, outcome: Outcome, now: datetime) -> None:
        desk.outbox._on_finished = desk.note
        raise NotStoredError("disk full")

    desk.outbox._on_finished = breaks
    await desk.enqueue("a")
    await desk.run_until_idle(minutes=1)
    assert [job.unsure for job in desk.deliverer.seen] == [False, True]
    assert [key for key, _ in desk.finished] == ["a"]


async def test_a_lease_about_to_end_is_renewed_before_sending(desk: Desk) -> None:
    await desk.enqueue("a")
    claim = desk.opened.queue.claim

    async def slow_claim(now: datetime, limit: int) -> object:
        jobs = await claim(now, limit)
        desk.clock.advance(seconds=3)
        return jobs

    desk.outbox._queue.claim = slow_claim  # type: ignore[method-assign, assignment]
    await desk.outbox.run_due()
    assert desk.deliverer.keys == ["a"]
    assert desk.counted == [("page", "delivered")]


async def test_a_job_taken_over_before_sending_is_left_alone(desk: Desk) -> None:
    await desk.enqueue("a")
    claim = desk.opened.queue.claim

    async def very_slow_claim(now: datetime, limit: int) -> object:
        jobs = await claim(now, limit)
        desk.clock.advance(seconds=7)
        desk.opened.queue._held.clear()
        assert len(await claim(desk.clock.now(), limit)) == 1
        return jobs

    desk.outbox._queue.claim = very_slow_claim  # type: ignore[method-assign, assignment]
    await desk.outbox.run_due()
    assert not desk.deliverer.seen
    assert desk.counted == [("page", "lost")]


class Sleeping:
    """Sleeps with its machine in the middle of a delivery, as long as the test wants."""

    def __init__(self, desk: Desk, *, overtaken: bool) -> None:
        self.desk = desk
        self.overtaken = overtaken
        self.sent: list[str] = []

    async def deliver(self, job: Job) -> Delivered:
        self.desk.clock.advance(seconds=9)
        if self.overtaken:
            self.desk.opened.queue._held.clear()
            assert len(await self.desk.opened.queue.claim(self.desk.clock.now(), 9)) == 1
        if not await job.still_ours():
            raise LeaseLostError
        self.sent.append(job.key)
        return Delivered()


async def test_what_was_taken_over_while_the_machine_slept_is_not_sent(desk: Desk) -> None:
    sleeping = Sleeping(desk, overtaken=True)
    desk.outbox._deliverers = {"page": sleeping}
    await desk.enqueue("a")
    await desk.outbox.run_due()
    assert not sleeping.sent
    assert desk.counted == [("page", "lost")]
    assert not await desk.opened.queue.claim(desk.clock.now(), 9), "the other still has it"


async def test_what_nobody_took_over_is_sent_by_who_has_slept(desk: Desk) -> None:
    sleeping = Sleeping(desk, overtaken=False)
    desk.outbox._deliverers = {"page": sleeping}
    await desk.enqueue("a")
    await desk.outbox.run_due()
    assert sleeping.sent == ["a"]
    assert desk.counted == [("page", "delivered")]


class Holding:
    """Delivers only when the test opens the gate."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()

    async def deliver(self, job: Job) -> Delivered:
        self.begun.set()
        await self.gate.wait()
        return Delivered()


async def test_leases_are_renewed_while_a_delivery_takes_long(desk: Desk) -> None:
    holding = Holding()
    desk.outbox._deliverers = {"page": holding}
    await desk.enqueue("a")
    async with asyncio.TaskGroup() as group:
        working = group.create_task(desk.outbox.run_due())
        await holding.begun.wait()
        for _ in range(6):
            before = desk.clock.advance(seconds=2)
            lease = before + timedelta(seconds=6)
            await until(lambda: set(desk.opened.queue._held.values()) == {lease})  # noqa: B023
        desk.opened.queue._held.clear()
        assert not await desk.opened.queue.claim(desk.clock.now(), 9)
        holding.gate.set()
    assert working.result() == 1
    assert desk.finished == [("a", Delivered())]


async def test_the_loop_works_when_kicked_and_drains(desk: Desk) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.clock._moved is not None)
        await desk.enqueue("a", "b")
        desk.outbox.kick()
        await until(lambda: len(desk.finished) == 2)
        assert sorted(desk.deliverer.keys) == ["a", "b"]
        await desk.outbox.drain(desk.clock.now())


async def test_the_loop_finds_what_falls_due(desk: Desk) -> None:
    desk.deliverer.answers = [fails(RetryLaterError("503"))]
    await desk.enqueue("a")
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.counted == [("page", "retry")])
        desk.clock.advance(seconds=1)
        await until(lambda: len(desk.finished) == 1)
        assert desk.deliverer.keys == ["a", "a"]
        await desk.outbox.drain(desk.clock.now())


async def test_draining_lets_what_is_under_way_finish(desk: Desk) -> None:
    holding = Holding()
    desk.outbox._deliverers = {"page": holding}
    await desk.enqueue("a")
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await holding.begun.wait()
        draining = group.create_task(desk.outbox.drain(desk.clock.now() + timedelta(seconds=5)))
        await until(lambda: desk.outbox._draining)
        assert not draining.done()
        holding.gate.set()
    assert desk.finished == [("a", Delivered())]


async def test_draining_hands_back_what_does_not_finish_in_time(desk: Desk) -> None:
    holding = Holding()
    desk.outbox._deliverers = {"page": holding}
    await desk.enqueue("a")
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await holding.begun.wait()
        await desk.outbox.drain(desk.clock.now())
    (job,) = await desk.opened.queue.claim(desk.clock.now(), 9)
    assert job.unsure


async def test_a_database_that_fails_does_not_end_the_loop(desk: Desk) -> None:
    claim, failures = desk.opened.queue.claim, [NotStoredError("gone"), NotStoredError("gone")]

    async def failing_claim(now: datetime, limit: int) -> object:
        if failures:
            raise failures.pop()
        return await claim(now, limit)

    desk.outbox._queue.claim = failing_claim  # type: ignore[method-assign, assignment]
    await desk.enqueue("a")
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        while not desk.finished:
            await asyncio.sleep(0)  # noqa: TID251 - gives way, takes no time
            desk.clock.advance(milliseconds=100)
        assert desk.deliverer.keys == ["a"]
        assert not failures
        await desk.outbox.drain(desk.clock.now())


async def test_a_page_overtakes_decoration_already_waiting(desk: Desk) -> None:
    await desk.enqueue(*(f"show {i}" for i in range(5)), kind="show", lane="C1", priority=4)
    await desk.outbox.run_due()
    await desk.enqueue("page", lane="C1")
    await desk.run_until_idle(minutes=1)
    assert desk.deliverer.keys[1] == "page"


async def test_of_one_claim_the_page_goes_first_the_first_showing_beside_it_and_edits_after(
    desk: Desk,
) -> None:
    await desk.enqueue("edit", kind="show", lane="C2", priority=4, incident_id="old")
    await desk.outbox.run_due()
    async with desk.opened.store.begin() as tx:
        tx.enqueue(
            NewJob(
                key="edit",
                kind="show",
                lane="C2",
                priority=JobPriority.MACHINE,
                due_at=desk.clock.now(),
                incident_id="old",
                renew=True,
            )
        )
    await desk.enqueue("page", lane="D1", incident_id="new")
    await desk.enqueue("root", kind="show", lane="C1", priority=2, incident_id="new")
    desk.clock.advance(seconds=2)
    assert await desk.outbox.run_due() == 3
    assert desk.deliverer.keys == ["edit", "page", "root", "edit"]


async def test_a_page_does_not_wait_long_for_a_showing_that_hangs(desk: Desk) -> None:
    hung = asyncio.Event()

    class Hangs(Deliverer):
        async def deliver(self, job: Job) -> Delivered:
            if job.kind == "show":
                await hung.wait()
            delivered = await super().deliver(job)
            hung.set()
            return delivered

    desk.deliverer = Hangs(desk.clock)
    desk.outbox = desk.make(OutboxSettings())
    await desk.enqueue("root", kind="show", lane="C1", priority=2, incident_id="new")
    await desk.enqueue("page", lane="D1", incident_id="new")
    await desk.outbox.run_due()
    assert desk.deliverer.keys == ["page", "root"]


async def test_a_first_showing_lets_the_page_leave_and_waits_no_longer(desk: Desk) -> None:
    """A request takes some rounds of the loop to leave, and its answer may take seconds."""
    shown = asyncio.Event()

    class Slow(Deliverer):
        async def deliver(self, job: Job) -> Delivered:
            if job.kind == "show":
                shown.set()
                return await super().deliver(job)
            for _ in range(5):
                await asyncio.sleep(0)  # noqa: TID251 - gives way, takes no time
            delivered = await super().deliver(job)
            await shown.wait()
            return delivered

    desk.deliverer = Slow(desk.clock)
    desk.outbox = desk.make(OutboxSettings())
    await desk.enqueue("root", kind="show", lane="C1", priority=2, incident_id="new")
    await desk.enqueue("page", lane="D1", incident_id="new")
    async with asyncio.timeout(_HEAD_START / 2):
        await desk.outbox.run_due()
    assert desk.deliverer.keys == ["page", "root"]
