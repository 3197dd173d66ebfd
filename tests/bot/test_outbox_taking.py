"""The outbox takes over what a commit has leased for it, without a claim of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.ports.delivering import Delivered
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.ports.store import Store, Transaction
from bot.store.opening import OpenedStore
from tests.bot.test_outbox import Deliverer, Desk, Holding, until
from tests.fakes.clock import FakeClock

SOON = timedelta(seconds=5)


@pytest.fixture
def desk(opened_store: OpenedStore, clock: FakeClock) -> Desk:
    return Desk(opened_store, clock, Deliverer(clock))


async def hand_over(desk: Desk, *keys: str, lane: str = "", most: int = 32) -> Sequence[Job]:
    """Commit pages as the engine does, and let the outbox take them."""
    async with desk.opened.store.begin() as tx:
        for key in keys:
            tx.enqueue(
                NewJob(
                    key=key,
                    kind="page",
                    lane=lane,
                    priority=JobPriority.PAGE,
                    due_at=desk.clock.now(),
                )
            )
        tx.lease_own(min(most, desk.outbox.room()))
    desk.outbox.take(tx.leased)
    return tx.leased


async def test_what_it_takes_goes_out_without_a_claim(desk: Desk) -> None:
    claimed: list[int] = []
    claim = desk.opened.queue.claim

    async def counted(now: object, limit: int) -> Sequence[Job]:
        claimed.append(limit)
        return await claim(desk.clock.now(), limit)

    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.clock._moved is not None)
        desk.outbox._queue.claim = counted  # type: ignore[method-assign]
        assert len(await hand_over(desk, "a", "b")) == 2
        await until(lambda: len(desk.finished) == 2)
        assert sorted(desk.deliverer.keys) == ["a", "b"]
        await desk.outbox.drain(desk.clock.now())
    assert not claimed


async def test_what_had_no_room_in_the_lane_follows(desk: Desk) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.clock._moved is not None)
        assert len(await hand_over(desk, "a", "b", lane="D1")) == 1
        await until(lambda: len(desk.finished) == 1)
        await until(lambda: desk.clock._moved is not None)
        desk.clock.advance(seconds=1)
        await until(lambda: len(desk.finished) == 2)
        await desk.outbox.drain(desk.clock.now())
    assert desk.deliverer.keys == ["a", "b"]


async def test_it_has_no_room_before_it_runs_and_once_it_drains(desk: Desk) -> None:
    assert desk.outbox.room() == 0
    holding = Holding()
    desk.outbox._deliverers = {"page": holding}
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.outbox.room() > 0)
        free = desk.outbox.room()
        await hand_over(desk, "a")
        await holding.begun.wait()
        assert desk.outbox.room() == free - 1
        draining = group.create_task(desk.outbox.drain(desk.clock.now() + SOON))
        await until(lambda: desk.outbox._draining)
        assert desk.outbox.room() == 0
        holding.gate.set()
        await draining
    assert desk.finished == [("a", Delivered())]


async def test_what_comes_while_it_drains_is_handed_back_unsent(desk: Desk) -> None:
    holding = Holding()
    desk.outbox._deliverers = {"page": holding}
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.outbox.room() > 0)
        await hand_over(desk, "a")
        await holding.begun.wait()
        async with desk.opened.store.begin() as tx:  # decided before the end was known
            tx.enqueue(
                NewJob(
                    key="late",
                    kind="page",
                    lane="D1",
                    priority=JobPriority.PAGE,
                    due_at=desk.clock.now(),
                )
            )
            tx.lease_own(1)
        draining = group.create_task(desk.outbox.drain(desk.clock.now() + SOON))
        await until(lambda: desk.outbox._draining)
        desk.outbox.take(tx.leased)
        holding.gate.set()
        await draining
    assert desk.finished == [("a", Delivered())]
    desk.clock.advance(seconds=1)
    (left,) = await desk.opened.queue.claim(desk.clock.now(), 9)
    assert (left.key, left.unsure, left.attempts) == ("late", False, 1)


@dataclass
class Renewing:
    """A store beside which, once, another's commit leases the job whose outcome was recorded."""

    store: Store
    anew: Callable[[], Awaitable[object]]
    times: int = 1

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self.store.begin() as tx:
            yield tx
        if self.times:
            self.times -= 1
            await self.anew()


@pytest.mark.parametrize("kind", ["page", "show"])
async def test_what_is_leased_anew_before_its_task_has_ended_is_begun(
    desk: Desk, kind: str
) -> None:
    priority = JobPriority.PAGE if kind == "page" else JobPriority.MACHINE

    async def renewed() -> None:
        async with desk.opened.store.begin() as tx:
            tx.enqueue(
                NewJob(
                    key="a",
                    kind=kind,
                    lane="",
                    priority=priority,
                    due_at=desk.clock.now(),
                    renew=True,
                )
            )
            tx.lease_own(9)
        desk.outbox.take(tx.leased)

    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.outbox.room() > 0)
        desk.outbox._store = Renewing(desk.opened.store, renewed)
        await renewed()
        await until(lambda: len(desk.finished) == 2)
        await desk.outbox.drain(desk.clock.now() + SOON)
    assert desk.deliverer.keys == ["a", "a"]


async def test_a_job_that_is_begun_anew_while_it_goes_out_ends_nothing(desk: Desk) -> None:
    """A lease that was given back too early doubles one job; the outbox and the others go on."""
    holding = Holding()
    desk.outbox._deliverers = {"page": holding, "show": desk.deliverer}
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.outbox.room() > 0)
        (job,) = await hand_over(desk, "a")
        await holding.begun.wait()
        await desk.opened.queue.release([job], desk.clock.now(), unsure=False)
        desk.outbox.kick()
        await until(lambda: desk.opened.queue._held != {})
        holding.gate.set()
        await until(lambda: desk.finished == [("a", Delivered())])
        await desk.enqueue("b", kind="show")
        desk.outbox.kick()
        await until(lambda: len(desk.finished) == 2)
        await desk.outbox.drain(desk.clock.now() + SOON)
    assert not desk.outbox._under_way
