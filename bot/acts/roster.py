"""What people ask about the rotation: overrides, cover, swaps, and what evens out the load."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rules.schedule.held import Slot
from rules.schedule.roster import OverrideKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeOverride:
    """`person` takes, joins or leaves `role` of `rotation` in [starts_at, ends_at), by `how`."""

    by: str
    person: str
    rotation: str
    role: str
    starts_at: datetime
    ends_at: datetime
    how: OverrideKind = OverrideKind.COVER
    instead_of: str = ""
    why: str = ""
    kind: Literal["make_override"] = "make_override"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOverride:
    """Who was on call before is on call again, from now on."""

    by: str
    override_id: str
    kind: Literal["end_override"] = "end_override"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCover:
    """`by` asks in the channel for somebody to have the slot instead."""

    by: str
    slot: Slot
    why: str = ""
    kind: Literal["ask_cover"] = "ask_cover"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCover:
    """An answer to a request: accept it, ask again, or withdraw it."""

    by: str
    request_id: str
    what: Literal["accept", "again", "withdraw"]
    kind: Literal["on_cover"] = "on_cover"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSwap:
    """`by` offers `mine` to `other` for `theirs`."""

    by: str
    other: str
    mine: Slot
    theirs: Slot
    why: str = ""
    kind: Literal["ask_swap"] = "ask_swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSwap:
    """An answer to a swap: of the other, of an approver, or its end by who asked."""

    by: str
    swap_id: str
    what: Literal["accept", "decline", "approve", "refuse", "withdraw"]
    kind: Literal["on_swap"] = "on_swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One row of a proposal: `person` has the slot instead of `instead_of`."""

    slot: Slot
    person: str
    instead_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyProposal:
    """Make overrides of all rows of a proposal that a person has seen, or of none."""

    by: str
    rows: tuple[Handover, ...]
    kind: Literal["apply_proposal"] = "apply_proposal"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawLoad:
    """Send `by` a picture of the load in [starts_at, ends_at)."""

    by: str
    starts_at: datetime
    ends_at: datetime
    rotation: str = ""
    kind: Literal["draw_load"] = "draw_load"


RosterAct = (
    MakeOverride | EndOverride | AskCover | OnCover | AskSwap | OnSwap | ApplyProposal | DrawLoad
)
