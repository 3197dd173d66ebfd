"""What people leave for those who come on call next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveNote:
    """A note for the hand-off of `rotation` at `boundary_at`."""

    by: str
    rotation: str
    boundary_at: datetime
    note: str
    kind: Literal["leave_note"] = "leave_note"
