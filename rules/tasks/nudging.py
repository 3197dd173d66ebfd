"""When whoever has a task is reminded of it: when it is due, daily, with an end."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rules.hours import Hours
from rules.schedule.reminders import quiet_until
from rules.tasks.task import REMIND_EVERY, Task


def nudge_at(task: Task, quiet: Hours | None) -> datetime | None:
    """Return when the person is next reminded, None when never (again)."""
    if not (task.is_open and task.assignee) or task.nudges >= task.most_nudges:
        return None
    due = max(task.due_at, task.nudged_at + REMIND_EVERY) if task.nudged_at else task.due_at
    return (quiet and quiet_until(quiet, due)) or due


def nudges_due(
    tasks: Sequence[Task], now: datetime, quiet: Callable[[str], Hours | None]
) -> list[Task]:
    """Return the tasks to remind somebody of now; nobody is reminded in their quiet hours."""
    found = []
    for task in tasks:
        hours = quiet(task.assignee)
        at = nudge_at(task, hours)
        if at is not None and at <= now and (hours is None or quiet_until(hours, now) is None):
            found.append(task)
    return found
