"""The table of production issues as a database answers it: by index, page by page, by keys."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    Select,
    UnaryExpression,
    delete,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.sql import operators

from bot.ports.issues import (
    MOST_COUNTED,
    Choices,
    IssueFilter,
    IssuePage,
    IssueQuery,
    SortBy,
)
from bot.store import jobs
from bot.store.columns import UtcDateTime, stored_text
from bot.store.database import Database
from bot.store.tables.issues import ISSUE, USED_LINK
from rules.category import Category
from rules.issues.issue import Issue, Standing, searched
from rules.issues.measures import Measures
from rules.priority import Impact, Priority, Urgency

IMPACTS = dict(enumerate(Impact, start=1))
URGENCIES = dict(enumerate(Urgency, start=1))
_RANK_OF_IMPACT = {impact: rank for rank, impact in IMPACTS.items()}
_RANK_OF_URGENCY = {urgency: rank for rank, urgency in URGENCIES.items()}
_CATEGORIES = {category.value: category for category in Category}
_A_PIECE = 500
FEW = 1_000
"""So many that have the words are looked at one by one; more are not counted to the end."""
_MOST_CHOICES = 500
_MOST_RECURRENCES = 20

_COLUMN: Mapping[SortBy, Column[Any]] = {
    SortBy.OPENED: ISSUE.c.opened_at,
    **{one: ISSUE.c[one.value] for one in SortBy if one is not SortBy.OPENED},
}
_SHOWN = [column for column in ISSUE.columns if column.name != "words"]


Condition = ColumnElement[bool]


class SqlIssues:
    """The Issues of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: IssueQuery, now: datetime) -> IssuePage:
        back = query.before is not None
        conditions, broad = await self._conditions(query.filter, now)
        found = await self._slice(query, conditions, back=back, most=query.size + 1)
        more, found = len(found) > query.size, found[: query.size]
        if back:
            found.reverse()
        alone = not more and query.after is None and not back
        total = (
            len(found) if alone else await self._count(conditions, FEW if broad else MOST_COUNTED)
        )
        # where there is a page to come from there is a page to go back to
        return IssuePage(
            issues=[issue(row) for row in found],
            more_before=more if back else query.after is not None,
            more_after=True if back else more,
            total=total,
            exact=alone or total <= (FEW if broad else MOST_COUNTED),
        )

    async def all(self, query: IssueQuery, now: datetime) -> AsyncIterator[Sequence[Issue]]:
        last = None
        conditions, _ = await self._conditions(query.filter, now)
        while True:
            at = IssueQuery(
                filter=query.filter, sort=query.sort, descending=query.descending, after=last
            )
            found = await self._slice(at, conditions, back=False, most=_A_PIECE)
            if found:
                yield await asyncio.to_thread(lambda rows: [issue(row) for row in rows], found)
            if len(found) < _A_PIECE:
                return
            last = found[-1].number

    async def choices(self) -> Choices:
        return Choices(
            products=await self._distinct(ISSUE.c.product),
            owners=await self._distinct(ISSUE.c.owner),
            causes=await self._distinct(ISSUE.c.cause),
            on_call=await self._distinct(ISSUE.c.on_call),
        )

    async def numbered(self, number: int) -> Issue | None:
        found = await self._rows(select(*_SHOWN).where(ISSUE.c.number == number))
        return issue(found[0]) if found else None

    async def recurrences(self, number: int) -> Sequence[Issue]:
        query = select(*_SHOWN).where(ISSUE.c.recurs == number)
        rows = await self._rows(query.order_by(ISSUE.c.number).limit(_MOST_RECURRENCES))
        return [issue(row) for row in rows]

    async def use_link(self, link: str, ends_at: datetime, now: datetime) -> bool:
        async with self._database.write() as connection:
            await connection.execute(delete(USED_LINK).where(USED_LINK.c.ends_at < now))
            insert = jobs.insert_for(USED_LINK, connection.dialect.name).on_conflict_do_nothing()
            values = {"id": link, "ends_at": ends_at + timedelta(minutes=1)}
            return (await connection.execute(insert, values)).rowcount == 1

    async def _slice(
        self, query: IssueQuery, conditions: list[Condition], *, back: bool, most: int
    ) -> list[Row[Any]]:
        """Read on from an issue, first those whose value is known and then the others."""
        column = _COLUMN[query.sort]
        start = query.before if back else query.after
        at = None
        if start is not None:
            known = await self._rows(
                select(column.label("value"), ISSUE.c.number).where(ISSUE.c.number == start)
            )
            at = known[0] if known else None
        found: list[Row[Any]] = []
        for step in _steps(column, at, descending=query.descending, back=back):
            if len(found) < most:
                wanted = select(*_SHOWN).where(*conditions, *step[0])
                found += await self._rows(wanted.order_by(*step[1]).limit(most - len(found)))
        return found

    async def _count(self, conditions: list[Condition], most: int) -> int:
        few = select(literal(1)).select_from(ISSUE).where(*conditions).limit(most + 1)
        return int((await self._rows(select(func.count()).select_from(few.subquery())))[0][0])

    async def _conditions(self, which: IssueFilter, now: datetime) -> tuple[list[Condition], bool]:
        """Return what must hold, and whether its words are common.

        Rare words are looked up first, common ones on the way.
        """
        plain = _conditions(which, now, hint=self._database.is_sqlite)
        words = _words(which.text, sqlite=self._database.is_sqlite)
        if not words:
            return plain, False
        few = await self._rows(select(ISSUE.c.number).where(*words).limit(FEW + 1))
        if len(few) > FEW:
            return plain + words, True
        return [*plain, ISSUE.c.number.in_([row.number for row in few])], False

    async def _distinct(self, column: Column[Any]) -> list[str]:
        """Walk the index from value to value: as quick for a million rows as for a thousand."""
        chain = select(func.min(column).label("value")).select_from(ISSUE).cte(recursive=True)
        following = select(func.min(column)).where(column > chain.c.value).scalar_subquery()
        chain = chain.union_all(select(following).where(chain.c.value.is_not(None)))
        query = select(chain.c.value).where(chain.c.value.is_not(None)).limit(_MOST_CHOICES)
        return [row.value for row in await self._rows(query)]

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        async with self._database.read() as connection:
            found: Sequence[Row[Any]] = (await connection.execute(query)).all()
        return found


