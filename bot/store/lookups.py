"""What grouping asks of the database, loaded at once and kept true as the transaction goes on."""

import json
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import CompoundSelect
from sqlalchemy.types import NullType

from bot.ports.store import AlertRef, OpenAlert, PastOpenings
from bot.store.columns import UtcDateTime, stored_key, to_micros
from bot.store.tables.core import ABOUT, ALERT, INCIDENT
from rules.alert import AlertStatus
from rules.folding import OpenSubject, Subject, subject_of_incident
from rules.incident import Incident

_MOST_OPENINGS = 1_000
"""Counting stops here: a storm is declared long before."""

MOST_SUBJECTS = 500
"""Alerts fold into the newest open incidents only, however many were left open."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Pairs of texts as a table, from one JSON parameter: one plan for any number of them."""

    table: FromClause
    source: ColumnElement[str]
    key: ColumnElement[str]


def _wanted(name: str, *, sqlite: bool) -> _Wanted:
    given = bindparam(name, type_=Text())
    if sqlite:
        table = func.json_each(given).table_valued("value", name=name)
        pair = table.c.value
        return _Wanted(table, func.json_extract(pair, "$[0]"), func.json_extract(pair, "$[1]"))
    table = func.json_array_elements(cast(given, JSON)).table_valued("value", name=name)
    first, second = (table.c.value.op("->>")(literal_column(at)) for at in "01")
    return _Wanted(table, first, second)


@cache
def _places(*, sqlite: bool) -> CompoundSelect[Any]:
    """Build the query for open incidents by alert, by own key, by group and by storm."""
    is_open = text("incident.state != 'resolved'")
    things = _wanted("things", sqlite=sqlite)
    groups = _wanted("groups", sqlite=sqlite)
    sources = _wanted("sources", sqlite=sqlite)

    def found(kind: str, key: ColumnElement[str]) -> Select[Any]:
        return select(
            literal_column(f"'{kind}'").label("kind"),
            INCIDENT.c.source,
            key.label("key"),
            INCIDENT.c.id.label("incident_id"),
            literal_column("''").label("status"),
        )

    by_alert = (
        select(
            literal_column("'alert'").label("kind"),
            ALERT.c.source,
            ALERT.c.dedup_key.label("key"),
            ALERT.c.incident_id,
            ALERT.c.status,
        )
        .select_from(things.table)
        .join(ALERT, (ALERT.c.source == things.source) & (ALERT.c.dedup_key == things.key))
        .where(text("alert.open = 1"))
    )
    own = (INCIDENT.c.source == things.source) & (INCIDENT.c.dedup_key == things.key)
    group = (INCIDENT.c.source == groups.source) & (INCIDENT.c.group_key == groups.key)
    of_storm: ColumnElement[str] = literal_column("incident.source")
    # left to itself, SQLite takes the index of all that is open, and reads every row of a source
    storms = text("incident INDEXED BY ix_incident_open_storm" if sqlite else "incident")
    return union_all(
        by_alert,
        found("own", INCIDENT.c.dedup_key)
        .select_from(things.table)
        .join(INCIDENT, own)
        .where(is_open),
        found("group", INCIDENT.c.group_key)
        .select_from(groups.table)
        .join(INCIDENT, group)
        .where(is_open),
        select(
            literal_column("'storm'"),
            of_storm,
            literal_column("''"),
            literal_column("incident.id"),
            literal_column("''"),
        )
        .select_from(sources.table, storms)
        .where(of_storm == sources.source, text("incident.storm = 1"), is_open),
    )


@cache
def _history(*, sqlite: bool) -> CompoundSelect[Any]:
    """Build the query for each thing's latest number, and its openings since an instant."""
    things = _wanted("things", sqlite=sqlite)
    same = (INCIDENT.c.source == things.source) & (INCIDENT.c.dedup_key == things.key)
    latest = (
        select(INCIDENT.c.number)
        .where(same)
        .order_by(INCIDENT.c.opened_at.desc())
        .limit(1)
        .scalar_subquery()
        .correlate(things.table)
    )
    return union_all(
        select(
            things.source.label("source"),
            things.key.label("key"),
            cast(null(), UtcDateTime).label("opened_at"),
            cast(latest, BigInteger).label("number"),
        ).select_from(things.table),
        select(
            INCIDENT.c.source, INCIDENT.c.dedup_key, INCIDENT.c.opened_at, cast(null(), BigInteger)
        )
        .select_from(things.table)
        .join(INCIDENT, same)
        .where(INCIDENT.c.opened_at >= bindparam("since", type_=UtcDateTime())),
    )


# as the database has them: to turn a thousand into instants takes longer than to find them
_OPENINGS = (
    select(type_coerce(INCIDENT.c.opened_at, NullType()))
    .where(
        INCIDENT.c.source == bindparam("source"),
        INCIDENT.c.opened_at >= bindparam("since", type_=UtcDateTime()),
    )
    .order_by(INCIDENT.c.opened_at.desc())
    .limit(_MOST_OPENINGS)
)


_SUBJECTS = (
    select(
        INCIDENT.c.id, INCIDENT.c.number, INCIDENT.c.asset, INCIDENT.c.product, INCIDENT.c.run_key
    )
    .where(text(ABOUT))
    .order_by(INCIDENT.c.number.desc())
    .limit(MOST_SUBJECTS)
)


