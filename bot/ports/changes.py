"""What people change about the rotation, as it is kept: overrides, cover asked for, swaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rules.schedule.covering import CoverRequest
from rules.schedule.held import Slot
from rules.schedule.roster import Change, Override
from rules.schedule.swapping import SwapRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChange:
    """One line of the audit: who did what, from where, and who had the slot before and after.

    `before` and `after` name people by their keys; `subject` is the override's or request's id.
    """

    id: str
    at: datetime
    by: str
    origin: str
    what: str
    subject: str
    slot: Slot
    before: str = ""
    after: str = ""
    why: str = ""


class ChangeWrites(Protocol):
    """The part of a transaction that keeps what people change about the rotation."""

    async def hold_roster(self) -> None:
        """Lock the rotation's changes until the commit: they are decided one after another."""
        ...

    async def changes(self, since: datetime) -> Sequence[Change]:
        """Return overrides and applied swaps that end after `since`, as they decide who is on call."""
        ...

    async def override(self, override_id: str) -> Override | None: ...
    def save_override(self, override: Override) -> None: ...
    async def cover_request(self, request_id: str) -> CoverRequest | None: ...
    async def cover_requests(self, since: datetime) -> Sequence[CoverRequest]: ...
    def save_cover_request(self, request: CoverRequest) -> None: ...
    async def swap(self, swap_id: str) -> SwapRequest | None: ...
    async def swaps(self, since: datetime) -> Sequence[SwapRequest]: ...
    def save_swap(self, swap: SwapRequest) -> None: ...
    def note_change(self, change: RosterChange) -> None: ...


class ChangeReads(Protocol):
    """Read-only answers about what people changed; every method may raise NotStoredError."""

    async def changes(self, since: datetime) -> Sequence[Change]:
        """Return overrides and applied swaps that end after `since`, as they decide who is on call."""
        ...

    async def override(self, override_id: str) -> Override | None: ...
    async def cover_request(self, request_id: str) -> CoverRequest | None: ...
    async def cover_requests(self, since: datetime) -> Sequence[CoverRequest]:
        """Return requests of every state for shifts that end after `since`, oldest first."""
        ...

    async def swap(self, swap_id: str) -> SwapRequest | None: ...
    async def swaps(self, since: datetime) -> Sequence[SwapRequest]:
        """Return requests of every state that end after `since`, oldest first."""
        ...

    async def roster_changes(self, since: datetime, limit: int) -> Sequence[RosterChange]:
        """Return the audit, newest first."""
        ...

    async def pages_sent(
        self, start: datetime, end: datetime, *, rotation: str = ""
    ) -> Sequence[tuple[str, datetime]]:
        """Return who was paged and when in [start, end), as far as that is kept, in order.

        With `rotation`, for its incidents alone.
        """
        ...
