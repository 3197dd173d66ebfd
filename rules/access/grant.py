"""A grant: one person in one elevated group for a while, and the states it goes through."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class GrantState(StrEnum):
    """`requested` waits for a word, `granting` and `revoking` for the back-end to show it."""

    REQUESTED = "requested"
    REFUSED = "refused"
    GRANTING = "granting"
    ACTIVE = "active"
    REVOKING = "revoking"
    ENDED = "ended"
    FAILED = "failed"


WANTED = frozenset({GrantState.GRANTING, GrantState.ACTIVE})
"""States in which the person belongs into the group."""

OPEN = frozenset({GrantState.REQUESTED, GrantState.REVOKING, *WANTED})
"""States that do not last."""


class Origin(StrEnum):
    ASKED = "asked"
    ROTATION = "rotation"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One grant. `id` is short enough to type.

    `until` is the latest end that its own time, the shift and extensions allow; the incident may
    end it sooner. `requested_at`, `active_since` and `gone_since` are shown to people: asked for,
    seen in the back-end, seen gone from it. `was_member`: the account was in the group before.
    `asked` are approvers who have been asked, the present one last. `granted_at` is when it was
    decided. `place` is where it was begun, as the configuration names the group there.
    `with_shift`: it ends with the person's shift. `alarms` counts how often was said that it takes too long, `troubled_since` is since
    when the back-end has failed it.
    """

    id: str
    group: str
    person: str
    account: str
    origin: Origin
    state: GrantState
    requested_at: datetime
    length: timedelta
    until: datetime | None = None
    why: str = ""
    incident: int = 0
    incident_closed_at: datetime | None = None
    break_glass: bool = False
    with_shift: bool = False
    place: str = ""
    asked: tuple[str, ...] = ()
    answer_by: datetime | None = None
    approved_by: str = ""
    granted_at: datetime | None = None
    started_at: datetime | None = None
    was_member: bool = False
    active_since: datetime | None = None
    warned: bool = False
    extensions: int = 0
    revoke_at: datetime | None = None
    """When it had to end, from the moment that its revocation began."""
    ended_by: str = ""
    end_reason: str = ""
    gone_since: datetime | None = None
    alarms: int = 0
    troubled_since: datetime | None = None
    trouble: str = ""

    def but(self, **changes: Any) -> "Grant":
        return replace(self, **changes)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_wanted(self) -> bool:
        return self.state in WANTED
