"""The lines of the ledger of elevated access: what happened, to which grant, by whom and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Happening(StrEnum):
    """Everything the ledger tells of, in the past tense."""

    REQUESTED = "access_requested"
    APPROVAL_ASKED = "approval_asked"
    APPROVED = "access_approved"
    REFUSED = "access_refused"
    GRANT_STARTED = "grant_started"
    GRANT_SEEN = "grant_seen"
    GRANT_REPAIRED = "grant_repaired"
    EXTENDED = "grant_extended"
    END_MOVED = "end_moved"
    END_WARNED = "end_warned"
    REVOCATION_STARTED = "revocation_started"
    REVOCATION_SEEN = "revocation_seen"
    REVOCATION_LATE = "revocation_late"
    GRANT_FAILED = "grant_failed"
    STRANGER_FOUND = "stranger_found"
    STRANGER_REMOVED = "stranger_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger. `by` is a person's key, or empty for the bot itself.

    `grant` is empty in lines about members whom nobody granted anything. `evidence` is what was
    seen or answered, in few words: account, what the back-end said, who was on call.
    """

    at: datetime
    what: Happening
    group: str
    person: str = ""
    grant: str = ""
    by: str = ""
    why: str = ""
    incident: int = 0
    evidence: Mapping[str, str] = field(default_factory=dict)
