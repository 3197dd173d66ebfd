"""Accepted versions of the roster as the database keeps them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.roster_versions import AcceptedPlan, Confirmation
from bot.store.columns import stored_key, stored_text
from bot.store.database import Database
from bot.store.tables.core import COUNTER
from bot.store.tables.roster import ROSTER_CONFIRMATION, ROSTER_VERSION
from rules.schedule.roster import ALWAYS, RotationPlan

_OURS = COUNTER.c.name == "roster"
_NUMBER = select(COUNTER.c.value).where(_OURS)
_LOCKED = _NUMBER.with_for_update()
_PLAN: TypeAdapter[RotationPlan] = TypeAdapter(RotationPlan)
_OF = ROSTER_VERSION.c
_NEWEST = select(func.max(_OF.number)).group_by(_OF.rotation)
_MOST_KEPT = 5_000
"""Of one rotation; a sheet that is edited all day for years must not fill the disk."""


class SqlRosterVersions:
    """The RosterVersions of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def roster_number(self) -> int:
        ((number,),) = await self._database.look(_NUMBER, {})
        return int(number)

    async def accepted(self, since: datetime) -> Sequence[AcceptedPlan]:
        # what was in force at `since` is the newest of those that began before it
        before = (
            select(func.max(_OF.number))
            .where(_OF.valid_from <= since)
            .group_by(_OF.rotation)
        )  # fmt: skip
        query = (
            select(ROSTER_VERSION)
            .where((_OF.valid_from > since) | _OF.number.in_(before) | _OF.number.in_(_NEWEST))
            .order_by(_OF.number)
        )
        async with self._database.read() as connection:
            return [_accepted(row) for row in await connection.execute(query)]

    async def versions(self) -> Sequence[str]:
        query = select(_OF.version).order_by(_OF.number)
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def accept(self, plans: Sequence[AcceptedPlan]) -> int:
        async with self._database.write() as connection:
            # replicas accept one after another: each sees what the one before it kept
            number = int((await connection.execute(_LOCKED)).scalar_one())
            query = select(ROSTER_VERSION).where(_OF.number.in_(_NEWEST))
            newest = {row.rotation: _accepted(row) for row in await connection.execute(query)}
            fresh = [one for one in plans if not _same(one, newest.get(stored_text(one.plan.name)))]
            for at, one in enumerate(fresh, start=number + 1):
                await connection.execute(insert(ROSTER_VERSION).values(_row(at, one)))
                await _forget(connection, one.plan.name)
            if fresh:
                await _count(connection, number + len(fresh))
        return len(fresh)

    async def confirm(self, confirmation: Confirmation) -> None:
        version = stored_key(confirmation.version)
        said = {"by": stored_text(confirmation.by), "at": confirmation.at}
        its = ROSTER_CONFIRMATION.c.version == version
        async with self._database.write() as connection:
            number = int((await connection.execute(_LOCKED)).scalar_one())
            known = await connection.execute(update(ROSTER_CONFIRMATION).where(its).values(**said))
            if not known.rowcount:
                row = {"version": version, **said}
                await connection.execute(insert(ROSTER_CONFIRMATION).values(row))
            await _count(connection, number + 1)

    async def confirmation(self, version: str) -> Confirmation | None:
        query = select(ROSTER_CONFIRMATION).where(
            ROSTER_CONFIRMATION.c.version == stored_key(version)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Confirmation(row.version, row.by, row.at)


async def _count(connection: AsyncConnection, number: int) -> None:
    await connection.execute(update(COUNTER).where(_OURS).values(value=number))


async def _forget(connection: AsyncConnection, rotation: str) -> None:
    own = _OF.rotation == stored_text(rotation)
    query = select(_OF.number).where(own).order_by(_OF.number.desc()).offset(_MOST_KEPT).limit(1)
    oldest = (await connection.execute(query)).scalar()
    if oldest is not None:
        await connection.execute(delete(ROSTER_VERSION).where(own, _OF.number <= oldest))


def _same(one: AcceptedPlan, newest: AcceptedPlan | None) -> bool:
    if newest is None:
        return False
    return replace(one.plan, valid_from=ALWAYS) == replace(newest.plan, valid_from=ALWAYS)


def _row(number: int, one: AcceptedPlan) -> dict[str, Any]:
    return {
        "number": number,
        "rotation": stored_text(one.plan.name),
        "valid_from": one.plan.valid_from,
        "accepted_at": one.accepted_at,
        "version": stored_key(one.version),
        "source": stored_text(one.source),
        "author": stored_text(one.author),
        "plan": stored_text(_PLAN.dump_json(one.plan).decode()),
    }


def _accepted(row: Row[Any]) -> AcceptedPlan:
    return AcceptedPlan(
        plan=_PLAN.validate_json(row.plan),
        version=row.version,
        accepted_at=row.accepted_at,
        source=row.source,
        author=row.author,
    )
