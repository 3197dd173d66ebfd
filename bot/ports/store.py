"""What the engine needs of the store: one transaction an event, and reading beside it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.ports.access import AccessWrites
from bot.ports.audits import AuditWrites
from bot.ports.changes import ChangeReads, ChangeWrites
from bot.ports.contact import ContactWrites
from bot.ports.delivering import MessageRef, Outcome
from bot.ports.duties import DutyReads, DutyWrites
from bot.ports.inbox import (
    Delivery,
)
from bot.ports.jobs import Job, NewJob
from bot.ports.journal import JournalWrites
from bot.ports.lessons import LessonWrites
from bot.ports.lineage import LineageReads, LineageWrites
from bot.ports.roster_rows import RowWrites
from bot.ports.runbooks import RunbookWrites
from bot.ports.runs import RunReads, RunWrites
from bot.ports.tasks import TaskWrites
from rules.alert import Alert, AlertStatus
from rules.folding import OpenSubject
from rules.incident import Incident, State
from rules.schedule.roster import Override
from rules.sentence import Sentence
from rules.silence import Silence


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert's place in an open incident."""

    incident_id: str
    status: AlertStatus


@dataclass(frozen=True, slots=True)
class PastOpenings:
    """Incidents one thing opened: how many since an instant, and the number of the latest ever."""

    recent: int
    last_number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of an incident's story; `what` is a machine-readable word."""

    at: datetime
    what: str
    sentence: Sentence
    by: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class AlertRef:
    source: str
    dedup_key: str
    group_key: str


Related = Callable[[Sequence[OpenSubject]], Iterable[str]]
"""Of the open incidents and what they are about, the ids of those that alerts may join."""


class Transaction(RunWrites, LessonWrites, LineageWrites, DutyWrites, Protocol):
    """One unit of work. Loads are awaited; look-ups and writes are in memory until the commit.

    Loading an incident locks it. Writes are flushed together when the block ends without an
    error. Raises ConflictError when another writer was faster, NotStoredError when the
    database failed.
    """

    # deliveries
    async def in_turn(self) -> None:
        """Wait until no other transaction decides what came; so the next one takes what came next.

        Else a slow replica would be overtaken: an end would be heard before its beginning.
        """
        ...

    async def take_deliveries(
        self,
        limit: int,
        now: datetime,
        *,
        others: bool = True,
        known: Collection[str] | None = None,
    ) -> Sequence[Delivery]:
        """Lock up to `limit` deliveries that nobody has worked on, oldest first.

        Where few sources fill the batch, with `others` some of other sources come with it. One of
        no `known` source is left for two minutes to a replica that knows it.
        """
        ...

    def finish_delivery(self, delivery_id: str, *, error: str = "") -> None: ...
    def postpone_delivery(self, delivery_id: str, until: datetime, error: str) -> None: ...

    # look-ups for grouping; `load_for` must have been awaited with the alerts in question
    async def load_for(
        self,
        alerts: Sequence[AlertRef],
        *,
        now: datetime,
        window: timedelta,
        related: Related | None = None,
    ) -> None:
        """Load what grouping asks about: open incidents by alert, by group, storms, openings.

        `window` is how far back `openings` and `openings_of` are asked to look. With `related`
        the incidents that it chooses of all open subjects are loaded as well.
        """
        ...

    def open_subjects(self) -> Sequence[OpenSubject]:
        """Return what the open incidents are about, of those loaded or saved here."""
        ...

    def open_alert(self, source: str, dedup_key: str) -> OpenAlert | None: ...
    def open_group(self, source: str, group_key: str) -> str | None: ...
    def open_storm(self, source: str) -> str | None: ...
    def openings(self, source: str, since: datetime) -> int: ...
    def openings_of(self, source: str, dedup_key: str, since: datetime) -> PastOpenings: ...
    def next_number(self) -> int: ...

    async def heard_until(self, now: datetime) -> datetime:
        """Return until when all that came is decided: now, or when the oldest came that waits."""
        ...

    # incidents
    async def take_due(self, now: datetime, limit: int) -> Sequence[Incident]:
        """Lock up to `limit` incidents whose `wake_at` has come, skipping those being worked on.

        No proof is overdue while what came before its time is yet to be heard.
        """
        ...

    async def load_incidents(self, ids: Sequence[str]) -> None: ...
    async def incident_numbered(self, number: int) -> Incident | None: ...
    async def open_incidents(self) -> Sequence[Incident]: ...
    async def pending_proofs(self) -> Mapping[str, frozenset[str]]:
        """Return the keys of what could prove each claimed fix, by the incident's id."""
        ...

    def incident(self, incident_id: str) -> Incident: ...
    def save(self, incident: Incident) -> None:
        """Insert or update; version is checked and raised by one, timers follow `wake_at`."""
        ...

    def record_alert(self, incident_id: str, alert: Alert, now: datetime) -> None: ...
    async def take_alert(self, incident_id: str, source: str, dedup_key: str) -> Alert | None:
        """Take a stored alert out of an incident, to be recorded in another; None if unknown."""
        ...

    async def alert_times(self, incident_id: str, since: datetime) -> Sequence[datetime]:
        """Return the times, ascending, at which alerts of the incident came in since then."""
        ...

    def add_timeline(self, incident_id: str, entry: TimelineEntry) -> None: ...

    # the outbox
    def enqueue(self, job: NewJob) -> None: ...
    def cancel_jobs(self, incident_id: str, kinds: Sequence[str]) -> None:
        """Cancel the incident's jobs of these kinds that have not been done."""
        ...

    def lease_own(self, most: int) -> None:
        """Lease up to `most` jobs that are enqueued here and due, in the same commit.

        As a claim would, but of these jobs only; `leased` has them once the block has ended well.
        """
        ...

    @property
    def leased(self) -> Sequence[Job]: ...

    async def finish_job(self, job: Job, outcome: Outcome, now: datetime) -> bool:
        """Record the outcome if the lease still holds; False when it was taken over.

        `Delivered` stores the message places. A job that was renewed meanwhile stays due. One
        that was cancelled meanwhile stays cancelled: False, unless it was delivered all the same,
        or was an attempt to reach somebody that was refused.
        """
        ...

    # silences, and what people change about the rotation
    @property
    def roster(self) -> ChangeWrites: ...
    @property
    def rows(self) -> RowWrites: ...
    @property
    def audit(self) -> AuditWrites: ...
    @property
    def journal(self) -> JournalWrites: ...
    @property
    def runbooks(self) -> RunbookWrites: ...
    @property
    def tasks(self) -> TaskWrites: ...
    @property
    def access(self) -> AccessWrites: ...
    @property
    def contact(self) -> ContactWrites: ...
    async def silences(self, now: datetime) -> Sequence[Silence]: ...
    def save_silence(self, silence: Silence) -> None: ...
    async def overrides(self, since: datetime) -> Sequence["StoredOverride"]: ...
    def save_override(self, override: "StoredOverride") -> None: ...


