"""What became of an attempt to reach a person: into the ledger, and on to the next method."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.contact_jobs import CONTACT, PAGE, receipt_job, step_of
from bot.ports.contact import Attempt, Result
from bot.ports.delivering import Dead, Delivered, Outcome, RetryLaterError
from bot.ports.jobs import Job
from bot.ports.store import Transaction
from rules.contacting.following import Fate as StepFate
from rules.contacting.following import Next, StepStanding, after_failure, is_trouble
from rules.contacting.method import TITLES, Method
from rules.events import ContactFailed, PageDelivered, PageFailed

REACHING = frozenset({PAGE, CONTACT})
HAS_RECEIPTS = frozenset({Method.PUSHOVER})

Fate = PageDelivered | ContactFailed | PageFailed


async def ended(tx: Transaction, job: Job, outcome: Outcome, now: datetime) -> Fate | None:
    """Write down how a page, or a further step of one, ended; return what that is as an event.

    None when it was not needed any more.
    """
    page, step, method = step_of(job)
    person = str(job.payload["person"])
    match outcome:
        case Delivered(messages) if messages:
            sent = messages[0].ts
            tx.contact.record(_attempt(job, Result.SENT, now, provider_id=sent))
            if method in HAS_RECEIPTS:
                over = await _is_called_off(tx, page, step)
                tx.enqueue(receipt_job(job, sent, now, over=over))
            return PageDelivered(person, page, TITLES[method] if step else "")
        case Dead(why):
            tx.contact.record(_attempt(job, Result.FAILED, now, error=why))
            return await failed(tx, (page, step, method), person, why, now)
        case _:
            return None


async def _is_called_off(tx: Transaction, page: str, step: int) -> bool:
    """Tell whether nobody wanted a step any more by the time that it had gone out."""
    standings = await tx.contact.standings(page)
    return any(one.step == step and one.fate is StepFate.CALLED_OFF for one in standings)


async def failed(
    tx: Transaction, which: tuple[str, int, Method], person: str, why: str, now: datetime
) -> ContactFailed | PageFailed:
    """Let the next method go at once; when none is left, the page has failed."""
    page, step, method = which
    standings = await tx.contact.standings(page)
    found = after_failure(standings, step, for_good=True)
    if found.lost:
        return PageFailed(person, page, why)
    then = await _hastened(tx, page, standings, found, now)
    return ContactFailed(person, page, TITLES[method], why, then)


async def _hastened(
    tx: Transaction, page: str, standings: Sequence[StepStanding], found: Next, now: datetime
) -> str:
    """Return by what the page goes now, "" when by nothing new."""
    if found.hasten is None:
        return ""
    step = await tx.contact.hasten(page, found.hasten.step, now)
    return next((TITLES[one.method] for one in standings if one.step == step), "")


async def troubled(
    tx: Transaction, job: Job, error: RetryLaterError, now: datetime
) -> ContactFailed | None:
    """Write down an attempt that is tried again; return an event when another method goes now."""
    page, step, method = step_of(job)
    tx.contact.record(_attempt(job, Result.TROUBLE, now, error=str(error)))
    if not is_down(job, error, now):
        return None
    standings = await tx.contact.standings(page)
    found = after_failure(standings, step, for_good=False)
    then = await _hastened(tx, page, standings, found, now)
    if not then:
        return None
    person, title = str(job.payload["person"]), TITLES[method]
    return ContactFailed(person, page, title, str(error), then, for_now=True)


def is_down(job: Job, error: RetryLaterError, now: datetime) -> bool:
    """Tell whether a method is in so much trouble that the next one is not waited for."""
    method = step_of(job)[2]
    told = (error.after or timedelta(0)) if error.throttled else None
    return is_trouble(method, job.attempts, told_to_wait=told, waited=now - job.due_at)


def _attempt(
    job: Job, result: Result, now: datetime, *, provider_id: str = "", error: str = ""
) -> Attempt:
    page, step, method = step_of(job)
    return Attempt(
        incident_id=job.incident_id,
        page=page,
        person=str(job.payload["person"]),
        method=method,
        step=step,
        attempt=job.attempts,
        at=now,
        changed_at=now,
        result=result,
        provider_id=provider_id,
        error=error,
    )
