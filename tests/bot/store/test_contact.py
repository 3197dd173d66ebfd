"""The ledger of attempts, and the steps of pages, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.contact_jobs import contact_job, key_of, lane_of
from bot.ports.contact import Attempt, Result
from bot.ports.delivering import Dead, Delivered, Retry
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.store.opening import OpenedStore
from rules.contacting.following import Fate
from rules.contacting.method import Method
from rules.effects import Contact
from rules.sentence import say
from tests.fakes.clock import FakeClock

PAGE = "i1:0.0.0:ana"


def attempt(clock: FakeClock, **more: object) -> Attempt:
    usual = Attempt(
        incident_id="i1", page=PAGE, person="ana", method=Method.EMAIL, step=1, attempt=1,
        at=clock.now(), changed_at=clock.now(), result=Result.SENT, provider_id="<1@example.com>",
    )  # fmt: skip
    return replace(usual, **more)  # type: ignore[arg-type]


async def paged(
    opened: OpenedStore, clock: FakeClock, page: str = PAGE, person: str = "ana"
) -> None:
    """Enqueue a page with two further steps."""
    now = clock.now()
    steps = [(1, Method.EMAIL, 2), (2, Method.VOICE, 5)]
    async with opened.store.begin() as tx:
        tx.enqueue(
            NewJob(
                key=page, kind="page", lane=f"dm:{person}", priority=JobPriority.PAGE,
                due_at=now, payload={"person": person}, incident_id="i1",
            )
        )  # fmt: skip
        for number, method, minutes in steps:
            effect = Contact(person, page, number, method, timedelta(minutes=minutes), say("you"))
            tx.enqueue(contact_job(effect, "i1", now, now))


async def fates(opened: OpenedStore, page: str = PAGE) -> list[Fate]:
    async with opened.store.begin() as tx:
        return [one.fate for one in await tx.contact.standings(page)]


async def claim(opened: OpenedStore, clock: FakeClock) -> list[Job]:
    return list(await opened.queue.claim(clock.now(), 10))


async def test_attempts_are_read_as_they_were_made(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    second = attempt(clock, attempt=2, result=Result.TROUBLE, error="x" * 600, provider_id="")
    async with opened_store.store.begin() as tx:
        tx.contact.record(attempt(clock))
        tx.contact.record(second)
        tx.contact.record(attempt(clock, incident_id="i2"))
    found = await opened_store.contacts.attempts("i1")
    assert found == [attempt(clock), replace(second, error="x" * 500)]


async def test_what_a_service_tells_later_changes_the_attempt_it_took(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.store.begin() as tx:
        tx.contact.record(attempt(clock, provider_id="CA1", method=Method.VOICE))
    later = clock.advance(seconds=30)
    async with opened_store.store.begin() as tx:
        heard = await tx.contact.heard("i1", "CA1", Result.UNANSWERED, "no answer", later)
        assert heard is not None
        assert heard.method is Method.VOICE
        assert await tx.contact.heard("i2", "CA1", Result.FAILED, "", later) is None
    (found,) = await opened_store.contacts.attempts("i1")
    assert (found.result, found.error, found.changed_at) == (Result.UNANSWERED, "no answer", later)


async def test_the_steps_of_a_page_wait_for_their_time(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await paged(opened_store, clock)
    assert await fates(opened_store) == [Fate.AHEAD] * 3
    (job,) = await claim(opened_store, clock)
    assert job.kind == "page"
    assert await fates(opened_store) == [Fate.TRIED, Fate.AHEAD, Fate.AHEAD]
    async with opened_store.store.begin() as tx:
        await tx.finish_job(job, Dead("no such member"), clock.now())
    assert await fates(opened_store) == [Fate.FAILED, Fate.AHEAD, Fate.AHEAD]
    clock.advance(minutes=2)
    (job,) = await claim(opened_store, clock)
    assert (job.kind, job.lane) == ("contact", lane_of(Method.EMAIL, "ana"))
    async with opened_store.store.begin() as tx:
        await tx.finish_job(job, Delivered(), clock.now())
    assert await fates(opened_store) == [Fate.FAILED, Fate.DELIVERED, Fate.AHEAD]


async def test_a_step_is_hastened_once_and_never_one_that_was_tried_or_called_off(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await paged(opened_store, clock)
    async with opened_store.store.begin() as tx:
        assert await tx.contact.hasten(PAGE, 1, clock.now())
        assert not await tx.contact.hasten(PAGE, 1, clock.now())
        assert not await tx.contact.hasten(PAGE, 3, clock.now())
    jobs = {job.key: job for job in await claim(opened_store, clock)}
    email = jobs[key_of(PAGE, 1)]
    async with opened_store.store.begin() as tx:
        later = clock.now() + timedelta(seconds=30)
        await tx.finish_job(email, Retry(later, "451", unsure=True), clock.now())
    async with opened_store.store.begin() as tx:
        assert not await tx.contact.hasten(PAGE, 1, clock.now())
        tx.cancel_jobs("i1", ("contact",))
    async with opened_store.store.begin() as tx:
        assert not await tx.contact.hasten(PAGE, 2, clock.now())
    assert await fates(opened_store) == [Fate.TRIED, Fate.CALLED_OFF, Fate.CALLED_OFF]


async def test_when_slack_is_down_the_first_step_of_every_waiting_page_goes(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await paged(opened_store, clock)
    await paged(opened_store, clock, "i1:0.0.0:bo", "bo")
    (one, other) = await claim(opened_store, clock)
    async with opened_store.store.begin() as tx:
        await tx.finish_job(one, Delivered(), clock.now())
    async with opened_store.store.begin() as tx:
        assert await tx.contact.hasten_all(clock.now(), lane=one.lane) == 0
        assert await tx.contact.hasten_all(clock.now()) == 1
    (hastened,) = await claim(opened_store, clock)
    assert hastened.key == key_of(other.key, 1)


@pytest.mark.parametrize(
    ("seconds", "fails", "hastened"),
    [(40, False, True), (10, False, False), (10, True, True)],
)
async def test_a_page_that_waits_while_another_message_shuts_its_lane_goes_on(
    opened_store: OpenedStore, clock: FakeClock, seconds: int, *, fails: bool, hastened: bool
) -> None:
    now = clock.now()
    edit = NewJob(
        key="show_page:i0:ana", kind="show_page", lane="dm:ana", priority=JobPriority.PERSON,
        due_at=now, payload={"person": "ana"}, incident_id="i0",
    )  # fmt: skip
    async with opened_store.store.begin() as tx:
        tx.enqueue(edit)
    (under_way,) = await claim(opened_store, clock)
    await paged(opened_store, clock)
    until = now + timedelta(seconds=seconds)
    async with opened_store.store.begin() as tx:
        outcome = Retry(until, "429", lane_until=until, counts=fails)
        await tx.finish_job(under_way, outcome, now)
    assert [job.key for job in await claim(opened_store, clock)] == [key_of(PAGE, 1)] * hastened


async def test_calling_off_is_for_one_person(opened_store: OpenedStore, clock: FakeClock) -> None:
    await paged(opened_store, clock)
    await paged(opened_store, clock, "i1:0.0.0:bo", "bo")
    async with opened_store.store.begin() as tx:
        assert await tx.contact.call_off("i1", "ana", clock.now()) == 2
    assert await fates(opened_store) == [Fate.AHEAD, Fate.CALLED_OFF, Fate.CALLED_OFF]
    assert await fates(opened_store, "i1:0.0.0:bo") == [Fate.AHEAD] * 3
