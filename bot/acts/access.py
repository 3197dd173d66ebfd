"""What people ask about elevated groups."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

OPERATOR = "command line"
"""By whom an act is that was typed on the bot's own machine; no person has this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAccess:
    """`by` asks for a group for a while; `incident` is a number, 0 for none or the fitting one."""

    by: str
    group: str
    length: timedelta
    why: str = ""
    incident: int = 0
    until_shift_ends: bool = False
    kind: Literal["ask_access"] = "ask_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveAccess:
    by: str
    grant: str
    kind: Literal["approve_access"] = "approve_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseAccess:
    by: str
    grant: str
    why: str = ""
    kind: Literal["refuse_access"] = "refuse_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendAccess:
    """Lengthen by what the group's rules say."""

    by: str
    grant: str
    kind: Literal["extend_access"] = "extend_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack:
    """The person no longer needs it."""

    by: str
    grant: str
    kind: Literal["give_back"] = "give_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAccess:
    """End somebody's grant; for owners of the group, approvers and whoever leads on call."""

    by: str
    grant: str
    why: str = ""
    kind: Literal["revoke_access"] = "revoke_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAll:
    """End everybody's grants, of one group or of all: an emergency."""

    by: str
    group: str = ""
    why: str = ""
    kind: Literal["revoke_all"] = "revoke_all"


AccessAct = (
    AskAccess | ApproveAccess | RefuseAccess | ExtendAccess | GiveBack | RevokeAccess | RevokeAll
)
