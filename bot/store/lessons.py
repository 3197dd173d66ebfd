"""Learned rules and the past they are tried on, as the database keeps them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, bindparam, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import jobs, rows
from bot.store.columns import UtcDateTime, stored_text
from bot.store.database import Database
from bot.store.tables.core import ALERT, INCIDENT, LEARNED_RULE
from rules.corrected import Correction
from rules.priority import Priority
from rules.teaching.learned import MOST_RULES, LearnedRule
from rules.teaching.trial import PastAlert, PastIncident

_PAGE = 1_000
_IDS = 500
_ACTIVE = text("learned_rule.active = 1")
_NEWEST = (LEARNED_RULE.c.at.desc(), LEARNED_RULE.c.id.desc())
_RULES = select(LEARNED_RULE).where(_ACTIVE).order_by(*_NEWEST).limit(MOST_RULES)
_RULE_IDS = select(LEARNED_RULE.c.id).where(_ACTIVE).order_by(*_NEWEST).limit(MOST_RULES)
_ORDER = (ALERT.c.last_at, ALERT.c.incident_id, ALERT.c.source, ALERT.c.dedup_key)
_INCIDENTS: Select[Any] = select(INCIDENT.c.id, INCIDENT.c.body).where(
    INCIDENT.c.id.in_(bindparam("ids", expanding=True))
)
_END = (
    update(LEARNED_RULE)
    .where(LEARNED_RULE.c.id == bindparam("its_id"), _ACTIVE)
    .values(
        active=0,
        ended_by=bindparam("who"),
        ended_at=bindparam("when", type_=UtcDateTime()),
    )
)
_CORRECTION = TypeAdapter(Correction | None)


class SqlLessons:
    """The Lessons of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learned_ids(self) -> Sequence[str]:
        return [rule_id for (rule_id,) in await self._database.look(_RULE_IDS, {})]

    async def learned_rules(self) -> Sequence[LearnedRule]:
        async with self._database.read() as connection:
            return [_rule(row) for row in await connection.execute(_RULES)]

    async def end_learned(self, rule_id: str, by: str, at: datetime) -> bool:
        """End a rule at once; False when there is none of this id in force."""
        values = {"its_id": rule_id, "who": stored_text(by), "when": at}
        async with self._database.write() as connection:
            return (await connection.execute(_END, values)).rowcount == 1

    async def past_alerts(self, since: datetime, limit: int) -> Sequence[PastAlert]:
        """Read page by page, so that neither the loop nor another reader waits long."""
        found: list[PastAlert] = []
        after: Row[Any] | None = None
        while len(found) < limit:
            page = await self._page(since, min(_PAGE, limit - len(found)), after)
            found += await asyncio.to_thread(_past_alerts, page)
            if len(page) < _PAGE:
                break
            after = page[-1]
        return found

    async def past_incidents(self, ids: Sequence[str]) -> Mapping[str, PastIncident]:
        found: dict[str, PastIncident] = {}
        for at in range(0, len(ids), _IDS):
            async with self._database.read() as connection:
                values = {"ids": list(ids[at : at + _IDS])}
                read = (await connection.execute(_INCIDENTS, values)).all()
            found |= await asyncio.to_thread(_past_incidents, read)
        return found

    async def _page(
        self, since: datetime, limit: int, after: Row[Any] | None
    ) -> Sequence[Row[Any]]:
        query = select(ALERT).where(ALERT.c.last_at >= since)
        if after is not None:
            last = (after.last_at, after.incident_id, after.source, after.dedup_key)
            bound = [
                bindparam(None, value, type_=column.type)
                for value, column in zip(last, _ORDER, strict=True)
            ]
            query = query.where(tuple_(*_ORDER) < tuple_(*bound))
        query = query.order_by(*(column.desc() for column in _ORDER)).limit(limit)
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()


class PendingLessons:
    """A transaction's part: what is in force, and what is to be written at its end."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._saved: dict[str, LearnedRule] = {}
        self._ended: dict[str, rows.Values] = {}

    async def learned_rules(self) -> Sequence[LearnedRule]:
        stored = [_rule(row) for row in await self._connection.execute(_RULES)]
        known = {rule.id: rule for rule in (*reversed(self._saved.values()), *stored)}
        return [rule for rule in known.values() if rule.id not in self._ended]

    def save(self, rule: LearnedRule) -> None:
        self._saved[rule.id] = rule

    def end(self, rule_id: str, by: str, at: datetime) -> None:
        self._ended[rule_id] = {"its_id": rule_id, "who": stored_text(by), "when": at}

    async def flush(self) -> None:
        if self._saved:
            statement = _insert(self._connection.dialect.name)
            await self._connection.execute(statement, [_values(r) for r in self._saved.values()])
        if self._ended:
            await self._connection.execute(_END, list(self._ended.values()))


@cache
def _insert(dialect: str) -> jobs.Insert:
    return jobs.insert_for(LEARNED_RULE, dialect).on_conflict_do_nothing(index_elements=["id"])


def _values(rule: LearnedRule) -> rows.Values:
    return {
        "id": rule.id,
        "yaml": stored_text(rule.yaml),
        "by": stored_text(rule.by),
        "at": rule.at,
        "why": stored_text(rule.why),
        "number": rule.number,
    }


def _rule(row: Row[Any]) -> LearnedRule:
    return LearnedRule(
        id=row.id, yaml=row.yaml, by=row.by, at=row.at, number=row.number, why=row.why
    )


def _past_alerts(found: Sequence[Row[Any]]) -> list[PastAlert]:
    return [_past_alert(row) for row in found]


def _past_incidents(found: Sequence[Row[Any]]) -> dict[str, PastIncident]:
    return dict(map(_past_incident, found))


def _past_alert(row: Row[Any]) -> PastAlert:
    alert = rows.alert(row)
    if not row.category and "category" in alert.labels:
        # rows from before categories had a column of their own have theirs among the labels
        labels = dict(alert.labels)
        known = rows.recorded_category(labels.pop("category"))
        alert = replace(alert, labels=labels, classified=known)
    return PastAlert(alert=alert, incident_id=row.incident_id, at=row.last_at)


def _past_incident(row: Row[Any]) -> tuple[str, PastIncident]:
    body = json.loads(row.body)
    told = body.get("correction")
    return row.id, PastIncident(
        number=body["number"],
        priority=Priority(body["priority"]),
        paged=bool(body.get("paged")),
        correction=_CORRECTION.validate_python(told) if told else None,
    )
