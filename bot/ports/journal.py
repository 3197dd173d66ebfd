"""What is asked of the journal's store: reading and finding entries, writing them, prompts."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rules.journal.entry import EntryVersion, JournalEntry
from rules.journal.prompt import JournalPrompt
from rules.journal.similarity import SeenBefore, Subject
from rules.journal.words import SameWords

PAGE_SIZE = 25
LARGEST_PAGE = 200
LONGEST_QUERY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFilter:
    """Narrows a search; "" and None leave a thing open. `until` is the first instant not meant."""

    product: str = ""
    category: str = ""
    cause: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Entries, newest first; `more` tells whether another page follows."""

    entries: Sequence[JournalEntry]
    more: bool = False


@dataclass(frozen=True, slots=True)
class CauseCount:
    """How many incidents of a month (`2026-11`, UTC) had a class of cause, of one product."""

    month: str
    cause: str
    product: str
    count: int


class JournalReads(Protocol):
    """Reads the journal; every method may raise NotStoredError."""

    async def search(
        self,
        query: str = "",
        *,
        filters: JournalFilter | None = None,
        page: int = 0,
        size: int = PAGE_SIZE,
    ) -> JournalPage:
        """Return entries that have all words of `query`, or words that begin so, newest first.

        Without words, all entries that the filters let through. `page` counts from 0; of the
        query the first 300 characters count.
        """
        ...

    async def entry(self, entry_id: str) -> JournalEntry | None: ...
    async def entry_of(self, number: int) -> JournalEntry | None:
        """Return the entry of an incident, which may hold only notes as yet."""
        ...

    async def versions(self, entry_id: str) -> Sequence[EntryVersion]:
        """Return how people left the entry, oldest first."""
        ...

    async def seen(self, subject: Subject, same: SameWords, limit: int = 3) -> SeenBefore:
        """Return what is written of trouble like this; the incident's own entry is left out."""
        ...

    async def open_prompts(self, person: str, limit: int = 10) -> Sequence[JournalPrompt]:
        """Return what a person has still to write, newest first."""
        ...

    async def prompt_of(self, incident_id: str) -> JournalPrompt | None: ...
    async def incident_at(self, channel: str, ts: str) -> int | None:
        """Return the number of the incident whose channel message that is, None for another."""
        ...

    async def trends(self, since_month: str) -> Sequence[CauseCount]:
        """Return the counts of written entries from a month on (`2026-01`), oldest month first."""
        ...

    def every_entry(self) -> AsyncIterator[JournalEntry]:
        """Yield all entries, oldest first, page by page."""
        ...


class JournalWrites(Protocol):
    """A transaction's part of the journal; what is saved here is seen by its own reads."""

    async def entry_of(self, number: int) -> JournalEntry | None: ...
    async def entry(self, entry_id: str) -> JournalEntry | None: ...
    async def prompt_of(self, incident_id: str) -> JournalPrompt | None: ...
    def save_entry(self, entry: JournalEntry) -> None:
        """Insert or update; a version that is not there yet is kept beside the earlier ones."""
        ...

    def save_prompt(self, prompt: JournalPrompt) -> None: ...


class NoJournal:
    """An empty journal, for where no database stands behind."""

    async def search(
        self,
        query: str = "",
        *,
        filters: JournalFilter | None = None,
        page: int = 0,
        size: int = PAGE_SIZE,
    ) -> JournalPage:
        del query, filters, page, size
        return JournalPage(())

    async def entry(self, entry_id: str) -> JournalEntry | None:
        del entry_id
        return None

    async def entry_of(self, number: int) -> JournalEntry | None:
        del number
        return None

    async def versions(self, entry_id: str) -> Sequence[EntryVersion]:
        del entry_id
        return ()

    async def seen(self, subject: Subject, same: SameWords, limit: int = 3) -> SeenBefore:
        del subject, same, limit
        return SeenBefore()

    async def open_prompts(self, person: str, limit: int = 10) -> Sequence[JournalPrompt]:
        del person, limit
        return ()

    async def prompt_of(self, incident_id: str) -> JournalPrompt | None:
        del incident_id
        return None

    async def incident_at(self, channel: str, ts: str) -> int | None:
        del channel, ts
        return None

    async def trends(self, since_month: str) -> Sequence[CauseCount]:
        del since_month
        return ()

    async def every_entry(self) -> AsyncIterator[JournalEntry]:
        nothing: tuple[JournalEntry, ...] = ()
        for entry in nothing:
            yield entry
