"""What people were told of their shifts, and their notes, as the database keeps them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.duties import HandoffNote
from bot.store import jobs, rows
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.database import Database
from bot.store.tables.duties import DUTY_NOTICE, HANDOFF_NOTE
from rules.schedule.reminders import Notice, NoticeKind

LONGEST_NOTE = 2_000
_NOTICES = (
    select(DUTY_NOTICE)
    .where(DUTY_NOTICE.c.end_at > bindparam("since", type_=UtcDateTime()))
    .order_by(DUTY_NOTICE.c.told_at, DUTY_NOTICE.c.key)
)
_NOTES = (
    select(HANDOFF_NOTE)
    .where(
        HANDOFF_NOTE.c.rotation == bindparam("its_rotation"),
        HANDOFF_NOTE.c.boundary_at == bindparam("at", type_=UtcDateTime()),
    )
    .order_by(HANDOFF_NOTE.c.noted_at, HANDOFF_NOTE.c.person)
)


class DutyReading:
    """The part of a Reader that answers about shifts."""

    def __init__(self, database: Database) -> None:
        self._of_duties = database

    async def notices(self, since: datetime) -> Sequence[Notice]:
        async with self._of_duties.read() as connection:
            return await _told(connection, since)

    async def notes(self, rotation: str, boundary_at: datetime) -> Sequence[HandoffNote]:
        values = {"its_rotation": stored_key(rotation), "at": boundary_at}
        async with self._of_duties.read() as connection:
            return [_note(row) for row in await connection.execute(_NOTES, values)]


class PendingDuties:
    """A transaction's part: what was told, and what is to be written at its end."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._notices: dict[str, rows.Values] = {}
        self._notes: dict[tuple[str, datetime, str], rows.Values] = {}

    async def notices(self, since: datetime) -> Sequence[Notice]:
        return await _told(self._connection, since)

    def record(self, notice: Notice, now: datetime) -> None:
        self._notices[notice.key] = {
            "key": stored_key(notice.key),
            "kind": notice.kind.value,
            "person": stored_text(notice.person),
            "rotation": stored_text(notice.rotation),
            "role": stored_text(notice.role),
            "start_at": notice.start,
            "end_at": notice.end,
            "was_at": notice.was,
            "told_at": now,
        }

    def save_note(self, note: HandoffNote) -> None:
        rotation, person = stored_key(note.rotation), stored_key(note.person)
        self._notes[rotation, note.boundary_at, person] = {
            "rotation": rotation,
            "boundary_at": note.boundary_at,
            "person": person,
            "note": stored_text(note.note)[:LONGEST_NOTE],
            "noted_at": note.noted_at,
        }

    async def flush(self) -> None:
        dialect = self._connection.dialect.name
        if self._notices:
            values = [self._notices[key] for key in sorted(self._notices)]
            await self._connection.execute(_record(dialect), values)
        if self._notes:
            await self._connection.execute(_put_note(dialect), list(self._notes.values()))


async def _told(connection: AsyncConnection, since: datetime) -> list[Notice]:
    return [_notice(row) for row in await connection.execute(_NOTICES, {"since": since})]


@cache
def _record(dialect: str) -> jobs.Insert:
    return jobs.insert_for(DUTY_NOTICE, dialect).on_conflict_do_nothing(index_elements=["key"])


@cache
def _put_note(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(HANDOFF_NOTE, dialect)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["rotation", "boundary_at", "person"],
        set_={"note": new.note, "noted_at": new.noted_at},
    )


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        key=row.key,
        kind=NoticeKind(row.kind),
        start=row.start_at,
        end=row.end_at,
        person=row.person,
        rotation=row.rotation,
        role=row.role,
        was=row.was_at,
        told_at=row.told_at,
    )


def _note(row: Row[Any]) -> HandoffNote:
    return HandoffNote(
        rotation=row.rotation,
        boundary_at=row.boundary_at,
        person=row.person,
        note=row.note,
        noted_at=row.noted_at,
    )
