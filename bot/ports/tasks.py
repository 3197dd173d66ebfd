"""Keeping what is left to do after incidents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rules.tasks.task import Task


class TaskWrites(Protocol):
    """The part of a transaction that keeps tasks."""

    def plan(self, tasks: Sequence[Task]) -> None:
        """Keep the tasks of an incident that was resolved.

        Each is kept once. One that blocks and had ended begins anew: what was done before the
        incident came back has to be done again.
        """
        ...

    async def task(self, task_id: str) -> Task | None: ...
    async def of_incident(self, incident_id: str) -> Sequence[Task]: ...
    async def save(self, task: Task) -> None:
        """Keep what a person changed; its issue of a tracker stays as it is."""
        ...

    async def nudged(self, task_id: str, at: datetime) -> None: ...
    async def mirrored(self, task_id: str, key: str, url: str) -> None:
        """Keep which issue of the tracker is the task's."""
        ...

    async def waiting(self) -> Sequence[Task]:
        """Return the open tasks of which somebody is still reminded, the one due first first."""
        ...


class TaskReads(Protocol):
    """Reads tasks; every method may raise NotStoredError."""

    async def task(self, task_id: str) -> Task | None: ...
    async def of_incident(self, incident_id: str) -> Sequence[Task]:
        """Return the tasks of an incident in the order in which they were made."""
        ...

    async def open_tasks(self, *, assignee: str = "", limit: int = 100) -> Sequence[Task]:
        """Return open tasks, the one due first at the beginning; of one person if named."""
        ...

    async def waiting(self) -> Sequence[Task]:
        """Return the open tasks of which somebody is still reminded, the one due first first."""
        ...

    async def next_due(self) -> datetime | None:
        """Return when the first task of which somebody is still reminded is due, None for none."""
        ...


class NoTasks:
    """Where nothing is ever left to do."""

    async def task(self, task_id: str) -> Task | None:  # noqa: ARG002 - the port's
        return None

    async def of_incident(self, incident_id: str) -> Sequence[Task]:  # noqa: ARG002 - the port's
        return ()

    async def open_tasks(self, *, assignee: str = "", limit: int = 100) -> Sequence[Task]:  # noqa: ARG002 - the port's
        return ()

    async def waiting(self) -> Sequence[Task]:
        return ()

    async def next_due(self) -> datetime | None:
        return None
