"""What people do with a task after an incident."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal


class TaskDeed(StrEnum):
    DONE = "done"
    DROPPED = "dropped"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTask:
    """One deed on one task; `person` goes with assigned, `due_at` with moved, `why` with dropped.

    With `if_free` it is assigned only while nobody has it.
    """

    by: str
    task: str
    deed: TaskDeed
    person: str = ""
    due_at: datetime | None = None
    why: str = ""
    if_free: bool = False
    kind: Literal["on_task"] = "on_task"
