"""Shows cover requests and swaps in Slack as they now are, and tells people what has changed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.ports.delivering import Delivered, GiveUpError, MessageRef
from bot.ports.jobs import Job
from bot.slack import blocks as kit
from bot.slack.api import SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.direct import messages_with
from bot.slack.scene import people_in
from bot.slack.text import spoken
from bot.slack.views import rota as views
from bot.wire import sentence_from_json
from rules.schedule import swapping
from rules.schedule.covering import CoverRequest, CoverState
from rules.schedule.resolution import on_call
from rules.schedule.swapping import WAITING, SwapRequest, SwapState
from rules.sentence import Sentence

_NOTHING = Delivered()
_PAST = timedelta(days=1)


async def show_cover(desk: Desk, job: Job) -> Delivered:
    """Make the channel's message show a cover request; post it when it is not there."""
    request = await _request(desk, job)
    body = views.cover_message(request, desk.directory, desk.clock.now())
    stands = await _stands(desk, job, "root")
    if stands is None or not await _edited(desk, job, stands, body):
        if stands is not None and request.state_at(desk.clock.now()) is not CoverState.OPEN:
            return _NOTHING
        ref = await desk.post_in(job, request.channel, body)
        return Delivered((replace(ref, role="root"),))
    return _NOTHING


async def expire_cover(desk: Desk, job: Job) -> Delivered:
    """Show that nobody took it, and tell the asker; nothing when it was decided."""
    request = await _request(desk, job)
    now = desk.clock.now()
    if request.state_at(now) is not CoverState.EXPIRED:
        return _NOTHING
    if stands := await _stands(desk, job, "root"):
        await _edited(desk, job, stands, views.cover_message(request, desk.directory, now))
    channel = await messages_with(desk, request.person)
    await desk.post(job, channel, views.nobody_took_it(request, now))
    return _NOTHING


async def repeat_cover(desk: Desk, job: Job) -> Delivered:
    """Ask once more, in the request's thread and seen in the channel, while it is open."""
    request = await _request(desk, job)
    now = desk.clock.now()
    stands = await _stands(desk, job, "root")
    if stands is None or request.state_at(now) is not CoverState.OPEN:
        return _NOTHING
    body = views.cover_again(request, desk.directory, now)
    await desk.post(job, stands.channel, body, stands.ts, loud=True)
    return _NOTHING


async def show_swap(desk: Desk, job: Job) -> Delivered:
    """Make a person's message show a swap; a later look is for one that expired undecided."""
    swap, person = await _swap(desk, job), str(job.payload["person"])
    now = desk.clock.now()
    if job.payload.get("expires") and swap.state_at(now) is not SwapState.EXPIRED:
        return _NOTHING
    told = await _cautions(desk, swap, person, now)
    body = views.swap_message(swap, person, desk.directory, now, cautions=told)
    stands = await _stands(desk, job, "swap", person)
    if (
        stands is not None
        and await _edited(desk, job, stands, body)
        and not job.payload.get("expires")
    ):
        return _NOTHING
    if stands is not None and swap.state_at(now) not in (*WAITING, SwapState.EXPIRED):
        return _NOTHING
    ref = await desk.post(job, await messages_with(desk, person), body)
    return Delivered((replace(ref, role="swap", person=person),))


async def remind_swap(desk: Desk, job: Job) -> Delivered:
    """Show a swap once more to who must decide it, while they must."""
    swap, person = await _swap(desk, job), str(job.payload["person"])
    now = desk.clock.now()
    if not views.decides(swap, person, now):
        return _NOTHING
    lead, told = "This still waits for you.", await _cautions(desk, swap, person, now)
    body = views.swap_message(swap, person, desk.directory, now, lead=lead, cautions=told)
    ref = await desk.post(job, await messages_with(desk, person), body)
    return Delivered((replace(ref, role="swap", person=person),))


async def tell_person(desk: Desk, job: Job) -> Delivered:
    """Send a direct message that pages nobody, with a button that undoes what it tells of."""
    person = str(job.payload["person"])
    sentence = sentence_from_json(job.payload["sentence"])
    await desk.directory.learn_names(people_in([sentence]))
    text = spoken(sentence, desk.directory, desk.clock.now())
    undo = views.undo_button(job.payload.get("undo"), desk.directory)
    await desk.post(
        job, await messages_with(desk, person), kit.message(text, [kit.section(text), *undo])
    )
    return _NOTHING


WORKS: Mapping[str, Callable[[Desk, Job], Awaitable[Delivered]]] = {
    "show_cover": show_cover,
    "expire_cover": expire_cover,
    "repeat_cover": repeat_cover,
    "show_swap": show_swap,
    "remind_swap": remind_swap,
    "tell_person": tell_person,
}


async def _request(desk: Desk, job: Job) -> CoverRequest:
    found = await desk.reader.cover_request(str(job.payload["request"]))
    if found is None:
        raise GiveUpError("there is no such cover request")
    await desk.directory.learn_names(p for p in (found.person, found.taken_by) if p)
    return found


async def _swap(desk: Desk, job: Job) -> SwapRequest:
    found = await desk.reader.swap(str(job.payload["swap"]))
    if found is None:
        raise GiveUpError("there is no such swap")
    await desk.directory.learn_names((found.asker, found.other))
    return found


async def _cautions(
    desk: Desk, swap: SwapRequest, person: str, now: datetime
) -> Sequence[Sentence]:
    """Return what the swap would bring about, for who must decide it."""
    if not views.decides(swap, person, now):
        return ()
    changes = await desk.reader.changes(now - _PAST)
    start = min(swap.mine.starts_at, swap.theirs.starts_at)
    end = max(swap.mine.ends_at, swap.theirs.ends_at)

    def found() -> Sequence[Sentence]:
        schedule = desk.schedule(changes)
        before = on_call(schedule, start, end, whole=True)
        after = on_call(schedule.with_changes(swap.would_be(now)), start, end, whole=True)
        return swapping.cautions_of(swap, before, after, schedule.absences)

    return await asyncio.to_thread(found)


async def _stands(desk: Desk, job: Job, role: str, person: str = "") -> MessageRef | None:
    """Return the latest message of a request, by its role."""
    placed = await desk.reader.messages(job.incident_id)
    return next((m for m in reversed(placed) if (m.role, m.person) == (role, person)), None)


async def _edited(desk: Desk, job: Job, stands: MessageRef, body: Json) -> bool:
    """Edit a message; False when it is not there any more."""
    try:
        await desk.edit(job, stands.channel, stands.ts, body)
    except SlackRefusedError as refused:
        if refused.code != "message_not_found":
            raise
        return False
    return True
