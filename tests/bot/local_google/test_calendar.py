"""The local Calendar beside the other services, spoken to by Google's own client."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import httplib2
import pytest
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError

from bot.clock import SystemClock
from bot.local_google.calendar import LocalCalendar
from bot.local_google.calendar_door import calendar_mounts
from bot.local_google.google import LocalGoogle
from bot.local_google.server import serve

TEAM = "team@group.calendar.google.com"
EVENT = {
    "id": "oc0123",
    "summary": "Ana",
    "start": {"dateTime": "2026-11-23T09:00:00Z"},
    "end": {"dateTime": "2026-11-30T09:00:00Z"},
}


@pytest.fixture
def calendar() -> LocalCalendar:
    one = LocalCalendar()
    one.calendar(TEAM)
    return one


@pytest.fixture
async def url(calendar: LocalCalendar) -> AsyncIterator[str]:
    running = await serve(LocalGoogle(SystemClock()), mounted=calendar_mounts(calendar))
    yield f"{running.url}/"
    await running.close()


def story(url: str) -> list[Any]:
    document = json.loads(get_static_doc("calendar", "v3") or "{}")
    document["rootUrl"] = url
    document["baseUrl"] = urljoin(url, document["servicePath"])
    http = AuthorizedHttp(Credentials("a-token"), http=httplib2.Http(timeout=5))
    service = build_from_document(document, http=http)
    events, told = service.events(), []
    try:
        batch = service.new_batch_http_request(callback=lambda *one: told.append(one))
        batch.add(events.insert(calendarId=TEAM, body=EVENT))
        batch.add(events.insert(calendarId=TEAM, body=EVENT))
        batch.execute()
        patch = events.patch(calendarId=TEAM, eventId="oc0123", body={"summary": "Bo"})
        patch.execute()
        with pytest.raises(HttpError) as caught:
            events.insert(calendarId=TEAM, body={**EVENT, "id": "NOT-ALLOWED"}).execute()
        got = events.get(calendarId=TEAM, eventId="oc0123", fields="id,summary").execute()
        return [*told, int(caught.value.resp.status), got]
    finally:
        service.close()


async def test_batches_patches_and_partial_answers(url: str, calendar: LocalCalendar) -> None:
    first, second, status, got = await asyncio.to_thread(story, url)
    assert (first[2], int(second[2].resp.status)) == (None, 409)
    assert (status, got) == (400, {"id": "oc0123", "summary": "Bo"})
    assert calendar.breaches == []


async def test_a_breach_is_noted(url: str, calendar: LocalCalendar) -> None:
    def ask() -> int:
        http = httplib2.Http(timeout=5)
        headers = {"Authorization": "Bearer t"}
        place = f"{url}calendar/v3/calendars/{TEAM}/events?orderByy=x"
        answer, _ = http.request(place, "GET", headers=headers)
        http.close()
        return int(answer.status)

    assert await asyncio.to_thread(ask) == 400
    assert calendar.breaches == ["calendar.events.list: unknown parameter orderByy"]
