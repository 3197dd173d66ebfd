"""The rules as they now stand: the rulebook's files, and the roster as last accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app.expectations import Waiting
from bot.app.learned_rules import LearnedRules
from bot.app.learning import Learnt, Past, learn_from
from bot.app.live_lineage import LiveLineage
from bot.app.roster.source import roster_source
from bot.clock import Clock
from bot.config.settings import Config
from bot.ports.lessons import Lessons, NoLessons
from bot.ports.store import Reader
from bot.roster.roster import Roster, RosterFile
from bot.roster.settings import RosterSettings, RotationSettings
from rules.access.group import AccessRules
from rules.access.trusting import named
from rules.catalogue import Catalogue
from rules.contacting.contacts import Contacts
from rules.documents.rulebook_parts import RulebookParts
from rules.lineage import Lineage
from rules.people import People
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.runbooks.choosing import Runbooks
from rules.schedule.roster import Change, Schedule

LEARN_EVERY = timedelta(minutes=5)
_AT_EASE = 100
"""A long past is read again only after so many times what that took."""
_PAST = timedelta(days=1)


def roster_file(
    config: Config,
    people: People,
    *,
    last_good: Path | None = None,
    clock: Clock | None = None,
    pace: float = 1.0,
) -> RosterFile | None:
    """Return the configured roster, None when there is none; `pace` is how fast the clock runs."""
    if config.roster is None:
        return None
    rotations = {
        name: RotationSettings(spec.zone, spec.handoff) for name, spec in config.rotations.items()
    }
    settings = RosterSettings(
        default=next(iter(rotations.values()), RotationSettings()),
        rotations=rotations,
        rotation=config.first_rotation or "default",
    )
    source = roster_source(config, clock, pace=pace)
    return RosterFile(source, people, settings, last_good=last_good)


class RulesInForce:
    """Answers the engine, and everyone who shows: one rulebook, one "who is on call"."""

    def __init__(
        self,
        parts: RulebookParts,
        roster: Roster | None,
        reader: Reader,
        clock: Clock,
        past: Past | None = None,
        lessons: Lessons | None = None,
        *,
        waiting: Waiting | None = None,
    ) -> None:
        self._parts = parts
        self._roster = roster
        self._reader = reader
        self._clock = clock
        self._shown = OnCall()
        self._live = LiveLineage(reader, clock)
        self._past = past
        self._waiting = waiting
        self.swap_approvers: Mapping[str, tuple[str, ...]] = {}
        """By rotation who must approve swaps."""
        self.access = AccessRules()
        self.contacts = Contacts()
        """How people are reached besides Slack."""
        self.mirrors_tasks = False
        """Whether tasks also become issues of a tracker."""
        self._runbooks = Runbooks()
        self._catalogue_read = False
        self._lessons = LearnedRules(lessons or NoLessons())
        self._learnt = Learnt()
        self._learn_at = datetime.min.replace(tzinfo=UTC)
        self._book = self._made()

    def book(self) -> RuleBook:
        return self._book

    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall:
        return self._roster.on_call(changes, now) if self._roster else OnCall()

    def schedule(self, changes: Sequence[Change]) -> Schedule:
        """Return everything that decides who is on call, for who wants to know why."""
        return self._roster.schedule(changes, self._clock.now()) if self._roster else Schedule()

    def shown(self) -> OnCall:
        """Return who is on call as last refreshed; for views, which cannot wait for a query."""
        return self._shown

    async def refresh(self) -> OnCall:
        """Read again what people changed and what events told of lineage."""
        now = self._clock.now()
        self._shown = self.on_call(await self._reader.changes(now - _PAST), now)
        await self._lessons.refresh()
        await self._live.refresh()
        self._book = self._made()
        return self._shown

    async def learn(self) -> bool:
        """Learn from the past where that is due; tell whether it was. Raises NotStoredError."""
        now = self._clock.now()
        if self._past is None or now < self._learn_at:
            return False
        self._learn_at = again = now + LEARN_EVERY
        self._learnt = await learn_from(self._past, self._book, now)
        took = self._clock.now() - now
        if self._learn_at == again:  # no new catalogue came meanwhile
            self._learn_at = max(again, now + _AT_EASE * took)
        self._book = self._made()
        return True

    async def know(self, catalogue: Catalogue, lineage: Lineage, *, complete: bool = True) -> None:
        """Decide with this catalogue from now on, and with the lineage that was seen.

        Of one that is not `complete`, what is not listed is not known to be gone.
        """
        await self._live.know(catalogue, lineage)
        self._catalogue_read = complete
        self._learn_at = self._clock.now()
        self._book = self._made()

    def follow(self, runbooks: Runbooks) -> None:
        """Choose among these runbooks from now on."""
        self._runbooks = runbooks
        self._book = self._made()

    def _made(self) -> RuleBook:
        book = self._lessons.on(self._parts.rulebook(on_call=self._shown))
        catalogue = self._live.live.catalogue
        if self._waiting:
            expected = self._waiting.on(catalogue, read=self._catalogue_read)
            verifying = replace(
                book.verifying, kinds=self._waiting.kinds, runnable=self._waiting.runnable
            )
            book = replace(book, expected=expected, verifying=verifying)
        return replace(
            book,
            catalogue=catalogue,
            lineage=self._live.lineage,
            history=self._learnt.history,
            reliability=self._learnt.reliability,
            swap_approvers=self.swap_approvers,
            runbooks=self._runbooks,
            mirrors_tasks=self.mirrors_tasks,
            access=self._access(),
            contacts=self.contacts,
        )

    def _access(self) -> AccessRules:
        """Return the rules of elevated groups: a shift that somebody took opens none."""
        if not self.access.groups or self._roster is None:
            return self.access
        return replace(self.access, named=named(self.schedule(()).plans))

    def rostered(self) -> set[str]:
        """Return the keys of everybody the roster names."""
        spans = self._roster.spans() if self._roster else ()
        return {person for span in spans for person in span.people}
