"""Leases, lanes and priorities: who may carry out what, when, and how often at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import text

from bot.ports.delivering import Dead, Delivered, MessageRef, Outcome, Retry
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.store.opening import OpenedStore, open_store
from tests.bot.store.samples import HOUR, incident, job
from tests.fakes.clock import FakeClock


async def enqueue(opened: OpenedStore, *jobs: NewJob) -> None:
    async with opened.store.begin() as tx:
        for each in jobs:
            tx.enqueue(each)


async def claim(opened: OpenedStore, clock: FakeClock, limit: int = 99) -> list[Job]:
    return list(await opened.queue.claim(clock.now(), limit))


async def finish(opened: OpenedStore, done: Job, outcome: Outcome, clock: FakeClock) -> bool:
    async with opened.store.begin() as tx:
        return await tx.finish_job(done, outcome, clock.now())


async def test_a_job_comes_back_as_it_was_enqueued(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    payload = {"text": "\0 ü \U0001f600", "step": 2}
    new = job("a", clock.now(), lane="D1", payload=payload, incident_id="inc")
    await enqueue(opened_store, new)
    (got,) = await claim(opened_store, clock)
    assert (got.key, got.kind, got.lane, got.payload) == ("a", "page", "D1", payload)
    assert (got.incident_id, got.priority, got.due_at) == ("inc", JobPriority.PAGE, clock.now())
    assert got.leased_until == clock.now() + timedelta(seconds=6)
    assert (got.attempts, got.unsure, got.first_attempt_at) == (1, False, clock.now())


@pytest.mark.parametrize("damaged", ['{"step": 2', "[]", ""])
async def test_a_job_that_cannot_be_read_stops_no_other(
    opened_store: OpenedStore, clock: FakeClock, damaged: str
) -> None:
    await enqueue(opened_store, job("a", clock.now(), payload={"step": 2}), job("b", clock.now()))
    async with opened_store.database.write() as connection:
        await connection.execute(
            text("UPDATE job SET payload = :damaged WHERE key = 'a'"), {"damaged": damaged}
        )
    got = await claim(opened_store, clock)
    assert {one.key: one.payload for one in got}["a"] == {}, "its deliverer fails, and alone"
    assert {one.key for one in got} == {"a", "b"}


async def test_a_key_takes_effect_once(opened_store: OpenedStore, clock: FakeClock) -> None:
    await enqueue(opened_store, job("a", clock.now()), job("a", clock.now()))
    await enqueue(opened_store, job("a", clock.now()))
    (got,) = await claim(opened_store, clock)
    assert await finish(opened_store, got, Delivered(), clock)
    await enqueue(opened_store, job("a", clock.now()))
    assert not await claim(opened_store, clock)


async def test_nothing_is_claimed_before_it_is_due(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    due = clock.now() + timedelta(minutes=5)
    await enqueue(opened_store, job("a", due), job("b", due + HOUR, lane="C1"))
    assert await opened_store.queue.next_due(clock.now()) == due
    assert not await claim(opened_store, clock)
    clock.set(due)
    (got,) = await claim(opened_store, clock)
    assert got.key == "a"
    await finish(opened_store, got, Delivered(), clock)
    assert await opened_store.queue.next_due(clock.now()) == due + HOUR


async def test_the_most_urgent_go_first_in_lanes_and_without(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await enqueue(
        opened_store,
        *(job(f"note {i}", now, priority=JobPriority.NOTE) for i in range(5)),
        *(job(f"show {i}", now, lane=f"C{i}", priority=JobPriority.MACHINE) for i in range(5)),
        job("page in a lane", now, lane="D1"),
        job("page", now),
    )
    assert {j.key for j in await claim(opened_store, clock, 2)} == {"page", "page in a lane"}
    assert {j.kind for j in await claim(opened_store, clock, 5)} == {"page"}
    assert len(await claim(opened_store, clock)) == 5
    assert not await claim(opened_store, clock)


async def test_a_lane_lets_one_through_at_a_time_and_one_a_second(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, *(job(f"{i}", clock.now(), lane="C1") for i in range(3)))
    (first,) = await claim(opened_store, clock)
    clock.advance(seconds=2)
    assert not await claim(opened_store, clock), "the first is still under way"
    await finish(opened_store, first, Delivered(), clock)
    (second,) = await claim(opened_store, clock)
    await finish(opened_store, second, Delivered(), clock)
    assert not await claim(opened_store, clock), "not within the same second"
    assert await opened_store.queue.next_due(clock.now()) == clock.now() + timedelta(seconds=1)
    clock.advance(seconds=1)
    (third,) = await claim(opened_store, clock)
    assert [first.key, second.key, third.key] == ["0", "1", "2"]


async def test_a_blocked_lane_delays_no_other(opened_store: OpenedStore, clock: FakeClock) -> None:
    await enqueue(
        opened_store, *(job(f"{lane}{i}", clock.now(), lane=lane) for lane in "AB" for i in (0, 1))
    )
    first = next(j for j in await claim(opened_store, clock) if j.lane == "A")
    until = clock.now() + timedelta(seconds=30)
    await finish(opened_store, first, Retry(until, "429", lane_until=until, counts=False), clock)
    clock.advance(seconds=6)
    assert [j.lane for j in await claim(opened_store, clock)] == ["B"]
    clock.set(until)
    assert "A" in [j.lane for j in await claim(opened_store, clock)]


async def test_lanes_hold_whatever_happens(opened_store: OpenedStore, clock: FakeClock) -> None:
    """Random work: gaps hold, blocks hold, pages go first, and everything goes out once."""
    random = Random(7)
    lanes = ["A", "B", "C", ""]
    todo: dict[str, tuple[str, JobPriority]] = {}
    done: Counter[str] = Counter()
    last = dict.fromkeys(lanes, clock.now() - HOUR)
    blocked = dict.fromkeys(lanes, clock.now())
    for turn in range(120):
        new = [
            job(
                f"{turn}-{i}",
                clock.now(),
                lane=random.choice(lanes),
                priority=random.choice(list(JobPriority)),
            )
            for i in range(random.randrange(3))
        ]
        await enqueue(opened_store, *new)
        todo |= {j.key: (j.lane, j.priority) for j in new}
        for got in await claim(opened_store, clock):
            waiting = [p for key, (lane, p) in todo.items() if lane == got.lane]
            if got.lane:
                assert clock.now() - last[got.lane] >= timedelta(seconds=1)
                assert clock.now() >= blocked[got.lane]
                assert got.priority == min(waiting)
                last[got.lane] = clock.now()
            if random.random() < 0.2:
                until = clock.now() + timedelta(seconds=random.randrange(4))
                blocked[got.lane] = until if got.lane else clock.now()
                outcome: Outcome = Retry(clock.now(), "429", lane_until=until, counts=False)
            else:
                outcome = Delivered()
                done[got.key] += 1
                del todo[got.key]
            assert await finish(opened_store, got, outcome, clock)
        clock.advance(milliseconds=random.choice([200, 700, 1000]))
    while todo:
        clock.advance(seconds=5)
        for got in await claim(opened_store, clock):
            done[got.key] += 1
            del todo[got.key]
            await finish(opened_store, got, Delivered(), clock)
    assert set(done.values()) == {1}


async def test_a_lapsed_lease_is_taken_over_as_unsure_and_fenced(
    two: tuple[OpenedStore, OpenedStore], clock: FakeClock
) -> None:
    one, other = two
    await enqueue(one, job("a", clock.now(), lane="C1"))
    (first,) = await claim(one, clock)
    clock.advance(seconds=5)
    assert not await claim(other, clock)
    clock.advance(seconds=1)
    (second,) = await claim(other, clock)
    assert (second.unsure, second.lease, second.attempts) == (True, first.lease + 1, 2)
    ref = MessageRef("page", "D1", "1.0")
    assert not await finish(one, first, Delivered((ref,)), clock), "fenced"
    assert not await other.reader.messages("")
    assert not await one.queue.renew([first], clock.now())
    assert await finish(other, second, Delivered(), clock)
    assert not await claim(other, clock)


@pytest.fixture
async def two(
    opened_store: OpenedStore, database_url: str, clock: FakeClock
) -> AsyncIterator[tuple[OpenedStore, OpenedStore]]:
    """Yield two replicas; a SQLite file has one, whose memory of its leases is wiped instead."""
    if opened_store.shared:
        other = await open_store(database_url, clock)
        yield opened_store, other
        await other.close()
        return
    from bot.store.queue import SqlJobQueue

    other = object.__new__(OpenedStore)
    other.__dict__.update(opened_store.__dict__)
    other.queue = SqlJobQueue(opened_store.database, {})
    yield opened_store, other


async def test_a_process_never_takes_over_its_own_job(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("a", clock.now()), job("b", clock.now(), lane="C1"))
    claimed = await claim(opened_store, clock)
    assert len(claimed) == 2
    clock.advance(seconds=60)
    assert not await claim(opened_store, clock)
    for each in claimed:
        assert await finish(opened_store, each, Delivered(), clock)


async def test_renewing_keeps_a_lease_and_its_lane(
    two: tuple[OpenedStore, OpenedStore], clock: FakeClock
) -> None:
    one, other = two
    await enqueue(one, job("a", clock.now(), lane="C1"), job("b", clock.now(), lane="C1"))
    (first,) = await claim(one, clock)
    for _ in range(5):
        clock.advance(seconds=2)
        (first,) = await one.queue.renew([first], clock.now())
        assert first.leased_until == clock.now() + timedelta(seconds=6)
        assert not await claim(other, clock)
    assert await finish(one, first, Delivered(), clock)


async def test_retry_says_whether_the_next_attempt_is_unsure(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("a", clock.now()))
    seen = []
    for unsure in (True, False, True):
        (got,) = await claim(opened_store, clock)
        seen.append(got.unsure)
        at = clock.now() + timedelta(seconds=10)
        assert await finish(opened_store, got, Retry(at, "503", unsure=unsure), clock)
        assert await opened_store.queue.next_due(clock.now()) == at
        clock.set(at)
    (got,) = await claim(opened_store, clock)
    assert [*seen, got.unsure] == [False, True, False, True]
    assert got.attempts == 4


async def test_an_attempt_that_does_not_count_is_not_counted(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("a", clock.now()))
    (got,) = await claim(opened_store, clock)
    await finish(opened_store, got, Retry(clock.advance(hours=3), "429", counts=False), clock)
    (got,) = await claim(opened_store, clock)
    assert (got.attempts, got.first_attempt_at) == (1, clock.now())


async def test_renewed_jobs_become_due_again(opened_store: OpenedStore, clock: FakeClock) -> None:
    show = job("show", clock.now(), kind="show", renew=True, priority=JobPriority.MACHINE)
    later = replace(show, due_at=clock.now() + HOUR)
    await enqueue(opened_store, later)
    await enqueue(opened_store, replace(show, priority=JobPriority.PERSON, payload={"new": 1}))
    await enqueue(opened_store, later)
    (got,) = await claim(opened_store, clock)
    assert (got.priority, got.due_at) == (JobPriority.PERSON, clock.now())
    assert await finish(opened_store, got, Delivered(), clock)
    assert not await claim(opened_store, clock)
    await enqueue(opened_store, show)
    (again,) = await claim(opened_store, clock)
    assert (again.id, again.attempts, again.unsure) == (got.id, 1, False)
    assert again.revision > got.revision
    assert again.priority == JobPriority.MACHINE


async def test_a_job_renewed_while_it_goes_out_goes_out_again(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    show = job("show", clock.now(), kind="show", lane="C1", renew=True)
    await enqueue(opened_store, show)
    (got,) = await claim(opened_store, clock)
    await enqueue(opened_store, replace(show, due_at=clock.now() + timedelta(seconds=9)))
    await enqueue(opened_store, replace(show, due_at=clock.now() + timedelta(seconds=5)))
    assert not await claim(opened_store, clock)
    assert await finish(opened_store, got, Delivered(), clock)
    assert await opened_store.queue.next_due(clock.now()) == clock.now() + timedelta(seconds=5)
    clock.advance(seconds=5)
    (again,) = await claim(opened_store, clock)
    assert await finish(opened_store, again, Delivered(), clock)
    assert await opened_store.queue.next_due(clock.now()) is None


async def test_cancelled_jobs_do_not_go_out(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    await enqueue(
        opened_store,
        job("page", now, incident_id="inc"),
        job("show", now, kind="show", incident_id="inc"),
        job("other", now, incident_id="other"),
    )
    async with opened_store.store.begin() as tx:
        tx.enqueue(job("buffered", now, incident_id="inc"))
        tx.cancel_jobs("inc", ["page", "ask"])
        tx.enqueue(job("afterwards", now, incident_id="inc"))
    keys = {j.key for j in await claim(opened_store, clock)}
    assert keys == {"show", "other", "afterwards"}


async def test_the_lease_of_a_cancelled_job_is_not_renewed(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("page", clock.now(), incident_id="inc"))
    (page,) = await claim(opened_store, clock)
    async with opened_store.store.begin() as tx:
        tx.cancel_jobs("inc", ["page"])
    clock.advance(seconds=4)
    assert not await opened_store.queue.renew([page], clock.now()), "it must not leave any more"


async def test_a_job_cancelled_in_flight_is_never_retried(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    again, no = Retry(clock.now(), "503", unsure=True), Dead("no")
    for kind, outcome, counts in (("page", again, False), ("page", no, True), ("ask", no, False)):
        key = f"{kind} {type(outcome).__name__}"
        await enqueue(opened_store, job(key, clock.now(), kind=kind, incident_id="inc"))
        (got,) = await claim(opened_store, clock)
        async with opened_store.store.begin() as tx:
            tx.cancel_jobs("inc", [kind])
        assert await finish(opened_store, got, outcome, clock) is counts
        clock.advance(minutes=10)
        assert not await claim(opened_store, clock)
    assert not await opened_store.reader.dead_jobs(9)


async def test_a_page_that_went_out_though_cancelled_is_known_by_its_message(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("a", clock.now(), incident_id="inc"))
    (got,) = await claim(opened_store, clock)
    async with opened_store.store.begin() as tx:
        tx.cancel_jobs("inc", ["page"])
    message = MessageRef("page", "D1", "1.0", "ana", "a")
    assert await finish(opened_store, got, Delivered((message,)), clock)
    assert list(await opened_store.reader.messages("inc")) == [message]
    clock.advance(minutes=10)
    assert not await claim(opened_store, clock)


async def test_finishing_and_acknowledging_at_once_do_not_lock_each_other(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.store.begin() as tx:
        for i in range(10):
            tx.save(incident(i + 1, clock.now()))
            tx.enqueue(job(f"{i}", clock.now(), incident_id=f"incident-{i + 1:06}"))
    jobs = await claim(opened_store, clock)

    async def finishes(each: Job) -> None:
        async with opened_store.store.begin() as tx:
            await tx.finish_job(each, Delivered(), clock.now())
            await tx.load_incidents([each.incident_id])
            tx.save(tx.incident(each.incident_id).with_paged("ana"))

    async def acks(each: Job) -> None:
        async with opened_store.store.begin() as tx:
            await tx.load_incidents([each.incident_id])
            tx.save(tx.incident(each.incident_id).ack("bo", clock.now(), None))
            tx.cancel_jobs(each.incident_id, ["page"])

    async with asyncio.TaskGroup() as group:
        for each in jobs:
            group.create_task(finishes(each))
            group.create_task(acks(each))
    for each in jobs:
        found = await opened_store.reader.incident(each.incident_id)
        assert found is not None
        assert (found.paged, found.acked_by) == (("ana",), "bo")


async def test_two_claimers_never_get_the_same_job(
    two: tuple[OpenedStore, OpenedStore], clock: FakeClock
) -> None:
    one, other = two
    new = [job(f"{i}", clock.now(), lane=f"C{i % 7}" if i % 2 else "") for i in range(200)]
    await enqueue(one, *new)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(claim(opened, clock, 15)) for opened in (one, other) for _ in range(8)
        ]
    claimed = [j for task in tasks for j in task.result()]
    assert len({j.id for j in claimed}) == len(claimed)
    assert max(Counter(j.lane for j in claimed if j.lane).values()) == 1
    assert sum(not j.lane for j in claimed) >= 60


async def test_handing_back_makes_jobs_due_at_once(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("a", clock.now()), job("b", clock.now(), lane="C1"))
    claimed = await claim(opened_store, clock)
    await opened_store.queue.release(claimed, clock.now(), unsure=False)
    clock.advance(seconds=1)
    again = await claim(opened_store, clock)
    assert [(j.unsure, j.attempts) for j in again] == [(False, 1)] * 2
    await opened_store.queue.release(again, clock.now(), unsure=True)
    clock.advance(seconds=1)
    assert [j.unsure for j in await claim(opened_store, clock)] == [True, True]


async def test_at_start_the_leases_of_the_dead_end(database_url: str, clock: FakeClock) -> None:
    dead = await open_store(database_url, clock)
    await enqueue(dead, job("a", clock.now(), lane="C1"))
    assert len(await claim(dead, clock)) == 1
    await dead.close()
    started = await open_store(database_url, clock)
    assert await started.queue.release_all(clock.now()) == 1
    clock.advance(seconds=1)
    (got,) = await claim(started, clock)
    assert got.unsure
    await started.close()


async def test_dead_jobs_are_listed_and_revived(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await enqueue(opened_store, job("a", clock.now()))
    (got,) = await claim(opened_store, clock)
    await finish(opened_store, got, Dead("no such channel"), clock)
    ((listed, why),) = await opened_store.reader.dead_jobs(9)
    assert (listed.key, why) == ("a", "no such channel")
    assert await opened_store.queue.retry_dead(got.id, clock.now())
    (again,) = await claim(opened_store, clock)
    assert (again.id, again.attempts) == (got.id, 1)


async def test_lag_is_told_by_lane(opened_store: OpenedStore, clock: FakeClock) -> None:
    await enqueue(opened_store, job("a", clock.now(), lane="C1"), job("b", clock.now() + HOUR))
    clock.advance(seconds=30)
    assert await opened_store.reader.outbox_lag(clock.now()) == {"C1": 30.0}


async def test_a_page_that_is_tried_again_and_again_is_late_all_the_same(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    jobs = [job("a", now, lane="dm:ana"), job("tonight", now + HOUR, lane="dm:bo")]
    await enqueue(opened_store, *jobs, job("b", now, lane="C1", priority=JobPriority.NOTE))
    for tried in await claim(opened_store, clock):
        again = clock.now() + timedelta(minutes=3)
        await finish(opened_store, tried, Retry(again, "Slack hangs", unsure=True), clock)
    clock.advance(minutes=2)
    assert await opened_store.reader.outbox_lag(clock.now()) == {"dm:ana": 120.0}
    clock.advance(minutes=2)
    assert await opened_store.reader.outbox_lag(clock.now()) == {"dm:ana": 240.0, "C1": 60.0}
    for done in await claim(opened_store, clock):
        await finish(opened_store, done, Delivered(), clock)
    assert await opened_store.reader.outbox_lag(clock.now()) == {}
