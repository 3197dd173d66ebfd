"""Tells the roster's editors what is wrong with a version they wrote: each cell once a version."""

from collections.abc import Callable, Sequence

import structlog

from bot.clock import Clock
from bot.ports.inbox import NotStoredError
from bot.ports.jobs import JobPriority, NewJob
from bot.ports.store import Reader, Store
from bot.roster.acceptance import Loaded
from bot.roster.roster import LOOK_BACK, Roster
from bot.roster.table import MOST_SHOWN, Problem, Severity
from bot.slack.rota.notes import ROSTER_NOTE, Finding, RosterNote, note_payload

log = structlog.get_logger(__name__)

_TOLD = (Severity.ERROR, Severity.WARNING)
_AHEAD = {"E12", "E17"}


class RosterTelling:
    """Turns what a read found into jobs, one for each editor and version.

    What the version before said already is not said again; `editors` are persons' keys.
    """

    def __init__(
        self,
        roster: Roster,
        store: Store,
        reader: Reader,
        clock: Clock,
        *,
        editors: Sequence[str],
        kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._roster = roster
        self._store = store
        self._reader = reader
        self._clock = clock
        self._editors = tuple(editors)
        self._kick = kick
        self._before: set[tuple[str, str]] = set()

    async def tell(self, loaded: Loaded) -> None:
        """Enqueue what is new about a version; what cannot be stored now is only logged."""
        now = self._clock.now()
        try:
            changes = await self._reader.changes(now - LOOK_BACK)
            ahead = self._roster.outlook(changes, now)
            found = [p for p in loaded.problems if p.severity in _TOLD]
            found += [p for p in ahead if p.code in _AHEAD]
            said = {(problem.address, problem.text) for problem in found}
            fresh = [p for p in found if (p.address, p.text) not in self._before]
            if fresh and self._editors:
                await self._enqueue(loaded, fresh)
            self._before = said
        except NotStoredError as error:
            log.warning("database failed", action="tell_editors", error=str(error))

    async def _enqueue(self, loaded: Loaded, found: Sequence[Problem]) -> None:
        file = self._roster.file
        ranked = sorted(found, key=lambda problem: _TOLD.index(problem.severity))
        shown = tuple(
            Finding(one.severity, str(one), file.link(one.address)) for one in ranked[:MOST_SHOWN]
        )
        now = self._clock.now()
        version = loaded.version or f"unread-{now:%Y%m%d%H}"
        async with self._store.begin() as transaction:
            for person in self._editors:
                note = RosterNote(
                    person=person,
                    name=file.name,
                    version=version,
                    findings=shown,
                    more=max(0, len(ranked) - MOST_SHOWN),
                    held=loaded.held,
                )
                transaction.enqueue(
                    NewJob(
                        key=f"roster:{person}:{version}",
                        kind=ROSTER_NOTE,
                        lane=f"dm:{person}",
                        priority=JobPriority.NOTE,
                        due_at=now,
                        payload=note_payload(note),
                    )
                )
        self._kick()
