"""What the pages answer: addresses read, CSV that runs nothing, headers that allow nothing."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from multidict import MultiDict

from bot.ports.inbox import NotStoredError
from bot.ports.issues import IssueFilter, IssueQuery, SortBy
from bot.ports.store import TimelineEntry
from bot.web.pages.asking import asked
from bot.web.pages.drawing import lasted
from bot.web.pages.export import header
from rules.issues.issue import Issue, Standing
from rules.priority import Priority
from rules.sentence import plain, say
from rules.sla import Effort, urgency
from tests.browser.site import NOW, Site, history, site

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Site]:
    told = history(30)
    told[4] = told[4].but(title='=HYPERLINK("http://evil.example")')
    told[5] = told[5].but(title="\uff1d1+1")
    async with site(tmp_path, told) as served:
        yield served


def test_an_address_is_read_and_written_back() -> None:
    said = MultiDict(
        [("q", " late "), ("status", "open"), ("priority", "P1"), ("priority", "P2"),
         ("since", "2026-10-25"), ("until", "2026-10-25"), ("sort", "ttr"), ("dir", "asc"),
         ("promise", "missed"), ("size", "25"), ("after", "7")]
    )  # fmt: skip
    read = asked(said, BERLIN)
    day = datetime(2026, 10, 24, 22, tzinfo=UTC)  # 25 hours long: the clocks go back
    assert read.query == IssueQuery(
        filter=IssueFilter(
            text="late",
            standings=(Standing.TRIGGERED, Standing.ACKNOWLEDGED),
            priorities=(Priority.P1, Priority.P2),
            breached=True,
            since=day,
            until=day + timedelta(hours=25),
        ),
        sort=SortBy.TTR,
        descending=False,
        after=7,
        size=25,
    )
    assert not read.faults
    address = read.address(sort="tta")
    assert "after" not in address
    assert "priority=P1&priority=P2" in address


@pytest.mark.parametrize(
    "pair",
    [("status", "x"), ("priority", "P9"), ("category", "?"), ("impact", "1"), ("tier", "-1"),
     ("since", "2026-02-30"), ("sort", "number; DROP"), ("after", "1e3"), ("promise", "maybe"),
     ("tier", "9" * 20), ("q", "%%%"), ("q", "\U0001f525"), ("tier", "0")],
)  # fmt: skip
def test_what_cannot_be_meant_is_left_out(pair: tuple[str, str]) -> None:
    read = asked(MultiDict([pair]), BERLIN)
    assert len(read.faults) == 1
    assert read.query.filter == IssueFilter()


@pytest.mark.parametrize("pair", [("since", "0001-01-01"), ("until", "9999-12-31")])
async def test_the_ends_of_the_calendar_leave_nothing_out(
    pair: tuple[str, str], running: Site, ana: aiohttp.ClientSession
) -> None:
    assert asked(MultiDict([pair]), BERLIN).query.filter == IssueFilter()
    async with ana.get("/issues", params=dict([pair])) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("span", "words"),
    [(None, "–"), (timedelta(0), "0s"), (timedelta(seconds=59.9), "59s"),
     (timedelta(minutes=59, seconds=59), "59m"), (timedelta(hours=1), "1h 00m"),
     (timedelta(hours=47, minutes=59), "47h 59m"), (timedelta(days=2), "2d 0h")],
)  # fmt: skip
def test_durations_are_short(span: timedelta | None, words: str) -> None:
    assert lasted(span) == words


async def test_why_it_is_urgent_is_told_in_the_zone_of_its_reader(
    running: Site, ana: aiohttp.ClientSession
) -> None:
    deadline = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    effort = Effort(timedelta(minutes=10), timedelta(minutes=30))
    level, why = urgency(deadline, deadline - timedelta(hours=2), effort)
    told = history(30)[-1]
    assert told.stakes is not None
    kept = why.sentence.render(plain)
    stakes = replace(told.stakes, urgency=level, urgency_why=kept)
    async with running.store.store.begin() as transaction:
        await transaction.load_incidents([told.id])
        transaction.save(transaction.incident(told.id).but(stakes=stakes))
    async with ana.get("/issues/30") as answer:
        assert "1 h 20 min to spare before 2026-11-23 06:30 UTC" in await answer.text()
    async with running.store.store.begin() as transaction:
        line = TimelineEntry(at=NOW, what="weighed", sentence=why.sentence, rule=why.rule)
        transaction.add_timeline(told.id, line)
    async with ana.get("/issues/30") as answer:
        page = await answer.text()
    (fact,) = re.findall("<dt>Urgency</dt><dd>(.*?)</dd>", page)
    assert fact == (
        "Medium: 1 h 20 min to spare before 2026-11-23 07:30, as a repair takes 40 min."
    )


async def test_a_story_that_is_cut_says_so(running: Site, ana: aiohttp.ClientSession) -> None:
    told = history(30)[-1]
    async with running.store.store.begin() as transaction:
        for n in range(1_001):
            line = say("Alert {n} joined.", n=n)
            transaction.add_timeline(told.id, TimelineEntry(at=NOW, what="joined", sentence=line))
    async with ana.get("/issues/30") as answer:
        page = await answer.text()
    assert "The newest 1,000 lines; what came before is left out." in page
    assert "Alert 0 joined." not in page
    assert "Alert 1 joined." in page
    async with ana.get("/issues/29") as answer:
        assert "left out" not in await answer.text()


@pytest.mark.parametrize("asked_for", ["owner=Finance%20data", "owner=FINANCE", "owner=finance"])
async def test_an_owner_is_found_by_what_the_table_calls_them(
    ana: aiohttp.ClientSession, asked_for: str
) -> None:
    wanted = [one.number for one in history(30) if one.stakes and one.stakes.owner == "finance"]
    async with ana.get(f"/issues.csv?dir=asc&{asked_for}") as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [int(row["number"]) for row in rows] == wanted
    async with ana.get(f"/issues?{asked_for}") as answer:
        assert f"{len(wanted)} issues match" in await answer.text()


async def test_a_product_is_found_in_any_case(ana: aiohttp.ClientSession) -> None:
    async with ana.get("/issues?product=Shipments") as answer:
        assert "Nothing matches" not in await answer.text()
    async with ana.get("/journal?product=Nothing") as answer:
        assert "Nothing matches" in await answer.text()


async def test_the_csv_has_every_match_and_no_formula(
    ana: aiohttp.ClientSession,
) -> None:
    async with ana.get("/issues.csv?sort=opened&dir=asc") as answer:
        assert answer.status == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    told = history(30)
    assert [int(row["number"]) for row in rows] == [one.number for one in told]
    assert rows[4]["title"].startswith("'=HYPERLINK")
    assert rows[5]["title"] == "'\uff1d1+1"
    over = told[9]
    assert over.resolved_at is not None
    assert over.acked_at is not None
    assert int(rows[9]["tta_seconds"]) == (over.acked_at - over.opened_at).total_seconds()
    assert rows[9]["opened_at"] == f"{over.opened_at:%Y-%m-%dT%H:%M:%SZ}"


async def test_pages_allow_no_script_no_frame_and_no_copy(ana: aiohttp.ClientSession) -> None:
    for path in ("/issues", "/issues/3", "/issues/999", "/journal", "/sign-in"):
        async with ana.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src" not in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_is_not_there_is_told_with_a_way_back(ana: aiohttp.ClientSession) -> None:
    for path, way in (("/issues/999", "/issues"), ("/journal/none", "/journal")):
        async with ana.get(path) as answer:
            assert answer.status == 404
            assert f'href="{way}"' in await answer.text()


async def test_past_its_end_the_journal_is_not_called_empty(ana: aiohttp.ClientSession) -> None:
    async with ana.get("/journal?page=7") as answer:
        page = await answer.text()
    assert "is empty" not in page
    assert 'href="/journal">Show its newest entries' in page


async def test_times_are_the_reader_s_own(ana: aiohttp.ClientSession) -> None:
    newest = history(30)[-1].opened_at
    async with ana.get("/issues") as answer:
        text = await answer.text()
    assert f"{newest.astimezone(BERLIN):%Y-%m-%d %H:%M}" in text
    assert newest.isoformat(timespec="seconds") in text
    for path in ("/issues", "/issues/30", "/journal", "/journal/entry-11"):
        async with ana.get(path) as answer:
            assert "s in Europe/Berlin." in await answer.text(), path
    assert NOW.tzinfo is UTC


async def test_a_download_of_nothing_has_its_heading(ana: aiohttp.ClientSession) -> None:
    async with ana.get("/issues.csv?q=zebra") as answer:
        assert (answer.status, await answer.read()) == (200, header())


async def test_a_download_that_breaks_off_does_not_look_whole(
    running: Site, ana: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = running.store.issues.all

    async def breaks(query: IssueQuery, now: datetime) -> AsyncIterator[Sequence[Issue]]:
        async for piece in whole(query, now):
            yield piece
        raise NotStoredError("gone")

    monkeypatch.setattr(running.store.issues, "all", breaks)
    (cookie,) = ana.cookie_jar
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    line = "GET /issues.csv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    writer.write(f"{line}Cookie: {cookie.key}={cookie.value}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    assert said.count(b"HTTP/1.1") == 1  # no page in the middle of a table
    assert b"shipments" in said
    assert not said.endswith(b"0\r\n\r\n")


async def test_a_download_that_cannot_begin_is_told_in_words(
    running: Site, ana: aiohttp.ClientSession
) -> None:
    async with running.store.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE issue RENAME TO gone")
    async with ana.get("/issues.csv") as answer:
        assert answer.status == 503
        assert "The database does not answer" in await answer.text()
        assert "Content-Disposition" not in answer.headers


async def test_who_leaves_a_download_is_no_fault_of_ours(
    running: Site,
    ana: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = running.store.issues.all
    gone, asked_on = asyncio.Event(), 0

    async def long(query: IssueQuery, now: datetime) -> AsyncIterator[Sequence[Issue]]:
        nonlocal asked_on
        pieces = [piece async for piece in whole(query, now)]
        yield pieces[0]
        await gone.wait()
        for _ in range(100):
            asked_on += 1
            yield pieces[0]

    monkeypatch.setattr(running.store.issues, "all", long)
    async with ana.get("/issues.csv") as answer:
        await answer.content.readany()
        answer.close()
    async with ana.get("/issues") as answer:  # by now the server knows
        assert answer.status == 200
    gone.set()
    async with ana.get("/issues") as answer:  # and by now whatever was to be logged is
        assert answer.status == 200
    assert 0 < asked_on < 100
    assert "failed" not in capsys.readouterr().out
