"""What the journal knows of an incident, remembered for a minute: its message is shown often."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import structlog

from bot.clock import Clock
from bot.ports.inbox import NotStoredError
from bot.ports.journal import JournalReads, NoJournal
from rules.incident import Incident
from rules.journal.entry import JournalEntry
from rules.journal.facts import facts_of
from rules.journal.similarity import SeenBefore, subject_of
from rules.rulebook import RuleBook

log = structlog.get_logger(__name__)

_FOR = timedelta(minutes=1)
_MOST = 500


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was seen before, and the incident's own entry once it is resolved."""

    seen: SeenBefore = field(default_factory=SeenBefore)
    entry: JournalEntry | None = None


class Recall:
    """Looks into the journal for an incident; without a database it recalls nothing."""

    def __init__(
        self, journal: JournalReads | None = None, rulebook: Callable[[], RuleBook] | None = None
    ) -> None:
        self.journal: JournalReads = journal or NoJournal()
        self._rulebook = rulebook
        self._known: OrderedDict[tuple[str, str], tuple[SeenBefore, datetime]] = OrderedDict()
        self._asking: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def of(self, incident: Incident, clock: Clock) -> Recalled:
        """Return what is known; a page must never wait for it, so trouble means nothing."""
        if self._rulebook is None:
            return Recalled()
        try:
            entry = None if incident.is_open else await self.journal.entry_of(incident.number)
            return Recalled(await self._seen(incident, self._rulebook(), clock.now()), entry)
        except NotStoredError as error:
            log.warning("database failed", action="recall", error=str(error))
            return Recalled()

    async def _seen(self, incident: Incident, book: RuleBook, now: datetime) -> SeenBefore:
        """Ask once, for the page and for the channel's message, which go out side by side."""
        key = incident.id, incident.title
        asking = self._asking.setdefault(key, asyncio.Lock())
        async with asking:
            known = self._known.get(key)
            if known is not None and now - known[1] < _FOR:
                return known[0]
            subject = subject_of(facts_of(incident), incident.number)
            seen = await self.journal.seen(subject, book.journal.same_words)
            self._known[key] = seen, now
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return seen