StoredOverride = Override


class Store(Protocol):
    def begin(self) -> AbstractAsyncContextManager[Transaction]: ...


class Reader(RunReads, LineageReads, DutyReads, ChangeReads, Protocol):
    """Read-only answers for views, pages and commands; never takes a lock."""

    async def incident(self, incident_id: str) -> Incident | None: ...
    async def incident_numbered(self, number: int) -> Incident | None: ...
    async def incidents(
        self, *, states: Sequence[State], limit: int, assigned_to: str = ""
    ) -> Sequence[Incident]:
        """Return incidents of these states, newest first; `assigned_to` narrows to one person."""
        ...

    async def pending_incidents(self, limit: int) -> Sequence[Incident]:
        """Return the resolved incidents whose fix is still to be proved, newest first."""
        ...

    async def open_count(self) -> int:
        """Return how many incidents are not resolved, without reading them."""
        ...

    async def messages(self, incident_id: str) -> Sequence[MessageRef]: ...
    async def timeline(self, incident_id: str, limit: int) -> Sequence[TimelineEntry]:
        """Return the newest `limit` entries, oldest first."""
        ...

    async def delivery(self, delivery_id: str) -> Delivery | None: ...
    async def silences(self, now: datetime) -> Sequence[Silence]: ...
    async def overrides(self, since: datetime) -> Sequence[StoredOverride]: ...
    async def recent_alert_labels(self, since: datetime, limit: int) -> Sequence[Mapping[str, str]]:
        """Return labels of recent alerts as routes and silences see them, newest first."""
        ...

    async def dead_jobs(self, limit: int, kind: str = "") -> Sequence[tuple[Job, str]]: ...
    async def deliveries_wait(self, now: datetime) -> bool:
        """Tell whether any is to be decided by now."""
        ...

    async def next_wake(self) -> datetime | None: ...
    async def outbox_lag(self, now: datetime) -> Mapping[str, float]:
        """Return by lane how many seconds its oldest due job has waited.

        What is tried again waits for its next turn; a page waits until it has reached somebody.
        """
        ...
