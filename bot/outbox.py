"""Carries effects out: at least once, paced, the most urgent first, or gives up out loud."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.clock import Clock
from bot.ports.delivering import (
    Dead,
    Delivered,
    Deliverer,
    GiveUpError,
    LeaseLostError,
    Outcome,
    Retry,
    RetryLaterError,
)
from bot.ports.inbox import ConflictError, NotStoredError
from bot.ports.job_queue import JobQueue
from bot.ports.jobs import Job, JobPriority
from bot.ports.patience import by_another, patience_with
from bot.ports.store import Store, Transaction

_log = structlog.get_logger(__name__)

OnFinished = Callable[[Transaction, Job, Outcome, datetime], Awaitable[None]]
"""Runs in the transaction that records the outcome, for Delivered and Dead."""

Observe = Callable[[str, str], None]
"""Counts: a job's kind, and delivered, retry, throttled, dead, fault, unknown or lost."""

_BUSY = timedelta(milliseconds=100)
_CONFLICTS = 5
_HEAD_START = 0.5
"""Seconds at most that a job waits for those of its claim that go ahead of it."""
_SHOWING_AFTER = 0.005
"""Seconds at most that a first showing does: until the page's request has left."""
_PROBE_EVERY = timedelta(seconds=10)
"""An unreachable destination is tried so often, by one job for all that wait for it."""
_LONGEST_RETRY_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSettings:
    """How an outbox works. `random` returns numbers in [0, 1)."""

    random: Callable[[], float] = random.random
    observe: Observe = lambda kind, outcome: None  # noqa: ARG005 - counts nothing
    most_at_once: int = 32
    lease: timedelta = timedelta(seconds=6)
    margin: timedelta = timedelta(seconds=4)
    """What a lease must have left before a request begins: the HTTP time-out."""
    poll: timedelta = timedelta(seconds=1)
    """Longest wait for other replicas' jobs; alone on a SQLite file it may be a minute."""
    unknown_wait: timedelta = timedelta(minutes=1)
    hung_after: float = 60.0
    """Seconds after which one delivery is ended and tried again, unsure."""
    shared: bool = False
    """Whether another process may do at once what fails here by our own fault."""


