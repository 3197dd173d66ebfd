"""Keeps the table of production issues up to date: draws anew the rows of what has changed."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import BindParameter, bindparam, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import jobs
from bot.store.database import Database
from bot.store.issues.rows import values_of
from bot.store.tables.core import INCIDENT
from bot.store.tables.issues import ISSUE, ISSUE_CHANGE
from bot.store.tables.journal import JOURNAL_ENTRY
from bot.wire import incident_from_json
from rules.issues.issue import Lesson, OnCallAt, issue_of

A_PIECE = 100
"""Incidents drawn in one go, so that nobody waits long for the turn to write."""

_ONLY_ONE = text("SELECT pg_try_advisory_xact_lock(7205759403792794)")
_CHANGES = select(ISSUE_CHANGE).order_by(ISSUE_CHANGE.c.id).limit(A_PIECE)
_ANY_CHANGE = select(ISSUE_CHANGE.c.id).limit(1)
_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_INCIDENTS = select(INCIDENT.c.id, INCIDENT.c.body).where(INCIDENT.c.id.in_(_IDS))
_BEFORE = select(ISSUE.c.incident_id, ISSUE.c.on_call).where(ISSUE.c.incident_id.in_(_IDS))
_ENTRIES = (
    select(INCIDENT.c.id, JOURNAL_ENTRY.c.id.label("entry"), JOURNAL_ENTRY.c.cause,
           JOURNAL_ENTRY.c.body)
    .join(INCIDENT, INCIDENT.c.number == JOURNAL_ENTRY.c.number)
    .where(INCIDENT.c.id.in_(_IDS))
)  # fmt: skip
_DONE = delete(ISSUE_CHANGE).where(ISSUE_CHANGE.c.id.in_(_IDS))

Drawn = tuple[list[int], list[dict[str, Any]]]


class IssueDrawing:
    """Draws rows beside the traffic; one process at a time does, whichever has come first."""

    def __init__(self, database: Database, on_call: OnCallAt = lambda _rotation, _at: "") -> None:
        self._database = database
        self._lock = asyncio.Lock()
        self.on_call = on_call

    async def catch_up(self, most: int = 10) -> int:
        """Draw what has changed, in up to `most` pieces; return how many changes it was."""
        done = 0
        async with self._lock:
            for _ in range(most):
                piece = await self._piece()
                done += piece
                if piece < A_PIECE:
                    break
        return done

    async def _piece(self) -> int:
        if not await self._database.look(_ANY_CHANGE, {}):
            return 0
        if self._database.is_sqlite:
            async with self._database.read() as connection:
                ids, rows = await self._drawn(connection)
            if ids:
                async with self._database.write() as connection:
                    await _save(connection, ids, rows)
            return len(ids)
        # what was read must be saved before another replica reads: an older row would win
        async with self._database.write() as connection:
            if not (await connection.execute(_ONLY_ONE)).scalar():
                return 0
            ids, rows = await self._drawn(connection)
            if ids:
                await _save(connection, ids, rows)
        return len(ids)

    async def _drawn(self, connection: AsyncConnection) -> Drawn:
        changes = (await connection.execute(_CHANGES)).all()
        if not changes:
            return [], []
        wanted = {"ids": sorted({change.incident_id for change in changes})}
        known = {row.incident_id: row.on_call for row in await connection.execute(_BEFORE, wanted)}
        bodies = (await connection.execute(_INCIDENTS, wanted)).all()
        lessons = await _lessons(connection, wanted["ids"])
        return [change.id for change in changes], self._rows(bodies, known, lessons)

    def _rows(
        self, bodies: Sequence[Any], known: Mapping[str, str | None], lessons: Mapping[str, Lesson]
    ) -> list[dict[str, Any]]:
        rows = []
        for row in bodies:
            try:
                incident = incident_from_json(row.body)
            except ValidationError:
                continue  # told of where incidents are worked on
            # the roster of the day counts, and not what it says of that day later
            on_call = known.get(row.id) or self.on_call(incident.rotation, incident.opened_at)
            rows.append(values_of(issue_of(incident, on_call, lessons.get(row.id))))
        return rows


async def _lessons(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Lesson]:
    """Read what the journal says of incidents, by incident."""
    found = await connection.execute(_ENTRIES, {"ids": ids})
    return {row.id: _lesson(row.entry, row.cause, row.body) for row in found}


def _lesson(entry: str, cause: str, body: str) -> Lesson:
    told = json.loads(body).get("told") or {}
    return Lesson(entry=entry, cause=cause, follow_up=told.get("follow_up") or "")


async def _save(connection: AsyncConnection, ids: list[int], rows: list[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(_upsert(connection.dialect.name), rows)
    await connection.execute(_DONE, {"ids": ids})


@cache
def _upsert(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(ISSUE, dialect)
    new = {c.name: statement.excluded[c.name] for c in ISSUE.columns if c.name != "number"}
    return statement.on_conflict_do_update(index_elements=["number"], set_=new)
