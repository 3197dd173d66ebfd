"""What the past teaches: repairs, runs, and when a product's incidents were open."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, Select, bindparam, or_, select, text

from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.runs import rows as run_rows
from bot.store.tables.core import INCIDENT
from bot.store.tables.runs import OCCASION, RUN
from rules.alert import AlertStatus, Severity
from rules.category import Category
from rules.expected_runs import EXPECTED, Occasion
from rules.incident import State
from rules.reliability.troubles import PastAlert, PastIncident
from rules.run import Run, RunState
from rules.weighing.history import Repair

T = TypeVar("T")

_MOST = 20_000
"""Of anything: the newest of them teach enough."""
_AT_ONCE = 500
"""Rows in one look, so that pages never wait long for the past."""
_CATEGORIES = {category.value: category for category in Category}
_SEVERITIES = {severity.value: severity for severity in Severity}
_SINCE = bindparam("since", type_=UtcDateTime())
_OPEN = [state.value for state in State if state is not State.RESOLVED]

_REPAIRS = (
    select(
        INCIDENT.c.rotation,
        INCIDENT.c.category,
        INCIDENT.c.paged_at,
        INCIDENT.c.acked_at,
        INCIDENT.c.resolved_at,
    )
    .where(
        text("incident.acked_at IS NOT NULL"),
        INCIDENT.c.acked_at >= _SINCE,
        INCIDENT.c.resolved_at.is_not(None),
        INCIDENT.c.storm == 0,
        or_(~INCIDENT.c.source.startswith("@"), INCIDENT.c.source == EXPECTED),
    )
    .order_by(INCIDENT.c.acked_at.desc(), INCIDENT.c.number)
)
_RUNS = (
    select(RUN)
    .where(RUN.c.updated_at >= _SINCE, RUN.c.state == RunState.SUCCEEDED.value)
    .order_by(RUN.c.updated_at.desc(), RUN.c.run_id, RUN.c.pipeline, RUN.c.attempt)
)
_OCCASIONS = (
    select(OCCASION)
    .where(text("occasion.product != ''"), OCCASION.c.due_at >= _SINCE)
    .order_by(OCCASION.c.due_at.desc(), OCCASION.c.name)
)
_INCIDENTS = (
    select(
        INCIDENT.c.number,
        INCIDENT.c.source,
        INCIDENT.c.dedup_key,
        INCIDENT.c.title,
        INCIDENT.c.category,
        INCIDENT.c.opened_at,
        INCIDENT.c.resolved_at,
        INCIDENT.c.body,
    )
    .where(
        or_(INCIDENT.c.state.in_(_OPEN), INCIDENT.c.resolved_at >= _SINCE),
        or_(text("incident.product != ''"), text("incident.asset != ''")),
        INCIDENT.c.storm == 0,
    )
    .order_by(INCIDENT.c.number.desc())
)
"""With whole bodies, which only Python reads: PostgreSQL takes no JSON with a NUL in it."""
_FIRST = select(INCIDENT.c.opened_at).order_by(INCIDENT.c.number).limit(1)


class SqlPast:
    """The past as a database has it; every method raises NotStoredError when it is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def watched_since(self) -> datetime | None:
        """Return when the first incident of all was opened, None when there was none."""
        async with self._database.read() as connection:
            found = (await connection.execute(_FIRST)).first()
        return found.opened_at if found else None

    async def repairs(self, since: datetime) -> Sequence[Repair]:
        """Return the incidents people took since then and that are over.

        Storms are left out, and what people opened by hand.
        """
        return await self._read(_REPAIRS, since, _repair)

    async def incidents(self, since: datetime) -> Sequence[PastIncident]:
        """Return the incidents with something at stake that were open at any time since then."""
        return await self._read(_INCIDENTS, since, _incident)

    async def runs(self, since: datetime) -> Sequence[Run]:
        """Return the runs that succeeded since then, newest first."""
        return await self._read(_RUNS, since, run_rows.run)

    async def occasions(self, since: datetime) -> Sequence[Occasion]:
        """Return the times since then at which a run of a product was due, newest first."""
        return await self._read(_OCCASIONS, since, run_rows.occasion)

    async def _read(
        self, query: Select[Any], since: datetime, made: Callable[[Row[Any]], T]
    ) -> list[T]:
        """Read the newest, piece by piece; making values of them is a thread's work."""
        found: list[T] = []
        while len(found) < _MOST:
            piece = query.limit(_AT_ONCE).offset(len(found))
            async with self._database.read() as connection:
                rows = (await connection.execute(piece, {"since": since})).all()
            found += await asyncio.to_thread(_each, rows, made)
            if len(rows) < _AT_ONCE:
                break
        return found


def _each(rows: Sequence[Row[Any]], made: Callable[[Row[Any]], T]) -> list[T]:
    return [made(row) for row in rows]


def _repair(row: Row[Any]) -> Repair:
    return Repair(
        rotation=row.rotation,
        category=_CATEGORIES.get(row.category),
        paged_at=row.paged_at,
        acked_at=row.acked_at,
        resolved_at=row.resolved_at,
    )


def _incident(row: Row[Any]) -> PastIncident:
    body = json.loads(row.body)
    stakes = body.get("stakes") or {}
    said = (body.get("correction") or {}).get("actionable")
    return PastIncident(
        number=row.number,
        source=row.source,
        dedup_key=row.dedup_key,
        title=row.title,
        severity=_SEVERITIES.get(body.get("severity"), Severity.UNKNOWN),
        category=_CATEGORIES.get(row.category),
        labels=body.get("labels") or {},
        product=stakes.get("product", ""),
        asset=stakes.get("asset", ""),
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        alerts=tuple(_alerts(body)),
        about=body.get("about") or {},
        actionable=not body.get("quiet_rule") if said is None else bool(said),
    )


def _alerts(body: dict[str, Any]) -> Iterator[PastAlert]:
    for one in body.get("alerts") or ():
        if one.get("product"):
            yield PastAlert(
                product=one["product"],
                severity=_SEVERITIES.get(one["severity"], Severity.UNKNOWN),
                first_at=datetime.fromisoformat(one["first_at"]),
                ended_at=datetime.fromisoformat(one["last_at"])
                if one["status"] == AlertStatus.RESOLVED
                else None,
            )