Step = tuple[list[Condition], list[ColumnElement[Any]]]


def _steps(column: Column[Any], at: Row[Any] | None, *, descending: bool, back: bool) -> list[Step]:
    """Return what is read one after the other; unknown values are last, newest first."""
    down = descending != back
    known: Step = ([column.is_not(None)], _ordered(column, down=down))
    unknown: Step = ([column.is_(None)], _ordered(down=not back))
    if at is None:
        return [known, unknown]
    if at.value is None:
        beyond = ISSUE.c.number > at.number if back else ISSUE.c.number < at.number
        rest: Step = ([column.is_(None), beyond], unknown[1])
        return [rest, known] if back else [rest]
    here = tuple_(literal(at.value, column.type), literal(at.number))
    pair = tuple_(column, ISSUE.c.number)
    rest = ([pair < here if down else pair > here], known[1])
    return [rest] if back else [rest, unknown]


def _ordered(*columns: Column[Any], down: bool) -> list[ColumnElement[Any]]:
    return [one.desc() if down else one.asc() for one in (*columns, ISSUE.c.number)]


def _words(text: str, *, sqlite: bool) -> list[Condition]:
    place = func.instr if sqlite else func.strpos
    # long words are rarer, and the first that is missing ends the comparison
    longest_first = sorted(set(searched(text).split()), key=len, reverse=True)
    return [place(ISSUE.c.words, word) > 0 for word in longest_first]


