"""Looks after what is left: opens and closes gaps of runbooks, and reminds whoever it is up to."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.ports.jobs import JobPriority, NewJob
from bot.ports.runbooks import RunbookReads
from bot.ports.store import Store, Transaction
from bot.ports.tasks import TaskReads
from bot.slack.announcing import announcement
from rules.catalogue import Catalogue
from rules.hours import Hours
from rules.people import AmbiguousPersonError, People, UnknownPersonError
from rules.runbooks.choosing import Runbooks
from rules.runbooks.gaps import (
    GapKind,
    RunbookGap,
    gap_sentence,
    nudges_due,
    stale_gaps,
    still_missing,
)
from rules.sentence import say
from rules.tasks import nudging
from rules.tasks.task import Task

NUDGE = "nudge"
_ALONE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TendingParts:
    """What tending works with; `runbooks` is None until they have been read.

    `quiet` are the hours in which a person, by key, is not reminded; `channel` hears of the gaps
    of owners whom nobody knows.
    """

    store: Store
    runbooks: Callable[[], Runbooks | None]
    reads: RunbookReads
    tasks: TaskReads
    clock: Clock
    people: People
    quiet: Callable[[str], Hours | None]
    channel: str
    catalogue: Callable[[], Catalogue]
    review_after: timedelta
    nudges: bool = True
    kick: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class _Plan:
    opened: tuple[RunbookGap, ...] = ()
    closed: tuple[str, ...] = ()
    gaps: tuple[RunbookGap, ...] = ()
    tasks: tuple[Task, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.opened or self.closed or self.gaps or self.tasks)


class Tending:
    """`tick` only reads as long as nothing is to be done."""

    def __init__(self, parts: TendingParts) -> None:
        self._parts = parts

    async def tick(self) -> bool:
        """Do what is due; tell whether anything was. Raises NotStoredError, ConflictError."""
        parts, now = self._parts, self._parts.clock.now()
        due = await parts.tasks.next_due()
        tasks = await parts.tasks.waiting() if due and due <= now else ()
        if not await self._plan(await parts.reads.gaps(), tasks, now):
            return False
        async with parts.store.begin() as tx:
            # serial over replicas: what another one has just told is seen here
            await tx.load_for([], now=now, window=_ALONE)
            waiting = await tx.tasks.waiting() if tasks else ()
            plan = await self._plan(await tx.runbooks.open_gaps(), waiting, now)
            await self._carry_out(tx, plan, now)
        if plan:
            parts.kick()
        return bool(plan)

    async def _plan(
        self, known: Sequence[RunbookGap], tasks: Sequence[Task], now: datetime
    ) -> _Plan:
        due = nudging.nudges_due(tasks, now, self._parts.quiet)
        runbooks = self._parts.runbooks()
        if runbooks is None:
            return _Plan(tasks=tuple(due))
        last = await self._parts.reads.last_uses()
        stale = {g.key: g for g in stale_gaps(runbooks, last, now, self._parts.review_after)}
        owners = {gap.key: gap.owner for gap in known}
        opened = [gap for key, gap in stale.items() if owners.get(key) != gap.owner]
        closed = [gap.key for gap in known if self._is_closed(gap, stale.keys(), runbooks)]
        left = [gap for gap in known if gap.key not in closed]
        nudged = nudges_due(left, now, self._quiet_of) if self._parts.nudges else []
        return _Plan(tuple(opened), tuple(closed), tuple(nudged), tuple(due))

    def _is_closed(self, gap: RunbookGap, stale: Container[str], runbooks: Runbooks) -> bool:
        if gap.kind is GapKind.MISSING:
            return not still_missing(gap, runbooks, self._parts.catalogue())
        return gap.key not in stale

    async def _carry_out(self, tx: Transaction, plan: _Plan, now: datetime) -> None:
        for gap in plan.opened:
            tx.runbooks.open_gap(gap)
        for key in plan.closed:
            tx.runbooks.close_gap(key, now)
        owners = dict.fromkeys(gap.owner for gap in plan.gaps)
        for owner in owners:
            own = [gap for gap in plan.gaps if gap.owner == owner]
            tx.enqueue(self._gap_job(owner, own, now))
            for gap in own:
                tx.runbooks.nudged_gap(gap.key, now)
        for task in plan.tasks:
            tx.enqueue(_task_job(task, now))
            await tx.tasks.nudged(task.id, now)

    def _gap_job(self, owner: str, gaps: Sequence[RunbookGap], now: datetime) -> NewJob:
        person = self._person(owner)
        lead = (
            say("📖 Runbooks that are yours to mend:")
            if person
            else say("📖 Runbooks of {owner}, whom I cannot find in `people`:", owner=owner)
        )
        lines = [lead, *(gap_sentence(gap) for gap in gaps)]
        key = f"runbook_nudge:{owner}:{now.isoformat()}"
        channel = "" if person else self._parts.channel
        return announcement(key, lines, now, channel=channel, person=person)

    def _quiet_of(self, owner: str) -> Hours | None:
        return self._parts.quiet(self._person(owner))

    def _person(self, owner: str) -> str:
        """Return the key of an owner as files write them; "" for a team, or nobody we know."""
        try:
            return self._parts.people.find(owner).key
        except (UnknownPersonError, AmbiguousPersonError):
            return ""


def _task_job(task: Task, now: datetime) -> NewJob:
    count = task.nudges + 1
    return NewJob(
        key=f"task_nudge:{task.id}:{task.assignee}:{now.isoformat()}",
        kind=NUDGE,
        lane=f"dm:{task.assignee}",
        priority=JobPriority.NOTE,
        due_at=now,
        payload={"person": task.assignee, "task": task.id, "nudge": count},
        incident_id=task.incident_id,
    )
