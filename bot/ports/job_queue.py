"""What the outbox needs of the store: to lease jobs, hand them back, and know when to look."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.ports.jobs import Job


class JobQueue(Protocol):
    """The outbox's side of the store."""

    async def claim(self, now: datetime, limit: int) -> Sequence[Job]:
        """Lease due jobs, most urgent first: any number without lane, at most one a free lane."""
        ...

    async def renew(self, leased: Sequence[Job], now: datetime) -> Sequence[Job]:
        """Lengthen leases; return the jobs that are still ours, with their new `leased_until`."""
        ...

    async def release(self, leased: Sequence[Job], now: datetime, *, unsure: bool) -> None:
        """Hand jobs back, due at once; `unsure` when an attempt may have gone out."""
        ...

    async def retry_dead(self, job_id: str, now: datetime) -> bool:
        """Make a job that was given up due again; False when it is not dead."""
        ...

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when `claim` could next return something, None when nothing waits."""
        ...

    async def release_all(self, now: datetime) -> int:
        """At start on SQLite: no other process lives, so every lease of a dead one has ended."""
        ...
