"""What this process works on, though its lease has lapsed."""

from bot.ports.delivering import Delivered
from bot.store.opening import OpenedStore
from tests.bot.store.samples import HOUR, job
from tests.bot.store.test_queue import claim, enqueue, finish
from tests.fakes.clock import FakeClock


async def test_what_is_worked_on_here_on_a_lapsed_lease_is_nothing_to_look_for(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("a", clock.now()), job("b", clock.now(), lane="C1"))
    one, other = await claim(opened_store, clock)
    later = clock.now() + HOUR
    await enqueue(opened_store, job("later", later, lane="C1"), job("last", later + HOUR))
    clock.advance(seconds=60)
    assert await opened_store.queue.next_due(clock.now()) == later
    await finish(opened_store, one, Delivered(), clock)
    await finish(opened_store, other, Delivered(), clock)
    assert await opened_store.queue.next_due(clock.now()) == later
