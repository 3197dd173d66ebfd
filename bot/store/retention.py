"""Forgetting what is over: done deliveries, ended jobs, and the details of closed incidents.

Kept for ever are incidents, their line in the list of issues, the journal, the ledger of access
and what people changed about the rotation: they are small, and asked for years later.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Row,
    Select,
    Table,
    TextClause,
    bindparam,
    delete,
    exists,
    select,
    text,
    tuple_,
)

from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.tables.access import ACCESS_GRANT
from bot.store.tables.contact import CONTACT_ATTEMPT
from bot.store.tables.core import ALERT, ALERT_TIME, INBOUND, INCIDENT, JOB, TIMELINE
from bot.store.tables.duties import DUTY_NOTICE, HANDOFF_NOTE
from bot.store.tables.journal import JOURNAL_PROMPT
from bot.store.tables.runbooks import RUNBOOK_ACTION, RUNBOOK_GAP, RUNBOOK_TICK, RUNBOOK_USE
from bot.store.tables.runs import EXPECTATION, OCCASION, RUN
from bot.store.tables.tasks import INCIDENT_TASK

_AT_ONCE = 25
"""Rows deleted in one transaction, so that nobody waits long for the turn to write."""
_FOUND_AT_ONCE = 5_000
"""Rows looked for at once, by a connection that only reads and makes nobody wait; few enough that
nothing else of the process waits while they are read."""

Pause = Callable[[], Awaitable[None]]
_Condition = ColumnElement[bool] | TextClause

_BEFORE = bindparam("before", type_=UtcDateTime())


def _of(table: Table, *also: _Condition) -> ColumnElement[bool]:
    """Ask of each row whether its incident is so: one look by its id, however many there are."""
    return exists().where(INCIDENT.c.id == table.c.incident_id, *also)


def _is_open(table: Table) -> ColumnElement[bool]:
    return _of(table, text("incident.state != 'resolved'"))


def _is_closed(table: Table) -> ColumnElement[bool]:
    return _of(table, INCIDENT.c.state == "resolved", INCIDENT.c.resolved_at < _BEFORE)


def _is_over(table: Table) -> ColumnElement[bool]:
    """Resolved, proved where that was wanted, and nothing that blocks is left to do."""
    return _of(
        table,
        INCIDENT.c.state == "resolved",
        INCIDENT.c.resolved_at < _BEFORE,
        INCIDENT.c.closed_at < _BEFORE,
    )


_ENDED: dict[str, tuple[Table, Sequence[_Condition]]] = {
    "deliveries": (INBOUND, [text("state = 'done'"), INBOUND.c.received_at < _BEFORE]),
    "jobs": (
        JOB,
        [
            text("job.state IN ('done', 'cancelled')"),
            JOB.c.done_at < _BEFORE,
            JOB.c.leased == 0,
            ~_is_open(JOB),
        ],
    ),
    "alerts": (ALERT, [ALERT.c.last_at < _BEFORE, _is_over(ALERT)]),
    "contact attempts": (CONTACT_ATTEMPT, [_is_closed(CONTACT_ATTEMPT)]),
    "timeline": (TIMELINE, [_is_closed(TIMELINE)]),
    "alert times": (ALERT_TIME, [_is_closed(ALERT_TIME)]),
    "runs": (RUN, [RUN.c.updated_at < _BEFORE]),
    "occasions": (OCCASION, [OCCASION.c.due_at < _BEFORE]),
    "expectations": (EXPECTATION, [EXPECTATION.c.retired_at < _BEFORE]),
    "notices": (DUTY_NOTICE, [DUTY_NOTICE.c.end_at < _BEFORE]),
    "notes": (HANDOFF_NOTE, [HANDOFF_NOTE.c.boundary_at < _BEFORE]),
    "actions": (RUNBOOK_ACTION, [_is_over(RUNBOOK_ACTION)]),
    "tasks": (
        INCIDENT_TASK,
        [
            INCIDENT_TASK.c.state != "open",
            INCIDENT_TASK.c.ended_at < _BEFORE,
            _is_over(INCIDENT_TASK),
        ],
    ),
    "prompts": (
        JOURNAL_PROMPT,
        [JOURNAL_PROMPT.c.state != "open", JOURNAL_PROMPT.c.changed_at < _BEFORE],
    ),
    "gaps": (RUNBOOK_GAP, [RUNBOOK_GAP.c.closed_at < _BEFORE]),
    "ticks": (RUNBOOK_TICK, [RUNBOOK_TICK.c.at < _BEFORE, _is_over(RUNBOOK_TICK)]),
    "runbooks": (
        RUNBOOK_USE,
        [
            RUNBOOK_USE.c.chosen_at < _BEFORE,
            _is_over(RUNBOOK_USE),
            ~exists().where(RUNBOOK_TICK.c.incident_id == RUNBOOK_USE.c.incident_id),
        ],
    ),
    "grants": (ACCESS_GRANT, [ACCESS_GRANT.c.open == 0, ACCESS_GRANT.c.requested_at < _BEFORE]),
}
_BY_INCIDENT = frozenset({"contact attempts", "timeline", "alert times"})
"""They have no time to be found by: they are looked for from the incidents that are closed."""
_CLOSED = select(INCIDENT.c.id).where(
    INCIDENT.c.state == "resolved", INCIDENT.c.resolved_at < _BEFORE
)
_A_YEAR_LONGER = frozenset({"occasions", "ticks", "runbooks", "grants"})
"""What reports and reviews count long after its details are gone: kept promises, whether a runbook
helped the last time, who had asked for which group. The ledger tells of access for ever."""
_YEAR = timedelta(days=366)


async def no_pause() -> None:
    """Go on at once."""


async def prune(database: Database, before: datetime, pause: Pause = no_pause) -> dict[str, int]:
    """Delete in small transactions what ended before `before`; return how many rows of each.

    `pause` is awaited after each of them, so that others have their turn to write.
    """
    removed = {}
    for name in _ENDED:
        removed[name] = 0
        until = before - _YEAR if name in _A_YEAR_LONGER else before
        while keys := await _found(database, name, until):
            count = 0
            for first in range(0, len(keys), _AT_ONCE):
                count += await _delete(database, name, keys[first : first + _AT_ONCE], until)
                await pause()
            removed[name] += count
            if count < len(keys):
                break  # what changed meanwhile is looked at the next time
    return removed


@cache
def _look(name: str) -> Select[Any]:
    table, ended = _ENDED[name]
    if name in _BY_INCIDENT:
        ended = [table.c.incident_id.in_(_CLOSED)]
    return select(*table.primary_key.columns).where(*ended).limit(_FOUND_AT_ONCE)


@cache
def _forget(name: str) -> Delete:
    table, ended = _ENDED[name]
    its_key = tuple_(*table.primary_key.columns).in_(bindparam("keys", expanding=True))
    return delete(table).where(its_key, *ended)


async def _found(database: Database, name: str, before: datetime) -> Sequence[Row[Any]]:
    async with database.read() as connection:
        rows: Sequence[Row[Any]] = (await connection.execute(_look(name), {"before": before})).all()
    return rows


async def _delete(database: Database, name: str, keys: Sequence[Row[Any]], before: datetime) -> int:
    values = {"keys": [tuple(key) for key in keys], "before": before}
    async with database.write() as connection:
        return (await connection.execute(_forget(name), values)).rowcount
