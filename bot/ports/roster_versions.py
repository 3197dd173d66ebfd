"""What is kept of the roster: versions as accepted, and the ones people confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rules.schedule.roster import RotationPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedPlan:
    """One rotation as accepted from a `version` (a hash) of `source`; `author` where known."""

    plan: RotationPlan
    version: str
    accepted_at: datetime
    source: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Somebody said that a version is meant, though it ends cover."""

    version: str
    by: str
    at: datetime


class RosterVersions(Protocol):
    """Every method may raise NotStoredError."""

    async def roster_number(self) -> int:
        """Return a number that changes with every accepted version and every confirmation."""
        ...

    async def accepted(self, since: datetime) -> Sequence[AcceptedPlan]:
        """Return the plans that answer for any time from `since` on, the oldest first."""
        ...

    async def versions(self) -> Sequence[str]:
        """Return the hash of the roster for every plan that is kept, the oldest first."""
        ...

    async def accept(self, plans: Sequence[AcceptedPlan]) -> int:
        """Keep plans that say something new; return how many that were.

        One that says what its rotation's newest says already is not kept again.
        """
        ...

    async def confirm(self, confirmation: Confirmation) -> None: ...

    async def confirmation(self, version: str) -> Confirmation | None: ...


class NoVersions:
    """Where nothing is kept."""

    async def roster_number(self) -> int:
        return 0

    async def accepted(self, since: datetime) -> Sequence[AcceptedPlan]:  # noqa: ARG002 - the port's
        return ()

    async def versions(self) -> Sequence[str]:
        return ()

    async def accept(self, plans: Sequence[AcceptedPlan]) -> int:  # noqa: ARG002 - the port's
        return 0

    async def confirm(self, confirmation: Confirmation) -> None: ...

    async def confirmation(self, version: str) -> Confirmation | None:  # noqa: ARG002 - the port's
        return None
