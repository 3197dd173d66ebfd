"""The journal as a database answers about it: search, likeness, prompts, counts."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    TextClause,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    union,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.journal import (
    LARGEST_PAGE,
    LONGEST_QUERY,
    PAGE_SIZE,
    CauseCount,
    JournalFilter,
    JournalPage,
)
from bot.store.columns import stored_key
from bot.store.database import Database
from bot.store.journal import rows as journal_rows
from bot.store.journal.writes import EVERY
from bot.store.tables.core import INCIDENT, MESSAGE
from bot.store.tables.journal import (
    JOURNAL_ENTRY,
    JOURNAL_PROMPT,
    JOURNAL_VERSION,
    JOURNAL_WORD,
    SEARCHED,
)
from rules.incident import State
from rules.journal.entry import EntryVersion, JournalEntry
from rules.journal.prompt import JournalPrompt
from rules.journal.similarity import (
    LIKE,
    MOST_FOUND,
    Match,
    SeenBefore,
    Similar,
    Subject,
    Weighed,
    chosen,
    ranked,
    weighed,
)
from rules.journal.words import SameWords, parts_of, spellings, words_of

_ENTRY = JOURNAL_ENTRY.c
_MOST_OF_THING, _MOST_OF_ASSET, _MOST_OF_PRODUCT = 100, 60, 40
_MOST_ASKED = 60
_SHORTEST_BEGINNING = 3
_IN_TSQUERY = ("'", ":*", " | ", " & ")
_READ_AT_ONCE = 200
_WRITTEN = text("journal_entry.written = 1")
_COMPARED = (
    *(_ENTRY.seq, _ENTRY.thing, _ENTRY.asset, _ENTRY.product, _ENTRY.category, _ENTRY.words),
)
_COUNTS: Select[Any] = select(JOURNAL_WORD.c.word, JOURNAL_WORD.c["count"].label("times")).where(
    JOURNAL_WORD.c.word.in_(bindparam("asked", expanding=True))
)
_BODIES: Select[Any] = select(_ENTRY.seq, _ENTRY.body).where(
    _ENTRY.seq.in_(bindparam("wanted", expanding=True))
)
_IN_SQLITE = (
    "journal_entry.seq IN (SELECT rowid FROM journal_search WHERE journal_search MATCH :found_by{})"
)
_IN_POSTGRESQL = SEARCHED.replace("words", "journal_entry.words") + " @@ CAST(:found_by AS tsquery)"


class SqlJournal:
    """The JournalReads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self,
        query: str = "",
        *,
        filters: JournalFilter | None = None,
        page: int = 0,
        size: int = PAGE_SIZE,
    ) -> JournalPage:
        size = min(max(size, 1), LARGEST_PAGE)
        query, page = query[:LONGEST_QUERY], max(page, 0)
        words, parts = words_of(query), parts_of(query)
        if query.strip() and not words:
            return JournalPage(())
        asked = select(_ENTRY.body).order_by(_ENTRY.seq.desc()).where(*_narrowed(filters))
        found = await self._having(words, asked, page * size, size + 1)
        has_names = len(parts) < len(words)
        if not found and has_names and not (page and await self._having(words, asked, 0, 1)):
            # no entry has the identifiers whole
            found = await self._having(parts, asked, page * size, size + 1)
        entries = [journal_rows.entry_of(row.body) for row in found[:size]]
        return JournalPage(entries, len(found) > size)

    async def _having(
        self, words: Sequence[str], asked: Select[Any], after: int, most: int
    ) -> Sequence[Row[Any]]:
        values = dict[str, Any]()
        if words:
            asked = asked.where(self._found())
            values["found_by"] = self._all_of(words)
        return await self._all(asked.limit(most).offset(after), values)

    async def entry(self, entry_id: str) -> JournalEntry | None:
        return await self._one(_ENTRY.id == stored_key(entry_id))

    async def entry_of(self, number: int) -> JournalEntry | None:
        return await self._one(_ENTRY.number == number)

    async def versions(self, entry_id: str) -> Sequence[EntryVersion]:
        query = (
            select(JOURNAL_VERSION)
            .where(JOURNAL_VERSION.c.entry_id == stored_key(entry_id))
            .order_by(JOURNAL_VERSION.c.version)
        )
        return [
            EntryVersion(row.version, row.at, row.by, journal_rows.entry_of(row.body))
            for row in await self._all(query)
        ]

    async def seen(self, subject: Subject, same: SameWords, limit: int = 3) -> SeenBefore:
        subject = _as_stored(subject)
        # as little as possible: it is on a page's way
        meanings = await _weighed(self._database, subject, same)
        if meanings is None:
            return SeenBefore()
        async with self._database.read() as connection:
            query, values = self._candidates(subject, chosen(meanings))
            found = (await connection.execute(query, values)).all()
            matches = ranked(subject, map(journal_rows.candidate, found), meanings)
            alike = [one for one in matches if one.same]
            best = [one for one in matches if one.same or one.score >= LIKE][:limit]
            latest = max(alike, key=lambda one: one.candidate.seq, default=None)
            entries = await _entries(connection, [*best, *([latest] if latest else [])])
        return SeenBefore(
            times=len(alike),
            latest=entries[latest.candidate.seq] if latest else None,
            similar=tuple(Similar(entries[m.candidate.seq], m.score, m.same) for m in best),
        )

    async def open_prompts(self, person: str, limit: int = 10) -> Sequence[JournalPrompt]:
        """Leave out incidents that were opened again, and those that are not kept any more."""
        query = (
            select(JOURNAL_PROMPT)
            .join(INCIDENT, INCIDENT.c.id == JOURNAL_PROMPT.c.incident_id)
            .where(
                text("journal_prompt.state = 'open'"),
                JOURNAL_PROMPT.c.person == stored_key(person),
                INCIDENT.c.state == State.RESOLVED.value,
            )
            .order_by(JOURNAL_PROMPT.c.asked_at.desc())
            .limit(limit)
        )
        return [journal_rows.prompt(row) for row in await self._all(query)]

    async def prompt_of(self, incident_id: str) -> JournalPrompt | None:
        query = select(JOURNAL_PROMPT).where(JOURNAL_PROMPT.c.incident_id == incident_id)
        found = await self._all(query)
        return journal_rows.prompt(found[0]) if found else None

    async def incident_at(self, channel: str, ts: str) -> int | None:
        query = (
            select(INCIDENT.c.number)
            .join(MESSAGE, MESSAGE.c.incident_id == INCIDENT.c.id)
            .where(MESSAGE.c.channel == channel, MESSAGE.c.ts == ts, MESSAGE.c.role == "root")
        )
        found = await self._all(query)
        return int(found[0].number) if found else None

    async def trends(self, since_month: str) -> Sequence[CauseCount]:
        by = (_ENTRY.month, _ENTRY.cause, _ENTRY.product)
        query = (
            select(*by, func.count().label("times"))
            .where(_WRITTEN, _ENTRY.month >= since_month)
            .group_by(*by)
            .order_by(*by)
        )
        return [
            CauseCount(row.month, row.cause, row.product, row.times)
            for row in await self._all(query)
        ]

    async def every_entry(self) -> AsyncIterator[JournalEntry]:
        last = 0
        while True:
            query = (
                select(_ENTRY.seq, _ENTRY.body)
                .where(_ENTRY.seq > last)
                .order_by(_ENTRY.seq)
                .limit(_READ_AT_ONCE)
            )
            found = await self._all(query)
            for row in found:
                yield journal_rows.entry_of(row.body)
            if len(found) < _READ_AT_ONCE:
                return
            last = found[-1].seq

    # likeness

    def _candidates(
        self, subject: Subject, rare: Sequence[Weighed]
    ) -> tuple[Select[Any], dict[str, Any]]:
        """Build the look-up of entries that may be like it, each part served by its index."""
        parts: list[Select[Any]] = []
        values: dict[str, Any] = {}
        for column, value, most in (
            (_ENTRY.thing, subject.thing, _MOST_OF_THING),
            (_ENTRY.asset, subject.asset, _MOST_OF_ASSET),
        ):
            if value:
                there = text(f"journal_entry.{column.name} != ''")
                parts.append(_newest(column == stored_key(value), there, most=most))
        if subject.product:
            of_product = (
                text("journal_entry.product != ''"),
                _ENTRY.product == stored_key(subject.product),
                _ENTRY.category == stored_key(subject.category),
            )
            parts.append(_newest(*of_product, most=_MOST_OF_PRODUCT))
        if rare:
            values["found_by"] = self._any_of(word for one in rare for word in one.words)
            newest = f" ORDER BY rowid DESC LIMIT {MOST_FOUND}"
            parts.append(_newest(self._found(newest), most=MOST_FOUND))
        ids = union(*[select(part.subquery().c.seq) for part in parts]) if parts else None
        query = select(*_COMPARED).where(_WRITTEN)
        query = query.where(_ENTRY.seq.in_(ids) if ids is not None else literal_column("1=0"))
        if subject.number is not None:
            query = query.where(or_(_ENTRY.number.is_(None), _ENTRY.number != subject.number))
        return query, values

    # words in each database's own writing; they hold letters and digits only

    def _found(self, more: str = "") -> TextClause:
        written = _IN_SQLITE.format(more) if self._database.is_sqlite else _IN_POSTGRESQL
        return text(written).bindparams(bindparam("found_by"))

    def _all_of(self, words: Iterable[str]) -> str:
        """Ask for every word, in any of its spellings; a longer one may go on."""
        sqlite = self._database.is_sqlite
        quote, goes_on, either, both = ('"', "*", " OR ", " AND ") if sqlite else _IN_TSQUERY
        return both.join(
            "(" + either.join(
                f"{quote}{one}{quote}" + goes_on * (len(one) >= _SHORTEST_BEGINNING)
                for one in spellings(word)
            ) + ")"
            for word in words
        )  # fmt: skip

    def _any_of(self, words: Iterable[str]) -> str:
        if self._database.is_sqlite:
            return " OR ".join(f'"{word}"' for word in words)
        return " | ".join(f"'{word}'" for word in words)

    async def _one(self, which: ColumnElement[bool]) -> JournalEntry | None:
        found = await self._all(select(_ENTRY.body).where(which))
        return journal_rows.entry_of(found[0].body) if found else None

    async def _all(
        self, query: Select[Any], values: dict[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        async with self._database.read() as connection:
            result = await connection.execute(query, values or {})
        found: Sequence[Row[Any]] = result.all()
        return found


async def _weighed(database: Database, subject: Subject, same: SameWords) -> list[Weighed] | None:
    """Weigh the subject's words by how rare they are; None while the journal is empty."""
    words = [word for one in same.meanings(subject.words[:_MOST_ASKED]) for word in one]
    asked = {"asked": [EVERY, *dict.fromkeys(words)]}
    counts = {row.word: row.times for row in await database.look(_COUNTS, asked)}
    total = counts.pop(EVERY, 0)
    return weighed(subject, counts, total, same) if total else None


async def _entries(
    connection: AsyncConnection, matches: Iterable[Match]
) -> dict[int, JournalEntry]:
    wanted = {match.candidate.seq for match in matches}
    if not wanted:
        return {}
    found = await connection.execute(_BODIES, {"wanted": sorted(wanted)})
    return {row.seq: journal_rows.entry_of(row.body) for row in found}


def _as_stored(subject: Subject) -> Subject:
    return replace(
        subject,
        thing=stored_key(subject.thing),
        asset=stored_key(subject.asset),
        product=stored_key(subject.product),
        category=stored_key(subject.category),
    )


def _newest(*which: Any, most: int) -> Select[Any]:
    return select(_ENTRY.seq).where(*which).order_by(_ENTRY.seq.desc()).limit(most)


def _narrowed(filters: JournalFilter | None) -> list[ColumnElement[bool] | TextClause]:
    if filters is None:
        return []
    found: list[ColumnElement[bool] | TextClause] = []
    if filters.product:
        found += [
            text("journal_entry.product != ''"),
            _ENTRY.product == stored_key(filters.product),
        ]
    if filters.category:
        found.append(_ENTRY.category == stored_key(filters.category))
    if filters.cause:
        found += [_WRITTEN, _ENTRY.cause == stored_key(filters.cause)]
    if filters.since is not None:
        found.append(_ENTRY.at >= filters.since)
    if filters.until is not None:
        found.append(_ENTRY.at < filters.until)
    return found
