"""What loses against another writer each time holds up nobody else."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import cast

from bot.engine.door import CONFLICTS
from bot.engine.engine import FAULTY_PAUSE, LONGEST_BREATH, Engine
from bot.ports.inbox import ConflictError, LockedError
from bot.ports.jobs import Job
from bot.ports.store import Store, Transaction
from bot.store.transaction import SqlTransaction
from rules.incident import Incident
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert

LOST = ConflictError("UNIQUE constraint failed")


@dataclass
class Contested:
    """A store in which another writer is faster whenever a transaction does a certain thing."""

    store: Store
    loses: Callable[[SqlTransaction], bool]
    error: Exception
    lost: int = 0
    begun: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self.store.begin() as tx:
            yield tx
            if self.loses(cast("SqlTransaction", tx)):
                self.lost += 1
                raise self.error


def contest(
    story: Story, loses: Callable[[SqlTransaction], bool], error: Exception = LOST
) -> Contested:
    store = Contested(story.engine._parts.store, loses, error)
    story.engine = Engine(replace(story.engine._parts, store=cast("Store", store)))
    return store


async def runs(story: Story, *, rounds: int = 200) -> None:
    """Go round as the engine's loop does."""
    for _ in range(rounds):
        with suppress(ConflictError):
            await story.engine.run_due()


async def test_a_delivery_that_always_conflicts_is_set_aside(tell: Tell) -> None:
    story = tell()
    for key in ("a", "b", "poison", "c"):
        await story.hears(alert(key, story.clock.now()), settle=False)
    store = contest(story, lambda tx: any(key[2] == "poison" for key in tx._pending._alerts))
    await runs(story)
    assert await story.store.reader.open_count() == 3
    assert store.lost >= CONFLICTS
    for _ in range(10):
        await story.outbox.run_due()
        story.clock.advance(seconds=1)
        await runs(story)
    assert (await story.incident(4)).unreadable, "it is shown, whatever it was"
    story.pages("ana", "ana", "ana", "ana")


async def test_what_somebody_locks_for_minutes_is_decided_as_it_is(tell: Tell) -> None:
    story = tell()
    for key in ("a", "locked", "c"):
        await story.hears(alert(key, story.clock.now()), settle=False)
    locked = [True]
    contest(
        story,
        lambda tx: locked[0] and any(key[2] == "locked" for key in tx._pending._alerts),
        LockedError("canceling statement due to lock timeout"),
    )
    for _ in range(60):
        await runs(story, rounds=20)
        story.clock.advance(seconds=5)
    assert await story.store.reader.open_count() == 2, "it holds up nobody else"
    locked.clear()
    locked.append(False)
    story.clock.advance(seconds=FAULTY_PAUSE.total_seconds())
    await runs(story, rounds=2)
    found = await story.incident(3)
    assert (found.dedup_key, found.unreadable) == ("locked", False)


async def test_a_conflict_that_passes_delays_nothing(tell: Tell) -> None:
    story = tell()
    left = [True] * (CONFLICTS - 1)
    contest(story, lambda _tx: bool(left) and left.pop())
    await story.hears(alert("a", story.clock.now()), settle=False)
    await runs(story, rounds=CONFLICTS)
    assert not story.engine._pace.narrows
    await story.outbox.run_due()
    story.pages("ana")


async def one_always_conflicts(tell: Tell) -> tuple[Story, Contested, Incident]:
    """Have two incidents whose next steps are due, one of which can never be stored."""
    story = tell()
    await story.fires("poison")
    await story.fires("sound")
    await story.after(seconds=2)
    story.pages("ana", "ana")
    poison = await story.incident(1)
    store = contest(story, lambda tx: poison.id in tx._incidents._saved)
    story.clock.advance(minutes=5)
    return story, store, poison


async def test_a_wake_up_that_always_conflicts_lets_the_others_go_on(tell: Tell) -> None:
    story, store, poison = await one_always_conflicts(tell)
    await runs(story)
    await story.outbox.run_due()
    story.pages("bo")
    assert store.lost > CONFLICTS
    assert story.engine.faulty == (poison.id,)
    assert story.counted.pages.count("wake_failed") == 1


class BusyHands:
    """Has no room, so that what is decided waits for it."""

    def room(self) -> int:
        return 0

    def take(self, leased: Sequence[Job]) -> None:
        assert not leased


async def test_a_flood_does_not_hide_a_wake_up_that_always_conflicts(tell: Tell) -> None:
    """Between two looks at what is due, the flood's deliveries are decided without a conflict."""
    story, _, _ = await one_always_conflicts(tell)
    story.engine.hands = BusyHands()
    for _ in range(8 * CONFLICTS):
        await story.hears(alert("flood", story.clock.now()), settle=False)
        await runs(story, rounds=1)
        story.clock.advance(seconds=LONGEST_BREATH.total_seconds() / 2)
    await story.outbox.run_due()
    story.pages("ana", "bo")


async def test_runs_whose_judging_always_conflicts_hold_up_no_wake_up(tell: Tell) -> None:
    story = tell()
    await story.hears(*[alert(f"table-{n}", story.clock.now()) for n in range(9)])
    await story.after(seconds=20)
    story.pages(*["ana"] * 9)

    async def loses() -> int:
        raise ConflictError("UNIQUE constraint failed")

    story.engine.look_for_runs = loses  # type: ignore[method-assign]
    await runs(story, rounds=2 * CONFLICTS)
    assert await story.engine.next_look() > story.clock.now(), "nothing asks to look at once"
    story.clock.advance(minutes=5)
    await runs(story, rounds=1)
    assert [(await story.incident(number)).paged for number in range(1, 10)] == [("ana", "bo")] * 9


async def test_what_cannot_even_be_shown_waits_and_holds_up_nobody(tell: Tell) -> None:
    story = tell()
    await story.fires("sound")
    await story.after(seconds=2)
    story.pages("ana")
    lost = [True]
    contest(story, lambda tx: lost[0] and bool(tx._pending._alerts))
    await story.hears(alert("poison", story.clock.now()), settle=False)
    for _ in range(10):
        await runs(story, rounds=20)
        story.clock.advance(seconds=1)
    story.clock.advance(minutes=5)
    await runs(story, rounds=1)
    await story.outbox.run_due()
    story.pages("bo")
    lost[0] = False
    story.clock.advance(seconds=FAULTY_PAUSE.total_seconds())
    await runs(story, rounds=2)
    await story.outbox.run_due()
    story.pages("ana")
