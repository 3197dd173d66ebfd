"""The roster in force: read again when its source changes, joined with what people override."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.roster.acceptance import Loaded, Read, accept, content, digest
from bot.roster.book import BookRead, fault_of_file, read_book
from bot.roster.directory import KnownPeople
from bot.roster.files import FileSource
from bot.roster.last_good import Good, LastGoodError, load_last_good, save_last_good
from bot.roster.outlook import outlook
from bot.roster.settings import RosterSettings
from bot.roster.table import Problem, Severity, TableError
from bot.roster.workbook import RosterSource
from rules.people import People
from rules.rotation import OnCall, Span
from rules.schedule.override_merge import Conflict, merged, without
from rules.schedule.resolution import on_call
from rules.schedule.roster import Change, Override, RotationPlan, Schedule, Swap

LOOK_EVERY = timedelta(seconds=1)
LOOK_BACK = timedelta(days=40)
LOOK_FORWARD = timedelta(days=400)
_WINDOW_STEP = timedelta(days=1)
_LOOK_AGAIN_EVERY = timedelta(minutes=10)
_NEVER = datetime.min.replace(tzinfo=UTC)
_MOST_UNSETTLED = 5
_MOST_ANSWERS = 3
"""Pages, calendars and the Status tab look back differently far, again and again."""
_UNREAD = object()


@dataclass(frozen=True, slots=True)
class SeenRows:
    """Rows of overrides as read: the content as it was at `as_of`.

    `rows` are overrides by the ids in their rows (None where a cancelled one cannot be read),
    None when nothing can be said of rows now; `unsure` rotations and ids of rows that cannot.
    """

    version: str
    as_of: datetime
    rows: Mapping[str, Override | None] | None = None
    unsure: frozenset[str] = frozenset()


class RosterFile:
    """One roster. Not for several threads at once, except that `poll` may run in one.

    `people` are told of those the roster adds. `good` is what is in force by rotation.
    """

    def __init__(
        self,
        source: Path | RosterSource,
        people: People,
        settings: RosterSettings | None = None,
        *,
        last_good: Path | None = None,
    ) -> None:
        self.source: RosterSource = FileSource(source) if isinstance(source, Path) else source
        self.people = people if isinstance(people, KnownPeople) else KnownPeople(people)
        self.settings = settings or RosterSettings()
        self.loaded = Loaded()
        self._last_good_path = last_good
        self._good: dict[str, Good] | None = None
        self._earlier: dict[str, tuple[RotationPlan, ...]] = {}
        self._readable: Mapping[str, Good] = {}
        self._confirmed = ""
        self._links: Mapping[str, str] = {}
        self._look: object = None
        self._loaded_at = _NEVER
        self._unsettled: tuple[object, int] | None = None
        self._usable = False
        self.seen = SeenRows("", _NEVER)
        self.tracked: frozenset[str] = frozenset()
        """Ids of rows whose overrides the store has, also of those that have no effect now."""
        self.older: frozenset[str] = frozenset()
        """Versions that others superseded: a copy of one changes nothing until another is read."""

    @property
    def name(self) -> str:
        return self.source.name

    def link(self, address: str) -> str:
        """Return where people open a cell ("Shifts!C14"), "" where that is not known."""
        tab, _, place = address.partition(" ")[0].rpartition("!")
        base = self._links.get(tab, "")
        return f"{base}&range={place}" if base and place else base

    @property
    def good(self) -> Mapping[str, Good]:
        return self._good or {}

    def load(self, now: datetime) -> Loaded:
        """Read it and accept what is good in it; never raises for what it holds."""
        notes: list[Problem] = []
        good = self._last_good(notes)
        look = self.source.look()
        version, author, book = self._read(now)
        self._usable = version != "" and not book.unusable
        if version in self.older:
            text = (
                "this is an older copy of the roster than the one in force. Bring it up to date; "
                "if it is meant, change something in it, such as a comment."
            )
            book = replace(fault_of_file(self.name, text, book.people), weights=book.weights)
        elif version:
            self.older = frozenset()
        confirmed = version == self._confirmed != ""
        verdict = accept(Read(self.name, version, book, confirmed, author), good, now)
        if version:
            self.people.know(book.people)
        self._remember(verdict.good, good, notes)
        self._readable = verdict.readable
        self.loaded = Loaded(
            version=version,
            rows_version=self.loaded.rows_version,
            plans=self.loaded.plans,
            problems=(*verdict.problems, *notes),
            refused=verdict.refused,
            held=verdict.held,
            weights=book.weights if version else self.loaded.weights,
        )
        self._in_force()
        self._loaded_at = now
        self._look = look if version or look is None else _UNREAD
        rows = None if book.unusable else book.override_rows
        unsure = book.unread_overrides | set(verdict.refused)
        self.seen = SeenRows(version, self._as_of(now), rows, unsure)
        return self.loaded

    def check(self, now: datetime) -> tuple[Problem, ...]:
        """Return everything wrong with it as it stands, and what will go wrong soon."""
        _, _, book = self._read(now)
        if book.unusable:
            return book.problems
        schedule = Schedule(plans=tuple(book.plans.values()), people=book.people)
        return (*book.problems, *outlook(schedule, now))

    def confirm(self, now: datetime, version: str = "") -> Loaded:
        """Accept the version that is held, as a person has said that it is meant."""
        self._confirmed = version or self.loaded.version
        return self.load(now)

    def restore(self, good: Mapping[str, Good], earlier: Iterable[RotationPlan]) -> None:
        """Put in force what is kept elsewhere as accepted; `earlier` plans answer for the past."""
        by_rotation: dict[str, tuple[RotationPlan, ...]] = {}
        for plan in earlier:
            by_rotation[plan.name] = (*by_rotation.get(plan.name, ()), plan)
        self._good = {**self._last_good([]), **good}
        self._earlier = {**self._earlier, **by_rotation}
        self._readable = {n: entry for n, entry in self._readable.items() if n not in good}
        self._in_force()

    def poll(self, now: datetime) -> Loaded | None:
        """Load if it changed and has settled; None when what it holds is the same.

        What is still being written is left until two looks in a row find it alike.
        """
        look = self.source.look()
        if look == self._look:
            self._unsettled = None
            self.seen = replace(self.seen, as_of=self._as_of(now))
            return self._changed(now) if self._may_be_good_by_now(now) else None
        if self._unsettled is None or self._unsettled[0] != look:
            looks = self._unsettled[1] + 1 if self._unsettled else 1
            self._unsettled = (look, looks)
            if looks < _MOST_UNSETTLED:
                return None
        self._unsettled = None
        return self._changed(now)

    def _as_of(self, now: datetime) -> datetime:
        """Return when it last surely said what is known of it.

        A sheet is read less often than looked at, and what nobody can read says nothing.
        """
        if not self._usable:
            return self.seen.as_of
        read_at: datetime | None = getattr(self.source, "read_at", now)
        return read_at or _NEVER

    def _may_be_good_by_now(self, now: datetime) -> bool:
        """Whether to look again at what was refused: rows that were too far ahead come near."""
        return bool(self.loaded.refused) and now >= self._loaded_at + _LOOK_AGAIN_EVERY

    def _changed(self, now: datetime) -> Loaded | None:
        before = self.loaded
        after = self.load(now)
        same = before.version == after.version != "" or before.problems == after.problems
        return None if same and before.rows_version == after.rows_version else after

    def _read(self, now: datetime) -> tuple[str, str, BookRead]:
        configured = self.people.configured
        try:
            book = self.source.read()
        except TableError as error:
            return "", "", fault_of_file(self.name, str(error), configured)
        self._links = book.links
        return book.version, book.author, read_book(book, configured, self.settings, now)

    def _in_force(self) -> None:
        """Say what is in force now: each rotation's newest version, and the earlier ones."""
        newest = {name: entry.plan for name, entry in {**self._readable, **self.good}.items()}
        plans = tuple(
            plan
            for name in sorted(newest)
            for plan in (
                *(p for p in self._earlier.get(name, ()) if p.valid_from < newest[name].valid_from),
                newest[name],
            )
        )
        if plans != self.loaded.plans or not self.loaded.rows_version:
            self.loaded = replace(self.loaded, plans=plans, rows_version=digest(plans))

    def _last_good(self, notes: list[Problem]) -> dict[str, Good]:
        if self._good is None:
            self._good = {}
            try:
                if self._last_good_path is not None:
                    self._good = load_last_good(self._last_good_path)
            except LastGoodError as error:
                notes.append(Problem("", str(error), Severity.WARNING))
        return self._good

    def _remember(
        self, accepted: Mapping[str, Good], before: Mapping[str, Good], notes: list[Problem]
    ) -> None:
        for name, entry in before.items():
            if name in accepted and content(accepted[name].plan) != content(entry.plan):
                self._earlier[name] = (*self._earlier.get(name, ()), entry.plan)
        self._good = dict(accepted)
        if self._last_good_path is None or _content(accepted) == _content(before):
            return
        try:
            save_last_good(self._last_good_path, accepted)
        except LastGoodError as error:
            notes.append(Problem("", str(error), Severity.WARNING))


