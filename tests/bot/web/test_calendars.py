"""Feeds over HTTP: who holds the address reads, and reads nothing twice."""

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bot.calendar.addresses import (
    Addresses,
    feed_of_person,
    feed_of_rotation,
    person_of,
    rotation_of,
)
from bot.metrics import Metrics
from bot.ports.inbox import NotStoredError
from bot.web.app import WebParts, build_web
from bot.web.calendars import CalendarFeeds, CalendarText
from bot.web.hooks import Hooks
from bot.web.probes import Probes
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox

CHANGED = datetime(2026, 11, 23, 9, tzinfo=UTC)
TEXT = CalendarText(b"BEGIN:VCALENDAR", gzip.compress(b"BEGIN:VCALENDAR", mtime=0), "t1", CHANGED)


class Feeds:
    def __init__(self) -> None:
        self.text = TEXT
        self.asked: list[tuple[str, str]] = []
        self.broken = False

    async def serve(self, kind: str, name: str, key: str) -> CalendarText | None:
        self.asked.append((kind, name))
        if self.broken:
            raise NotStoredError("no database")
        return self.text if key == "right" else None


@pytest.fixture
def feeds() -> Feeds:
    return Feeds()


@pytest.fixture
async def client(
    feeds: Feeds, clock: FakeClock
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    metrics = Metrics()
    app = build_web(
        WebParts(
            hooks=Hooks({}, inbox=FakeInbox(), clock=clock, metrics=metrics),
            probes=Probes({}, metrics, {"calendar": detail}),
            calendars=CalendarFeeds(feeds.serve, clock, limit=100, misses=5),
        )
    )
    async with TestClient(TestServer(app), auto_decompress=False) as one:
        yield one


async def detail() -> str:
    return "data is 90 s behind"


async def test_the_right_key_reads_the_feed(client, feeds: Feeds) -> None:
    plain = {"Accept-Encoding": "identity"}
    async with client.get("/calendar/data.ics?key=right", headers=plain) as answer:
        assert answer.status == 200
        assert await answer.read() == TEXT.plain
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.headers["ETag"] == 'W/"t1"'
        assert answer.headers["Last-Modified"] == "Mon, 23 Nov 2026 09:00:00 GMT"
        assert answer.headers["Cache-Control"] == "private, no-cache"
    await client.get("/calendar/person/ana@example.com.ics?key=right")
    await client.get("/calendar/all.ics?key=right")
    assert feeds.asked == [("rotation", "data"), ("person", "ana@example.com"), ("rotation", "all")]


@pytest.mark.parametrize(
    "feed",
    [
        *map(
            feed_of_rotation, ("all", "EU/US", "Équipe données", "50%", "a+b?c#d", "{x}", "a.ics")
        ),
        *map(feed_of_person, ("ana@example.com", "slack:U1", "a/b@example.com")),
    ],
)
async def test_every_address_we_give_leads_to_its_feed(client, feeds: Feeds, feed: str) -> None:
    address = Addresses("secret", str(client.make_url("")).rstrip("/")).link(feed)
    await client.session.get(URL(address, encoded=True))
    person = person_of(feed)
    kind = "rotation" if person is None else "person"
    assert feeds.asked == [(kind, person or rotation_of(feed) or feed)]


async def test_who_takes_gzip_gets_it(client) -> None:
    headers = {"Accept-Encoding": "gzip, br"}
    async with client.get("/calendar/data.ics?key=right", headers=headers) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(await answer.read()) == TEXT.plain


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": 'W/"t1"'}, 304),
        ({"If-None-Match": '"t0", "t1"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"t0"'}, 200),
        ({"If-None-Match": '"t0"', "If-Modified-Since": "Mon, 23 Nov 2026 09:00:00 GMT"}, 200),
        ({"If-Modified-Since": "Mon, 23 Nov 2026 09:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Mon, 23 Nov 2026 08:59:59 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Mon, 23 Nov 2026 09:00:00"}, 200),
    ],
)
async def test_who_has_it_is_told_so(client, headers: dict[str, str], status: int) -> None:
    async with client.get("/calendar/data.ics?key=right", headers=headers) as answer:
        assert answer.status == status
        assert answer.headers["ETag"] == 'W/"t1"'
        assert bool(await answer.read()) == (status == 200)


async def test_a_head_request_gets_no_body(client) -> None:
    async with client.head("/calendar/data.ics?key=right") as answer:
        assert (answer.status, await answer.read()) == (200, b"")


@pytest.mark.parametrize(
    "path", ["data.ics", "data.ics?key=", "data.ics?key=wrong", "data.ics?key=%00%ff"]
)
async def test_a_wrong_key_finds_nothing(client, path: str) -> None:
    async with client.get(f"/calendar/{path}") as answer:
        assert answer.status == 404
        assert "revoked" in (await answer.json())["error"]


async def test_guessing_is_slowed_down_and_readers_are_not(client, clock: FakeClock) -> None:
    statuses = [(await client.get("/calendar/data.ics?key=guess")).status for _ in range(7)]
    assert statuses == [404] * 5 + [429] * 2
    assert (await client.get("/calendar/data.ics?key=right")).status == 200
    clock.advance(seconds=12)
    assert (await client.get("/calendar/data.ics?key=guess")).status == 404
    flood = [(await client.get("/calendar/data.ics?key=right")).status for _ in range(120)]
    assert flood[-1] == 429


async def test_strangers_use_up_nobodys_turn(client) -> None:
    for _ in range(101):
        await client.get("/calendar/data.ics?key=guess")
    assert (await client.get("/calendar/data.ics?key=right")).status == 200


async def test_who_reads_one_feed_too_often_uses_up_no_other_one(client, clock: FakeClock) -> None:
    for _ in range(300):
        answer = await client.get("/calendar/data.ics?key=right")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    for path in ("web.ics", "person/data.ics", "all.ics"):
        assert (await client.get(f"/calendar/{path}?key=right")).status == 200
    clock.advance(seconds=1)
    assert (await client.get("/calendar/data.ics?key=right")).status == 200


async def test_what_is_absurd_is_not_looked_up(client, feeds: Feeds) -> None:
    assert (await client.get(f"/calendar/data.ics?key={'x' * 5_000}")).status == 404
    assert (await client.get(f"/calendar/{'x' * 5_000}.ics?key=right")).status == 404
    assert feeds.asked == []


async def test_a_database_that_fails_is_no_end_of_the_feed(client, feeds: Feeds) -> None:
    feeds.broken = True
    async with client.get("/calendar/data.ics?key=right") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "10")


async def test_readiness_tells_of_calendars_and_does_not_hang_on_them(client) -> None:
    async with client.get("/readyz") as answer:
        assert answer.status == 200
        assert (await answer.json())["details"] == {"calendar": "data is 90 s behind"}
