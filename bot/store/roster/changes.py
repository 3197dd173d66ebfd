"""What people change about the rotation, as the database keeps it."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Row, Select, Table, bindparam, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.contact_jobs import CONTACT, PAGE
from bot.ports.changes import RosterChange
from bot.store import jobs, rows
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.database import Database
from bot.store.tables.changes import COVER_REQUEST, OVERRIDE, ROSTER_CHANGE, SWAP
from bot.store.tables.core import COUNTER, INCIDENT, JOB
from rules.schedule.covering import CoverRequest, CoverState
from rules.schedule.held import Slot
from rules.schedule.roster import Change, Override, OverrideKind, OverrideState
from rules.schedule.swapping import SwapRequest, SwapState

T = TypeVar("T", Override, CoverRequest, SwapRequest)

_SINCE = bindparam("since", type_=UtcDateTime())
_ITS_ID: BindParameter[str] = bindparam("its_id")
_HOLD = update(COUNTER).where(COUNTER.c.name == "roster_changes").values(value=COUNTER.c.value + 1)
_OVERRIDES = (
    select(OVERRIDE)
    .where(OVERRIDE.c.ends_at > _SINCE)
    .order_by(OVERRIDE.c.created_at, OVERRIDE.c.id)
)
_COVERS = (
    select(COVER_REQUEST)
    .where(COVER_REQUEST.c.ends_at > _SINCE)
    .order_by(COVER_REQUEST.c.asked_at, COVER_REQUEST.c.id)
)
_SWAPS = select(SWAP).where(SWAP.c.over_at > _SINCE).order_by(SWAP.c.asked_at, SWAP.c.id)
_OVERRIDE = select(OVERRIDE).where(OVERRIDE.c.id == _ITS_ID)
_COVER = select(COVER_REQUEST).where(COVER_REQUEST.c.id == _ITS_ID)
_SWAP = select(SWAP).where(SWAP.c.id == _ITS_ID)
_LEGS = select(OVERRIDE).where(OVERRIDE.c.id.in_(bindparam("ids", expanding=True)))
_AUDIT = (
    select(ROSTER_CHANGE)
    .where(ROSTER_CHANGE.c.at >= _SINCE)
    .order_by(ROSTER_CHANGE.c.at.desc(), ROSTER_CHANGE.c.id.desc())
    .limit(bindparam("most"))
)
_PAGES = select(JOB.c.key, JOB.c.payload, JOB.c.done_at).where(
    text("job.state IN ('done', 'cancelled')"),
    JOB.c.kind.in_((PAGE, CONTACT)),
    text("job.state = 'done'"),
    JOB.c.done_at >= _SINCE,
    JOB.c.done_at < bindparam("until", type_=UtcDateTime()),
)
_PAGES_OF = _PAGES.join_from(JOB, INCIDENT, INCIDENT.c.id == JOB.c.incident_id).where(
    INCIDENT.c.rotation == bindparam("rotation")
)


class PendingChanges:
    """A transaction's part: what is stored, with what is to be written at its end."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._overrides: dict[str, Override] = {}
        self._covers: dict[str, CoverRequest] = {}
        self._swaps: dict[str, SwapRequest] = {}
        self._audit: list[RosterChange] = []

    async def hold_roster(self) -> None:
        await self._connection.execute(_HOLD)

    async def overrides(self, since: datetime) -> Sequence[Override]:
        found = await self._known(_OVERRIDES, since, override, self._overrides)
        return [one for one in found if one.ends_at > since]

    async def changes(self, since: datetime) -> Sequence[Change]:
        swaps = await self.swaps(since)
        overrides = {one.id: one for one in await self.overrides(since)}
        # one that ended before `since` still stands in the place of its leg
        if legs := [leg.id for swap in swaps for leg in swap.legs() if leg.id not in overrides]:
            found = await self._connection.execute(_LEGS, {"ids": legs})
            overrides |= {row.id: override(row) for row in found}
        return deciding(overrides.values(), swaps)

    async def override(self, override_id: str) -> Override | None:
        known = self._overrides.get(override_id)
        return known or await self._one(_OVERRIDE, override_id, override)

    def save_override(self, one: Override) -> None:
        self._overrides[one.id] = one

    async def cover_request(self, request_id: str) -> CoverRequest | None:
        known = self._covers.get(request_id)
        return known or await self._one(_COVER, request_id, cover_request)

    async def cover_requests(self, since: datetime) -> Sequence[CoverRequest]:
        return await self._known(_COVERS, since, cover_request, self._covers)

    def save_cover_request(self, one: CoverRequest) -> None:
        self._covers[one.id] = one

    async def swap(self, swap_id: str) -> SwapRequest | None:
        known = self._swaps.get(swap_id)
        return known or await self._one(_SWAP, swap_id, swap_request)

    async def swaps(self, since: datetime) -> Sequence[SwapRequest]:
        return await self._known(_SWAPS, since, swap_request, self._swaps)

    def save_swap(self, one: SwapRequest) -> None:
        self._swaps[one.id] = one

    def note_change(self, change: RosterChange) -> None:
        self._audit.append(change)

    async def flush(self) -> None:
        for table, values in (
            (OVERRIDE, [_override_values(one) for one in self._overrides.values()]),
            (COVER_REQUEST, [_cover_values(one) for one in self._covers.values()]),
            (SWAP, [_swap_values(one) for one in self._swaps.values()]),
        ):
            if values:
                statement = _replace(table, self._connection.dialect.name)
                await self._connection.execute(statement, values)
        if self._audit:
            lines = [_audit_values(one) for one in self._audit]
            await self._connection.execute(insert(ROSTER_CHANGE), lines)

    async def _known(
        self,
        query: Select[Any],
        since: datetime,
        read: Callable[[Row[Any]], T],
        pending: dict[str, T],
    ) -> list[T]:
        stored = await self._connection.execute(query, {"since": since})
        return list(({row.id: read(row) for row in stored} | pending).values())

    async def _one(
        self, query: Select[Any], its_id: str, read: Callable[[Row[Any]], T]
    ) -> T | None:
        row = (await self._connection.execute(query, {"its_id": its_id})).one_or_none()
        return read(row) if row is not None else None


