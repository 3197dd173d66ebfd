"""Forgetting what is over: done deliveries, ended jobs, and the details of closed incidents.

Kept for ever are incidents, their line in the list of issues, the journal, the ledger of access
and what people changed about the rotation: they are small, and asked for years later.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Delete, Select, bindparam, delete, select, text, tuple_

from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.tables.access import ACCESS_GRANT
from bot.store.tables.contact import CONTACT_ATTEMPT
from bot.store.tables.core import ALERT_TIME, INBOUND, INCIDENT, JOB, TIMELINE
from bot.store.tables.duties import DUTY_NOTICE, HANDOFF_NOTE
from bot.store.tables.journal import JOURNAL_PROMPT
from bot.store.tables.runbooks import RUNBOOK_ACTION, RUNBOOK_GAP, RUNBOOK_TICK, RUNBOOK_USE
from bot.store.tables.runs import EXPECTATION, OCCASION, RUN
from bot.store.tables.tasks import INCIDENT_TASK

_AT_ONCE = 1_000
"""Rows in one transaction, so that nobody waits long for the turn to write."""

_BEFORE = bindparam("before", type_=UtcDateTime())
_OPEN = select(INCIDENT.c.id).where(text("incident.state != 'resolved'"))
_CLOSED = select(INCIDENT.c.id).where(
    INCIDENT.c.state == "resolved", INCIDENT.c.resolved_at < _BEFORE
)
_OVER = _CLOSED.where(INCIDENT.c.closed_at < _BEFORE)
"""Resolved, proved where that was wanted, and nothing that blocks is left to do."""


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
    "contact attempts": _in_pieces(
        CONTACT_ATTEMPT, _of(CONTACT_ATTEMPT).where(CONTACT_ATTEMPT.c.incident_id.in_(_CLOSED))
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
    "actions": _in_pieces(
        RUNBOOK_ACTION, _of(RUNBOOK_ACTION).where(RUNBOOK_ACTION.c.incident_id.in_(_OVER))
    ),
    "tasks": _in_pieces(
        INCIDENT_TASK,
        _of(INCIDENT_TASK).where(
            INCIDENT_TASK.c.state != "open",
            INCIDENT_TASK.c.ended_at < _BEFORE,
            INCIDENT_TASK.c.incident_id.in_(_OVER),
        ),
    ),
    "prompts": _in_pieces(
        JOURNAL_PROMPT,
        _of(JOURNAL_PROMPT).where(
            JOURNAL_PROMPT.c.state != "open", JOURNAL_PROMPT.c.changed_at < _BEFORE
        ),
    ),
    "gaps": _in_pieces(RUNBOOK_GAP, _of(RUNBOOK_GAP).where(RUNBOOK_GAP.c.closed_at < _BEFORE)),
    "ticks": _in_pieces(
        RUNBOOK_TICK,
        _of(RUNBOOK_TICK).where(RUNBOOK_TICK.c.at < _BEFORE, RUNBOOK_TICK.c.incident_id.in_(_OVER)),
    ),
    "runbooks": _in_pieces(
        RUNBOOK_USE,
        _of(RUNBOOK_USE).where(
            RUNBOOK_USE.c.chosen_at < _BEFORE,
            RUNBOOK_USE.c.incident_id.in_(_OVER),
            RUNBOOK_USE.c.incident_id.not_in(select(RUNBOOK_TICK.c.incident_id)),
        ),
    ),
    "grants": _in_pieces(
        ACCESS_GRANT,
        _of(ACCESS_GRANT).where(ACCESS_GRANT.c.open == 0, ACCESS_GRANT.c.requested_at < _BEFORE),
    ),
}


_A_YEAR_LONGER = frozenset({"occasions", "ticks", "runbooks", "grants"})
"""What reports and reviews count long after its details are gone: kept promises, whether a runbook
helped the last time, who had asked for which group. The ledger tells of access for ever."""
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
