"""What is kept of shifts: what people were told of them, and notes for whoever comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rules.schedule.reminders import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffNote:
    """What a person leaves for those who come on call at `boundary_at`; a later one replaces it."""

    rotation: str
    boundary_at: datetime
    person: str
    note: str
    noted_at: datetime


class DutyWrites(Protocol):
    """The part of a transaction that keeps what was told and noted."""

    async def notices(self, since: datetime) -> Sequence[Notice]:
        """Return what was told about times after `since`, in the order it was told."""
        ...

    def record_notice(self, notice: Notice, now: datetime) -> None: ...
    def save_note(self, note: HandoffNote) -> None: ...


class DutyReads(Protocol):
    """Every method may raise NotStoredError."""

    async def notices(self, since: datetime) -> Sequence[Notice]:
        """Return what was told about times after `since`, in the order it was told."""
        ...

    async def notes(self, rotation: str, boundary_at: datetime) -> Sequence[HandoffNote]:
        """Return what was noted for a hand-off, oldest first."""
        ...
