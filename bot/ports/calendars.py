"""What is kept of calendars: events as published, revoked addresses, and how followers stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rules.calendar.event import CalendarEvent
from rules.calendar.ledger import Publication, Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How the calendar of one rotation stands: `events` of ours in it, `writes` ever made.

    `behind_since` is when the plan changed that it does not show yet, None while it shows it.
    `problem` says in a sentence what is wrong, and what to do.
    """

    name: str
    calendar: str = ""
    tried_at: datetime | None = None
    synced_at: datetime | None = None
    behind_since: datetime | None = None
    problem: str = ""
    events: int = 0
    writes: int = 0

    def lag(self, now: datetime) -> float:
        """Return how many seconds the calendar is behind."""
        if self.behind_since is None:
            return 0.0
        return max(0.0, (now - self.behind_since).total_seconds())


class CalendarStore(Protocol):
    """Every method may raise NotStoredError."""

    async def calendar_version(self) -> int:
        """Return a number that changes with every publication and every revocation."""
        ...

    async def published(self) -> Sequence[Published]: ...

    async def publish(
        self, events: Sequence[CalendarEvent], now: datetime, since: datetime
    ) -> Publication:
        """Make `events` what subscribers are told; writes only what changed."""
        ...

    async def revocations(self) -> Mapping[str, int]:
        """Return how often the address of a feed was revoked, by feed."""
        ...

    async def revoke(self, feed: str, now: datetime) -> int:
        """End the present address of a feed; return how often that was done."""
        ...

    async def followings(self) -> Sequence[Following]: ...
    async def save_following(self, following: Following) -> None: ...
    async def claim_calendars(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take or keep the right to publish and to write; False while another process has it."""
        ...
