"""Inbox to events, due wake-ups to events, events to decisions: one transaction each."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.acts.act import SLACK
from bot.engine.acting import act_on, apology
from bot.engine.aftercare.proving import began, prove
from bot.engine.door import CONFLICTS, Door
from bot.engine.expecting import Clocks, compare, hear, judge_overdue, knowing_starts
from bot.engine.fates import Fates
from bot.engine.pace import Pace
from bot.engine.parts import EngineParts, Hands
from bot.engine.rehearsing import CANARY, rehearse
from bot.engine.work import PAST, Work
from bot.ports.delivering import Outcome
from bot.ports.inbox import ConflictError, Delivery, LockedError, NotStoredError, Parsed
from bot.ports.jobs import Job
from bot.ports.store import Transaction
from rules.events import Woken
from rules.incident import Incident
from rules.run import RunState

log = structlog.get_logger()

BREATH = timedelta(milliseconds=40)
"""What has been decided goes out before it is looked for what else is due."""
LONGEST_BREATH = timedelta(milliseconds=120)
ATTEMPTS = 3
"""A delivery that fails so often on its own is shown as unreadable."""
FAULTY_PAUSE = timedelta(minutes=1)
_NOTHING = Parsed()


class Engine:
    """Three doors, one engine: deliveries, wake-ups, and the fate of pages."""

    def __init__(self, parts: EngineParts) -> None:
        self.on_work: Callable[[], None] = lambda: None
        """Called after a commit that may have put work into the outbox."""
        self.hands: Hands | None = None
        """Takes what a commit leased; without it, all of it waits to be claimed."""
        self.on_asked: Callable[[], None] = lambda: None
        """Called after a commit of what people asked for, which may be a change of the rotation."""
        self.looked_at: datetime | None = None
        """When the loop last went round and nothing failed, None before it has."""
        self._parts = parts
        self._clock = parts.clock
        self._kicked = asyncio.Event()
        self._deliveries = Door(self.take_deliveries)
        self._wake_ups = Door(self.wake_due)
        self._run_clocks = Door(self._runs)
        self._fates = Fates(parts, self.work_in)
        self._pace = Pace()
        self._wakes = Pace()
        self._stopping = False
        self._accepted = False
        self._look_again = False
        self._breathes_since: datetime | None = None
        self._faulty: dict[str, datetime] = {}
        self._blind_until = datetime.min.replace(tzinfo=UTC)
        self._clocks = Clocks()

    def kick(self) -> None:
        """Tell the engine that a delivery has been accepted."""
        self._accepted = True
        self._kicked.set()

    def stop(self) -> None:
        self._stopping = True
        self._kicked.set()

    @property
    def faulty(self) -> tuple[str, ...]:
        """Return the incidents whose wake-up could not be decided and is set aside."""
        return tuple(self._faulty)

    def forget_faulty(self, incident_id: str) -> None:
        """Wake an incident again as soon as it is due."""
        self._faulty.pop(incident_id, None)

    async def run(self) -> None:
        """Work until `stop`: nothing is held in memory, so stopping loses nothing."""
        while not self._stopping:
            self._kicked.clear()
            try:
                self._look_again = False
                await self.run_due()
                self.looked_at = self._clock.now()
                if not self._look_again and not self._stopping:
                    await self._clock.wait(self._kicked, await self.next_look())
                continue
            except ConflictError as error:
                if all(one.conflicts <= 2 * CONFLICTS for one in self._doors):
                    continue
                log.warning("conflicts do not end", action="engine_waits", error=str(error))
            except NotStoredError as error:
                log.warning("database failed", action="engine_waits", error=str(error))
            except Exception as error:  # noqa: BLE001 - its door has told of it
                log.warning("engine failed", action="engine_waits", error=type(error).__name__)
            # not until the next wake-up: what is due stays due on a disk that is full
            await self._clock.wait(self._kicked, self._clock.now() + self._parts.poll)

    async def next_look(self) -> datetime:
        """Return when to look again without being kicked: at the next wake-up, or soon.

        What could not be decided stays due, and a database that fails has none: in both cases it
        is only soon, or the loop would spin. So it would at what another replica is deciding.
        """
        now = self._clock.now()
        if self._breathes_since is not None:
            return now + BREATH
        soon = now + self._parts.poll
        try:
            next_wake = await self._parts.reader.next_wake()
        except NotStoredError as error:
            log.warning("database failed", action="engine_waits", error=str(error))
            return soon
        stuck = any(at > now for at in (self._blind_until, *self._faulty.values()))
        if stuck or next_wake is None:
            return soon
        return min(soon, next_wake if next_wake > now else now + BREATH)

    async def run_due(self) -> int:
        """Decide what is waiting now, one batch of each kind; returns how much that was.

        Raises what failed, once all else has had its turn.
        """
        failed: list[Exception] = []
        done = await self._through(self._deliveries, failed)
        if self._may_breathe(done):
            return done
        self._breathes_since = None
        done += await self._through(self._wake_ups, failed)
        done += await self._through(self._run_clocks, failed)
        if failed:
            raise failed[0]
        return done

    async def _through(self, door: Door, failed: list[Exception]) -> int:
        try:
            return await door.go_through()
        except Exception as error:
            if isinstance(error, NotStoredError) and door.may_pass(error):
                raise  # without a database nothing works behind any door
            if not isinstance(error, ConflictError):
                log.exception("engine failed", action="engine_failed")
                self._parts.on_fault()
            failed.append(error)
            return 0

    @property
    def _doors(self) -> tuple[Door, ...]:
        return self._deliveries, self._wake_ups, self._run_clocks

    def _may_breathe(self, taken: int) -> bool:
        """Tell whether hands are busy with what was just decided, and nothing else waits long."""
        if not taken or self.hands is None:
            return False
        now = self._clock.now()
        self._breathes_since = self._breathes_since or now
        return abs(now - self._breathes_since) < LONGEST_BREATH  # clocks jump

    async def take_deliveries(self) -> int:
        """Decide a batch of deliveries; one that fails is tried alone, then set aside."""
        # nobody waits for the answer then: a look that writes, each second, is most of what idling costs
        if not self._accepted and not await self._parts.reader.deliveries_wait(self._clock.now()):
            return 0
        self._accepted = False
        taken: list[Delivery] = []
        try:
            async with self._parts.store.begin() as tx:
                await tx.in_turn()
                # not before: another replica has decided meanwhile, at a later time than ours
                now, batch = self._clock.now(), self._pace.batch
                alone = self._pace.narrows
                taken += await tx.take_deliveries(
                    batch, now, others=not alone, known=self._parts.known
                )
                if taken:
                    await self._decide(tx, taken, now)
                    self._lease(tx)
        except Exception as error:  # one bad delivery must not hold up the others
            if not taken or self._deliveries.may_pass(error):
                raise
            first, count = taken[0].id, len(taken)
            log.exception("delivery failed", action="delivery_failed", first=first, count=count)
            await self._set_aside(taken, error)
            self._look_again = True
            return len(taken)
        # what came after a batch that was not full has kicked, or is found by the next poll
        self._look_again |= len(taken) >= batch
        self._pace.went_well(len(taken), self._clock.now() - now)
        if taken:
            self._hand_over(tx)
        if any(delivery.source == SLACK for delivery in taken):
            self.on_asked()
        return len(taken)

    async def wake_due(self) -> int:
        """Decide a batch of wake-ups that are due; returns how many could be tried."""
        now = self._clock.now()
        next_wake = await self._parts.reader.next_wake()
        if next_wake is None or next_wake > now:
            return 0  # read first: a look that writes would hold up the pages just decided
        most, due = self._wakes.batch, list[Incident]()
        try:
            async with self._parts.store.begin() as tx:
                began = self._clock.now()
                found = await tx.take_due(now, most + len(self._faulty))
                due = [one for one in found if self._may_wake(one, now)][:most]
                if due:
                    work = await self.work_in(tx, now)
                    for incident in due:
                        await self._wake(work, incident)
                    self._lease(tx)
        except Exception as error:  # one bad incident must not hold up the others' timers
            if not due or self._wake_ups.may_pass(error):
                raise
            number, count = due[0].number, len(due)
            log.exception("wake-up failed", action="wake_failed", number=number, count=count)
            self._look_again = True
            self._wakes.failed(len(due))
            if len(due) == 1:
                self._leave_alone(due[0], now)
            return len(due)
        self._look_again |= len(due) >= most
        self._wakes.went_well(len(due), self._clock.now() - began)
        if due:
            self._hand_over(tx)
        return len(due)

    def _lease(self, tx: Transaction) -> None:
        """Let the commit lease what it enqueues: a claim of its own would cost another commit."""
        if self.hands is not None:
            tx.lease_own(self.hands.room())

    def _hand_over(self, tx: Transaction) -> None:
        if self.hands is not None:
            self.hands.take(tx.leased)
        if not tx.leased:
            self.on_work()

    async def _runs(self) -> int:
        """Look for runs; what cannot be judged waits for a while, and holds up no alert."""
        now = self._clock.now()
        if now < self._blind_until:
            return 0
        try:
            return await self.look_for_runs()
        except Exception as error:
            if self._run_clocks.may_pass(error):
                raise
            log.exception("runs cannot be judged", action="runs_failed")
            self._parts.on_fault()
            self._blind_until = now + FAULTY_PAUSE
            return 0

    async def look_for_runs(self) -> int:
        """Raise what should have started by now; returns how many clocks were looked at."""
        now, book, looked = self._clock.now(), self._parts.rules.book(), 0
        if self._clocks.behind(book, now):
            stored = await self._parts.reader.standings()
            async with self._parts.store.begin() as tx:
                work = await self.work_in(tx, now)
                looked += await compare(work, stored)
            self._clocks.compared(book, now)
        if await self._parts.reader.runs_are_overdue(now):
            async with self._parts.store.begin() as tx:
                work = await self.work_in(tx, now)
                looked += await judge_overdue(work)
                self._parts.observer.opened(work.opened)
        if looked:
            self._look_again = True
            self.on_work()
        return looked

    async def job_finished(
        self, tx: Transaction, job: Job, outcome: Outcome, now: datetime
    ) -> None:
        """Let a page's fate enter as an event, in the transaction that records it."""
        if await self._fates.enter(tx, job, outcome, now):
            self.on_work()

    async def _decide(self, tx: Transaction, taken: Sequence[Delivery], now: datetime) -> None:
        work = await self.work_in(tx, now)
        said_by = {d.id: self._parts.read(d) for d in taken if d.source not in {SLACK, CANARY}}
        read = await knowing_starts(tx, said_by)
        await work.load_for([alert for said in read.values() for alert in said.alerts])
        runs = [run for said in read.values() for run in said.runs]
        # before its alerts: what reopens for a run takes them
        await prove(work, [run for run in runs if run.state is RunState.FAILED])
        for delivery in taken:
            if delivery.source == SLACK:
                await act_on(work, delivery)
            elif delivery.source == CANARY:
                rehearse(work, self._parts.read(delivery).alerts)
            said = read.get(delivery.id, _NOTHING)
            for seen in said.lineage:
                tx.see_lineage(delivery.source, seen)
            began_at = began(said.runs)
            for alert in said.alerts:
                work.receive(alert, delivery.received_at, began_at=began_at)
                self._parts.observer.alert(alert.source, alert.status)
            tx.finish_delivery(delivery.id)
        await hear(work, runs)
        # a part of a run before its end: what that proves may hang on it
        await prove(work, [run for run in runs if run.state is RunState.STARTED and run.assets])
        await prove(work, [run for run in runs if run.state is RunState.SUCCEEDED])
        self._parts.observer.opened(work.opened)

    async def _set_aside(self, taken: Sequence[Delivery], error: Exception) -> None:
        """Narrow a failed batch down to the one that fails, and show that one as unreadable."""
        if len(taken) > 1:
            self._pace.failed(len(taken))
            return
        delivery, now, pause = taken[0], self._clock.now(), FAULTY_PAUSE
        why = f"{type(error).__name__} while it was read"
        if delivery.attempts + 1 < ATTEMPTS:
            pause = timedelta(seconds=2**delivery.attempts)
        elif isinstance(error, LockedError):
            self._pace.found()  # nothing is wrong with it: it waits as long as it is locked
        elif await self._shown_unreadable(delivery, why, now):
            self._pace.found()
            return
        async with self._parts.store.begin() as tx:
            tx.postpone_delivery(delivery.id, now + pause, why)

    async def _shown_unreadable(self, delivery: Delivery, why: str, now: datetime) -> bool:
        """Show a delivery as what nobody could read; tells whether even that could be decided."""
        try:
            async with self._parts.store.begin() as tx:
                tx.finish_delivery(delivery.id, error=why)
                if delivery.source == SLACK and (job := apology(delivery, now)):
                    tx.enqueue(job)
                elif delivery.source not in {SLACK, CANARY}:
                    work = await self.work_in(tx, now)
                    alert = self._parts.unreadable(delivery, why)
                    await work.load_for([alert])
                    work.receive(alert, delivery.received_at)
        except Exception as error:
            if self._deliveries.may_pass(error):
                raise
            log.exception("delivery cannot be shown", action="delivery_failed", id=delivery.id)
            return False
        return True

    async def work_in(self, tx: Transaction, now: datetime) -> Work:
        """Return the work of an open transaction, with the rules as they now are."""
        changes = await tx.roster.changes(now - PAST)
        book = replace(
            self._parts.rules.book(),
            silences=tuple(await tx.silences(now)),
            on_call=self._parts.rules.on_call(changes, now),
        )
        parts = self._parts
        return Work(tx, book, now, parts.new_id, parts.rules, parts.quiet)

    def _may_wake(self, incident: Incident, now: datetime) -> bool:
        if self._faulty.get(incident.id, now) > now:
            return False
        self._faulty.pop(incident.id, None)
        return True

    async def _wake(self, work: Work, incident: Incident) -> None:
        """Wake one incident; one that cannot be decided must not hold up the others' timers."""
        times = await self._alert_times(work.tx, incident, work.now)
        try:
            work.apply(incident, Woken(times))
        except Exception:
            log.exception("wake-up failed", action="wake_failed", number=incident.number)
            self._leave_alone(incident, work.now)

    def _leave_alone(self, incident: Incident, now: datetime) -> None:
        """Let it stay due, and try it again after a while."""
        self._faulty[incident.id] = now + FAULTY_PAUSE
        self._parts.observer.page("wake_failed", None)

    async def _alert_times(
        self, tx: Transaction, incident: Incident, now: datetime
    ) -> Sequence[datetime]:
        windows = [s.only_if.within for s in incident.policy.steps if s.only_if]
        return await tx.alert_times(incident.id, now - max(windows)) if windows else ()
