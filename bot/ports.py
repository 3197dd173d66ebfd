"""What the engine and the outbox need from the outside: the store, and whoever delivers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from bot.audits import AuditWrites
from bot.changes import ChangeReads, ChangeWrites
from bot.duties import DutyReads, DutyWrites
from bot.lessons import LessonWrites
from bot.lineage import LineageReads, LineageWrites
from bot.roster_rows import RowWrites
from bot.runs import RunReads, RunWrites
from rules.alert import Alert, AlertStatus
from rules.folding import OpenSubject
from rules.incident import Incident, State
from rules.roster import Override
from rules.run import Run
from rules.seen_lineage import SeenLineage
from rules.sentence import Sentence
from rules.silence import Silence

JsonObject = dict[str, Any]


# --- what comes in -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One request to be stored raw before it is answered.

    `key` makes a repeated delivery harmless; it is unique for ever. `headers` hold only what a
    parser may need and never a secret.
    """

    source: str
    key: str
    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    id: str
    source: str
    key: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    received_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What one delivery said. A readable delivery with nothing to tell has no alerts."""

    alerts: tuple[Alert, ...] = ()
    lineage: tuple[SeenLineage, ...] = ()
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    id: str
    repeated: bool


class Inbox(Protocol):
    """Durable acceptance: returns only after the commit. Raises `NotStoredError`."""

    async def accept(self, delivery: NewDelivery) -> Accepted: ...


class NotStoredError(Exception):
    """The store could not commit; the sender must send again."""


class ConflictError(Exception):
    """Another writer was faster; the transaction must be run again from the start."""


# --- what goes out -------------------------------------------------------------------------


class JobPriority(IntEnum):
    """Lower goes first: pages overtake everything, decoration waits."""

    PAGE = 0
    ANSWER = 1
    PERSON = 2
    NOTE = 3
    MACHINE = 4
    PICTURE = 5


class JobState(StrEnum):
    TODO = "todo"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """One effect to be carried out.

    `key` takes effect once. With `renew`, enqueueing an existing key makes it due again (at the
    earlier of both times, priority the higher of both): "show it as it now is" needs no queue.
    Jobs of one `lane` go out one after another, paced; an empty lane is not paced.
    """

    key: str
    kind: str
    lane: str
    priority: JobPriority
    due_at: datetime
    payload: JsonObject = field(default_factory=dict)
    incident_id: str = ""
    renew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed job: `lease` fences, `unsure` says that an earlier attempt may have gone out."""

    id: str
    key: str
    kind: str
    lane: str
    priority: JobPriority
    payload: JsonObject
    incident_id: str
    due_at: datetime
    created_at: datetime
    first_attempt_at: datetime | None
    attempts: int
    lease: int
    leased_until: datetime
    revision: int
    unsure: bool


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a message of ours stands: `role` is root, page or note; `person` for pages."""

    role: str
    channel: str
    ts: str
    person: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """It went out; `messages` are new places that hold the incident."""

    messages: tuple[MessageRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `at`. `unsure`: it may have gone out. `lane_until` holds the whole lane."""

    at: datetime
    why: str
    unsure: bool = False
    lane_until: datetime | None = None
    counts: bool = True
    """False for a 429: being told to wait is not a failure, so it never leads to giving up."""


@dataclass(frozen=True, slots=True)
class Dead:
    """Given up, and said so."""

    why: str


Outcome = Delivered | Retry | Dead


class RetryLaterError(Exception):
    """The other side cannot take it now; `after` when it said how long to wait.

    `unsure` when the request may have taken effect. `throttled` for a 429. `whole_lane` when it
    is not this job's fault: whatever goes the same way would fail as well, and waits too.
    """

    def __init__(
        self,
        why: str,
        *,
        after: timedelta | None = None,
        unsure: bool = False,
        throttled: bool = False,
        whole_lane: bool = False,
    ) -> None:
        super().__init__(why)
        self.after = after
        self.unsure = unsure
        self.throttled = throttled
        self.whole_lane = whole_lane or throttled


class GiveUpError(Exception):
    """It can never succeed as it is; the text says why and what to do."""


class Deliverer(Protocol):
    """Carries out one kind of job. Raises RetryLaterError or GiveUpError."""

    async def deliver(self, job: Job) -> Delivered: ...


# --- the store -----------------------------------------------------------------------------


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
    async def take_deliveries(self, limit: int, now: datetime) -> Sequence[Delivery]:
        """Lock up to `limit` deliveries that nobody has worked on, oldest first."""
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

    # incidents
    async def take_due(self, now: datetime, limit: int) -> Sequence[Incident]:
        """Lock up to `limit` incidents whose `wake_at` has come, skipping those being worked on."""
        ...

    async def load_incidents(self, ids: Sequence[str]) -> None: ...
    async def incident_numbered(self, number: int) -> Incident | None: ...
    async def open_incidents(self) -> Sequence[Incident]: ...
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

    async def finish_job(self, job: Job, outcome: Outcome, now: datetime) -> bool:
        """Record the outcome if the lease still holds; False when it was taken over.

        `Delivered` stores the message places. A job that was renewed meanwhile stays due. One
        that was cancelled meanwhile stays cancelled: False, unless it was delivered all the same.
        """
        ...

    # silences, and what people change about the rotation
    @property
    def roster(self) -> ChangeWrites: ...
    @property
    def rows(self) -> RowWrites: ...
    @property
    def audit(self) -> AuditWrites: ...
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

    async def dead_jobs(self, limit: int) -> Sequence[tuple[Job, str]]: ...
    async def next_wake(self) -> datetime | None: ...
    async def outbox_lag(self, now: datetime) -> Mapping[str, float]:
        """Return by lane how many seconds its oldest due job has waited."""
        ...
