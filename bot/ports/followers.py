"""What is kept of followers in Slack: what each should show, what it shows, and what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rules.schedule.following import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerState:
    """How one follower stands; `wanted` and `applied` are plans, as `rules.schedule.following` makes them.

    `behind_since` is when the plan changed that it does not show yet, None while it shows it.
    `problem` says in a sentence what is wrong, and what to do; `told` what people were told of it.
    """

    name: str
    wanted: str = ""
    applied: str = ""
    behind_since: datetime | None = None
    tried_at: datetime | None = None
    applied_at: datetime | None = None
    problem: str = ""
    told: str = ""
    memory: Memory = field(default_factory=Memory)

    def lag(self, now: datetime) -> float:
        """Return how many seconds it is behind."""
        if self.behind_since is None:
            return 0.0
        return max(0.0, (now - self.behind_since).total_seconds())


class FollowerReads(Protocol):
    """Every method may raise NotStoredError."""

    async def followers(self) -> Sequence[FollowerState]: ...


class FollowerStore(FollowerReads, Protocol):
    """Every method may raise NotStoredError."""

    async def follower(self, name: str) -> FollowerState:
        """Return how it stands; a new one where nothing is known of it."""
        ...

    async def want(self, plans: Mapping[str, str], now: datetime) -> None:
        """Set what followers should show, by name; one that shows something else is behind."""
        ...

    async def save_follower(self, state: FollowerState) -> None:
        """Keep what was done; `wanted` stays, and it is behind as long as it shows another plan."""
        ...

    async def forget_follower(self, name: str) -> None: ...


class NoFollowers:
    """Where nothing follows."""

    async def followers(self) -> Sequence[FollowerState]:
        return ()