def _conditions(which: IssueFilter, now: datetime, *, hint: bool) -> list[Condition]:
    """Return all but the words; `hint` keeps SQLite from indexes that narrow nothing down."""
    c = ISSUE.c
    equal = {
        c.category: which.category.value if which.category else None,
        c.impact: _RANK_OF_IMPACT[which.impact] if which.impact else None,
        c.urgency: _RANK_OF_URGENCY[which.urgency] if which.urgency else None,
        c.tier: which.tier,
        c.product: stored_text(which.product) or None,
        c.owner: stored_text(which.owner) or None,
        c.on_call: stored_text(which.on_call) or None,
        c.cause: stored_text(which.cause) or None,
    }
    broad = {c.category, c.impact, c.urgency, c.tier, c.cause} if hint else set()
    found: list[Condition] = [
        (_unindexed(column) if column in broad else column) == value
        for column, value in equal.items()
        if value
    ]
    if which.standings:
        found.append(c.status.in_([standing.value for standing in which.standings]))
    if which.priorities:
        priority_is = _unindexed(c.priority) if hint else c.priority
        found.append(priority_is.in_([priority.value for priority in which.priorities]))
    if which.since is not None:
        found.append(c.opened_at >= which.since)
    if which.until is not None:
        found.append(c.opened_at < which.until)
    if which.recurring:
        found.append(c.recurs.is_not(None))
    if which.to_follow_up:
        found.append(c.follow_up.is_not(None))
    return found + _promised(now, breached=which.breached)


def _unindexed(column: Column[Any]) -> ColumnElement[Any]:
    return UnaryExpression(column, operator=operators.custom_op("+"), type_=column.type)


def _promised(now: datetime, *, breached: bool | None) -> list[Condition]:
    if breached is None:
        return []
    healthy = func.coalesce(ISSUE.c.healthy_at, literal(now, UtcDateTime()))
    late = ISSUE.c.deadline_at < healthy if breached else ISSUE.c.deadline_at >= healthy
    return [ISSUE.c.deadline_at.is_not(None), late]


def issue(row: Row[Any]) -> Issue:
    return Issue(
        number=row.number,
        incident_id=row.incident_id,
        title=row.title,
        opened_at=row.opened_at,
        priority=Priority(row.priority),
        standing=Standing(row.status),
        product=row.product or "",
        tier=row.tier,
        category=_CATEGORIES.get(row.category),
        impact=IMPACTS.get(row.impact),
        urgency=URGENCIES.get(row.urgency),
        owner=row.owner or "",
        on_call=row.on_call or "",
        holder=row.holder or "",
        measures=Measures(
            **{name: _span(getattr(row, name)) for name in ("ttd", "tta", "ttm", "ttr", "ttv")}
        ),
        deadline=row.deadline_at,
        healthy_at=row.healthy_at,
        cause=row.cause or "",
        recurs=row.recurs,
        follow_up=row.follow_up or "",
        entry=row.entry or "",
    )


def values_of(issue: Issue) -> dict[str, Any]:
    """Return the row of an issue; what is not known is NULL, so that it sorts last."""
    m = issue.measures
    spans = {"ttd": m.ttd, "tta": m.tta, "ttm": m.ttm, "ttr": m.ttr, "ttv": m.ttv}
    texts = {
        "product": issue.product, "owner": issue.owner, "on_call": issue.on_call,
        "holder": issue.holder, "cause": issue.cause, "follow_up": issue.follow_up,
        "entry": issue.entry,
    }  # fmt: skip
    category = issue.category.words if issue.category else ""
    found = searched(f"{issue.number}", issue.product, issue.owner, category, issue.title)
    return {
        "number": issue.number,
        "incident_id": issue.incident_id,
        "title": stored_text(issue.title),
        "words": stored_text(found),
        "opened_at": issue.opened_at,
        "tier": issue.tier,
        "category": issue.category.value if issue.category else None,
        "impact": _RANK_OF_IMPACT[issue.impact] if issue.impact else None,
        "urgency": _RANK_OF_URGENCY[issue.urgency] if issue.urgency else None,
        "priority": issue.priority.value,
        "status": issue.standing.value,
        "deadline_at": issue.deadline,
        "healthy_at": issue.healthy_at,
        "recurs": issue.recurs,
        **{name: stored_text(text)[:300] or None for name, text in texts.items()},
        **{
            name: None if span is None else span // timedelta(seconds=1)
            for name, span in spans.items()
        },
    }


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
