"""What became of a job, as far as it is something that happened to its incident."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.engine.aftercare.journalling import asked
from bot.engine.contacting import REACHING, ended
from bot.engine.jobs import given_up, link_page
from bot.engine.parts import EngineParts
from bot.engine.rota.unposted import tell_asker
from bot.engine.work import Work
from bot.journal_jobs import ASKING
from bot.ports.delivering import Dead, Delivered, Outcome, Retry
from bot.ports.jobs import Job
from bot.ports.store import Transaction
from rules.events import PageFailed

log = structlog.get_logger()


class Fates:
    """The door by which the fate of pages comes in; `work_in` begins a transaction's work."""

    def __init__(
        self, parts: EngineParts, work_in: Callable[[Transaction, datetime], Awaitable[Work]]
    ) -> None:
        self._parts = parts
        self._work_in = work_in

    async def enter(self, tx: Transaction, job: Job, outcome: Outcome, now: datetime) -> bool:
        """Decide what follows from an outcome; tells whether there may be something to send."""
        if job.kind in ASKING and not isinstance(outcome, Retry):
            await self._asked(tx, job, now)
        event = await ended(tx, job, outcome, now) if job.kind in REACHING else None
        match outcome:
            case Delivered(messages, early) if messages and job.kind == "page":
                since = datetime.fromisoformat(job.payload["since"])
                self._parts.observer.page("delivered", (now - since).total_seconds())
                if early:
                    tx.enqueue(link_page(job, now))
            case Dead() if isinstance(event, PageFailed):
                self._parts.observer.page("failed", None)
            case Dead() if event is not None:
                pass
            case Dead(why) if await tell_asker(tx, job, why, now):
                return True
            case Dead(why) if job.incident_id:
                tx.add_timeline(job.incident_id, given_up(job, why, now))
            case _:
                pass
        if event is None:
            return False
        try:
            await tx.load_incidents([job.incident_id])
        except ValueError:  # nobody can decide what cannot be read; the page itself is done
            log.exception("incident cannot be read", action="page_unheard", job=job.key)
            return False
        work = await self._work_in(tx, now)
        work.apply(tx.incident(job.incident_id), event)
        return True

    async def _asked(self, tx: Transaction, job: Job, now: datetime) -> None:
        """Plan what follows once somebody was asked for a journal entry."""
        try:
            await tx.load_incidents([job.incident_id])
            work = await self._work_in(tx, now)
            await asked(work, job, self._parts.quiet)
        except (ValueError, LookupError):  # an incident that cannot be read, or is not kept
            log.exception("incident cannot be read", action="journal_ends", job=job.key)
