"""The pages themselves: /issues, an incident, the journal, signing in and out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.clock import Clock
from bot.ports.issues import Choices, Issues, SortBy
from bot.ports.journal import JournalFilter, JournalReads
from bot.ports.store import Reader as StoreReader
from bot.web.answers import AWAY, has_begun
from bot.web.pages import export
from bot.web.pages.asking import SIZES, STATUSES, asked, known_as, meant
from bot.web.pages.drawing import HEADERS, Reader, notice, page
from bot.web.pages.sessions import Sessions, local_path
from rules.category import Category
from rules.incident import Incident
from rules.issues.issue import Issue, Lesson, OnCallAt, issue_of
from rules.issues.measures import course_of
from rules.journal.entry import JournalEntry
from rules.priority import Impact, Priority, Urgency

LEARN_SECONDS = 1.5
"""How long a page waits for Slack to tell what people are called; an id is better than no page."""
_ASK_AGAIN = timedelta(minutes=2)
_CHOICES_KEPT = timedelta(seconds=30)
_MOST_TIMELINE = 1_000
_STYLE = "pages.css"
_LONGEST_ID = 100

Page = Callable[[web.Request, Reader], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParts:
    """What the pages read.

    `fresh` draws what has just changed into the table; `thread_link` leads to an incident's
    thread in Slack, "" where it has none. `zone_of` is a person's own zone. `learn` asks Slack who
    people are that only it knows, as after a restart.
    """

    issues: Issues
    reader: StoreReader
    journal: JournalReads
    clock: Clock
    sessions: Sessions
    name_of: Callable[[str], str]
    zone_of: Callable[[str], str]
    learn: Callable[[Iterable[str]], Awaitable[None]]
    on_call: OnCallAt
    fresh: Callable[[], Awaitable[object]]
    thread_link: Callable[[str], Awaitable[str]]


class Pages:
    """The handlers; whoever is not signed in is led to the door."""

    def __init__(self, parts: PageParts) -> None:
        self._parts = parts
        self._choices: tuple[datetime, Choices] | None = None
        self._asked_at: dict[str, datetime] = {}
        self._css = (resources.files("bot.web.pages") / "static" / _STYLE).read_bytes()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/issues", self._for_people(self.issues)),
            web.get("/issues.csv", self._for_people(self.table_as_csv)),
            web.get(r"/issues/{number:\d{1,15}}", self._for_people(self.incident)),
            web.get("/journal", self._for_people(self.journal)),
            web.get("/journal/{entry}", self._for_people(self.entry)),
            web.get(f"/pages/{_STYLE}", self.style),
        ]

    def _for_people(self, show: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            claim = self._parts.sessions.read_session(request)
            try:
                if claim is None or await self._parts.issues.is_used(claim.id):
                    way = urlencode({"next": local_path(request.path_qs)}, errors="replace")
                    raise web.HTTPSeeOther(f"/sign-in?{way}", headers=HEADERS)
                await self._learn([claim.person])
                me = self._reader(claim.person)
                answer = await show(request, me)
                if not answer.prepared and await self._learn(me.strangers):
                    return await show(request, self._reader(claim.person))
                return answer
            except AWAY:
                if has_begun(request):
                    raise
                return notice(
                    "The database does not answer",
                    "Nothing is lost. Reload the page in a minute.",
                    status=503,
                    way=(request.path_qs, "Try again"),
                )

        return handle

    def _reader(self, person: str) -> Reader:
        parts = self._parts
        return Reader(person, parts.name_of, ZoneInfo(parts.zone_of(person)), parts.clock.now())

    async def _learn(self, keys: Iterable[str]) -> bool:
        """Say whether Slack was asked about anybody, which it is once in a while."""
        now, asked_at = self._parts.clock.now(), self._asked_at
        long_ago = now - _ASK_AGAIN
        strangers = (key for key in keys if key.startswith("slack:"))
        new = [key for key in strangers if not long_ago < asked_at.get(key, long_ago) <= now]
        with suppress(TimeoutError):
            async with asyncio.timeout(LEARN_SECONDS):
                for key in new:
                    asked_at[key] = now
                    await self._parts.learn([key])
        return bool(new)

    # the table

    async def issues(self, request: web.Request, me: Reader) -> web.StreamResponse:
        await self._parts.fresh()
        choices = await self._known_choices(me.now)
        wanted = meant(asked(request.query, me.zone), choices, me.name)
        found = await self._parts.issues.page(replace(wanted.query, typical=True), me.now)
        context = {
            "me": me,
            "asked": wanted,
            "found": found,
            "choices": choices,
            "csv": wanted.address("/issues.csv"),
            "statuses": tuple(STATUSES),
            "sizes": SIZES,
            "priorities": tuple(Priority),
            "impacts": tuple(Impact),
            "urgencies": tuple(Urgency),
            "categories": tuple(Category),
            "columns": _COLUMNS,
        }
        return page("issues.html", context)

    async def table_as_csv(self, request: web.Request, me: Reader) -> web.StreamResponse:
        await self._parts.fresh()
        choices = await self._known_choices(me.now)
        wanted = meant(asked(request.query, me.zone), choices, me.name)
        pieces = self._parts.issues.all(wanted.query, me.now)
        # a database that is away is told by a page, which a download that has begun cannot become
        first = await anext(pieces, None) or ()
        name = f"issues-{me.now:%Y-%m-%d}.csv"
        response = web.StreamResponse(
            headers={
                **HEADERS,
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}"',
            }
        )
        await response.prepare(request)
        await response.write(export.header() + export.lines(first, me.now, me.name))
        async for piece in pieces:
            await response.write(export.lines(piece, me.now, me.name))
        await response.write_eof()
        return response

    async def _known_choices(self, now: datetime) -> Choices:
        if self._choices is None or now - self._choices[0] >= _CHOICES_KEPT:
            self._choices = (now, await self._parts.issues.choices())
        return self._choices[1]

    # one incident

    async def incident(self, request: web.Request, me: Reader) -> web.StreamResponse:
        number = int(request.match_info["number"])
        await self._parts.fresh()
        reader, issues = self._parts.reader, self._parts.issues
        incident = await reader.incident_numbered(number)
        if incident is None:
            return notice(
                f"There is no incident #{number}",
                "It may have been typed wrong. The table lists them all.",
                status=404,
                way=("/issues", "Production issues"),
            )
        entry = await self._parts.journal.entry_of(number)
        # in a storm, and after an upgrade, it stands before its line of the table
        issue = await issues.numbered(number) or self._undrawn(incident, entry)
        told = await reader.timeline(incident.id, _MOST_TIMELINE + 1)
        context = {
            "me": me,
            "incident": incident,
            "issue": issue,
            "course": course_of(incident),
            "timeline": told[-_MOST_TIMELINE:],
            "cut": len(told) > _MOST_TIMELINE,
            "again": await issues.recurrences(number),
            "entry": entry,
            "thread": await self._parts.thread_link(incident.id),
        }
        return page("incident.html", context)

    def _undrawn(self, incident: Incident, entry: JournalEntry | None) -> Issue:
        lesson = Lesson(entry=entry.id, cause=entry.told.cause_class) if entry else None
        on_call = self._parts.on_call(incident.rotation, incident.opened_at)
        return issue_of(incident, on_call, lesson)

    # the journal

    async def journal(self, request: web.Request, me: Reader) -> web.StreamResponse:
        given = request.query
        at = given.get("page", "0")
        number = int(at) if at.isascii() and at.isdigit() and len(at) < 5 else 0
        choices = await self._known_choices(me.now)
        filters = JournalFilter(
            product=known_as(given.get("product", "").strip()[:200], choices.products, me.name),
            category=given.get("category", "")[:40],
            cause=given.get("cause", "")[:60],
        )
        words = given.get("q", "")[:300]
        found = await self._parts.journal.search(words, filters=filters, page=number)
        kept = {n: v for n in ("q", "product", "category", "cause") if (v := given.get(n))}
        context = {
            "me": me,
            "found": found,
            "words": words,
            "filters": filters,
            "number": number,
            "choices": choices,
            "categories": tuple(Category),
            "turn": lambda n: f"/journal?{urlencode({**kept, 'page': n})}",
        }
        return page("journal.html", context)

    async def entry(self, request: web.Request, me: Reader) -> web.StreamResponse:
        written = request.match_info["entry"][:_LONGEST_ID]
        journal = self._parts.journal
        entry = await journal.entry(written)
        if entry is None:
            return notice(
                "There is no such journal entry",
                "It may have been typed wrong. The journal lists them all.",
                status=404,
                way=("/journal", "Journal"),
            )
        versions = await journal.versions(entry.id)
        return page("entry.html", {"me": me, "entry": entry, "versions": versions})

    async def style(self, _request: web.Request) -> web.StreamResponse:
        caching = {"Cache-Control": "public, max-age=300"}
        return web.Response(
            body=self._css, content_type="text/css", charset="utf-8", headers=HEADERS | caching
        )


@dataclass(frozen=True, slots=True)
class Heading:
    """One thing the table is sorted by, as its header names it."""

    by: SortBy
    short: str
    long: str


_COLUMNS: dict[str, Heading] = {
    one.by.value: one
    for one in (
        Heading(SortBy.OPENED, "Opened", "when it opened"),
        Heading(SortBy.PRODUCT, "Product", "data product"),
        Heading(SortBy.TIER, "tier", "tier of the product"),
        Heading(SortBy.CATEGORY, "Category", "what kind of trouble"),
        Heading(SortBy.CAUSE, "cause", "class of the root cause"),
        Heading(SortBy.PRIORITY, "Priority", "priority"),
        Heading(SortBy.IMPACT, "Impact", "how much breaks"),
        Heading(SortBy.URGENCY, "urgency", "how soon it hurts"),
        Heading(SortBy.STATUS, "Status", "where it stands"),
        Heading(SortBy.OWNER, "Owner", "who owns the product"),
        Heading(SortBy.ON_CALL, "on-call", "who was on call when it opened"),
        Heading(SortBy.TTD, "TTD", "time to detect: broke to first alert"),
        Heading(SortBy.TTA, "TTA", "time to acknowledge: first alert to somebody taking it"),
        Heading(SortBy.TTM, "TTM", "time to mitigate: first alert until nothing fires"),
        Heading(SortBy.TTR, "TTR", "time to repair: first alert to healthy, as proved"),
        Heading(SortBy.TTV, "TTV", "time to verify: claim of a fix to its proof"),
        Heading(SortBy.RECURS, "Recurs", "what it is a recurrence of"),
        Heading(SortBy.FOLLOW_UP, "follow-up", "what is still to be done"),
    )
}
