"""A Google of one's own, and plans to put into it."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.oauth2.credentials import Credentials

from bot.calendar.budget import Budget
from bot.calendar.google import GoogleCalendarApi
from bot.calendar.reconcile import Reconciler
from rules.calendar.event import events_of
from rules.calendar.plan import Wanted, wanted_of
from rules.people import People, Person
from rules.rotation import OnCall, Span
from tests.fakes.clock import FakeClock
from tests.fakes.google_calendar import FakeGoogleCalendar

TEAM = "team@group.calendar.google.com"
MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
PEOPLE = People([Person("ana", "Ana Ruiz"), Person("bo", "Bo Chen"), Person("cy", "Cy Haddad")])


def weeks(*people: str, each: timedelta = WEEK) -> list[Wanted]:
    spans = [
        Span(MON + n * each, MON + (n + 1) * each, "data", "primary", (person,) * bool(person))
        for n, person in enumerate(people)
    ]
    events = events_of(spans, MON, MON + (len(spans) + 1) * each)
    return wanted_of(events, OnCall(spans), PEOPLE)


@pytest.fixture
def google() -> Iterator[FakeGoogleCalendar]:
    fake = FakeGoogleCalendar()
    fake.calendar(TEAM)
    with fake.serving():
        yield fake


@pytest.fixture
async def api(google: FakeGoogleCalendar) -> AsyncIterator[GoogleCalendarApi]:
    one = GoogleCalendarApi(lambda: Credentials("a-token"), api_url=google.url, timeout=5)
    yield one
    one.close()


@pytest.fixture
def reconciler(api: GoogleCalendarApi) -> Reconciler:
    clock = FakeClock(MON - timedelta(hours=6))
    return Reconciler(api, TEAM, "data", clock=clock, budget=Budget(100_000, clock))
