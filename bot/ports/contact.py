"""Reaching people by other means than Slack: what is sent, who sends it, and the ledger of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rules.contacting.following import StepStanding
from rules.contacting.method import Method


class Result(StrEnum):
    """What became of an attempt, as far as is known."""

    SENT = "sent"
    TROUBLE = "trouble"
    FAILED = "failed"
    UNANSWERED = "unanswered"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to reach a person; `page` is its page's key, `step` 0 the direct message.

    `changed_at` is when the result was last heard of; `provider_id` what the service calls it.
    """

    incident_id: str
    page: str
    person: str
    method: Method
    step: int
    attempt: int
    at: datetime
    changed_at: datetime
    result: Result
    provider_id: str = ""
    error: str = ""


class ContactWrites(Protocol):
    """The part of a transaction that keeps the ledger and moves the steps of a page."""

    def record(self, attempt: Attempt) -> None: ...
    async def standings(self, page: str) -> Sequence[StepStanding]:
        """Return how the steps of a page stand, in order."""
        ...

    async def hasten(self, page: str, step: int, now: datetime) -> int | None:
        """Make a step that was never tried due now, and return it; None when there is none.

        Where its service asked to wait, the step after it goes as well, and is returned.
        """
        ...

    async def lane_shut(self, lane: str, until: datetime, now: datetime, *, fails: bool) -> None:
        """Let the next method go for whatever waits in a lane where that would take too long.

        `fails`: what went by it failed; else the other side asked us to wait.
        """
        ...

    async def hasten_all(self, now: datetime, *, lane: str = "") -> int:
        """Make the first step of every page due now that has not gone out; return how many.

        `lane` narrows to the pages of one lane.
        """
        ...

    async def call_off(self, incident_id: str, person: str, now: datetime) -> int:
        """Stop whatever further steps an incident has for one person; return how many.

        A service that still repeats what it was sent is told to stop by the next question to it.
        """
        ...

    async def heard(
        self, incident_id: str, provider_id: str, result: Result, error: str, now: datetime
    ) -> Attempt | None:
        """Write down what a service told later of an attempt; None when it is unknown."""
        ...


class ContactReads(Protocol):
    """Reads the ledger; may raise NotStoredError."""

    async def attempts(self, incident_id: str) -> Sequence[Attempt]:
        """Return every attempt of an incident, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Summons:
    """What one person is sent about one incident, by one method.

    `key` is the same however often it is sent; `unsure`: an earlier attempt, at or after `since`,
    may have gone out, as none of what the service calls the `recorded`. The links are "" where others cannot reach us, `code` where no reply can be
    heard. `others` counts what else the person is paged for now. A `test` and an `alarm` are about
    no incident; what an alarm says is its title, and a `calm` one is no reason to wake anybody.
    """

    key: str
    person: str
    address: str
    number: int
    title: str
    priority: str
    why: str
    details: tuple[tuple[str, str], ...] = ()
    ack_url: str = field(default="", repr=False)
    press_url: str = field(default="", repr=False)
    status_url: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    unsure: bool = False
    since: datetime | None = None
    recorded: frozenset[str] = frozenset()
    others: int = 0
    test: bool = False
    alarm: bool = False
    calm: bool = False

    @property
    def wakes(self) -> bool:
        """Whether it is to be as loud as the method can be."""
        return not (self.test or self.calm)


@dataclass(frozen=True, slots=True)
class Sent:
    """A service took it, and calls it that; where acknowledgements are asked for, by this id."""

    provider_id: str


class Backend(Protocol):
    """Sends by one method. Raises RetryLaterError or GiveUpError."""

    async def send(self, summons: Summons) -> Sent: ...


class Receipts(Protocol):
    """Asks a service of what it calls a receipt. Raises RetryLaterError or GiveUpError."""

    async def acknowledged(self, receipt: str) -> bool | None:
        """Return whether somebody acknowledged there; None: nobody did, and it has ended."""
        ...

    async def cancel(self, key: str) -> None:
        """Stop whatever the service still repeats of what was sent with this key."""
        ...
