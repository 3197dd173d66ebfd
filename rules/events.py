"""Everything that can happen to an incident, in the past tense."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rules.alert import Alert, AlertStatus
from rules.category import Category
from rules.priority import Impact
from rules.run import Run
from rules.sentence import Sentence

AUTOMATIC = ""
"""The `by` of an event nobody caused by hand."""


@dataclass(frozen=True, slots=True)
class AlertReceived:
    """An alert of this incident arrived; `before` is what it was here, None when it is new."""

    alert: Alert
    before: AlertStatus | None = None
    recent_openings: int = 0
    """Incidents this same thing opened within the flapping window, this one not counted."""
    began_at: datetime | None = None
    """When the run that it tells of began, None where it tells of none or nobody knows."""


@dataclass(frozen=True, slots=True)
class Acked:
    """`via` names the method by which somebody acknowledged, "" in Slack."""

    by: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class AckConfirmed:
    """The acker answered that they are still on it."""

    by: str


@dataclass(frozen=True, slots=True)
class Unacked:
    """`of` is whose acknowledgement alone is meant, "" for whoever has it."""

    by: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """Somebody says how they know that it is fixed."""

    by: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Waived:
    """Somebody says why no proof of the fix is needed."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class RunRequested:
    """Somebody asked to start the run that would prove the fix."""

    by: str


@dataclass(frozen=True, slots=True)
class RunObserved:
    """A run that may prove the incident's fix is over."""

    run: Run


@dataclass(frozen=True, slots=True)
class Reopened:
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Snoozed:
    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Unsnoozed:
    by: str


@dataclass(frozen=True, slots=True)
class Reassigned:
    by: str
    to: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """Somebody asked for the next step now."""

    by: str


@dataclass(frozen=True, slots=True)
class LoopedIn:
    """Somebody asked to page one more person."""

    by: str
    person: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """Somebody put right what we made of it; None leaves a thing as it is."""

    by: str
    category: Category | None = None
    impact: Impact | None = None
    actionable: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Muted:
    """A silence or maintenance window made after the incident opened covers it."""

    by: str
    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Unmuted:
    """The silence that muted the incident was ended by hand."""

    by: str


@dataclass(frozen=True, slots=True)
class AlertSplitOff:
    """Somebody saw that an alert of the incident has a cause of its own."""

    by: str
    source: str
    dedup_key: str


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """Somebody did something about a task it left behind; `left` still keep it from being closed."""

    by: str
    said: Sentence
    left: int


@dataclass(frozen=True, slots=True)
class PageDelivered:
    """`via` names the method by which the page went out, "" for the direct message."""

    person: str
    key: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class ContactFailed:
    """One method to reach a person did not work; `then` is the one that goes at once instead.

    `for_now`: it is still tried.
    """

    person: str
    key: str
    via: str
    why: str
    then: str = ""
    for_now: bool = False


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A page was given up: wrong person, closed account, no method left."""

    person: str
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Woken:
    """The incident's wake-up time has come; changes nothing when it is no longer due.

    `alert_times` are the receipt times, ascending, of the incident's firing alerts within the
    longest window that a step of its policy counts.
    """

    alert_times: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class Resumed:
    """The auditor found that the incident had come to a stop.

    `lost` are those whose page was gone; `undecidable`: what was due could not be decided.
    """

    why: Sentence
    lost: tuple[str, ...] = ()
    undecidable: bool = False


PersonEvent = (
    Acked
    | AckConfirmed
    | Unacked
    | Resolved
    | Verified
    | Waived
    | RunRequested
    | Reopened
    | Snoozed
    | Unsnoozed
    | Reassigned
    | Escalated
    | LoopedIn
    | Corrected
)
"""What one person does to one incident."""

Event = (
    AlertReceived
    | PersonEvent
    | AlertSplitOff
    | TaskChanged
    | Muted
    | Unmuted
    | PageDelivered
    | ContactFailed
    | PageFailed
    | Resumed
    | RunObserved
    | Woken
)
