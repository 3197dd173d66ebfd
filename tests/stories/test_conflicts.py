"""What loses against another writer each time holds up nobody else."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from bot.engine.engine import BATCH, CONFLICTS, Engine
from bot.ports.inbox import ConflictError
from bot.ports.store import Store, Transaction
from bot.store.transaction import SqlTransaction
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert


@dataclass
class Contested:
    """A store in which another writer is faster whenever a transaction does a certain thing."""

    store: Store
    loses: Callable[[SqlTransaction], bool]
    lost: int = 0
    begun: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self.store.begin() as tx:
            yield tx
            if self.loses(cast("SqlTransaction", tx)):
                self.lost += 1
                raise ConflictError("UNIQUE constraint failed")


def contest(story: Story, loses: Callable[[SqlTransaction], bool]) -> Contested:
    store = Contested(story.engine._parts.store, loses)
    story.engine = Engine(replace(story.engine._parts, store=cast("Store", store)))
    return store


async def runs(story: Story, *, rounds: int = 200) -> None:
    """Go round as the engine's loop does."""
    for _ in range(rounds):
        try:
            await story.engine.run_due()
            story.engine._conflicts = 0
        except ConflictError:
            story.engine._conflicts += 1


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


async def test_a_conflict_that_passes_delays_nothing(tell: Tell) -> None:
    story = tell()
    left = [True] * (CONFLICTS - 1)
    contest(story, lambda _tx: bool(left) and left.pop())
    await story.hears(alert("a", story.clock.now()), settle=False)
    await runs(story, rounds=CONFLICTS)
    assert story.engine._batch == BATCH
    await story.outbox.run_due()
    story.pages("ana")


async def test_a_wake_up_that_always_conflicts_lets_the_others_go_on(tell: Tell) -> None:
    story = tell()
    await story.fires("poison")
    await story.fires("sound")
    await story.after(seconds=2)
    story.pages("ana", "ana")
    poison = await story.incident(1)
    store = contest(story, lambda tx: poison.id in tx._incidents._saved)
    story.clock.advance(minutes=5)
    await runs(story)
    await story.outbox.run_due()
    story.pages("bo")
    assert store.lost > CONFLICTS
    assert story.engine.faulty == (poison.id,)
    assert story.counted.pages.count("wake_failed") == 1
