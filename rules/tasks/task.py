"""A task after an incident, and the rules by which an incident gets its tasks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.matching.matcher import Condition

REMIND_EVERY = timedelta(days=1)
MOST_NUDGES = 3


class TaskState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class AssignTo(StrEnum):
    RESOLVER = "resolver"
    OWNER = "owner"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRule:
    """Incidents of which all conditions hold get this task, due so long after they are resolved.

    `title` may hold {interval}, {product} and {asset}. With `blocks` the incident is not closed
    before the task is done or dropped.
    """

    name: str
    title: str
    conditions: tuple[Condition, ...] = ()
    due: timedelta = timedelta(days=2)
    assign: AssignTo = AssignTo.RESOLVER
    blocks: bool = False
    nudges: int = MOST_NUDGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do; `rule` names what asked for it, `most_nudges` bounds the reminders."""

    id: str
    incident_id: str
    number: int
    rule: str
    title: str
    due_at: datetime
    created_at: datetime
    assignee: str = ""
    state: TaskState = TaskState.OPEN
    blocks: bool = False
    ended_by: str = ""
    ended_at: datetime | None = None
    why: str = ""
    nudges: int = 0
    most_nudges: int = MOST_NUDGES
    nudged_at: datetime | None = None
    mirror_key: str = ""
    mirror_url: str = ""

    @property
    def is_open(self) -> bool:
        return self.state is TaskState.OPEN
