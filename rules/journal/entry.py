"""A journal entry: five things somebody writes, and everything else as the bot knew it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

LONGEST_FIELD = 2_000
LONGEST_NOTE = 3_000
MOST_NOTES = 20
LONGEST_WHY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person writes. `cause_class` is a key of the template's causes.

    `needed` tells whether the page was needed, None when nobody said.
    """

    symptom: str = ""
    cause_class: str = ""
    cause: str = ""
    fix: str = ""
    needed: bool | None = None
    needed_why: str = ""
    follow_up: str = ""

    def __bool__(self) -> bool:
        return self != Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the bot fills in; texts may come from outside, people are keys.

    `thing` names what broke at its source. `interval` is the part of the data that was hit,
    `steps` the runbook's steps with their outcome, `grants` the elevated access that was used,
    `verification` what proved the fix or says what would. `note` is what was said on resolving.
    """

    title: str = ""
    source: str = ""
    thing: str = ""
    product: str = ""
    asset: str = ""
    category: str = ""
    priority: str = ""
    impact: str = ""
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    occurred_at: datetime | None = None
    opened_at: datetime | None = None
    paged_at: datetime | None = None
    acked_at: datetime | None = None
    resolved_at: datetime | None = None
    verified_at: datetime | None = None
    acked_by: str = ""
    resolved_by: str = ""
    paged: tuple[str, ...] = ()
    interval: str = ""
    note: str = ""
    steps: tuple[str, ...] = ()
    verification: str = ""
    grants: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Return the keys of all who had to do with it, each once."""
        named = (*self.paged, self.acked_by, self.resolved_by)
        return tuple(dict.fromkeys(person for person in named if person))

    @property
    def lasted(self) -> timedelta | None:
        if self.opened_at is None or self.resolved_at is None:
            return None
        return self.resolved_at - self.opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A message somebody added; `author` wrote it, `by` added it, `link` leads to it."""

    text: str
    by: str
    at: datetime
    author: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One entry. `number` is its incident's, None for a note without one.

    `version` counts from 1. `by` wrote it first, "" while it holds only notes; `changed_by` left
    it as it is. `at` is when it happened: the incident's opening, or the note's time.
    """

    id: str
    number: int | None
    at: datetime
    changed_at: datetime
    changed_by: str
    incident_id: str = ""
    version: int = 1
    by: str = ""
    written_at: datetime | None = None
    told: Told = field(default_factory=Told)
    facts: Facts = field(default_factory=Facts)
    notes: tuple[Note, ...] = ()

    @property
    def is_written(self) -> bool:
        return bool(self.by)

    @property
    def month(self) -> str:
        return f"{self.at:%Y-%m}"

    def write(self, told: Told, by: str, now: datetime) -> "JournalEntry":
        """Return the next version, as `by` wrote it."""
        return replace(
            self,
            version=self.version + 1,
            told=told,
            by=self.by or by,
            written_at=self.written_at or now,
            changed_by=by,
            changed_at=now,
        )

    def with_note(self, note: Note) -> "JournalEntry":
        """Return the next version with a note more; the newest are kept."""
        if any(one.text == note.text and one.link == note.link for one in self.notes):
            return self
        return replace(
            self,
            version=self.version + 1,
            notes=(*self.notes, note)[-MOST_NOTES:],
            changed_by=note.by,
            changed_at=note.at,
        )

    def with_facts(self, facts: Facts) -> "JournalEntry":
        """Return the same version with what the bot knows by now."""
        return replace(self, facts=facts)


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """An entry as somebody left it."""

    version: int
    at: datetime
    by: str
    entry: JournalEntry