class Outbox:
    """Claims due jobs, lets their deliverers carry them out, records what came of it."""

    def __init__(
        self,
        queue: JobQueue,
        store: Store,
        deliverers: Mapping[str, Deliverer],
        clock: Clock,
        on_finished: OnFinished,
        *,
        settings: OutboxSettings | None = None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._deliverers = deliverers
        self._clock = clock
        self._on_finished = on_finished
        self._settings = settings or OutboxSettings()
        self._under_way: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._refused: list[Job] = []
        self._shut: dict[str, datetime] = {}
        """Lanes, and jobs without one, to be left alone: of that the database could not be told."""
        self._draining = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    def kick(self) -> None:
        """Look at once whether something is due."""
        self._wake.set()

    def room(self) -> int:
        """Return how many jobs `take` could begin now: none while the loop does not run."""
        if self._group is None or self._draining:
            return 0
        return max(0, self._settings.most_at_once - len(self._under_way))

    def take(self, leased: Sequence[Job]) -> None:
        """Begin jobs that another's commit leased for this process; look for others after them."""
        if self._group is None or self._draining:
            self._refused.extend(leased)  # handed back by `drain`, or their leases end
        else:
            self._start_all(self._group, leased)

    async def run_due(self) -> int:
        """Claim what is due now, work on all of it, return how many jobs that were."""
        async with self._leases_kept(), asyncio.TaskGroup() as group:
            return await self._start_due(group)

    async def run(self) -> None:
        """Work until `drain` ends it; a database that fails is logged and waited out."""
        self._ended.clear()
        try:
            async with self._leases_kept(), asyncio.TaskGroup() as group:
                self._group = group
                while not self._draining:
                    self._wake.clear()
                    until = await self._start_and_look_ahead(group)
                    if not self._draining:
                        await self._clock.wait(self._wake, until)
        finally:
            self._group = None
            self._ended.set()

    async def drain(self, deadline: datetime) -> None:
        """Start nothing more; at `deadline` stop what is under way and hand its leases back."""
        self._draining = True
        self._wake.set()
        if self._tasks:
            self._idle.clear()
            await self._clock.wait(self._idle, deadline)
        stopped = list(self._under_way.values())
        for task in list(self._tasks.values()):
            task.cancel()
        await self._ended.wait()
        if stopped:
            await self._hand_back(stopped, unsure=True)
        if self._refused:
            await self._hand_back(self._refused, unsure=False)

    async def retry_dead(self, job_id: str) -> bool:
        """Try a job again that was given up; False when there is no such dead job."""
        revived = await self._queue.retry_dead(job_id, self._clock.now())
        if revived:
            self.kick()
        return revived

    # claiming

    async def _start_due(self, group: asyncio.TaskGroup) -> int:
        room = self._settings.most_at_once - len(self._under_way)
        if room <= 0 or self._draining:
            return 0
        jobs = await self._queue.claim(self._clock.now(), room)
        self._start_all(group, jobs)
        return len(jobs)

    def _start_all(self, group: asyncio.TaskGroup, jobs: Sequence[Job]) -> None:
        """Begin pages, then first showings beside them; what is only decoration after the pages."""
        pages = [self._start(group, job) for job in jobs if job.priority is JobPriority.PAGE]
        for job in jobs:
            if job.priority is not JobPriority.PAGE:
                self._start(group, job, pages)

    def _start(
        self, group: asyncio.TaskGroup, job: Job, ahead: Sequence[asyncio.Task[None]] = ()
    ) -> asyncio.Task[None]:
        """Begin a job once those `ahead` are done, or have had their head start."""
        self._under_way[job.id] = job
        task = group.create_task(self._work(job, ahead), name=f"job {job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(partial(self._over, job.id))
        return task

    async def _start_and_look_ahead(self, group: asyncio.TaskGroup) -> datetime:
        """Start what is due; return until when there is nothing to do."""
        now = self._clock.now()
        try:
            if len(self._under_way) >= self._settings.most_at_once:
                return now + self._settings.poll
            # only read: a claim at the end of each job would hold up the pages that go out
            due = await self._queue.next_due(now)
            if due is not None and due <= now and await self._start_due(group):
                return now
        except (NotStoredError, ConflictError) as error:
            _log.warning("database failed", action="outbox_waits", error=str(error))
            return now + self._settings.poll
        if due is not None and due <= now:  # another replica is at it
            due = now + _BUSY
        return min(due or datetime.max.replace(tzinfo=now.tzinfo), now + self._settings.poll)

    def _over(self, job_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(job_id) is task:  # not one that was begun anew meanwhile
            del self._under_way[job_id], self._tasks[job_id]
        self._wake.set()
        if not self._tasks:
            self._idle.set()

    # leases

    @asynccontextmanager
    async def _leases_kept(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._keep_leases(), name="leases")
            yield
            keeping.cancel()

    async def _keep_leases(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + self._settings.lease / 3)
            try:
                await self._renew(list(self._under_way.values()))
            except (NotStoredError, ConflictError) as error:
                _log.warning("database failed", action="keep_leases", error=str(error))

    async def _renew(self, jobs: Sequence[Job]) -> bool:
        """Renew and remember; tell whether every lease still holds."""
        kept = await self._queue.renew(jobs, self._clock.now())
        for job in kept:
            if job.id in self._under_way:
                self._under_way[job.id] = job
        return len(kept) == len(jobs)

    async def _has_time(self, job: Job) -> bool:
        """Make sure that the lease outlasts one request, or it could go out twice."""
        left = self._under_way.get(job.id, job).leased_until - self._clock.now()
        try:
            return left >= self._settings.margin or await self._renew([job])
        except (NotStoredError, ConflictError) as error:
            _log.warning("database failed", action="renew_lease", job=job.id, error=str(error))
            return False

    async def _hand_back(self, jobs: Sequence[Job], *, unsure: bool) -> None:
        try:
            await self._queue.release(jobs, self._clock.now(), unsure=unsure)
        except (NotStoredError, ConflictError) as error:
            # the leases end by themselves, a few seconds later
            _log.warning("database failed", action="hand_back", error=str(error))

    # one job

    async def _work(self, job: Job, ahead: Sequence[asyncio.Task[None]]) -> None:
        if ahead:
            at_most = _SHOWING_AFTER if _is_first_showing(job) else _HEAD_START
            await asyncio.wait(ahead, timeout=at_most)
        if not await self._has_time(job):
            self._settings.observe(job.kind, "lost")
            await self._hand_back([job], unsure=False)
            return
        try:
            outcome = await self._attempt(job)
        except LeaseLostError:  # its machine slept: what another has taken over is not sent
            self._settings.observe(job.kind, "lost")
            await self._hand_back([job], unsure=True)
            return
        try:
            await self._record(job, outcome)
        except Exception as error:  # noqa: BLE001 - one job must not stop the others
            _log.exception("outcome not recorded", action="record_outcome", job=job.id)
            self._remember(job, outcome)
            await self._put_back(job, f"outcome not recorded: {type(error).__name__}")

    async def _attempt(self, job: Job) -> Outcome:
        deliverer = self._deliverers.get(job.kind)
        if deliverer is None:
            _log.error("unknown kind of job", action="postpone_job", job=job.id, kind=job.kind)
            self._settings.observe(job.kind, "unknown")
            at = self._clock.now() + self._settings.unknown_wait
            why = f"this version cannot carry out {job.kind!r}; start one that can"
            return Retry(at, why, unsure=job.unsure, counts=False)
        if (until := self._shut_until(job)) is not None:
            why, lane_until = (
                "left alone for a while, which could not be recorded",
                until if job.lane else None,
            )
            return Retry(until, why, unsure=job.unsure, lane_until=lane_until, counts=False)
        try:
            async with asyncio.timeout(self._settings.hung_after):
                held = replace(job, still_ours=partial(self._has_time, job))
                return await deliverer.deliver(held)
        except RetryLaterError as error:
            return self._later(job, error)
        except GiveUpError as error:
            return Dead(str(error))
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001 - one job must not stop the others
            _log.exception("delivery failed", action="deliver", job=job.id, kind=job.kind)
            self._settings.observe(job.kind, "fault")
            return self._later(job, RetryLaterError(f"fault: {type(error).__name__}", unsure=True))

    def _remember(self, job: Job, outcome: Outcome) -> None:
        match outcome:
            case Delivered(busy=lanes, busy_until=until):
                pass
            case Retry():
                lanes = (job.lane or job.id,)
                until = outcome.lane_until or (None if outcome.counts else outcome.at)
            case Dead():
                return
        if until is not None:
            now = self._clock.now()
            self._shut = {one: at for one, at in self._shut.items() if at > now}
            self._shut.update(dict.fromkeys(lanes, until))

    def _shut_until(self, job: Job) -> datetime | None:
        until, now = self._shut.get(job.lane or job.id), self._clock.now()
        if until is not None and now < until <= now + _LONGEST_RETRY_AFTER:  # clocks jump
            return until
        return None

    def _later(self, job: Job, error: RetryLaterError) -> Retry | Dead:
        now = self._clock.now()
        if error.ours and self._settings.shared:
            error = RetryLaterError(str(error), after=by_another(job, now), unsure=error.unsure)
        patience = patience_with(job)
        tried_for = now - (job.first_attempt_at or now)
        tired = job.attempts >= patience.attempts and tried_for >= patience.give_up_after
        if tired and not error.throttled:
            return Dead(f"gave up after {job.attempts} attempts in {tried_for}: {error}")
        wait = patience.wait(job.attempts, self._settings.random())
        if error.after is not None:
            wait = min(error.after, _LONGEST_RETRY_AFTER)
        at = now + wait
        return Retry(
            at,
            str(error),
            # an earlier attempt may have gone out even though this one did not
            unsure=error.unsure or job.unsure,
            lane_until=_lane_until(error, job, at, now),
            counts=not error.throttled,
        )

    async def _record(self, job: Job, outcome: Outcome) -> None:
        for _ in range(_CONFLICTS - 1):
            try:
                await self._record_once(job, outcome)
                return
            except ConflictError:
                continue
        await self._record_once(job, outcome)

    async def _record_once(self, job: Job, outcome: Outcome) -> None:
        now = self._clock.now()
        async with self._store.begin() as tx:
            recorded = await tx.finish_job(job, outcome, now)
            if recorded and not isinstance(outcome, Retry):
                await self._on_finished(tx, job, outcome, now)
        word = _word(outcome) if recorded else "lost"
        self._settings.observe(job.kind, word)
        if isinstance(outcome, Dead):
            # nobody waits for a picture: it is missed quietly
            say = _log.info if job.priority is JobPriority.PICTURE else _log.error
            say("job given up", action="give_up", job=job.id, kind=job.kind, why=outcome.why)
        else:
            _log.debug("job worked on", action=word, job=job.id, kind=job.kind)

    async def _put_back(self, job: Job, why: str) -> None:
        """Try the job again later, unsure; without a database its lease ends by itself."""
        wait = patience_with(job).wait(job.attempts, 1.0)
        try:
            async with self._store.begin() as tx:
                now = self._clock.now()
                await tx.finish_job(job, Retry(now + wait, why, unsure=True), now)
        except (NotStoredError, ConflictError):
            await self._hand_back([job], unsure=True)


def _is_first_showing(job: Job) -> bool:
    return job.kind == "show" and job.revision == 0 and job.attempts <= 1


def _lane_until(error: RetryLaterError, job: Job, at: datetime, now: datetime) -> datetime | None:
    """Say how long the whole lane waits: as long as it was told, or until the next probe."""
    if not (error.whole_lane and job.lane):
        return None
    return at if error.throttled else now + _PROBE_EVERY


def _word(outcome: Outcome) -> str:
    match outcome:
        case Delivered():
            return "delivered"
        case Dead():
            return "dead"
        case Retry():
            return "retry" if outcome.counts else "throttled"
