"""What a decision about access leads to: the grant as it is then, lines of the ledger, messages."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.access.grant import Grant
from rules.access.ledger import Entry, Happening
from rules.sentence import Sentence


class Telling(StrEnum):
    """What a message is about, and so which buttons it may have."""

    APPROVE = "approve"
    """To an approver: Approve, Refuse. Sent to the next one when nobody answers."""
    ANSWERED = "answered"
    """To approvers who were asked: somebody has answered, or nobody did in time."""
    GRANTING = "granting"
    ACTIVE = "active"
    """To the person: it works now. Give back."""
    WARNING = "warning"
    """To the person: it ends in ten minutes. Extend, Give back."""
    ENDED = "ended"
    REFUSED = "refused"
    FAILED = "failed"
    BREAK_GLASS = "break_glass"
    """To the channel, loudly. Revoke."""
    ROTATION_HELD = "rotation_held"
    """To owners: somebody came on call, but the roster is too old to trust. Approve, Refuse."""
    LATE = "late"
    """To the channel, the fallback people and the owners: a member who should be gone is not."""
    STRANGERS = "strangers"
    """To the channel: members nobody granted anything."""


@dataclass(frozen=True, slots=True)
class Tell:
    """One message: to a person by key, or to the channel when `person` is empty."""

    what: Telling
    sentence: Sentence
    person: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A grant after one event, what is written down of it, and who is told what."""

    grant: Grant
    entries: tuple[Entry, ...] = ()
    tells: tuple[Tell, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and which rule says so: a word for the ledger, a sentence for the person."""

    rule: str
    sentence: Sentence


def entry(
    grant: Grant, what: Happening, now: datetime, *, by: str = "", why: str = "", **evidence: str
) -> Entry:
    """Write a line about a grant."""
    return Entry(
        at=now,
        what=what,
        group=grant.group,
        person=grant.person,
        grant=grant.id,
        by=by,
        why=why,
        incident=grant.incident,
        evidence=evidence,
    )
