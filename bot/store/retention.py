"""Forgetting what is over: done deliveries, ended jobs, and the details of closed incidents."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Delete, Select, bindparam, delete, select, text, tuple_

from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.tables.core import ALERT_TIME, INBOUND, INCIDENT, JOB, TIMELINE
from bot.store.tables.duties import DUTY_NOTICE, HANDOFF_NOTE
from bot.store.tables.runs import EXPECTATION, OCCASION, RUN

_AT_ONCE = 1_000
"""Rows in one transaction, so that nobody waits long for the turn to write."""

_BEFORE = bindparam("before", type_=UtcDateTime())
_OPEN = select(INCIDENT.c.id).where(text("incident.state != 'resolved'"))
_CLOSED = select(INCIDENT.c.id).where(
    INCIDENT.c.state == "resolved", INCIDENT.c.resolved_at < _BEFORE
)


def _in_pieces(table: Any, which: Select[Any]) -> Delete:
    keys = tuple_(*table.primary_key.columns)
    return delete(table).where(keys.in_(which.limit(_AT_ONCE)))


def _of(table: Any) -> Select[Any]:
    return select(*table.primary_key.columns)


_STATEMENTS = {
    "deliveries": _in_pieces(
        INBOUND, _of(INBOUND).where(text("state = 'done'"), INBOUND.c.received_at < _BEFORE)
    ),
    "jobs": _in_pieces(
        JOB,
        _of(JOB).where(
            text("job.state IN ('done', 'cancelled')"),
            JOB.c.done_at < _BEFORE,
            JOB.c.leased == 0,
            JOB.c.incident_id.not_in(_OPEN),
        ),
    ),
    "timeline": _in_pieces(TIMELINE, _of(TIMELINE).where(TIMELINE.c.incident_id.in_(_CLOSED))),
    "runs": _in_pieces(RUN, _of(RUN).where(RUN.c.updated_at < _BEFORE)),
    "occasions": _in_pieces(OCCASION, _of(OCCASION).where(OCCASION.c.due_at < _BEFORE)),
    "expectations": _in_pieces(
        EXPECTATION, _of(EXPECTATION).where(EXPECTATION.c.retired_at < _BEFORE)
    ),
    "notices": _in_pieces(DUTY_NOTICE, _of(DUTY_NOTICE).where(DUTY_NOTICE.c.end_at < _BEFORE)),
    "notes": _in_pieces(
        HANDOFF_NOTE, _of(HANDOFF_NOTE).where(HANDOFF_NOTE.c.boundary_at < _BEFORE)
    ),
    "alert times": _in_pieces(
        ALERT_TIME, _of(ALERT_TIME).where(ALERT_TIME.c.incident_id.in_(_CLOSED))
    ),
}


_A_YEAR_LONGER = frozenset({"occasions"})
"""What reports on promises count, long after its details are gone."""
_YEAR = timedelta(days=366)


async def prune(database: Database, before: datetime) -> dict[str, int]:
    """Delete in small transactions what ended before `before`; return how many rows of each."""
    removed = {}
    for name, statement in _STATEMENTS.items():
        removed[name] = 0
        until = before - _YEAR if name in _A_YEAR_LONGER else before
        while count := await _delete(database, statement, until):
            removed[name] += count
    return removed


async def _delete(database: Database, statement: Delete, before: datetime) -> int:
    async with database.write() as connection:
        return (await connection.execute(statement, {"before": before})).rowcount
