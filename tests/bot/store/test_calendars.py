"""Calendars in the store: the ledger writes what changed, revocations count, one holds the lease."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.ports.calendars import Following
from bot.store.opening import OpenedStore
from rules.calendar.event import CalendarEvent, events_of
from rules.calendar.ledger import publish
from rules.rotation import Span
from tests.fakes.clock import FakeClock

MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
SINCE = MON - 30 * timedelta(days=1)


def weeks(*people: str) -> list[CalendarEvent]:
    spans = [
        Span(
            MON + n * WEEK, MON + (n + 1) * WEEK, "data", "primary", (person, "bö\0") * bool(person)
        )
        for n, person in enumerate(people)
    ]
    return list(events_of(spans, MON, MON + 2_000 * WEEK))


async def test_what_is_published_is_read_again(opened_store: OpenedStore) -> None:
    calendars = opened_store.calendars
    told = await calendars.publish(weeks("ana", "bo", "cy"), MON, SINCE)
    assert len(told.changed) == 3
    version = await calendars.calendar_version()
    changed = await calendars.publish(weeks("ana", "cy"), MON + WEEK / 7, SINCE)
    stored = {one.event.id: one for one in await calendars.published()}
    assert {key: (o.sequence, o.cancelled) for key, o in stored.items()} == {
        one.event.id: (one.sequence, one.cancelled) for one in changed.published
    }
    second = stored[weeks("", "x")[0].id]
    assert second.event.people == ("cy", "bö\0")
    assert second.former == (("bo", MON + WEEK / 7),)
    assert second.changed_at == MON + WEEK / 7
    assert await calendars.calendar_version() > version


async def test_nothing_changed_writes_nothing(opened_store: OpenedStore) -> None:
    calendars = opened_store.calendars
    plain = [replace(one, people=("ana",)) for one in weeks("ana", "bo")]
    await calendars.publish(plain, MON, SINCE)
    version = await calendars.calendar_version()
    again = await calendars.publish(plain, MON + WEEK / 7, SINCE)
    assert (again.changed, again.forgotten) == ((), ())
    assert await calendars.calendar_version() == version


async def test_a_thousand_changes_are_kept_and_forgotten(opened_store: OpenedStore) -> None:
    many = [replace(one, people=("ana",)) for one in weeks(*["ana"] * 1_000)]
    await opened_store.calendars.publish(many, MON, SINCE)
    assert len(await opened_store.calendars.published()) == 1_000
    gone = await opened_store.calendars.publish((), MON, SINCE)
    assert (
        gone.published
        == publish((await opened_store.calendars.published()), (), MON, SINCE).published
    )
    late = await opened_store.calendars.publish((), MON + 6 * WEEK, SINCE)
    assert len(late.forgotten) == 1_000
    assert await opened_store.calendars.published() == []


async def test_revocations_count_by_feed(opened_store: OpenedStore, clock: FakeClock) -> None:
    calendars = opened_store.calendars
    version = await calendars.calendar_version()
    assert await calendars.revoke("person/ana@example.com", clock.now()) == 1
    assert await calendars.revoke("person/ana@example.com", clock.now()) == 2
    assert await calendars.revoke("all", clock.now()) == 1
    assert await calendars.revocations() == {"person/ana@example.com": 2, "all": 1}
    assert await calendars.calendar_version() == version + 3


async def test_how_a_follower_stands_is_kept(opened_store: OpenedStore, clock: FakeClock) -> None:
    calendars = opened_store.calendars
    behind = Following(name="data", calendar="c1", behind_since=clock.now(), problem="no\0 answer")
    await calendars.save_following(behind)
    assert await calendars.followings() == [replace(behind, problem="no\ufffd answer")]
    whole = Following(name="data", calendar="c1", synced_at=clock.now(), events=26, writes=3)
    await calendars.save_following(whole)
    assert await calendars.followings() == [whole]
    assert behind.lag(clock.now() + timedelta(seconds=90)) == 90
    assert whole.lag(clock.now() + timedelta(seconds=90)) == 0


async def test_one_process_at_a_time_has_the_lease(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    calendars, minute = opened_store.calendars, timedelta(minutes=1)
    now = clock.now()
    assert await calendars.claim_calendars("one", now, now + minute)
    assert not await calendars.claim_calendars("two", now, now + minute)
    assert await calendars.claim_calendars("one", now, now + 2 * minute)
    assert not await calendars.claim_calendars("two", now + minute, now + 3 * minute)
    assert await calendars.claim_calendars("two", now + 2 * minute, now + 3 * minute)
    assert not await calendars.claim_calendars("one", now + 2 * minute, now + 3 * minute)