class ChangeReading:
    """The part of a Reader that knows what people changed about the rotation."""

    def __init__(self, database: Database) -> None:
        self._changed = database

    async def overrides(self, since: datetime) -> Sequence[Override]:
        return [override(row) for row in await self._changed.look(_OVERRIDES, {"since": since})]

    async def changes(self, since: datetime) -> Sequence[Change]:
        swaps = await self.swaps(since)
        overrides = {one.id: one for one in await self.overrides(since)}
        if legs := [leg.id for swap in swaps for leg in swap.legs() if leg.id not in overrides]:
            found = await self._stored(_LEGS, ids=legs)
            overrides |= {row.id: override(row) for row in found}
        return deciding(overrides.values(), swaps)

    async def override(self, override_id: str) -> Override | None:
        found = await self._stored(_OVERRIDE, its_id=override_id)
        return override(found[0]) if found else None

    async def cover_request(self, request_id: str) -> CoverRequest | None:
        found = await self._stored(_COVER, its_id=request_id)
        return cover_request(found[0]) if found else None

    async def cover_requests(self, since: datetime) -> Sequence[CoverRequest]:
        return [cover_request(row) for row in await self._stored(_COVERS, since=since)]

    async def swap(self, swap_id: str) -> SwapRequest | None:
        found = await self._stored(_SWAP, its_id=swap_id)
        return swap_request(found[0]) if found else None

    async def swaps(self, since: datetime) -> Sequence[SwapRequest]:
        return [swap_request(row) for row in await self._changed.look(_SWAPS, {"since": since})]

    async def roster_changes(self, since: datetime, limit: int) -> Sequence[RosterChange]:
        return [_audit(row) for row in await self._stored(_AUDIT, since=since, most=limit)]

    async def pages_sent(
        self, start: datetime, end: datetime, *, rotation: str = ""
    ) -> Sequence[tuple[str, datetime]]:
        # what came by several methods is one page
        first: dict[str, tuple[str, datetime]] = {}
        only = {"rotation": stored_text(rotation)} if rotation else {}
        query = _PAGES_OF if rotation else _PAGES
        for row in await self._stored(query, since=start, until=end, **only):
            told = json.loads(row.payload)
            page = stored_key(told["page"]) if "page" in told else row.key
            who = told.get("person")
            if who and (page not in first or row.done_at < first[page][1]):
                first[page] = str(who), row.done_at
        return sorted(first.values(), key=lambda one: (one[1], one[0]))

    async def _stored(self, query: Select[Any], **values: object) -> Sequence[Row[Any]]:
        async with self._changed.read() as connection:
            found: Sequence[Row[Any]] = (await connection.execute(query, values)).all()
        return found


