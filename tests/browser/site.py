"""The signed-in pages on a real server and a real database, with a month of made-up incidents."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot.ports.store import TimelineEntry
from bot.store.opening import OpenedStore, open_store
from bot.web.answers import errors_as_json, harden
from bot.web.app import start_web, stop_web
from bot.web.pages.doors import Doors
from bot.web.pages.handlers import PageParts, Pages
from bot.web.pages.openid import OpenId
from bot.web.pages.sessions import Sessions
from rules.category import Category
from rules.incident import Incident, Stakes, State
from rules.journal.entry import Facts, JournalEntry, Told
from rules.priority import Impact, Priority, Urgency
from rules.sentence import Who, say
from rules.verification import Verdict, Verification
from tests.bot.store.samples import incident
from tests.databases import make_sqlite
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 7, 40, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PEOPLE = {
    "ana@example.com": "Ana Silva",
    "bo@example.com": "Bo Chen",
    "cy@example.com": "Cy Haddad",
    "finance": "Finance data",
    "growth": "Growth",
    "logistics": "Logistics",
}
EVIL = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"

_TROUBLES = (
    ("orders_daily", "fct_orders failed after 3 tries", Category.PIPELINE_FAILURE, "finance", 1),
    ("orders_daily", "fct_orders is late", Category.FRESHNESS, "finance", 1),
    ("revenue", "not_null_revenue_amount: 412 rows fail", Category.COMPLETENESS, "finance", 1),
    ("sign_ups", "row count of stg_sign_ups fell by 62 %", Category.VOLUME, "growth", 2),
    ("web_events", "column device_os changed from string to int", Category.SCHEMA, "growth", 3),
    ("shipments", "unique_shipment_id: 38 duplicates", Category.DUPLICATES, "logistics", 2),
    ("shipments", "warehouse connection refused", Category.INFRASTRUCTURE_FAILURE, "logistics", 2),
)


def history(count: int = 64, *, hostile: bool = True) -> list[Incident]:
    """Return incidents of four weeks, the newest of them open, and one with a hostile title."""
    chance = random.Random(7)
    made = [_one(chance, n, count) for n in range(1, count + 1)]
    if not hostile:
        return made
    evil = made[-3]
    return [*made[:-3], evil.but(title=EVIL, description=EVIL, note=EVIL), *made[-2:]]


def _one(chance: random.Random, number: int, count: int) -> Incident:
    product, title, category, owner, tier = chance.choice(_TROUBLES)
    at = NOW - (count - number) * timedelta(hours=10, minutes=37) - chance.randrange(90) * MINUTE
    state = {count: State.TRIGGERED, count - 1: State.ACKNOWLEDGED}.get(number, State.RESOLVED)
    who = chance.choice(("ana@example.com", "bo@example.com", "cy@example.com"))
    acked = at + chance.randrange(1, 22) * MINUTE
    over = at + chance.randrange(25, 420) * MINUTE
    stakes = Stakes(
        name=product,
        product=product,
        owner=owner,
        tier=tier,
        impact=list(Impact)[min(3, tier - 1 + chance.randrange(2))],
        urgency=chance.choice(list(Urgency)),
        impact_why="7 dashboards downstream",
        urgency_why="the promise is near",
        deadline=at + chance.randrange(1, 6) * HOUR if chance.random() < 0.75 else None,
    )
    took = state is not State.TRIGGERED
    return incident(
        number,
        at,
        dedup_key=f"{product}:{title}:{number}",
        title=title,
        occurred_at=at - chance.randrange(45) * MINUTE,
        priority=list(Priority)[min(4, tier - 1 + chance.randrange(3))],
        category=category,
        stakes=stakes,
        state=state,
        first_acked_at=acked if took else None,
        acked_at=acked if took else None,
        acked_by=who if took else "",
        assigned_to=who if took else "",
        resolved_by=who if state is State.RESOLVED else "",
        resolved_at=over if state is State.RESOLVED else None,
        previous=number - 9 if number > 9 and chance.random() < 0.2 else None,
        verification=_proof(chance, over) if state is State.RESOLVED else None,
        alert_count=chance.randrange(1, 5),
        note="Full refresh of stg_orders, then a rerun." if number == 7 else "",
    )


def _proof(chance: random.Random, claimed: datetime) -> Verification | None:
    if chance.random() < 0.3:
        return None
    pending = claimed > NOW - 20 * HOUR
    return Verification(
        verdict=Verdict.PENDING if pending else Verdict.PASSED,
        claimed_at=claimed,
        look_at=NOW + HOUR if pending else None,
        ended_at=None if pending else claimed + chance.randrange(20, 900) * MINUTE,
        evidence="" if pending else "The next run succeeded.",
    )


_TOLD = (
    Told(symptom="The finance dashboard showed yesterday's orders until noon.",
         cause_class="schema_change", cause="The shop renamed order_ts to ordered_at overnight.",
         fix="Renamed it back in stg_orders and ran a full refresh of fct_orders.", needed=True,
         follow_up="Agree with the shop on a contract for this table."),
    Told(symptom="Sign-ups of Sunday were 62 % below any other Sunday.", cause_class="late_source",
         cause="The export of the CRM came three hours late.",
         fix="Waited for the export, then re-ran the day.", needed=False,
         needed_why="It could have waited until the morning.", follow_up=""),
    Told(symptom=EVIL, cause_class="code", cause=EVIL, fix=EVIL, follow_up=EVIL),
    Told(symptom="Shipments were counted twice in the weekly report.", cause_class="code",
         cause="A retry of the load appended the same file again.",
         fix="Deleted the batch and back-filled 2026-11-04.", needed=True,
         follow_up="Make the load idempotent by file name."),
)  # fmt: skip


def entries(incidents: Sequence[Incident]) -> list[JournalEntry]:
    made = []
    hostile = any(EVIL in one.title for one in incidents)
    for told, place in zip(_TOLD, (-9, -12, -3, -20), strict=True):
        one = incidents[place]
        if told.fix == EVIL and not hostile:
            continue
        facts = Facts(
            title=one.title,
            product=one.product or (one.stakes.product if one.stakes else ""),
            category=one.category.value if one.category else "",
            priority=one.priority.value,
            opened_at=one.opened_at,
            resolved_at=one.resolved_at,
            resolved_by=one.resolved_by,
            steps=("Looked at the run's log", "Full refresh"),
        )
        made.append(
            JournalEntry(
                id=f"entry-{one.number}",
                incident_id=one.id,
                number=one.number,
                at=one.opened_at,
                changed_at=one.opened_at + HOUR,
                changed_by="bo@example.com",
                by="bo@example.com",
                written_at=one.opened_at + HOUR,
                told=told,
                facts=facts,
            )
        )
    return made


@dataclass(slots=True)
class Strangers:
    """People of whom only Slack knows, by key: a name and a zone; told to us when it is asked."""

    slack: dict[str, tuple[str, str]] = field(default_factory=dict)
    learned: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def learn(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.asked.append(key)
            await self.answers.wait()
            self.learned |= {key: self.slack[key]} if key in self.slack else {}

    def name(self, key: str) -> str:
        return self.learned.get(key, (PEOPLE.get(key, key.removeprefix("slack:")), ""))[0]

    def zone(self, key: str) -> str:
        return self.learned.get(key, ("", "Europe/Berlin"))[1]


@dataclass(frozen=True, slots=True)
class Site:
    """A running site; `sign_in` is the address of a fresh link for Ana."""

    url: str
    sessions: Sessions
    store: OpenedStore
    clock: FakeClock
    strangers: "Strangers"

    @property
    def sign_in(self) -> str:
        return f"{self.url}/sign-in/link?key={self.sessions.link_token('ana@example.com')}"


@asynccontextmanager
async def site(
    folder: Path,
    incidents: Sequence[Incident] | None = None,
    *,
    openid: OpenId | None = None,
    members: Mapping[str, str] | None = None,
    clock: FakeClock | None = None,
    database: str = "",
    address: str = "http://watchbill.example",
) -> AsyncIterator[Site]:
    """Serve the pages on a free port of this machine."""
    clock = clock or FakeClock(NOW)
    if not database:
        await make_sqlite(folder / "site.db")
        database = f"sqlite:///{folder / 'site.db'}"
    store = await open_store(database, clock)
    told = history() if incidents is None else incidents
    await _fill(store, told)
    strangers = Strangers()
    strangers.answers.set()
    sessions = Sessions("secret", clock, lasts=timedelta(hours=12), secure=False)
    parts = PageParts(
        issues=store.issues,
        reader=store.reader,
        journal=store.journal,
        clock=clock,
        sessions=sessions,
        name_of=strangers.name,
        zone_of=strangers.zone,
        learn=strangers.learn,
        on_call=store.issue_drawing.on_call,
        fresh=store.issue_drawing.catch_up,
        thread_link=_thread,
    )
    doors = Doors(
        sessions,
        store.issues,
        clock,
        openid=openid,
        person_of=lambda member: (members or {}).get(member, f"slack:{member}"),
        name_of=strangers.name,
        address=address,
    )
    app = web.Application(middlewares=[errors_as_json])
    app.on_response_prepare.append(harden)
    app.router.add_routes([*Pages(parts).routes(), *doors.routes()])
    runner = await start_web(app, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield Site(url, sessions, store, clock, strangers)
    await stop_web(runner)
    await store.close()


async def _thread(_incident_id: str) -> str:
    return "https://example.slack.com/archives/C1/p1"


async def _fill(store: OpenedStore, incidents: Sequence[Incident]) -> None:
    async with store.store.begin() as transaction:
        for one in incidents:
            transaction.save(one)
            opened = say("Opened by {source}: {title}", source=one.source, title=one.title)
            transaction.add_timeline(
                one.id, TimelineEntry(at=one.opened_at, what="opened", sentence=opened)
            )
            if one.acked_at:
                took = say("{who} took it.", who=Who(one.acked_by))
                transaction.add_timeline(
                    one.id, TimelineEntry(at=one.acked_at, what="acked", sentence=took)
                )
            if one.resolved_at:
                over = say("{who} resolved it: {note}", who=Who(one.resolved_by), note=one.note)
                transaction.add_timeline(
                    one.id, TimelineEntry(at=one.resolved_at, what="resolved", sentence=over)
                )
    async with store.store.begin() as transaction:
        for entry in entries(incidents) if len(incidents) > 20 else ():
            transaction.journal.save_entry(entry)
    store.issue_drawing.on_call = lambda _rotation, at: list(PEOPLE)[at.isocalendar().week % 3]
    await store.issue_drawing.catch_up()
