"""Lets what becomes of attempts outside the outbox's own commits enter as events."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import structlog

from bot.clock import Clock
from bot.contact_jobs import PAGE
from bot.engine.contacting import failed, troubled
from bot.engine.work import Work
from bot.ports.contact import Result
from bot.ports.delivering import RetryLaterError
from bot.ports.inbox import ConflictError, NotStoredError
from bot.ports.jobs import Job
from bot.ports.store import Store, Transaction
from rules.events import ContactFailed, PageFailed

log = structlog.get_logger(__name__)

_TRIES = 3
_FAILURES = frozenset({Result.FAILED, Result.UNANSWERED})

Fate = ContactFailed | PageFailed | None


class WorkIn(Protocol):
    """The engine, as far as it decides here."""

    on_work: Callable[[], None]

    async def work_in(self, tx: Transaction, now: datetime) -> Work: ...


class Reaching:
    """Hears of attempts that failed, at once or later, and lets the next method go."""

    def __init__(self, engine: WorkIn, store: Store, clock: Clock) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock

    async def attempt_failed(self, job: Job, error: RetryLaterError) -> None:
        """Note an attempt that will be tried again; the next method may go at once.

        A Slack that answers nobody is no reason to wait for anybody else who is being paged. A
        database that fails is only logged: the next attempt tells the same.
        """

        async def troubles(tx: Transaction, now: datetime) -> Fate:
            return await troubled(tx, job, error, now)

        try:
            await self._decided(job.incident_id, troubles)
            if job.kind == PAGE and error.whole_lane and not error.throttled:
                async with self._store.begin() as tx:
                    await tx.contact.hasten_all(self._clock.now())
        except (NotStoredError, ConflictError, LookupError, ValueError) as problem:
            log.warning("attempt not written", action="contact", job=job.id, error=str(problem))
        self._engine.on_work()

    async def told_later(
        self, incident_id: str, provider_id: str, result: Result, error: str
    ) -> bool:
        """Write down what a service told later; a failure lets the next method go at once.

        False when no such attempt is known. Raises NotStoredError or ConflictError.
        """
        known = False

        async def hears(tx: Transaction, now: datetime) -> Fate:
            nonlocal known
            attempt = await tx.contact.heard(incident_id, provider_id, result, error, now)
            known = attempt is not None
            if attempt is None or attempt.result is result or result not in _FAILURES:
                return None
            which = attempt.page, attempt.step, attempt.method
            return await failed(tx, which, attempt.person, error, now)

        try:
            await self._decided(incident_id, hears)
        except LookupError:
            return False
        self._engine.on_work()
        return known

    async def _decided(
        self, incident_id: str, hear: Callable[[Transaction, datetime], Awaitable[Fate]]
    ) -> None:
        """Let what is heard become an event, under the incident's lock."""
        for left in reversed(range(_TRIES)):
            now = self._clock.now()
            try:
                async with self._store.begin() as tx:
                    await tx.load_incidents([incident_id])
                    incident = tx.incident(incident_id)
                    if event := await hear(tx, now):
                        work = await self._engine.work_in(tx, now)
                        work.apply(incident, event)
                return
            except ConflictError:
                if not left:
                    raise
