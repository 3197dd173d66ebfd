"""While nothing happens, the engine only reads: an idle night costs next to nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import cast

from bot.engine.engine import Engine
from bot.ports.store import Store, Transaction
from rules.incident import State
from tests.stories.conftest import Tell
from tests.stories.story import alert


@dataclass
class Counted:
    """A store that counts the transactions."""

    store: Store
    begun: int = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        self.begun += 1
        async with self.store.begin() as tx:
            yield tx


async def test_nothing_is_begun_while_nothing_waits(tell: Tell) -> None:
    story = tell()
    await story.fires("late")
    counted = Counted(story.store.store)
    engine = Engine(replace(story.engine._parts, store=cast("Store", counted)))
    await engine.run_due()
    begun = counted.begun
    for _ in range(3):
        story.clock.advance(seconds=1)
        assert await engine.run_due() == 0
    assert counted.begun == begun
    engine.kick()
    assert await engine.run_due() == 0, "what it was told of has gone to another replica"
    assert counted.begun == begun + 1
    story.clock.advance(seconds=1)
    await engine.run_due()
    assert counted.begun == begun + 1


async def test_what_another_process_accepted_is_found_without_a_word(tell: Tell) -> None:
    story = tell()
    await story.hears(alert("orders", story.clock.now()), settle=False)
    engine = Engine(story.engine._parts)
    assert await engine.run_due() == 1
    assert await story.state() is State.TRIGGERED
    assert await engine.run_due() == 0
