"""What people ask for in Slack, as it is stored before Slack is answered.

An act is a delivery like any other, from the source `@slack`: it survives a crash, is carried
out once, and answers the person when it is done.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from bot.acts.access import AccessAct
from bot.acts.duties import LeaveNote
from bot.acts.journal import JournalAct
from bot.acts.roster import RosterAct
from bot.acts.runbooks import RunbookAct
from bot.acts.tasks import OnTask
from rules.category import Category
from rules.events import (
    AckConfirmed,
    Acked,
    Corrected,
    Escalated,
    LoopedIn,
    PersonEvent,
    Reassigned,
    Reopened,
    Resolved,
    RunRequested,
    Snoozed,
    Unacked,
    Unsnoozed,
    Verified,
    Waived,
)
from rules.priority import Impact

SLACK = "@slack"
"""The source of deliveries that people caused; no configured source can have this name."""


@dataclass(frozen=True, slots=True)
class AnswerTo:
    """Where the person hears what became of it: a response_url, or an ephemeral message.

    `quiet` keeps silent about success: a click on a button shows its effect in the message.
    """

    user: str
    channel: str = ""
    response_url: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OnIncident:
    """One event on one incident, by its number; `event` as in `event_of`.

    `via` names the contact method by which it came, "" in Slack.
    """

    number: int
    event: str
    by: str
    note: str = ""
    until: datetime | None = None
    person: str = ""
    category: Category | None = None
    impact: Impact | None = None
    actionable: bool | None = None
    via: str = ""
    kind: Literal["on_incident"] = "on_incident"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff:
    """One alert of an incident gets an incident of its own; `alert` as `alert_ref` names it."""

    number: int
    alert: str
    by: str
    kind: Literal["split_off"] = "split_off"


def alert_ref(source: str, dedup_key: str) -> str:
    """Return a short name of an alert's thing, for a button's value."""
    return hashlib.blake2b(
        f"{source}\0{dedup_key}".encode("utf-8", "surrogatepass"), digest_size=8
    ).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AckAll:
    """Acknowledge everything that is triggered."""

    by: str
    kind: Literal["ack_all"] = "ack_all"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeSilence:
    """`matchers` as written; `until` an instant."""

    by: str
    matchers: str
    until: datetime
    why: str
    kind: Literal["make_silence"] = "make_silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSilence:
    by: str
    silence_id: str
    kind: Literal["end_silence"] = "end_silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRule:
    """Keep the rule that a person has seen tried; `name` is the name it had then.

    `breadth` counts from the narrowest of those that the incident's alert offers.
    """

    by: str
    number: int
    breadth: int
    name: str
    category: Category | None = None
    impact: Impact | None = None
    actionable: bool | None = None
    why: str = ""
    kind: Literal["save_rule"] = "save_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRule:
    by: str
    rule_id: str
    kind: Literal["end_rule"] = "end_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenByHand:
    """Page a person or a rotation's on-call with a text; an incident nobody's tool reported."""

    by: str
    title: str
    description: str = ""
    person: str = ""
    rotation: str = ""
    url: str = ""
    kind: Literal["open_by_hand"] = "open_by_hand"


Act = (
    OnIncident
    | JournalAct
    | SplitOff
    | AckAll
    | MakeSilence
    | EndSilence
    | RosterAct
    | SaveRule
    | EndRule
    | OpenByHand
    | LeaveNote
    | AccessAct
    | RunbookAct
    | OnTask
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActPayload:
    """The body of an `@slack` delivery."""

    act: Act
    answer_to: AnswerTo


_BY_ONE_PERSON: dict[str, type[AckConfirmed | Unsnoozed | Escalated | RunRequested]] = {
    "ack_confirmed": AckConfirmed,
    "unsnoozed": Unsnoozed,
    "escalated": Escalated,
    "run_requested": RunRequested,
}

_WITH_A_NOTE: dict[str, type[Resolved | Reopened | Verified | Waived]] = {
    "resolved": Resolved,
    "reopened": Reopened,
    "verified": Verified,
    "waived": Waived,
}

_PAYLOAD = TypeAdapter(ActPayload)


def act_to_json(payload: ActPayload) -> bytes:
    return _PAYLOAD.dump_json(payload)


def act_from_json(body: bytes) -> ActPayload:
    """Read an act; raises pydantic.ValidationError when it is not one."""
    return _PAYLOAD.validate_json(body)


def event_of(act: OnIncident) -> PersonEvent:
    """Build the event an act stands for; raises ValueError when a needed part is missing."""
    match act.event:
        case "acked":
            return Acked(act.by, act.via)
        case "unacked":
            return Unacked(act.by, act.person)
        case event if event in _WITH_A_NOTE:
            return _WITH_A_NOTE[event](act.by, act.note)
        case "snoozed" if act.until is not None:
            return Snoozed(act.by, act.until)
        case "reassigned" if act.person:
            return Reassigned(act.by, act.person)
        case "corrected":
            return Corrected(act.by, act.category, act.impact, act.actionable, act.note)
        case "looped_in" if act.person:
            return LoopedIn(act.by, act.person)
        case event if event in _BY_ONE_PERSON:
            return _BY_ONE_PERSON[event](act.by)
        case _:
            raise ValueError(f"{act.event} lacks what it needs")
