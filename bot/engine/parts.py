"""What the engine is built from, and what it asks of those around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.engine.aftercare.journalling import Quiet
from bot.ports.inbox import Delivery, Parsed
from bot.ports.jobs import Job
from bot.ports.store import Reader, Store
from rules.alert import Alert
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.roster import Change, Schedule

POLL = timedelta(seconds=1)


class Rules(Protocol):
    """The rules in force; changes when the configuration or the roster does."""

    def book(self) -> RuleBook: ...
    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall: ...
    def schedule(self, changes: Sequence[Change]) -> Schedule: ...


class Hands(Protocol):
    """Who carries out at once what was leased in the commit that decided it."""

    def room(self) -> int:
        """Return how many jobs could be begun now."""
        ...

    def take(self, leased: Sequence[Job]) -> None:
        """Begin jobs whose leases this process has."""
        ...


class Observer(Protocol):
    """Counts what happens, for /metrics."""

    def alert(self, source: str, status: str) -> None: ...
    def opened(self, count: int) -> None: ...
    def page(self, outcome: str, seconds: float | None) -> None: ...


Read = Callable[[Delivery], Parsed]
"""Tells what a delivery says and never raises: what it cannot read is an alert too."""
Unreadable = Callable[[Delivery, str], Alert]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParts:
    """What the engine is built from."""

    store: Store
    reader: Reader
    clock: Clock
    rules: Rules
    read: Read
    unreadable: Unreadable
    observer: Observer
    new_id: Callable[[], str]
    known: frozenset[str] | None = None
    """The sources whose deliveries are read here; None where nobody else could read others."""
    quiet: Quiet = field(default=lambda _person: None)
    on_fault: Callable[[], None] = lambda: None
    """Called when the loop failed as nothing should, and goes on."""
    poll: timedelta = POLL
    """Longest wait before looking for other replicas' deliveries and wake-ups."""
