"""A job: one effect to be carried out, or a wake-up, as it waits in the outbox."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

JsonObject = dict[str, Any]
Hold = Callable[[], Awaitable[bool]]


class JobPriority(IntEnum):
    """Lower goes first: pages overtake everything, decoration waits."""

    PAGE = 0
    ANSWER = 1
    PERSON = 2
    NOTE = 3
    MACHINE = 4
    PICTURE = 5


class JobState(StrEnum):
    TODO = "todo"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """One effect to be carried out.

    `key` takes effect once. With `renew`, enqueueing an existing key makes it due again (at the
    earlier of both times, priority the higher of both): "show it as it now is" needs no queue.
    Jobs of one `lane` go out one after another, paced; an empty lane is not paced.
    """

    key: str
    kind: str
    lane: str
    priority: JobPriority
    due_at: datetime
    payload: JsonObject = field(default_factory=dict)
    incident_id: str = ""
    renew: bool = False


async def _held() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed job: `lease` fences, `unsure` says that an earlier attempt may have gone out."""

    id: str
    key: str
    kind: str
    lane: str
    priority: JobPriority
    payload: JsonObject
    incident_id: str
    due_at: datetime
    created_at: datetime
    first_attempt_at: datetime | None
    attempts: int
    lease: int
    leased_until: datetime
    revision: int
    unsure: bool
    still_ours: Hold = field(default=_held, compare=False, repr=False)
    """Tells, right before a request that must not go out twice, whether the lease outlasts it."""
