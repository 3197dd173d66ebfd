"""The auditor: every minute it finds what has come to a stop, lets it go on, and says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.engine.engine import Engine
from bot.ports.audits import AuditReads
from bot.ports.jobs import JobPriority, NewJob
from bot.ports.store import Store, Transaction
from bot.wire import sentence_to_json
from rules.audit import (
    PATIENCE,
    Fault,
    Finding,
    HastenDeliveries,
    OpenLane,
    Patience,
    ReleaseJob,
    Resume,
    audit,
    judge_incident,
)
from rules.rulebook import RuleBook

log = structlog.get_logger(__name__)

ERRAND = "audit"
EVERY = timedelta(minutes=1)
SHOWN = 10
"""Findings that one alarm tells in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditorParts:
    """What the auditor is built from. `observe` counts one finding; `forget` a lease of ours."""

    store: Store
    reads: AuditReads
    clock: Clock
    engine: Engine
    book: Callable[[], RuleBook]
    channel: str
    observe: Callable[[str], None]
    forget: Callable[[str], None]
    patience: Patience = PATIENCE
    every: timedelta = EVERY


class Auditor:
    """Looks when its stored clock says so, which one replica at a time does."""

    def __init__(self, parts: AuditorParts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._after = 0
        self._overdue: dict[str, datetime] = {}
        """Since when wake-ups have been seen overdue: an engine that comes back needs a moment."""

    async def run_due(self) -> Sequence[Finding]:
        """Look if it is time; returns what was found. Raises NotStoredError, ConflictError."""
        now = self._clock.now()
        next_at = now + self._parts.every
        if not await self._parts.reads.errand_due(ERRAND, now, next_at):
            return ()
        async with self._parts.store.begin() as tx:
            if not await tx.audit.claim_errand(ERRAND, now, next_at):
                return ()
        return await self.look()

    async def look(self) -> Sequence[Finding]:
        """Find, put right, tell and write down; returns what was found."""
        parts, now = self._parts, self._clock.now()
        faulty = parts.engine.faulty
        seen = await parts.reads.look(now, parts.patience, after=self._after, faulty=faulty)
        self._after = seen.next_number
        found = self._lasting(audit(seen.facts, now, parts.patience), now)
        confirmed = await self._resume(found, faulty, now)
        await self._release(found, now)
        async with parts.store.begin() as tx:
            new = await tx.audit.record(confirmed, now)
            for job in self._alarms(new, now):
                tx.enqueue(job)
            await tx.audit.finish_errand(ERRAND, now)
        for one in new:
            parts.observe(one.fault.value)
            log.error(
                "the auditor found something", action="audit", fault=one.fault, number=one.number
            )
        if found:
            parts.engine.kick()
            parts.engine.on_work()
        return confirmed

    def _lasting(self, found: Sequence[Finding], now: datetime) -> Sequence[Finding]:
        overdue = [one.key for one in found if one.fault is Fault.WAKE_UP_OVERDUE]
        self._overdue = {key: self._overdue.get(key, now) for key in overdue}
        patience = self._parts.patience.wake_up
        return [
            one for one in found if self._overdue.get(one.key, now - patience) + patience <= now
        ]

    async def _resume(
        self, found: Sequence[Finding], faulty: Sequence[str], now: datetime
    ) -> Sequence[Finding]:
        """Judge stopped incidents again under their locks, and let them go on."""
        ids = [one.remedy.incident_id for one in found if isinstance(one.remedy, Resume)]
        others = [one for one in found if not isinstance(one.remedy, Resume)]
        if not ids:
            return others
        resumed: list[Finding] = []
        async with self._parts.store.begin() as tx:
            await tx.load_incidents(sorted(ids))
            work = await self._parts.engine.work_in(tx, now)
            for watched in await tx.audit.watched(ids, faulty):
                one = judge_incident(watched, now, self._parts.patience)
                if one is None or not isinstance(one.remedy, Resume):
                    continue
                resumed.append(one)
                try:
                    work.apply(tx.incident(watched.incident.id), one.remedy.event)
                except (ArithmeticError, LookupError, TypeError, ValueError):
                    log.exception("cannot resume", action="audit", number=one.number)
                    continue
                if one.remedy.event.undecidable:
                    self._parts.engine.forget_faulty(watched.incident.id)
        return [*resumed, *others]

    async def _release(self, found: Sequence[Finding], now: datetime) -> None:
        remedies = [one.remedy for one in found if one.remedy is not None]
        if all(isinstance(remedy, Resume) for remedy in remedies):
            return
        async with self._parts.store.begin() as tx:
            for remedy in remedies:
                await self._do(tx, remedy, now)
        for remedy in remedies:
            if isinstance(remedy, ReleaseJob):
                self._parts.forget(remedy.job_id)

    async def _do(self, tx: Transaction, remedy: object, now: datetime) -> None:
        match remedy:
            case OpenLane(name):
                await tx.audit.open_lane(name, now)
            case ReleaseJob(job_id, lease):
                await tx.audit.release_job(job_id, lease, now)
            case HastenDeliveries(before):
                await tx.audit.hasten_deliveries(before, now)
            case _:
                pass

    def _alarms(self, new: Sequence[Finding], now: datetime) -> Sequence[NewJob]:
        if not new:
            return ()
        told = [sentence_to_json(one.sentence) for one in new[:SHOWN]]
        payload = {"sentences": told, "more": len(new) - len(told)}
        in_channel = NewJob(
            key=f"audit:{now.isoformat()}",
            kind="alarm",
            lane=f"slack:{self._parts.channel}",
            priority=JobPriority.PERSON,
            due_at=now,
            payload={**payload, "channel": self._parts.channel},
        )
        return (
            in_channel,
            *(
                replace(
                    in_channel,
                    key=f"{in_channel.key}:{person}",
                    lane=f"dm:{person}",
                    payload={**payload, "person": person},
                )
                for person in self._parts.book().fallback_of("", again=True)
            ),
        )
