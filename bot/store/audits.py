"""What the auditor asks of the database, and the few statements that put things right."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.contact_jobs import CONTACT, PAGE, page_of
from bot.ports.audits import JobStanding, Look, Standing
from bot.store import jobs
from bot.store.access import overdue_grants
from bot.store.claiming import LANE_GAP
from bot.store.columns import UtcDateTime, stored_key
from bot.store.database import Database
from bot.store.tables.audit import AUDIT_FINDING, ERRAND
from bot.store.tables.core import INBOUND, INCIDENT, JOB, LANE, MESSAGE, PENDING
from bot.wire import incident_from_json, sentence_from_json, sentence_to_json
from rules.audit import (
    BusyLane,
    Facts,
    Finding,
    GivenUpPage,
    LapsedLease,
    Patience,
    Undecided,
    Watched,
)

_log = structlog.get_logger(__name__)

MOST = 200
"""Incidents looked at in turn, and suspects of each kind, at one look."""

TOLD_AGAIN_AFTER = timedelta(hours=1)
_KEPT = timedelta(days=30)
_A_DAY = timedelta(days=1)
_PAGE_KINDS = ("page", CONTACT, "page_user_group", "page_channel", "webhook")
_ARRIVED = ("page", CONTACT)
_INCIDENT = (INCIDENT.c.id, INCIDENT.c.number, INCIDENT.c.wake_at, INCIDENT.c.body)
_OPEN = INCIDENT.c.state.in_(("triggered", "acknowledged"))
_TODO = text("job.state = 'todo'")
_ALONE = text("job.lane = ''")
_IN_LANE = text("job.lane != ''")
_NEW = text("inbound.state = 'new'")


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


class SqlAudits:
    """The AuditReads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(
        self, now: datetime, patience: Patience, *, after: int = 0, faulty: Sequence[str] = ()
    ) -> Look:
        async with self._database.read() as connection:
            suspects = await _rows(connection, _UNWATCHED)
            suspects += await _rows(connection, _OVERDUE, at=now - patience.wake_up)
            in_turn = await _in_turn(connection, after)
            found = {row.id: row for row in (*suspects, *in_turn)}
            watched, unreadable = await _watched(connection, list(found.values()), faulty)
            facts = Facts(
                incidents=tuple(watched),
                unreadable=tuple(unreadable),
                leases=await _leases(connection, now - patience.lease),
                lanes=await _lanes(connection, now - patience.shortest),
                given_up=await _given_up(connection, now - _A_DAY),
                undecided=await _undecided(connection, now - patience.delivery),
                grants=await overdue_grants(connection, now - patience.grant),
            )
        full = len(in_turn) == MOST
        return Look(facts=facts, next_number=in_turn[-1].number if full else 0)

    async def findings(self) -> Sequence[Standing]:
        query = (
            select(AUDIT_FINDING)
            .where(AUDIT_FINDING.c.standing == 1)
            .order_by(AUDIT_FINDING.c.first_at, AUDIT_FINDING.c.key)
        )
        async with self._database.read() as connection:
            return [_standing(row) for row in await _rows(connection, query)]

    async def job_standing(self, key: str) -> JobStanding | None:
        query = select(JOB.c.state, JOB.c.error).where(JOB.c.key == stored_key(key))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else JobStanding(row.state, row.error)

    async def errand_due(self, name: str, now: datetime, next_at: datetime) -> bool:
        query = select(ERRAND.c.next_at).where(ERRAND.c.name == name)
        async with self._database.read() as connection:
            kept = (await connection.execute(query)).scalar_one_or_none()
        return kept is None or kept <= now or kept > _beyond(now, next_at)

    async def errand_done_at(self, name: str) -> datetime | None:
        query = select(ERRAND.c.done_at).where(ERRAND.c.name == name)
        async with self._database.read() as connection:
            done_at: datetime | None = (await connection.execute(query)).scalar_one_or_none()
        return done_at


