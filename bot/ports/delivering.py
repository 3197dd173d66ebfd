"""Who carries effects out, and what became of an attempt."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.ports.jobs import Job

CLOCKS_APART = timedelta(minutes=2)
"""A clock that is wrong by more than this may miss what it sent itself, and send it again."""
_ELSEWHERE = 10
"""So often what is not configured here is left to whoever claims it next."""
_SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a message of ours stands: `role` is root, page or note; `person` for pages."""

    role: str
    channel: str
    ts: str
    person: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """It went out; `messages` are new places that hold the incident.

    `early`: before all that it tells was known, so that it is to be edited soon. `busy` are lanes
    by which nothing else goes before `busy_until`.
    """

    messages: tuple[MessageRef, ...] = ()
    early: bool = False
    busy: tuple[str, ...] = ()
    busy_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `at`. `unsure`: it may have gone out. `lane_until` holds the whole lane."""

    at: datetime
    why: str
    unsure: bool = False
    lane_until: datetime | None = None
    counts: bool = True
    """False for a 429: being told to wait is not a failure, so it never leads to giving up."""


@dataclass(frozen=True, slots=True)
class Dead:
    """Given up, and said so."""

    why: str


Outcome = Delivered | Retry | Dead


class RetryLaterError(Exception):
    """The other side cannot take it now; `after` when it said how long to wait.

    `unsure` when the request may have taken effect. `throttled` for a 429. `whole_lane` when it
    is not this job's fault: whatever goes the same way would fail as well, and waits too. `ours`
    when it is this process's own fault, such as its token, and another one may do better.
    """

    def __init__(
        self,
        why: str,
        *,
        after: timedelta | None = None,
        unsure: bool = False,
        throttled: bool = False,
        whole_lane: bool = False,
        ours: bool = False,
    ) -> None:
        super().__init__(why)
        self.ours = ours
        self.after = after
        self.unsure = unsure
        self.throttled = throttled
        self.whole_lane = whole_lane or throttled


class LeaseLostError(Exception):
    """The lease ended meanwhile: whoever has it now sends, and nothing has left from here."""


class GiveUpError(Exception):
    """It can never succeed as it is; the text says why and what to do."""


def not_here(job: Job, why: str) -> RetryLaterError | GiveUpError:
    """Return how to fail for what our configuration lacks: another replica may have a newer one."""
    if job.attempts < _ELSEWHERE:
        return RetryLaterError(why, after=_SOON, ours=True)
    return GiveUpError(why)


class Deliverer(Protocol):
    """Carries out one kind of job. Raises RetryLaterError or GiveUpError."""

    async def deliver(self, job: Job) -> Delivered: ...
