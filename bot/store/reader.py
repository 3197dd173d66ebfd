"""Read-only answers for views, pages and commands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Row,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    text,
    union_all,
)

from bot.ports.delivering import MessageRef
from bot.ports.inbox import Delivery
from bot.ports.jobs import Job, JobPriority
from bot.ports.store import TimelineEntry
from bot.store import rows
from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.duties import DutyReading
from bot.store.roster.changes import ChangeReading
from bot.store.runs.reads import RunReading
from bot.store.seen_lineage import VERSION, all_seen
from bot.store.tables.core import ALERT, INBOUND, INCIDENT, JOB, LANE, MESSAGE, PENDING, TIMELINE
from bot.store.tables.runs import EXPECTATION
from bot.store.taking import LONGEST_WAITING
from bot.store.transaction import SILENCES
from bot.wire import incident_from_json
from rules.incident import Incident, State
from rules.seen_lineage import Seen
from rules.silence import Silence

_NEXT_WAKE = union_all(
    select(func.min(INCIDENT.c.wake_at, type_=UtcDateTime()).label("at")).where(
        INCIDENT.c.wake_at.is_not(None)
    ),
    select(func.min(EXPECTATION.c.look_at, type_=UtcDateTime()).label("at")).where(
        text("expectation.look_at IS NOT NULL")
    ),
)
_BODY = select(INCIDENT.c.body).where(INCIDENT.c.id == bindparam("its_id"))
_MESSAGES = (
    select(MESSAGE).where(MESSAGE.c.incident_id == bindparam("its_id")).order_by(MESSAGE.c.ts)
)


def _oldest_by_lane() -> CompoundSelect[Any]:
    """Build what tells of each lane since when something waits.

    A page that is tried again and again waits from when it was due: it has reached nobody yet.
    """
    first = select(func.min(JOB.c.next_at, type_=UtcDateTime())).where(text("job.state = 'todo'"))
    due = select(func.min(JOB.c.due_at, type_=UtcDateTime())).where(text("job.state = 'todo'"))
    in_lane = (text("job.lane != ''"), JOB.c.lane == LANE.c.name)
    pages = due.where(*in_lane, JOB.c.priority == int(JobPriority.PAGE))
    alone = first.where(text("job.lane = ''")).scalar_subquery()
    return union_all(
        select(literal_column("''").label("lane"), alone.label("oldest"), alone.label("page")),
        select(
            LANE.c.name,
            first.where(*in_lane).correlate(LANE).scalar_subquery(),
            pages.correlate(LANE).scalar_subquery(),
        ),
    )


_OLDEST = _oldest_by_lane()


class SqlReader(RunReading, DutyReading, ChangeReading):
    """The Reader of a database; every method raises NotStoredError when it cannot be reached."""

    def __init__(self, database: Database) -> None:
        RunReading.__init__(self, database)
        DutyReading.__init__(self, database)
        ChangeReading.__init__(self, database)
        self._database = database

    async def incident(self, incident_id: str) -> Incident | None:
        found = await self._database.look(_BODY, {"its_id": incident_id})
        return incident_from_json(found[0].body) if found else None

    async def incident_numbered(self, number: int) -> Incident | None:
        found = await self._all(select(INCIDENT.c.body).where(INCIDENT.c.number == number))
        return incident_from_json(found[0].body) if found else None

    async def incidents(
        self, *, states: Sequence[State], limit: int, assigned_to: str = ""
    ) -> Sequence[Incident]:
        query = (
            select(INCIDENT.c.body)
            .where(INCIDENT.c.state.in_([state.value for state in states]))
            .order_by(INCIDENT.c.number.desc())
            .limit(limit)
        )
        if assigned_to:
            mine = INCIDENT.c.assigned_to == assigned_to
            query = query.where(mine, text("incident.assigned_to != ''"))
        return [incident_from_json(row.body) for row in await self._all(query)]

    async def pending_incidents(self, limit: int) -> Sequence[Incident]:
        query = (
            select(INCIDENT.c.body)
            .where(text(PENDING))
            .order_by(INCIDENT.c.number.desc())
            .limit(limit)
        )
        return [incident_from_json(row.body) for row in await self._all(query)]

    async def open_count(self) -> int:
        # each state by itself: the index is by state, and "all but resolved" would read everything
        states = [state.value for state in State if state is not State.RESOLVED]
        query = select(func.count()).where(INCIDENT.c.state.in_(states))
        return int((await self._all(query))[0][0])

    async def messages(self, incident_id: str) -> Sequence[MessageRef]:
        found = await self._database.look(_MESSAGES, {"its_id": incident_id})
        return [rows.message(row) for row in found]

    async def timeline(self, incident_id: str, limit: int) -> Sequence[TimelineEntry]:
        query = (
            select(TIMELINE)
            .where(TIMELINE.c.incident_id == incident_id)
            .order_by(TIMELINE.c.id.desc())
            .limit(limit)
        )
        return [rows.timeline_entry(row) for row in reversed(await self._all(query))]

    async def delivery(self, delivery_id: str) -> Delivery | None:
        found = await self._all(select(INBOUND).where(INBOUND.c.id == delivery_id))
        return rows.delivery(found[0]) if found else None

    async def silences(self, now: datetime) -> Sequence[Silence]:
        return [rows.silence(row) for row in await self._all(SILENCES, {"now": now})]

    async def recent_alert_labels(self, since: datetime, limit: int) -> Sequence[Mapping[str, str]]:
        query = (
            select(ALERT)
            .where(ALERT.c.last_at >= since)
            .order_by(ALERT.c.last_at.desc())
            .limit(limit)
        )
        return [rows.matchable_labels(row) for row in await self._all(query)]

    async def lineage_version(self) -> int:
        return next((int(row.value) for row in await self._database.look(VERSION, {})), 0)

    async def seen_lineage(self) -> Seen:
        async with self._database.read() as connection:
            return await all_seen(connection)

    async def dead_jobs(self, limit: int, kind: str = "") -> Sequence[tuple[Job, str]]:
        query = (
            select(JOB).where(text("state = 'dead'")).order_by(JOB.c.done_at.desc()).limit(limit)
        )
        if kind:
            query = query.where(JOB.c.kind == kind)
        return [(rows.job(row), row.error) for row in await self._all(query)]

    async def deliveries_wait(self, now: datetime) -> bool:
        return bool(await self._database.look(LONGEST_WAITING, {"now": now}))

    async def next_wake(self) -> datetime | None:
        found = await self._database.look(_NEXT_WAKE, {})
        return min((row.at for row in found if row.at), default=None)

    async def outbox_lag(self, now: datetime) -> Mapping[str, float]:
        found = await self._all(_OLDEST)
        waits = [(row.lane, at) for row in found for at in (row.oldest, row.page) if at is not None]
        late = [(lane, (now - at).total_seconds()) for lane, at in waits if at <= now]
        return dict(sorted(late, key=itemgetter(1)))

    async def _all(
        self, query: Select[Any] | CompoundSelect[Any], values: rows.Values | None = None
    ) -> Sequence[Row[Any]]:
        async with self._database.read() as connection:
            result = await connection.execute(query, values or {})
        found: Sequence[Row[Any]] = result.all()
        return found
