"""A commit that leases what it enqueues: the same rules as a claim, of its own jobs only."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.ports.delivering import Delivered
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.store.opening import OpenedStore, open_store
from tests.bot.store.samples import job
from tests.bot.store.test_queue import claim, enqueue, finish
from tests.fakes.clock import FakeClock


async def lease_own(opened: OpenedStore, *jobs: NewJob, most: int = 32) -> Sequence[Job]:
    async with opened.store.begin() as tx:
        for each in jobs:
            tx.enqueue(each)
        tx.lease_own(most)
    return tx.leased


async def test_what_is_due_is_leased_in_the_commit_that_enqueues_it(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    page, hook = job("page", clock.now(), lane="D1"), job("hook", clock.now())
    leased = await lease_own(opened_store, page, hook)
    assert sorted(one.key for one in leased) == ["hook", "page"]
    assert {one.leased_until for one in leased} == {clock.now() + timedelta(seconds=6)}
    assert [(one.attempts, one.unsure) for one in leased] == [(1, False)] * 2
    assert not await claim(opened_store, clock)
    for one in leased:
        assert await finish(opened_store, one, Delivered(), clock)
    assert await opened_store.queue.next_due(clock.now()) is None


async def test_a_lane_that_is_held_keeps_its_pace(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    (first,) = await lease_own(opened_store, job("first", clock.now(), lane="D1"))
    assert not await lease_own(opened_store, job("second", clock.now(), lane="D1"))
    await finish(opened_store, first, Delivered(), clock)
    assert not await claim(opened_store, clock), "not within the same second"
    clock.advance(seconds=1)
    assert [one.key for one in await claim(opened_store, clock)] == ["second"]


async def test_one_job_a_lane_the_most_urgent_first_and_not_more_than_asked_for(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    show = job("show", now, lane="C1", priority=JobPriority.PERSON)
    page = job("page", now, lane="C1")
    others = [job(f"other {n}", now, priority=JobPriority.NOTE) for n in range(5)]
    leased = await lease_own(opened_store, show, page, *others, most=3)
    assert leased[0].key == "page"
    assert len(leased) == 3
    assert "show" not in {one.key for one in leased}
    assert not await lease_own(opened_store, job("last", now), most=0)


async def test_others_jobs_are_left_to_be_claimed(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await enqueue(opened_store, job("theirs", now), job("before", now, lane="C1"))
    clock.advance(seconds=1)
    assert not await lease_own(opened_store, job("after", clock.now(), lane="C1"))
    assert sorted(one.key for one in await claim(opened_store, clock)) == ["before", "theirs"]


async def test_what_is_due_later_or_already_done_is_not_leased(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    (done,) = await lease_own(opened_store, job("once", clock.now()))
    await finish(opened_store, done, Delivered(), clock)
    later = job("later", clock.now() + timedelta(seconds=5))
    assert not await lease_own(opened_store, job("once", clock.now()), later)


async def test_a_job_that_goes_out_now_is_not_leased_again(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    show = job("show", clock.now(), lane="C1", renew=True)
    (first,) = await lease_own(opened_store, show)
    assert not await lease_own(opened_store, show)
    await finish(opened_store, first, Delivered(), clock)
    clock.advance(seconds=1)
    assert [one.key for one in await claim(opened_store, clock)] == ["show"], "due once more"


async def test_nothing_is_leased_when_the_commit_fails(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async def undecided() -> None:
        async with opened_store.store.begin() as tx:
            tx.enqueue(job("a", clock.now(), lane="D1"))
            tx.lease_own(9)
            raise RuntimeError("undecided")

    with pytest.raises(RuntimeError, match="undecided"):
        await undecided()
    assert not await claim(opened_store, clock)
    assert len(await lease_own(opened_store, job("a", clock.now(), lane="D1"))) == 1


async def test_what_a_dead_process_leased_so_is_taken_over_in_doubt(
    database_url: str, clock: FakeClock
) -> None:
    first = await open_store(database_url, clock)
    assert await lease_own(first, job("a", clock.now(), lane="D1"))
    await first.close()
    second = await open_store(database_url, clock)
    assert not await claim(second, clock), "the lease of the dead process still runs"
    clock.advance(seconds=6)
    (taken,) = await claim(second, clock)
    assert (taken.key, taken.unsure) == ("a", True)
    await second.close()
