"""Grants and their ledger, as the database keeps them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, bindparam, func, insert, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.access import GroupStanding
from bot.store import jobs
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.database import Database
from bot.store.ids import new_id
from bot.store.tables.access import ACCESS_GRANT, ACCESS_LEDGER, ACCESS_STANDING
from bot.store.tables.core import COUNTER
from rules.access.grant import Grant, GrantState, Origin
from rules.access.ledger import Entry, Happening
from rules.audit import OverdueGrant

_GRANT: TypeAdapter[Grant] = TypeAdapter(Grant)
_STANDING: TypeAdapter[GroupStanding] = TypeAdapter(GroupStanding)
_EVIDENCE: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_HOLD = update(COUNTER).where(COUNTER.c.name == "access").values(value=COUNTER.c.value + 1)
_LONGEST_WHY = 2_000
_MOST_OVERDUE = 20
_G, _L = ACCESS_GRANT.c, ACCESS_LEDGER.c
_OPEN = select(_G.body).where(_G.open == 1).order_by(_G.requested_at, _G.id)
_STANDINGS = select(ACCESS_STANDING.c.body).order_by(ACCESS_STANDING.c.name)
_STANDING_OF = select(ACCESS_STANDING.c.body).where(ACCESS_STANDING.c.name == bindparam("its_name"))
_NEXT_WAKE = union_all(
    select(func.min(_G.wake_at, type_=UtcDateTime()).label("at")).where(_G.open == 1),
    select(func.min(ACCESS_STANDING.c.due_at, type_=UtcDateTime()).label("at")),
)


class PendingAccess:
    """The AccessWrites of one connection; what is saved here is seen here."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._saved: dict[str, tuple[Grant, datetime | None]] = {}
        self._standings: dict[str, GroupStanding] = {}
        self._entries: list[Entry] = []

    async def hold(self) -> None:
        await self._connection.execute(_HOLD)

    async def grant(self, grant_id: str) -> Grant | None:
        if grant_id in self._saved:
            return self._saved[grant_id][0]
        return await _one(self._connection, grant_id)

    async def open_grants(self, group: str = "") -> Sequence[Grant]:
        stored = {grant.id: grant for grant in await _open(self._connection, group)}
        mine = {i: grant for i, (grant, _) in self._saved.items() if group in {"", grant.group}}
        return [grant for grant in (stored | mine).values() if grant.is_open]

    async def asked_since(self, group: str, person: str, since: datetime) -> Sequence[Grant]:
        query = (
            select(_G.body)
            .where(
                _G.person == stored_key(person),
                _G.group_name == stored_key(group),
                _G.requested_at > since,
                _G.origin == Origin.ASKED.value,
                _G.state != GrantState.REFUSED.value,
            )
            .order_by(_G.requested_at)
        )
        return [_GRANT.validate_json(row.body) for row in await self._connection.execute(query)]

    async def revocations(self, group: str, person: str, since: datetime) -> Sequence[Entry]:
        query = select(ACCESS_LEDGER).where(
            _L.at > since,
            _L.what == Happening.REVOCATION_STARTED.value,
            _L.group_name == stored_key(group),
            _L.person == stored_key(person),
        )
        return [_entry(row) for row in await self._connection.execute(query)]

    async def used_for(self, incident: int) -> Sequence[str]:
        its = (_L.incident == incident, _L.incident > 0, _L.what == Happening.GRANT_SEEN.value)
        found = await self._connection.execute(select(_L.group_name).where(*its).distinct())
        stored = {row.group_name for row in found}
        mine = (one for one in self._entries if one.what is Happening.GRANT_SEEN)
        return sorted(stored | {one.group for one in mine if one.incident == incident > 0})

    def save(self, grant: Grant, wake_at: datetime | None) -> None:
        self._saved[grant.id] = (grant, wake_at)

    def note(self, entry: Entry) -> None:
        self._entries.append(entry)

    async def standing(self, group: str) -> GroupStanding:
        if group in self._standings:
            return self._standings[group]
        found = (
            await self._connection.execute(_STANDING_OF, {"its_name": stored_key(group)})
        ).one_or_none()
        return _STANDING.validate_json(found.body) if found else GroupStanding(name=group)

    def save_standing(self, standing: GroupStanding) -> None:
        self._standings[standing.name] = standing

    async def flush(self) -> None:
        dialect = self._connection.dialect.name
        if self._saved:
            values = [_grant_values(*self._saved[its_id]) for its_id in sorted(self._saved)]
            await self._connection.execute(_put_grant(dialect), values)
        if self._standings:
            rows = [_standing_values(self._standings[name]) for name in sorted(self._standings)]
            await self._connection.execute(_put_standing(dialect), rows)
        if self._entries:
            lines = [_entry_values(entry) for entry in self._entries]
            await self._connection.execute(insert(ACCESS_LEDGER), lines)


