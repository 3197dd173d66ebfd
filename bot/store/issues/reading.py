"""The table of production issues as a database answers it: by index, page by page, by keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Row,
    Select,
    TextClause,
    UnaryExpression,
    any_,
    delete,
    func,
    literal,
    select,
    text,
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
from bot.store.issues.rows import RANK_OF_IMPACT, RANK_OF_URGENCY, issue, measures
from bot.store.tables.issues import ISSUE, SEARCHED, USED_LINK
from rules.issues.issue import Issue, searched
from rules.issues.typical import NAMES, Typical, typical

_A_PIECE = 500
FEW = 1_000
"""So many that match are looked at one by one; of more, the newest tell how long they took."""
_NEWEST = 2_000
COMMON = 10
"""Words that so many of the newest have are met on the way; of others the index tells."""
_MOST_CHOICES = 500
_MOST_RECURRENCES = 20

_COLUMN: Mapping[SortBy, Column[Any]] = {
    SortBy.OPENED: ISSUE.c.opened_at,
    **{one: ISSUE.c[one.value] for one in SortBy if one is not SortBy.OPENED},
}
_SHOWN = [column for column in ISSUE.columns if column.name != "words"]
_MEASURED = [ISSUE.c[name] for name in NAMES]
_IN_SQLITE = "issue.number IN (SELECT rowid FROM issue_search WHERE issue_search MATCH :found_by)"
_LISTED = "issue.number IN (SELECT value FROM json_each(:numbers))"
_IN_POSTGRESQL = SEARCHED.replace("words", "issue.words") + " @@ CAST(:found_by AS tsquery)"
_HAVING_SQLITE = (
    "SELECT count(*), json_group_array(rowid) FROM "
    "(SELECT rowid FROM issue_search WHERE issue_search MATCH :found_by LIMIT :most)"
)
_HAVING_POSTGRESQL = (
    "SELECT count(*), array_agg(number) FROM "
    "(SELECT number FROM issue WHERE ITS_WORDS LIMIT :most) having_them"
).replace("ITS_WORDS", _IN_POSTGRESQL)

Condition = ColumnElement[bool] | TextClause


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """What must hold for a query; `total` is how many match, where that is known already."""

    conditions: list[Condition]
    most: int
    total: int | None = None


class SqlIssues:
    """The Issues of a database."""

    def __init__(
        self,
        database: Database,
        *,
        few: int = FEW,
        most_counted: int = MOST_COUNTED,
        common: int = COMMON,
    ) -> None:
        self._database = database
        self._few, self._most_counted, self._common = few, most_counted, common

    async def page(self, query: IssueQuery, now: datetime) -> IssuePage:
        back = query.before is not None
        narrowed = await self._narrowed(query.filter, now)
        conditions = narrowed.conditions
        found = await self._slice(query, conditions, back=back, most=query.size + 1)
        more, found = len(found) > query.size, found[: query.size]
        if back:
            found.reverse()
        total = narrowed.total
        if total is None:
            total = await self._count(conditions, narrowed.most)
        # where there is a page to come from there is a page to go back to
        return IssuePage(
            issues=[issue(row) for row in found],
            more_before=more if back else query.after is not None,
            more_after=True if back else more,
            total=total,
            exact=total <= narrowed.most,
            typical=await self._typical(conditions) if query.typical else None,
        )

    async def all(self, query: IssueQuery, now: datetime) -> AsyncIterator[Sequence[Issue]]:
        last = None
        conditions = (await self._narrowed(query.filter, now)).conditions
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

    async def is_used(self, link: str) -> bool:
        return bool(await self._rows(select(USED_LINK.c.id).where(USED_LINK.c.id == link)))

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

    async def _narrowed(self, which: IssueFilter, now: datetime) -> _Narrowed:
        """Look up what matches where that is few; where it is many, it is met on the way."""
        sqlite = self._database.is_sqlite
        plain, words = _conditions(which, now, hint=sqlite), _words(which.text)
        if not plain and not words:
            return _Narrowed([], self._most_counted)
        if not words:
            return await self._looked_up(plain, [], _Narrowed(plain, self._most_counted))
        count, numbers = await self._having(words)
        if count > self._most_counted:
            indexed, met = _indexed(words, sqlite=sqlite), _met(words, sqlite=sqlite)
            if sqlite and not await self._are_common(words):
                met = [text(f"++{_IN_SQLITE}").bindparams(**_asked(words, sqlite=True))]
        else:
            indexed = _one_of(numbers, sqlite=sqlite)
            met = [_one_of(numbers, sqlite=sqlite, on_the_way=count > self._few)]
        if not plain:
            return _Narrowed(met, self._most_counted, count)
        return await self._looked_up(
            plain, [indexed], _Narrowed(plain + met, self._few, self._few + 1)
        )

    async def _having(self, words: Sequence[str]) -> Sequence[Any]:
        """Return how many have the words, up to one more than are counted, and their numbers.

        SQLite is asked for whole words first: where so many have those, its index need not put
        together what begins with them, which takes five times as long.
        """
        sqlite, most = self._database.is_sqlite, self._most_counted + 1
        having = text(_HAVING_SQLITE if sqlite else _HAVING_POSTGRESQL)
        found: Sequence[Any] = (0, None)
        for whole in (True, False) if sqlite else (False,):
            if found[0] < most:
                asked = _asked(words, sqlite=sqlite, whole=whole)
                found = (await self._rows(having.bindparams(most=most, **asked)))[0]
        return found

    async def _are_common(self, words: Sequence[str]) -> bool:
        """Tell whether enough of the newest have them; else many would be looked at in vain."""
        order = (ISSUE.c.opened_at.desc(), ISSUE.c.number.desc())
        newest = select(ISSUE.c.words).order_by(*order).limit(_NEWEST).subquery()
        having = select(literal(1)).select_from(newest).where(*_met(words, newest.c.words))
        query = select(func.count()).select_from(having.limit(self._common).subquery())
        return bool((await self._rows(query))[0][0] >= self._common)

    async def _looked_up(
        self, plain: list[Condition], indexed: list[Condition], many: _Narrowed
    ) -> _Narrowed:
        query = select(ISSUE.c.number).where(*plain, *indexed).limit(self._few + 1)
        few = [number for (number,) in await self._rows(query)]
        if len(few) > self._few:
            return many
        sqlite = self._database.is_sqlite
        return _Narrowed(
            [_one_of(json.dumps(few) if sqlite else few, sqlite=sqlite)], self._few, len(few)
        )

    async def _typical(self, conditions: list[Condition]) -> Typical:
        newest = (ISSUE.c.opened_at.desc(), ISSUE.c.number.desc())
        query = select(*_MEASURED).where(*conditions).order_by(*newest).limit(self._few)
        return typical([measures(row) for row in await self._rows(query)])

    async def _distinct(self, column: Column[Any]) -> list[str]:
        """Walk the index from value to value: as quick for a million rows as for a thousand."""
        chain = select(func.min(column).label("value")).select_from(ISSUE).cte(recursive=True)
        following = select(func.min(column)).where(column > chain.c.value).scalar_subquery()
        chain = chain.union_all(select(following).where(chain.c.value.is_not(None)))
        query = select(chain.c.value).where(chain.c.value.is_not(None)).limit(_MOST_CHOICES)
        return [row.value for row in await self._rows(query)]

    async def _rows(self, query: Select[Any] | TextClause) -> Sequence[Row[Any]]:
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


def _words(asked: str) -> list[str]:
    """Return what words must begin with; there are letters and digits in it only."""
    return list(dict.fromkeys(searched(asked).split()))


def _asked(words: Sequence[str], *, sqlite: bool, whole: bool = False) -> dict[str, str]:
    if sqlite:
        return {"found_by": " AND ".join(f'"{word}"' + "*" * (not whole) for word in words)}
    return {"found_by": " & ".join(f"'{word}'" + ":*" * (not whole) for word in words)}


def _indexed(words: Sequence[str], *, sqlite: bool) -> Condition:
    written = _IN_SQLITE if sqlite else _IN_POSTGRESQL
    return text(written).bindparams(**_asked(words, sqlite=sqlite))


def _met(
    words: Sequence[str], its_words: ColumnElement[str] = ISSUE.c.words, *, sqlite: bool = True
) -> list[Condition]:
    """Return that an issue has the words, looked at one by one: quickest where most have them."""
    place = func.instr if sqlite else func.strpos
    return [place(literal(" ").concat(its_words), f" {word}") > 0 for word in words]


def _one_of(
    numbers: str | Sequence[int] | None, *, sqlite: bool, on_the_way: bool = False
) -> Condition:
    """Return that an issue is one of these, as a single value: JSON for SQLite, or an array.

    With `on_the_way`, a plus keeps SQLite from sorting them all.
    """
    if sqlite:
        return text("+" * on_the_way + _LISTED).bindparams(numbers=numbers)
    return ISSUE.c.number == any_(literal(list(numbers or ()), ARRAY(BigInteger())))


def _conditions(which: IssueFilter, now: datetime, *, hint: bool) -> list[Condition]:
    """Return all but the words; `hint` keeps SQLite from indexes that narrow nothing down."""
    c = ISSUE.c
    equal = {
        c.category: which.category.value if which.category else None,
        c.impact: RANK_OF_IMPACT[which.impact] if which.impact else None,
        c.urgency: RANK_OF_URGENCY[which.urgency] if which.urgency else None,
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