def deciding(overrides: Iterable[Override], swaps: Iterable[SwapRequest]) -> list[Change]:
    """Return what decides who is on call: overrides that have effect, and applied swaps.

    An override with the id of a swap's leg says what became of the leg in the roster; it counts
    instead, as long as the swap does.
    """
    known = list(overrides)
    swapped = list(swaps)
    legs = [leg for swap in swapped for leg in swap.legs()]
    undone = {f"{swap.id}-{n}" for swap in swapped if not swap.legs() for n in (1, 2)}
    effective = [one for one in known if one.starts_at < one.ends_at and one.id not in undone]
    ids = {one.id for one in known}
    return [*effective, *(leg for leg in legs if leg.id not in ids)]


def override(row: Row[Any]) -> Override:
    return Override(
        id=row.id,
        rotation=row.rotation,
        role=row.role,
        person=row.person,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        by=row.by,
        created_at=row.created_at,
        kind=OverrideKind(row.kind),
        instead_of=row.instead_of,
        why=row.why,
        origin=row.origin,
        state=OverrideState(row.state),
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )


def cover_request(row: Row[Any]) -> CoverRequest:
    return CoverRequest(
        id=row.id,
        slot=_slot(row),
        person=row.person,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        channel=row.channel,
        why=row.why,
        state=CoverState(row.state),
        asked_again_at=row.asked_again_at,
        taken_by=row.taken_by,
        override_id=row.override_id,
        closed_at=row.closed_at,
    )


def swap_request(row: Row[Any]) -> SwapRequest:
    theirs = Slot(
        rotation=row.other_rotation,
        role=row.other_role,
        starts_at=row.other_starts_at,
        ends_at=row.other_ends_at,
    )
    return SwapRequest(
        id=row.id,
        asker=row.asker,
        other=row.other,
        mine=_slot(row),
        theirs=theirs,
        asked_at=row.asked_at,
        why=row.why,
        state=SwapState(row.state),
        accepted_at=row.accepted_at,
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
    )


def _slot(row: Row[Any]) -> Slot:
    return Slot(rotation=row.rotation, role=row.role, starts_at=row.starts_at, ends_at=row.ends_at)


def _slot_values(slot: Slot) -> rows.Values:
    return {
        "rotation": stored_text(slot.rotation),
        "role": stored_text(slot.role),
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
    }


def _override_values(one: Override) -> rows.Values:
    return {
        "id": one.id,
        "rotation": stored_text(one.rotation),
        "role": stored_text(one.role),
        "person": stored_text(one.person),
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "by": stored_text(one.by),
        "created_at": one.created_at,
        "kind": one.kind.value,
        "instead_of": stored_text(one.instead_of),
        "why": stored_text(one.why),
        "origin": stored_text(one.origin),
        "state": one.state.value,
        "changed_by": stored_text(one.changed_by),
        "changed_at": one.changed_at,
    }


def _cover_values(one: CoverRequest) -> rows.Values:
    return {
        "id": one.id,
        **_slot_values(one.slot),
        "person": stored_text(one.person),
        "channel": stored_text(one.channel),
        "why": stored_text(one.why),
        "state": one.state.value,
        "asked_at": one.asked_at,
        "asked_again_at": one.asked_again_at,
        "expires_at": one.expires_at,
        "taken_by": stored_text(one.taken_by),
        "override_id": one.override_id,
        "closed_at": one.closed_at,
    }


def _swap_values(one: SwapRequest) -> rows.Values:
    return {
        "id": one.id,
        "asker": stored_text(one.asker),
        "other": stored_text(one.other),
        **_slot_values(one.mine),
        **{f"other_{name}": value for name, value in _slot_values(one.theirs).items()},
        "over_at": max(one.mine.ends_at, one.theirs.ends_at),
        "why": stored_text(one.why),
        "state": one.state.value,
        "asked_at": one.asked_at,
        "expires_at": one.expires_at,
        "accepted_at": one.accepted_at,
        "approved_at": one.approved_at,
        "approved_by": stored_text(one.approved_by),
        "closed_by": stored_text(one.closed_by),
        "closed_at": one.closed_at,
    }


def _audit_values(one: RosterChange) -> rows.Values:
    told = {name: stored_text(getattr(one, name)) for name in _TOLD}
    return {"id": one.id, "at": one.at, **_slot_values(one.slot), **told}


def _audit(row: Row[Any]) -> RosterChange:
    told = {name: getattr(row, name) for name in _TOLD}
    return RosterChange(id=row.id, at=row.at, slot=_slot(row), **told)


_TOLD = ("by", "origin", "what", "subject", "before", "after", "why")


@cache
def _replace(table: Table, dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(table, dialect)
    taken = {column.name: column for column in statement.excluded if column.name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=taken)