class SqlAccess:
    """The AccessReads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grant(self, grant_id: str) -> Grant | None:
        async with self._database.read() as connection:
            return await _one(connection, grant_id)

    async def open_grants(self, group: str = "") -> Sequence[Grant]:
        found = await self._database.look(_open_in(group), {})
        return [_GRANT.validate_json(row.body) for row in found]

    async def grants(self, since: datetime, limit: int) -> Sequence[Grant]:
        query = (
            select(_G.body)
            .where((_G.requested_at >= since) | (_G.open == 1))
            .order_by(_G.requested_at.desc(), _G.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_GRANT.validate_json(row.body) for row in await connection.execute(query)]

    async def ledger(
        self, start: datetime, end: datetime, *, grant: str = "", limit: int = 10_000
    ) -> Sequence[Entry]:
        query = select(ACCESS_LEDGER).where(_L.at >= start, _L.at < end)
        if grant:
            query = query.where(_L.grant_id == stored_key(grant))
        query = query.order_by(_L.at, _L.id).limit(limit)
        async with self._database.read() as connection:
            return [_entry(row) for row in await connection.execute(query)]

    async def standings(self) -> Sequence[GroupStanding]:
        async with self._database.read() as connection:
            found = await connection.execute(_STANDINGS)
        return [_STANDING.validate_json(row.body) for row in found]

    async def next_wake(self) -> datetime | None:
        found = await self._database.look(_NEXT_WAKE, {})
        return min((row.at for row in found if row.at), default=None)


async def overdue_grants(connection: AsyncConnection, before: datetime) -> tuple[OverdueGrant, ...]:
    """Return open grants whose time came before `before`, and that nobody has looked at."""
    query = select(_G.id, _G.group_name, _G.account, _G.wake_at).where(
        _G.open == 1, _G.wake_at <= before
    )
    found = await connection.execute(query.order_by(_G.wake_at).limit(_MOST_OVERDUE))
    return tuple(
        OverdueGrant(id=row.id, group=row.group_name, account=row.account, due=row.wake_at)
        for row in found
    )


async def _one(connection: AsyncConnection, grant_id: str) -> Grant | None:
    query = select(_G.body).where(_G.id == stored_key(grant_id))
    found = (await connection.execute(query)).one_or_none()
    return _GRANT.validate_json(found.body) if found else None


def _open_in(group: str) -> Select[Any]:
    return _OPEN.where(_G.group_name == stored_key(group)) if group else _OPEN


async def _open(connection: AsyncConnection, group: str) -> list[Grant]:
    found = await connection.execute(_open_in(group))
    return [_GRANT.validate_json(row.body) for row in found]


def _grant_values(grant: Grant, wake_at: datetime | None) -> dict[str, Any]:
    return {
        "id": stored_key(grant.id),
        "group_name": stored_key(grant.group),
        "person": stored_key(grant.person),
        "account": stored_text(grant.account),
        "origin": grant.origin.value,
        "state": grant.state.value,
        "requested_at": grant.requested_at,
        "wake_at": wake_at if grant.is_open else None,
        "open": int(grant.is_open),
        "body": stored_text(_GRANT.dump_json(grant).decode()),
    }


def _standing_values(standing: GroupStanding) -> dict[str, Any]:
    return {
        "name": stored_key(standing.name),
        "due_at": standing.due_at,
        "body": stored_text(_STANDING.dump_json(standing).decode()),
    }


def _entry_values(entry: Entry) -> dict[str, Any]:
    return {
        "id": new_id(entry.at),
        "at": entry.at,
        "what": entry.what.value,
        "group_name": stored_key(entry.group),
        "person": stored_key(entry.person),
        "grant_id": stored_key(entry.grant),
        "by": stored_key(entry.by),
        "why": stored_text(entry.why)[:_LONGEST_WHY],
        "incident": entry.incident,
        "evidence": stored_text(_EVIDENCE.dump_json(dict(entry.evidence)).decode()),
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        at=row.at,
        what=Happening(row.what),
        group=row.group_name,
        person=row.person,
        grant=row.grant_id,
        by=row.by,
        why=row.why,
        incident=row.incident,
        evidence=_EVIDENCE.validate_json(row.evidence),
    )


@cache
def _put_grant(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(ACCESS_GRANT, dialect)
    new = statement.excluded
    changing = ("account", "state", "wake_at", "open", "body")
    return statement.on_conflict_do_update(
        index_elements=["id"], set_={name: new[name] for name in changing}
    )


@cache
def _put_standing(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(ACCESS_STANDING, dialect)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["name"], set_={"due_at": new.due_at, "body": new.body}
    )
