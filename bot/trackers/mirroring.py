"""Keeps the issue of a task as the task is: made once, closed and opened with it."""

import hashlib
from datetime import datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.ports.delivering import Delivered, GiveUpError, LeaseLostError, RetryLaterError
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.ports.store import Reader, Store
from bot.ports.tasks import TaskReads
from bot.trackers.calling import Issue
from rules.incident import Incident
from rules.tasks.task import Task, TaskState


class Tracker(Protocol):
    """A tracker of issues; every method may raise RetryLaterError or GiveUpError.

    `found_within` is how long after it was made an issue may be missing from what `find` sees.
    """

    found_within: timedelta

    async def find(self, marker: str) -> Issue | None: ...
    async def create(self, title: str, text: str, marker: str) -> Issue: ...
    async def agree(self, key: str, *, is_open: bool, needed: bool) -> None: ...


def marker_of(task: Task) -> str:
    """Return what an issue carries so that it is found again: a label of letters and digits."""
    return f"watchbill-{hashlib.sha256(task.id.encode()).hexdigest()[:24]}"


class MirrorDeliverer:
    """Delivers jobs of kind `mirror_task`."""

    def __init__(
        self, tracker: Tracker, store: Store, reader: Reader, tasks: TaskReads, clock: Clock
    ) -> None:
        self._tracker = tracker
        self._store = store
        self._reader = reader
        self._tasks = tasks
        self._clock = clock

    async def deliver(self, job: Job) -> Delivered:
        """Make the issue unless it is there, then let its state agree with the task's.

        It is always looked up before it is made: an earlier attempt may have come that far.
        """
        task = await self._tasks.task(str(job.payload["task"]))
        if task is None or not (task.is_open or task.mirror_key):
            return Delivered()
        if not task.mirror_key:
            await self._make(task, job)
            return Delivered()
        needed = task.state is not TaskState.DROPPED
        await self._tracker.agree(task.mirror_key, is_open=task.is_open, needed=needed)
        return Delivered()

    async def _make(self, task: Task, job: Job) -> None:
        incident = await self._reader.incident(task.incident_id)
        if incident is None:
            raise GiveUpError(f"there is no incident #{task.number} any more")
        issue = await self._tracker.find(marker_of(task))
        if issue is None:
            issue = await self._made(task, incident, job)
        if not issue.key:
            raise GiveUpError("the tracker's answer names no issue: check `task_tracker.url`")
        now = self._clock.now()
        async with self._store.begin() as tx:
            await tx.tasks.mirrored(task.id, issue.key, issue.url)
            tx.enqueue(_show(incident, now))

    async def _made(self, task: Task, incident: Incident, job: Job) -> Issue:
        within, now = self._tracker.found_within, self._clock.now()
        to_be_found = (job.first_attempt_at or now) + within
        if job.unsure and now < to_be_found:
            raise RetryLaterError(
                "the issue may have been made and is not found yet", after=to_be_found - now
            )
        if not await job.still_ours():
            raise LeaseLostError
        try:
            return await self._tracker.create(task.title, _text(task, incident), marker_of(task))
        except RetryLaterError as lost:
            if not lost.unsure:
                raise
            # looked for again when it would be found
            after = max(lost.after or within, within) or None
            raise RetryLaterError(str(lost), after=after, unsure=True) from lost


def _text(task: Task, incident: Incident) -> str:
    return (
        f"Left to do after incident #{task.number}: {incident.title}\n"
        f"Due {task.due_at:%Y-%m-%d %H:%M} UTC.\n"
        "Tick it off in Slack, and this issue closes."
    )


def _show(incident: Incident, now: datetime) -> NewJob:
    return NewJob(
        key=f"tasks:{incident.id}",
        kind="tasks",
        lane=f"slack:{incident.channel}",
        priority=JobPriority.MACHINE,
        due_at=now,
        incident_id=incident.id,
        renew=True,
    )


class NoTracker:
    """Ends the jobs that were left when a tracker was taken out of the configuration."""

    async def deliver(self, job: Job) -> Delivered:  # noqa: ARG002 - the port's
        return Delivered()
