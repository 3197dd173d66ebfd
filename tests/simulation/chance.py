"""The seeded coins of a simulated life, what they broke, and the story of what happened."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bot.store import ids


class Died(BaseException):
    """The process is dead: nothing that it would do afterwards happens."""


@dataclass(slots=True)
class Weather:
    """How likely each trouble is, at each of its chances."""

    die: float = 0.0
    commit_fails: float = 0.0
    commit_unheard: float = 0.0
    read_fails: float = 0.0
    throttled: float = 0.0
    refused_5xx: float = 0.0
    done_5xx: float = 0.0
    lost_before: float = 0.0
    lost_after: float = 0.0
    unreachable: float = 0.0
    groups_fail: float = 0.0
    sleeps: float = 0.0
    service_unreachable: float = 0.0
    service_refuses: float = 0.0
    service_throttles: float = 0.0
    service_fails: float = 0.0
    service_silent: float = 0.0
    service_done_fails: float = 0.0
    service_done_silent: float = 0.0


_OF_SLACK = frozenset(
    ("throttled", "refused_5xx", "done_5xx", "lost_before", "lost_after", "unreachable")
)
_OF_SERVICES = frozenset(name for name in Weather.__slots__ if name.startswith("service_"))
_NO_EXCUSE = frozenset({"service_throttles"})
"""Whoever is asked to wait knows it, and goes by the next method."""
FAIR = Weather()


@dataclass(slots=True)
class Fate:
    """One seed's luck."""

    seed: int
    dice: random.Random = field(init=False)
    weather: Weather = field(default_factory=Weather)
    happened: Counter[str] = field(default_factory=Counter)
    now: Callable[[], float] = lambda: 0.0
    inside: list[float] = field(default_factory=list)
    """When something went wrong with a process or its database."""
    away: list[tuple[float, float]] = field(default_factory=list)
    """From when to when some process was dead or frozen."""
    skies: list[tuple[float, Weather]] = field(default_factory=list)
    """Since when the weather was what it was."""
    services: list[float] = field(default_factory=list)
    """When something went wrong with what reaches people besides Slack."""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def strikes(self, what: str) -> bool:
        """Toss the coin of one trouble, and count it when it strikes."""
        chance: float = getattr(self.weather, what)
        if chance and self.dice.random() < chance:
            self.happened[what] += 1
            if what in _NO_EXCUSE:
                pass
            elif what in _OF_SERVICES:
                self.services.append(self.now())
            elif what not in _OF_SLACK:
                self.inside.append(self.now())
            return True
        return False

    @property
    def troubles(self) -> int:
        """How often something went wrong with a process or its database until now."""
        return len(self.inside)


@dataclass(slots=True)
class Diary:
    """What happened, in order; the whole of it is what two runs of a seed are compared by."""

    lines: list[tuple[datetime, str, str]] = field(default_factory=list)

    def note(self, at: datetime, who: str, what: str) -> None:
        self.lines.append((at, who, what))

    def told(self) -> Iterator[str]:
        for at, who, what in self.lines:
            yield f"{at:%a %H:%M:%S}.{at.microsecond // 1000:03d}  {who:<8} {what}"


class _Bits:
    """As much of `secrets` as ids are made with."""

    def __init__(self, dice: random.Random) -> None:
        self.randbits = dice.getrandbits


@contextmanager
def repeatable_ids(seed: int) -> Iterator[None]:
    """Make the store's ids from the seed, as long as this lasts."""
    inside = vars(ids)
    before = inside["secrets"], inside["_bits"], inside["_last"]
    dice = random.Random(seed)
    inside["secrets"] = _Bits(dice)
    inside["_bits"] = iter(lambda: dice.getrandbits(32), None)
    forget_ids()
    try:
        yield
    finally:
        inside["secrets"], inside["_bits"], inside["_last"] = before


def forget_ids() -> None:
    """Begin with ids as a new process does."""
    vars(ids)["_last"] = 0
