"""When the canary flies, when its loss is told again, and when all is well again."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)
SOON = timedelta(minutes=1)
"""While there is an alarm the canary flies so often, so that the all-clear comes soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flights:
    """How the canary stands: when it flies next, and the alarm, if there is one.

    `rung` counts how often the alarm has been told, `ring_at` is when it is told next. `owed` are
    those whom it reached, until they have heard the all-clear.
    """

    fly_at: datetime
    back_at: datetime | None = None
    lost_since: datetime | None = None
    why: str = ""
    rung: int = 0
    ring_at: datetime | None = None
    owed: frozenset[str] = frozenset()

    @property
    def heard(self) -> bool:
        return bool(self.owed)

    @property
    def alarmed(self) -> bool:
        return self.lost_since is not None

    def must_ring(self, now: datetime) -> bool:
        return self.ring_at is not None and self.ring_at <= now


def came_back(flights: Flights, every: timedelta, now: datetime) -> Flights:
    """Note that it came back; the alarm stays until `cleared`."""
    pause = SOON if flights.heard else every
    kept = flights if flights.heard else replace(flights, lost_since=None, why="")
    return replace(kept, back_at=now, fly_at=now + pause, ring_at=None)


def was_lost(
    flights: Flights, every: timedelta, sent_at: datetime, why: str, now: datetime
) -> Flights:
    """Note that it did not come back, and why as far as one can tell."""
    return replace(
        flights,
        lost_since=flights.lost_since or sent_at,
        why=why,
        ring_at=now if flights.ring_at is None else flights.ring_at,
        fly_at=now + min(every, SOON),
    )


def rang(flights: Flights, now: datetime, reached: Collection[str]) -> Flights:
    """Note whom the alarm reached; unless that is nobody, the next time is twice as far."""
    if not reached:
        return replace(flights, ring_at=now)
    pause = min(FIRST_PAUSE * 2 ** min(flights.rung, 10), LONGEST_PAUSE)
    owed = flights.owed | frozenset(reached)
    return replace(flights, rung=flights.rung + 1, ring_at=now + pause, owed=owed)


def cleared(flights: Flights, every: timedelta, reached: Collection[str], now: datetime) -> Flights:
    """Note who heard the all-clear; it is over once that is everybody who heard the alarm."""
    if left := flights.owed - frozenset(reached):
        return replace(flights, owed=left)
    return Flights(fly_at=now + every, back_at=flights.back_at)
