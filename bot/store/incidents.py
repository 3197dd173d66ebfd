"""The incidents one transaction knows: loaded under lock, saved with their version checked."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any

import structlog
from sqlalchemy import Integer, Select, bindparam, exists, not_, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.inbox import ConflictError
from bot.store import bulk, rows
from bot.store.columns import UtcDateTime
from bot.store.issues.marks import mark_changed
from bot.store.tables.core import ALERT, INCIDENT
from bot.wire import incident_from_json
from rules.incident import Incident, State
from rules.verification import Verdict

log = structlog.get_logger(__name__)

UNREADABLE_PAUSE = timedelta(minutes=5)

_BODY = select(INCIDENT.c.body)
_BY_ID = (
    _BODY.where(INCIDENT.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(INCIDENT.c.id)
    .with_for_update()
)
_LOCK = select(INCIDENT.c.id).where(INCIDENT.c.id == bindparam("its_id")).with_for_update()
_BY_NUMBER = _BODY.where(INCIDENT.c.number == bindparam("its_number")).with_for_update()
_OPEN_STATES = [State.TRIGGERED.value, State.ACKNOWLEDGED.value]
_OPEN = _BODY.where(INCIDENT.c.state.in_(_OPEN_STATES)).order_by(INCIDENT.c.id).with_for_update()
_PENDING = (
    select(INCIDENT.c.id, INCIDENT.c.awaits)
    .where(text("incident.verification = 'pending'"))
    .order_by(INCIDENT.c.number)
)
_DUE = (
    select(INCIDENT.c.id, INCIDENT.c.body)
    .where(
        INCIDENT.c.wake_at <= bindparam("now", type_=UtcDateTime()),
        or_(
            INCIDENT.c.verification != Verdict.PENDING.value,
            INCIDENT.c.wake_at <= bindparam("heard", type_=UtcDateTime()),
        ),
    )
    .order_by(INCIDENT.c.wake_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_PUT_OFF = (
    update(INCIDENT)
    .where(INCIDENT.c.id.in_(bindparam("ids", expanding=True)))
    .values(wake_at=bindparam("until", type_=UtcDateTime()))
)
_CHANGED = [column for column in INCIDENT.columns if column.name != "id"]
_UPDATE = (
    update(INCIDENT)
    .where(INCIDENT.c.id == bindparam("its_id"), INCIDENT.c.version == bindparam("its_version"))
    .values({c.name: bindparam(f"new_{c.name}", type_=c.type) for c in _CHANGED})
)
_OTHERS = ALERT.alias("others")
_ELSEWHERE = exists().where(
    _OTHERS.c.source == ALERT.c.source,
    _OTHERS.c.dedup_key == ALERT.c.dedup_key,
    text("others.open = 1"),
)
_ALERTS_OPEN = (
    update(ALERT)
    .where(
        ALERT.c.incident_id == bindparam("its_id"),
        ALERT.c.open != bindparam("new_open"),
        # what another incident has taken over meanwhile stays there
        or_(bindparam("new_open", type_=Integer) == 0, not_(_ELSEWHERE)),
    )
    .values(open=bindparam("new_open"))
)


class Incidents:
    """Incidents by id as this transaction sees them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._known: dict[str, Incident] = {}
        self._before: dict[str, Incident] = {}
        self._saved: dict[str, None] = {}

    @property
    def known(self) -> dict[str, Incident]:
        return self._known

    def get(self, incident_id: str) -> Incident:
        try:
            return self._known[incident_id]
        except KeyError:
            raise LookupError(f"incident {incident_id} was not loaded") from None

    async def load(self, ids: Sequence[str]) -> None:
        if missing := [i for i in dict.fromkeys(ids) if i not in self._known]:
            await self._fetch(_BY_ID, {"ids": missing})

    async def lock(self, incident_id: str) -> None:
        """Lock one without reading it, so that it need not be readable."""
        if incident_id not in self._known:
            await self._connection.execute(_LOCK, {"its_id": incident_id})

    async def due(self, now: datetime, limit: int, heard: datetime) -> list[Incident]:
        """Return those whose time has come; one that cannot be read holds up no other.

        It is put off for a while, and stays the auditor's to tell of. `heard` is until when all
        that came is decided: whose proof was due later may have it by then.
        """
        stored = (
            await self._connection.execute(_DUE, {"now": now, "most": limit, "heard": heard})
        ).all()
        found, broken = [], []
        for incident_id, body in stored:
            try:
                found.append(self._keep(body))
            except ValueError as error:
                log.error(  # noqa: TRY400 - which field is wrong says more than where it was read
                    "incident cannot be read", action="read", id=incident_id, error=str(error)[:500]
                )
                broken.append(incident_id)
        if broken:
            until = now + UNREADABLE_PAUSE
            await self._connection.execute(_PUT_OFF, {"ids": broken, "until": until})
        return found

    async def numbered(self, number: int) -> Incident | None:
        new = next((i for i in self._known.values() if i.number == number), None)
        found = [new] if new else await self._fetch(_BY_NUMBER, {"its_number": number})
        return found[0] if found else None

    async def open(self) -> list[Incident]:
        await self._fetch(_OPEN, {})
        return sorted((i for i in self._known.values() if i.is_open), key=lambda i: i.number)

    async def pending(self) -> dict[str, frozenset[str]]:
        """Return what could prove each fix that waits for it, by incident."""
        found = await self._connection.execute(_PENDING)
        return {row.id: frozenset(json.loads(row.awaits or "[]")) for row in found}

    def save(self, incident: Incident) -> bool:
        """Remember it with the next version; return whether it is new. Raises ConflictError."""
        before = self._before.get(incident.id)
        loaded = before.version if before else None
        base = incident.version
        if incident.id in self._saved:
            # saved before in this transaction: both its first and its new version are current
            current = self._known[incident.id].version
            if base not in {current, current - 1}:
                raise ConflictError(f"incident {incident.id} changed meanwhile")
            base = current - 1
        elif loaded is not None and base != loaded:
            raise ConflictError(f"incident {incident.id} changed meanwhile")
        is_new = base == 0 and incident.id not in self._saved
        self._known[incident.id] = incident.but(version=base + 1)
        self._saved[incident.id] = None
        return is_new

    async def flush(self) -> Sequence[bulk.Write]:
        """Write what was changed; return how to write what is new, for one visit with the rest.

        Raises ConflictError when a row is no longer as it was read.
        """
        saved = [self._known[i] for i in self._saved]
        new = [rows.incident_values(i) for i in saved if i.version == 1]
        changed = [{"incident_id": i.id} for i in saved]
        old = [i for i in saved if i.version > 1]
        if locked := [_update_values(i) for i in old if i.id in self._before]:
            await self._connection.execute(_UPDATE, locked)
        for incident in old:
            if incident.id not in self._before:
                await self._update_unseen(incident)
        dialect = self._connection.dialect.name
        return [(_insert(dialect), new), (mark_changed(dialect), changed)]

    async def flush_alerts(self) -> None:
        """Close the alerts of incidents that closed, open those of incidents that came back."""
        turned = [
            {"its_id": incident.id, "new_open": int(incident.takes_alerts)}
            for incident in (self._known[i] for i in self._saved)
            if not incident.takes_alerts or self._may_have_been_closed(incident)
        ]
        if turned:
            turned.sort(key=itemgetter("new_open"))  # what one gives up, another may take
            await self._connection.execute(_ALERTS_OPEN, turned)

    def _may_have_been_closed(self, incident: Incident) -> bool:
        before = self._before.get(incident.id)
        return incident.version > 1 if before is None else not before.takes_alerts

    async def _update_unseen(self, incident: Incident) -> None:
        updated = await self._connection.execute(_UPDATE, _update_values(incident))
        if updated.rowcount != 1:
            raise ConflictError(f"incident {incident.id} changed meanwhile")

    async def _fetch(self, query: Select[Any], values: rows.Values) -> list[Incident]:
        bodies = (await self._connection.execute(query, values)).scalars().all()
        return [self._keep(body) for body in bodies]

    def _keep(self, body: str) -> Incident:
        incident = incident_from_json(body)
        self._before.setdefault(incident.id, incident)
        return self._known.setdefault(incident.id, incident)


@cache
def _insert(dialect: str) -> bulk.Insert:
    return bulk.insert_rows(INCIDENT, INCIDENT.columns.keys(), dialect)


def _update_values(incident: Incident) -> rows.Values:
    values = {f"new_{name}": value for name, value in rows.incident_values(incident).items()}
    values["its_id"] = values.pop("new_id")
    values["its_version"] = incident.version - 1
    return values
