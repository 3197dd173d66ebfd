"""Calendars as the database keeps them: the ledger of events, revocations, followers, a lease."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.calendars import Following
from bot.ports.inbox import ConflictError, NotStoredError
from bot.store.columns import UtcDateTime, from_micros, stored_key, stored_text, to_micros
from bot.store.database import Database
from bot.store.tables.calendar import (
    CALENDAR_EVENT,
    CALENDAR_FEED,
    CALENDAR_FOLLOWER,
    CALENDAR_LEASE,
)
from bot.store.tables.core import COUNTER
from rules.calendar.event import CalendarEvent
from rules.calendar.ledger import Publication, Published, publish

_AT_ONCE = 400
_NAME = "calendar"
_OURS = COUNTER.c.name == _NAME
_VERSION = select(COUNTER.c.value).where(_OURS)
_LOCKED = _VERSION.with_for_update()
_CHANGED = update(COUNTER).where(_OURS).values(value=COUNTER.c.value + 1)
_CLAIM = (
    update(CALENDAR_LEASE)
    .where(
        CALENDAR_LEASE.c.name == _NAME,
        or_(
            CALENDAR_LEASE.c.holder == bindparam("me"),
            CALENDAR_LEASE.c.until.is_(None),
            CALENDAR_LEASE.c.until <= bindparam("now", type_=UtcDateTime()),
        ),
    )
    .values(holder=bindparam("me"), until=bindparam("ends", type_=UtcDateTime()))
)


class SqlCalendars:
    """The CalendarStore of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """Yield a transaction; who lost a race comes again with the next refresh."""
        try:
            async with self._database.write() as connection:
                yield connection
        except ConflictError as error:
            raise NotStoredError(str(error)) from error

    async def calendar_version(self) -> int:
        async with self._database.read() as connection:
            return int((await connection.execute(_VERSION)).scalar_one())

    async def published(self) -> Sequence[Published]:
        async with self._database.read() as connection:
            return await _published(connection)

    async def publish(
        self, events: Sequence[CalendarEvent], now: datetime, since: datetime
    ) -> Publication:
        async with self._writing() as connection:
            # replicas publish one after another: each sees what the one before it told
            await connection.execute(_LOCKED)
            before = await _published(connection)
            told = await asyncio.to_thread(publish, before, events, now, since)
            if told.changed or told.forgotten:
                await _replace(connection, told)
                await connection.execute(_CHANGED)
        return told

    async def revocations(self) -> Mapping[str, int]:
        query = select(CALENDAR_FEED.c.name, CALENDAR_FEED.c.revocations)
        async with self._database.read() as connection:
            return {row.name: row.revocations for row in await connection.execute(query)}

    async def revoke(self, feed: str, now: datetime) -> int:
        name = stored_key(feed)
        its = CALENDAR_FEED.c.name == name
        async with self._writing() as connection:
            await connection.execute(_LOCKED)
            query = select(CALENDAR_FEED.c.revocations).where(its)
            count = (await connection.execute(query)).scalar()
            row = {"revocations": (count or 0) + 1, "revoked_at": now}
            if count is None:
                await connection.execute(insert(CALENDAR_FEED).values(name=name, **row))
            else:
                await connection.execute(update(CALENDAR_FEED).where(its).values(**row))
            await connection.execute(_CHANGED)
        return (count or 0) + 1

    async def followings(self) -> Sequence[Following]:
        query = select(CALENDAR_FOLLOWER).order_by(CALENDAR_FOLLOWER.c.name)
        async with self._database.read() as connection:
            return [Following(**row) for row in (await connection.execute(query)).mappings()]

    async def save_following(self, following: Following) -> None:
        name = stored_key(following.name)
        row = {
            "calendar": stored_text(following.calendar),
            "tried_at": following.tried_at,
            "synced_at": following.synced_at,
            "behind_since": following.behind_since,
            "problem": stored_text(following.problem)[:2000],
            "events": following.events,
            "writes": following.writes,
        }
        its = CALENDAR_FOLLOWER.c.name == name
        async with self._writing() as connection:
            known = await connection.execute(update(CALENDAR_FOLLOWER).where(its).values(**row))
            if not known.rowcount:
                await connection.execute(insert(CALENDAR_FOLLOWER).values(name=name, **row))

    async def claim_calendars(self, holder: str, now: datetime, until: datetime) -> bool:
        values = {"me": holder, "now": now, "ends": until}
        async with self._writing() as connection:
            return (await connection.execute(_CLAIM, values)).rowcount == 1


async def _published(connection: AsyncConnection) -> list[Published]:
    """Read the whole ledger; it can be long, and a page should not wait for it."""
    rows = (await connection.execute(select(CALENDAR_EVENT))).all()
    return await asyncio.to_thread(lambda: [_told(row) for row in rows])


async def _replace(connection: AsyncConnection, told: Publication) -> None:
    stale = [*(one.event.id for one in told.changed), *told.forgotten]
    for at in range(0, len(stale), _AT_ONCE):
        ids = stale[at : at + _AT_ONCE]
        await connection.execute(delete(CALENDAR_EVENT).where(CALENDAR_EVENT.c.id.in_(ids)))
    for at in range(0, len(told.changed), _AT_ONCE):
        rows = [_row(one) for one in told.changed[at : at + _AT_ONCE]]
        await connection.execute(insert(CALENDAR_EVENT), rows)


def _told(row: Row[Any]) -> Published:
    event = CalendarEvent(
        row.id, row.rotation, row.role, row.start_at, row.end_at, tuple(json.loads(row.people))
    )
    former = json.loads(row.former)
    return Published(
        event=event,
        sequence=row.sequence,
        changed_at=row.changed_at,
        cancelled=bool(row.cancelled),
        former=tuple((person, from_micros(at)) for person, at in former.items()),
    )


def _row(one: Published) -> dict[str, Any]:
    event = one.event
    return {
        "id": event.id,
        "rotation": stored_text(event.rotation),
        "role": stored_text(event.role),
        "start_at": event.start,
        "end_at": event.end,
        "people": json.dumps(event.people),
        "former": json.dumps({person: to_micros(at) for person, at in one.former}),
        "sequence": one.sequence,
        "changed_at": one.changed_at,
        "cancelled": int(one.cancelled),
    }
