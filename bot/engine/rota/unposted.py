"""Tells who asked for cover or a swap when nobody could be shown what they asked."""

from dataclasses import replace
from datetime import datetime

from bot.engine.rota import jobs
from bot.ports.jobs import Job
from bot.ports.store import Transaction
from rules.schedule.covering import CoverState
from rules.schedule.swapping import WAITING
from rules.sentence import Who, say


async def tell_asker(tx: Transaction, job: Job, why: str, now: datetime) -> bool:
    """Tell the asker of a job that was given up, if it showed a request that waits."""
    match job.kind:
        case "show_cover":
            return await _cover(tx, str(job.payload["request"]), why, now)
        case "show_swap" if not job.payload.get("expires"):
            return await _swap(tx, job, why, now)
        case _:
            return False


async def _cover(tx: Transaction, its_id: str, why: str, now: datetime) -> bool:
    await tx.roster.hold_roster()
    request = await tx.roster.cover_request(its_id)
    if request is None or request.state_at(now) is not CoverState.OPEN:
        return False
    # closed, so that the asker may ask anew at once
    tx.roster.save_cover_request(replace(request, state=CoverState.WITHDRAWN, closed_at=now))
    sentence = say(
        "⚠️ Nobody was asked to cover {role} of {rotation} from {start}: I could not post in"
        " {channel} ({why}). You are still on call. Invite me there and ask again, or ask people"
        " yourself.",
        role=request.slot.role,
        rotation=request.slot.rotation,
        start=request.slot.starts_at,
        channel=f"#{request.channel}" if request.channel else "the channel",
        why=why,
    )
    tx.enqueue(jobs.tell_person(f"cover:{its_id}:unposted", request.person, sentence, now))
    return True


async def _swap(tx: Transaction, job: Job, why: str, now: datetime) -> bool:
    swap, person = await tx.roster.swap(str(job.payload["swap"])), str(job.payload["person"])
    if swap is None or person == swap.asker or swap.state_at(now) not in WAITING:
        return False
    sentence = say(
        "⚠️ {who} was not shown your swap: {why}. Nothing has changed: you both keep your shifts"
        " until it is decided. `/oncall people` says who is not linked to Slack.",
        who=Who(person),
        why=why,
    )
    tx.enqueue(jobs.tell_person(f"swap:{swap.id}:{person}:unposted", swap.asker, sentence, now))
    return True
