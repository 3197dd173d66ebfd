"""The roster's rows of overrides as the database knows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.roster_rows import RowBase
from bot.store.columns import stored_key, stored_text
from bot.store.database import Database
from bot.store.tables.core import COUNTER
from bot.store.tables.rows import ROSTER_ROW
from rules.schedule.merging import Base, Facts, RowState

_FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)
_ITS = ROSTER_ROW.c
_NUMBER = select(COUNTER.c.value).where(COUNTER.c.name == "roster_changes")


class PendingRows:
    """The RowWrites of one connection; the caller holds the lock of the rotation's changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, since: datetime) -> Sequence[RowBase]:
        found = await self._connection.execute(select(ROSTER_ROW).where(_ITS.over_at > since))
        return [_row(row) for row in found]

    async def row(self, its_id: str) -> RowBase | None:
        query = select(ROSTER_ROW).where(_ITS.id == stored_key(its_id))
        found = (await self._connection.execute(query)).one_or_none()
        return None if found is None else _row(found)

    async def save(self, row: RowBase) -> None:
        values = _values(row)
        known = await self._connection.execute(
            update(ROSTER_ROW).where(_ITS.id == values["id"]).values(**values)
        )
        if not known.rowcount:
            await self._connection.execute(insert(ROSTER_ROW).values(**values))

    async def forget(self, its_id: str) -> None:
        await self._connection.execute(delete(ROSTER_ROW).where(_ITS.id == stored_key(its_id)))

    async def forget_over(self, before: datetime) -> None:
        await self._connection.execute(delete(ROSTER_ROW).where(_ITS.over_at <= before))

    async def changes_number(self) -> int:
        return int((await self._connection.execute(_NUMBER)).scalar_one())


class SqlRosterRows:
    """The RowReads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, since: datetime) -> Sequence[RowBase]:
        async with self._database.read() as connection:
            return await PendingRows(connection).rows(since)

    async def changes_number(self) -> int:
        ((number,),) = await self._database.look(_NUMBER, {})
        return int(number)


def _values(row: RowBase) -> dict[str, Any]:
    return {
        "id": stored_key(row.id),
        "state": row.base.state.value,
        "facts": stored_text(_FACTS.dump_json(row.base.facts).decode()),
        "at": row.at,
        "over_at": row.over_at,
        "conflict": stored_text(row.conflict),
    }


def _row(row: Row[Any]) -> RowBase:
    return RowBase(
        id=row.id,
        base=Base(_FACTS.validate_json(row.facts), RowState(row.state)),
        at=row.at,
        over_at=row.over_at,
        conflict=row.conflict,
    )