class Roster:
    """The one on-call answer made of a roster and what people changed; several threads may ask.

    `rows_merged` where a bot merges rows with the store: what is stored counts, also before the
    first look, when what was ended in Slack may still stand in its row.
    """

    def __init__(self, file: RosterFile, *, rows_merged: bool = False) -> None:
        self.file = file
        self.told: Sequence[Problem] | None = () if rows_merged else None
        """Conflicts as whoever merges rows with the store tells them; None where nobody does."""
        self._answers: tuple[tuple[object, OnCall], ...] = ()
        """The latest first, with their keys; only ever replaced whole, as threads read it."""
        self._written: tuple[str, frozenset[str]] = ("", frozenset())

    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall:
        """Return everybody's spans from 40 days before `now` to 400 days after it, whole."""
        loaded = self.file.loaded  # once: another thread may read the roster anew meanwhile
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        running = frozenset(
            change.id
            for change in changes
            if change.id in self._ids(loaded) and change.starts_at <= now < change.ends_at
        )
        merging = self._merging()
        # what made an answer is told in names, and so are calendars
        everyone = self.file.people.everyone
        key = (loaded.rows_version, frozenset(changes), running, merging, day, everyone)
        answers = self._answers
        found = next((answer for known, answer in answers if known == key), None)
        if found is None:
            schedule, _ = self._merged(changes, now, loaded, merging)
            start, end = day - LOOK_BACK, day + _WINDOW_STEP + LOOK_FORWARD
            found = on_call(schedule, start, end, whole=True)
            self._answers = ((key, found), *answers[: _MOST_ANSWERS - 1])
        return found

    def schedule(self, changes: Sequence[Change], now: datetime | None = None) -> Schedule:
        """Return everything that decides who is on call, as it is in force at `now`."""
        return self._merged(changes, now or _NEVER, self.file.loaded, self._merging())[0]

    def conflicts(self, changes: Sequence[Change], now: datetime) -> list[Problem]:
        """Return overrides of one id that Slack and the roster tell differently."""
        if self.told is not None:
            return list(self.told)
        return [_told(one) for one in self._merged(changes, now, self.file.loaded, None)[1]]

    def spans(self) -> Sequence[Span]:
        """Return the spans of the answer that was worked out last."""
        return self._answers[0][1].all_spans() if self._answers else ()

    def zone(self, rotation: str) -> str:
        """Return the region in whose local time people of the rotation speak."""
        return self.file.loaded.zones.get(rotation) or self.file.settings.of(rotation).zone

    def outlook(self, changes: Sequence[Change], now: datetime) -> list[Problem]:
        """Return warnings about the next 14 days."""
        return [*self.conflicts(changes, now), *outlook(self.schedule(changes, now), now)]

    def _ids(self, loaded: Loaded) -> frozenset[str]:
        """Return the ids of overrides that the roster itself holds."""
        if self._written[0] != loaded.rows_version:
            ids = frozenset(o.id for plan in loaded.plans for o in plan.overrides)
            self._written = (loaded.rows_version, ids)
        return self._written[1]

    def _merging(self) -> frozenset[str] | None:
        """Return the ids of rows that were merged into what is stored, None where nobody does."""
        return self.file.tracked if self.told is not None else None

    def _merged(
        self,
        changes: Sequence[Change],
        now: datetime,
        loaded: Loaded,
        merging: frozenset[str] | None,
    ) -> tuple[Schedule, Sequence[Conflict]]:
        overrides = [one for one in changes if isinstance(one, Override)]
        swaps = tuple(one for one in changes if isinstance(one, Swap))
        if merging is None:
            plans, stored, conflicts = merged(loaded.plans, overrides, now)
        else:
            # rows with an id of ours have been merged into what is stored
            ids = {one.id for one in changes} | merging
            plans, stored, conflicts = without(loaded.plans, ids), tuple(overrides), ()
        people = self.file.people
        schedule = Schedule(
            plans=plans, overrides=stored, swaps=swaps, people=people, weights=loaded.weights
        )
        return schedule, conflicts


def _told(conflict: Conflict) -> Problem:
    written = conflict.written
    text = f"{written.id} was changed both here ({conflict.here}) and in Slack ({conflict.there}). "
    kept = (
        "The one of Slack is running and lasts; write its values here, or another row."
        if conflict.running
        else "What is written here counts."
    )
    return Problem(written.where, text + kept, Severity.WARNING, written.rotation, "E17")


def _content(rotations: Mapping[str, Good]) -> dict[str, RotationPlan]:
    return {name: content(good.plan) for name, good in rotations.items()}
