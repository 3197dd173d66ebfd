"""What the auditor reads of the store, and what it puts right there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rules.audit import Facts, Finding, Patience, Watched
from rules.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the store saw; `next_number` is where the next one goes on, 0: from the start.

    Incidents that the cheap queries suspect are always among the facts, the others in turn.
    """

    facts: Facts
    next_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A finding as the store keeps it; `standing` while the last look still found it."""

    key: str
    fault: str
    number: int
    sentence: Sentence
    first_at: datetime
    last_at: datetime
    standing: bool


@dataclass(frozen=True, slots=True)
class JobStanding:
    """How one job stands: its state by its word, and what went wrong last."""

    state: str
    error: str


class AuditReads(Protocol):
    """Every method may raise NotStoredError."""

    async def look(
        self, now: datetime, patience: Patience, *, after: int = 0, faulty: Sequence[str] = ()
    ) -> Look:
        """Read what may have come to a stop; `faulty` are incidents whose wake-up failed."""
        ...

    async def findings(self) -> Sequence[Standing]:
        """Return what the last look found, the oldest first."""
        ...

    async def job_standing(self, key: str) -> JobStanding | None:
        """Return how the job of a key stands, None when there is none."""
        ...

    async def errand_due(self, name: str, now: datetime, next_at: datetime) -> bool:
        """Tell, without a lock, whether somebody should run an errand, whose next time is `next_at`.

        One that is set to a much later time was set by a clock that has been set back since.
        """
        ...

    async def errand_done_at(self, name: str) -> datetime | None:
        """Return when an errand last ended well."""
        ...


class AuditWrites(Protocol):
    """The part of a transaction that puts right and writes down what was found."""

    async def claim_errand(self, name: str, now: datetime, next_at: datetime) -> bool:
        """Take an errand that is due; False when it is not, or another replica has taken it."""
        ...

    async def finish_errand(self, name: str, now: datetime) -> None: ...
    async def watched(self, ids: Sequence[str], faulty: Sequence[str]) -> Sequence[Watched]:
        """Read incidents again, which must have been loaded, and so locked, before."""
        ...

    async def release_job(self, job_id: str, lease: int, now: datetime) -> bool: ...
    async def open_lane(self, name: str, now: datetime) -> None: ...
    async def hasten_deliveries(self, received_before: datetime, now: datetime) -> None: ...
    async def record(self, found: Sequence[Finding], now: datetime) -> Sequence[Finding]:
        """Keep what was found; returns what nobody has been told of."""
        ...