class Lookups:
    """The answers, with what this transaction itself saved laid over them."""

    def __init__(self) -> None:
        self._alerts: dict[Pair, OpenAlert] = {}
        self._own: dict[Pair, str] = {}
        self._groups: dict[Pair, str] = {}
        self._storms: dict[str, str] = {}
        self._opened: dict[str, list[Any]] = {}  # ascending; as the database has instants
        self._stored: Callable[[datetime], Any] = lambda at: at
        self._history: dict[Pair, list[datetime]] = {}
        self._latest: dict[Pair, int] = {}
        self._closed: set[str] = set()
        self._over: set[str] = set()
        self._loaded: set[Pair] = set()
        self._subjects: dict[str, OpenSubject] = {}

    async def load(
        self, connection: AsyncConnection, alerts: Sequence[AlertRef], since: datetime
    ) -> set[str]:
        """Load the answers for `alerts`; return the ids of the open incidents they name."""
        things = {(stored_key(a.source), stored_key(a.dedup_key)) for a in alerts} - self._loaded
        groups = {(stored_key(a.source), stored_key(a.group_key)) for a in alerts if a.group_key}
        sources = {stored_key(a.source) for a in alerts}
        if not sources:
            return set()
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            self._stored = to_micros
        wanted = {"things": _json(things), "groups": _json(groups)}
        wanted["sources"] = _json((source, "") for source in sources)
        found = (await connection.execute(_places(sqlite=sqlite), wanted)).all()
        for row in found:
            self._place(row)
        history = await connection.execute(
            _history(sqlite=sqlite), {"things": wanted["things"], "since": since}
        )
        for source, key, opened_at, number in history:
            if opened_at is not None:
                self._history.setdefault((source, key), []).append(opened_at)
            elif number is not None:
                self._latest[source, key] = number
        for source in sources - self._opened.keys():
            opened = await connection.execute(_OPENINGS, {"source": source, "since": since})
            self._opened[source] = sorted(opened.scalars())
        self._loaded |= things
        return {row.incident_id for row in found}

    async def load_subjects(self, connection: AsyncConnection) -> Sequence[OpenSubject]:
        for row in await connection.execute(_SUBJECTS):
            subject = Subject(row.asset, row.product, row.run_key)
            self._subjects.setdefault(row.id, OpenSubject(row.id, row.number, subject))
        return self.open_subjects()

    def open_subjects(self) -> Sequence[OpenSubject]:
        return [one for one in self._subjects.values() if one.incident_id not in self._closed]

    def _place(self, row: Any) -> None:
        pair = (row.source, row.key)
        if row.kind == "alert":
            self._alerts[pair] = OpenAlert(row.incident_id, AlertStatus(row.status))
        elif row.kind == "own":
            self._own[pair] = row.incident_id
        elif row.kind == "group":
            self._groups[pair] = row.incident_id
        else:
            self._storms[row.source] = row.incident_id

    def saved(self, incident: Incident, *, new: bool) -> None:
        source = stored_key(incident.source)
        thing = (source, stored_key(incident.dedup_key))
        turned = self._over.discard if incident.takes_alerts else self._over.add
        turned(incident.id)
        if incident.is_open:
            self._closed.discard(incident.id)
            self._own[thing] = incident.id
            if incident.group_key:
                self._groups[source, stored_key(incident.group_key)] = incident.id
            if incident.storm:
                self._storms[source] = incident.id
            if subject := subject_of_incident(incident):
                self._subjects[incident.id] = OpenSubject(incident.id, incident.number, subject)
        else:
            self._closed.add(incident.id)
        if new:
            insort(self._opened.setdefault(source, []), self._stored(incident.opened_at))
            self._history.setdefault(thing, []).append(incident.opened_at)
            self._latest[thing] = incident.number

    def recorded(self, incident_id: str, source: str, dedup_key: str, status: AlertStatus) -> None:
        pair = (stored_key(source), stored_key(dedup_key))
        self._alerts[pair] = OpenAlert(incident_id, status)

    def closed(self, incident_ids: Iterable[str]) -> None:
        self._closed.update(incident_ids)

    def over(self, incident_ids: Iterable[str]) -> None:
        """Note those that do not even take their own alerts any more."""
        self._over.update(incident_ids)

    def open_alert(self, source: str, dedup_key: str) -> OpenAlert | None:
        pair = self._known(source, dedup_key)
        found = self._alerts.get(pair)
        if found is not None and found.incident_id not in self._over:
            return found
        own = self._still_open(self._own.get(pair))
        return OpenAlert(own, AlertStatus.FIRING) if own else None

    def open_group(self, source: str, group_key: str) -> str | None:
        return self._still_open(self._groups.get((stored_key(source), stored_key(group_key))))

    def open_storm(self, source: str) -> str | None:
        return self._still_open(self._storms.get(stored_key(source)))

    def openings(self, source: str, since: datetime) -> int:
        opened = self._opened.get(stored_key(source), [])
        return len(opened) - bisect_left(opened, self._stored(since))

    def openings_of(self, source: str, dedup_key: str, since: datetime) -> PastOpenings:
        pair = self._known(source, dedup_key)
        recent = sum(at >= since for at in self._history.get(pair, ()))
        return PastOpenings(recent, self._latest.get(pair))

    def _known(self, source: str, dedup_key: str) -> Pair:
        pair = (stored_key(source), stored_key(dedup_key))
        if pair not in self._loaded and pair not in self._own and pair not in self._alerts:
            raise LookupError(f"{pair} was not among the alerts given to load_for")
        return pair

    def _still_open(self, incident_id: str | None) -> str | None:
        return None if incident_id is None or incident_id in self._closed else incident_id


def _json(pairs: Iterable[Pair]) -> str:
    return json.dumps(list(pairs))