class PendingAudit:
    """The AuditWrites of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim_errand(self, name: str, now: datetime, next_at: datetime) -> bool:
        dialect = self._connection.dialect.name
        insert = jobs.insert_for(ERRAND, dialect).on_conflict_do_nothing(index_elements=["name"])
        await self._connection.execute(insert, {"name": name, "next_at": now})
        kept = ERRAND.c.next_at
        taken = await self._connection.execute(
            update(ERRAND)
            .where(ERRAND.c.name == name, or_(kept <= now, kept > _beyond(now, next_at)))
            .values(next_at=next_at)
        )
        return bool(taken.rowcount)

    async def finish_errand(self, name: str, now: datetime) -> None:
        done = update(ERRAND).where(ERRAND.c.name == name).values(done_at=now)
        await self._connection.execute(done)

    async def watched(self, ids: Sequence[str], faulty: Sequence[str]) -> Sequence[Watched]:
        query = select(*_INCIDENT).where(INCIDENT.c.id.in_(ids))
        rows = await _rows(self._connection, query)
        return (await _watched(self._connection, rows, faulty))[0]

    async def release_job(self, job_id: str, lease: int, now: datetime) -> bool:
        """End a lease; whoever still thinks to have it is fenced, and what it did stays unsure."""
        held = and_(_TODO, JOB.c.leased == 1, JOB.c.lease == lease)
        released = await self._connection.execute(
            update(JOB)
            .where(JOB.c.id == job_id, held, JOB.c.next_at <= now)
            .values(leased=0, lease=JOB.c.lease + 1, in_flight=1, next_at=now)
        )
        return bool(released.rowcount)

    async def open_lane(self, name: str, now: datetime) -> None:
        insert = jobs.insert_lane(self._connection.dialect.name)
        opened = {"free_at": now, "blocked_until": now, "held_until": now, "holder": ""}
        await self._connection.execute(insert, {"name": name, **opened})
        await self._connection.execute(update(LANE).where(LANE.c.name == name).values(**opened))

    async def hasten_deliveries(self, received_before: datetime, now: datetime) -> None:
        late = and_(_NEW, INBOUND.c.received_at <= received_before, INBOUND.c.next_at > now)
        await self._connection.execute(update(INBOUND).where(late).values(next_at=now))

    async def record(self, found: Sequence[Finding], now: datetime) -> Sequence[Finding]:
        kept = AUDIT_FINDING.c
        recent = or_(kept.standing == 1, kept.last_at > now - TOLD_AGAIN_AFTER)
        known = set((await self._connection.execute(select(kept.key).where(recent))).scalars())
        over = update(AUDIT_FINDING).where(kept.standing == 1).values(standing=0)
        await self._connection.execute(over)
        by_key = {stored_key(one.key): one for one in found}
        if by_key:
            values = [_finding_values(key, one, now) for key, one in sorted(by_key.items())]
            await self._connection.execute(_keep(self._connection.dialect.name, now), values)
        old = and_(kept.standing == 0, kept.last_at < now - _KEPT)
        await self._connection.execute(delete(AUDIT_FINDING).where(old))
        return [one for key, one in by_key.items() if key not in known]


def _beyond(now: datetime, next_at: datetime) -> datetime:
    """Return what no clock would have set that goes right: those of replicas differ a little."""
    return next_at + (next_at - now)


# not as JSON: PostgreSQL reads none in which a text holds a NUL, SQLite none that is broken
_PAGES = or_(INCIDENT.c.body.contains('"pages":true'), INCIDENT.c.body.contains('"pages": true'))
_UNWATCHED = (
    select(*_INCIDENT)
    .where(INCIDENT.c.state == "triggered", INCIDENT.c.wake_at.is_(None), _PAGES)
    .order_by(INCIDENT.c.number)
    .limit(MOST)
)
"""Triggered incidents that page, and that no clock will wake."""
_OVERDUE = (
    select(*_INCIDENT)
    .where(INCIDENT.c.wake_at <= _at("at"), _OPEN)
    .order_by(INCIDENT.c.wake_at)
    .limit(MOST)
)
_IN_TURN = (
    # one state at a time: the index is by state, and most resolved incidents are never looked at
    select(*_INCIDENT)
    .where(INCIDENT.c.state == bindparam("state"), INCIDENT.c.number > bindparam("number"))
    .order_by(INCIDENT.c.number)
    .limit(MOST)
)
_PENDING_IN_TURN = (
    select(*_INCIDENT)
    .where(text(PENDING), INCIDENT.c.number > bindparam("number"))
    .order_by(INCIDENT.c.number)
    .limit(MOST)
)


async def _rows(
    connection: AsyncConnection, query: Select[Any], **values: object
) -> list[Row[Any]]:
    return list((await connection.execute(query, values)).all())


async def _in_turn(connection: AsyncConnection, after: int) -> list[Row[Any]]:
    found = [
        row
        for state in ("triggered", "acknowledged")
        for row in await _rows(connection, _IN_TURN, state=state, number=after)
    ]
    found += await _rows(connection, _PENDING_IN_TURN, number=after)
    return sorted(found, key=lambda row: int(row.number))[:MOST]


async def _watched(
    connection: AsyncConnection, found: Sequence[Row[Any]], faulty: Sequence[str]
) -> tuple[list[Watched], list[int]]:
    ids = [row.id for row in found]
    pages: dict[str, set[str]] = {}
    waiting = select(JOB.c.incident_id, JOB.c.key).where(
        _TODO, JOB.c.incident_id.in_(ids), JOB.c.kind.in_((PAGE, CONTACT))
    )
    arrived = select(MESSAGE.c.incident_id, MESSAGE.c.key).where(
        MESSAGE.c.incident_id.in_(ids), MESSAGE.c.role.in_(_ARRIVED)
    )
    for query in (waiting, arrived):
        for row in await _rows(connection, query):
            pages.setdefault(row.incident_id, set()).add(page_of(row.key))
    watched, unreadable = [], []
    for row in found:
        try:
            incident = incident_from_json(row.body)
        except ValidationError:
            _log.exception("an incident cannot be read", action="audit", number=row.number)
            unreadable.append(row.number)
            continue
        watched.append(
            Watched(
                incident=incident,
                wake_at=row.wake_at,
                pages=frozenset(pages.get(row.id, ())),
                faulty=row.id in faulty,
            )
        )
    return watched, unreadable


async def _leases(connection: AsyncConnection, before: datetime) -> tuple[LapsedLease, ...]:
    lapsed = and_(_TODO, JOB.c.leased == 1, JOB.c.next_at <= before)
    query = select(JOB.c.id, JOB.c.lease, JOB.c.kind, JOB.c.next_at).where(lapsed).limit(MOST)
    found = [
        row
        for place in (_ALONE, _IN_LANE)  # each has an index of its own
        for row in await _rows(connection, query.where(place))
    ]
    return tuple(
        LapsedLease(job_id=row.id, lease=row.lease, kind=row.kind, lapsed_at=row.next_at)
        for row in found
    )


async def _lanes(connection: AsyncConnection, before: datetime) -> tuple[BusyLane, ...]:
    due = and_(_TODO, JOB.c.leased == 0, JOB.c.next_at <= before)
    of_pages = case((JOB.c.priority == 0, JOB.c.next_at))
    of_each = (
        select(
            JOB.c.lane,
            func.count().label("waiting"),
            func.min(JOB.c.next_at, type_=UtcDateTime()).label("due"),
            func.min(of_pages, type_=UtcDateTime()).label("page_due"),
        )
        .where(due)
        .group_by(JOB.c.lane)
    )
    waiting = union_all(of_each.where(_ALONE), of_each.where(_IN_LANE)).subquery("waiting")
    query = (
        select(waiting, LANE.c.name, LANE.c.free_at, LANE.c.held_until, LANE.c.blocked_until)
        .join_from(waiting, LANE, LANE.c.name == waiting.c.lane, isouter=True)
        .limit(MOST)
    )
    return tuple(
        BusyLane(
            name=row.lane,
            waiting=row.waiting,
            due=row.due,
            page_due=row.page_due,
            known=row.lane == "" or row.name is not None,
            opens_at=None if row.name is None else max(row.free_at, row.held_until),
            blocked_until=_blocked(row),
        )
        for row in await _rows(connection, query)
    )


def _blocked(lane: Row[Any]) -> datetime | None:
    """Return until when a lane is shut, or kept free for more than its pace: a call rings."""
    return None if lane.name is None else max(lane.blocked_until, lane.free_at - LANE_GAP)


async def _given_up(connection: AsyncConnection, since: datetime) -> tuple[GivenUpPage, ...]:
    query = (
        select(JOB.c.id, JOB.c.kind, JOB.c.error, INCIDENT.c.number, INCIDENT.c.title)
        .join_from(JOB, INCIDENT, INCIDENT.c.id == JOB.c.incident_id)
        .where(
            text("job.state = 'dead'"),
            JOB.c.kind.in_(_PAGE_KINDS),
            JOB.c.done_at >= since,
            INCIDENT.c.state == "triggered",
        )
        .order_by(JOB.c.done_at)
        .limit(MOST)
    )
    return tuple(
        GivenUpPage(job_id=row.id, kind=row.kind, number=row.number, title=row.title, why=row.error)
        for row in await _rows(connection, query)
    )


async def _undecided(connection: AsyncConnection, before: datetime) -> Undecided | None:
    query = select(
        func.count().label("waiting"),
        func.min(INBOUND.c.received_at, type_=UtcDateTime()).label("oldest"),
    ).where(_NEW, INBOUND.c.received_at <= before)
    row = (await connection.execute(query)).one()
    return Undecided(count=row.waiting, oldest=row.oldest) if row.waiting else None


def _keep(dialect: str, now: datetime) -> jobs.Insert:
    statement = jobs.insert_for(AUDIT_FINDING, dialect)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={"sentence": new.sentence, "last_at": now, "standing": 1},
    )


def _finding_values(key: str, one: Finding, now: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "kind": one.fault.value,
        "number": one.number,
        "sentence": json.dumps(sentence_to_json(one.sentence)),
        "first_at": now,
        "last_at": now,
        "standing": 1,
    }


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        key=row.key,
        fault=row.kind,
        number=row.number,
        sentence=sentence_from_json(json.loads(row.sentence)),
        first_at=row.first_at,
        last_at=row.last_at,
        standing=bool(row.standing),
    )
