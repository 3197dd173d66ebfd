"""A transaction's part of the journal: what is saved, its versions, and the count of its words."""

from collections import Counter
from functools import cache

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import bulk, jobs
from bot.store.columns import stored_key
from bot.store.issues.marks import mark_changed
from bot.store.journal import rows as journal_rows
from bot.store.tables.journal import (
    JOURNAL_ENTRY,
    JOURNAL_PROMPT,
    JOURNAL_VERSION,
    JOURNAL_WORD,
)
from rules.journal.entry import JournalEntry
from rules.journal.prompt import JournalPrompt

EVERY = ""
"""The word whose count is that of all entries."""

_BY_ID = select(JOURNAL_ENTRY.c.body).where(JOURNAL_ENTRY.c.id == bindparam("its_id"))
_BY_NUMBER = select(JOURNAL_ENTRY.c.body).where(JOURNAL_ENTRY.c.number == bindparam("its_number"))
_WORDS = select(JOURNAL_ENTRY.c.words).where(JOURNAL_ENTRY.c.id == bindparam("its_id"))
_PROMPT = select(JOURNAL_PROMPT).where(JOURNAL_PROMPT.c.incident_id == bindparam("its_id"))


class PendingJournal:
    """What a transaction means to write into the journal; `flush` writes it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._entries: dict[str, JournalEntry] = {}
        self._versions: dict[tuple[str, int], JournalEntry] = {}
        self._prompts: dict[str, JournalPrompt] = {}

    async def entry(self, entry_id: str) -> JournalEntry | None:
        if entry_id in self._entries:
            return self._entries[entry_id]
        found = await self._connection.execute(_BY_ID, {"its_id": stored_key(entry_id)})
        body = found.scalar_one_or_none()
        return journal_rows.entry_of(body) if body is not None else None

    async def entry_of(self, number: int) -> JournalEntry | None:
        for entry in self._entries.values():
            if entry.number == number:
                return entry
        found = await self._connection.execute(_BY_NUMBER, {"its_number": number})
        body = found.scalar_one_or_none()
        return journal_rows.entry_of(body) if body is not None else None

    async def prompt_of(self, incident_id: str) -> JournalPrompt | None:
        if incident_id in self._prompts:
            return self._prompts[incident_id]
        row = (await self._connection.execute(_PROMPT, {"its_id": incident_id})).one_or_none()
        return journal_rows.prompt(row) if row is not None else None

    def save_entry(self, entry: JournalEntry) -> None:
        self._entries[entry.id] = entry
        self._versions[entry.id, entry.version] = entry

    def save_prompt(self, prompt: JournalPrompt) -> None:
        self._prompts[prompt.incident_id] = prompt

    async def flush(self) -> None:
        dialect, connection = self._connection.dialect.name, self._connection
        if self._entries:
            await self._count_words()
            values = [journal_rows.entry_values(one) for one in self._entries.values()]
            await connection.execute(_put_entry(dialect), values)
            of_incidents = [
                {"incident_id": e.incident_id} for e in self._entries.values() if e.incident_id
            ]
            await bulk.write(connection, [(mark_changed(dialect), of_incidents)])
            kept = [journal_rows.version_values(one) for one in self._versions.values()]
            await connection.execute(_keep_version(dialect), kept)
        if self._prompts:
            prompts = [journal_rows.prompt_values(one) for one in self._prompts.values()]
            await connection.execute(_put_prompt(dialect), prompts)

    async def _count_words(self) -> None:
        """Count the words that come and go; in one order, so that no two writers wait in a ring."""
        change: Counter[str] = Counter()
        for entry in self._entries.values():
            values = {"its_id": stored_key(entry.id)}
            old = (await self._connection.execute(_WORDS, values)).scalar_one_or_none()
            change.update(journal_rows.words_text(entry).split())
            change.subtract((old or "").split())
            change[EVERY] += old is None
        counted = [{"word": word, "count": n} for word, n in sorted(change.items()) if n]
        if counted:
            await self._connection.execute(_count(self._connection.dialect.name), counted)


@cache
def _put_entry(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(JOURNAL_ENTRY, dialect)
    taken = {c.name: c for c in statement.excluded if c.name not in {"seq", "id", "number"}}
    return statement.on_conflict_do_update(index_elements=["id"], set_=taken)


@cache
def _keep_version(dialect: str) -> jobs.Insert:
    return jobs.insert_for(JOURNAL_VERSION, dialect).on_conflict_do_nothing(
        index_elements=["entry_id", "version"]
    )


@cache
def _put_prompt(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(JOURNAL_PROMPT, dialect)
    taken = {c.name: c for c in statement.excluded if c.name != "incident_id"}
    return statement.on_conflict_do_update(index_elements=["incident_id"], set_=taken)


@cache
def _count(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(JOURNAL_WORD, dialect)
    return statement.on_conflict_do_update(
        index_elements=["word"],
        set_={"count": JOURNAL_WORD.c["count"] + statement.excluded["count"]},
    )
