"""Tells people of elevated access, and keeps what was told before as things now stand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bot.ports.access import Telling
from bot.ports.delivering import Delivered, GiveUpError, MessageRef, RetryLaterError
from bot.ports.jobs import Job
from bot.slack.api import LOG, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.direct import messages_with
from bot.slack.scene import people_in
from bot.slack.text import spoken
from bot.slack.views import access as views
from bot.wire import sentence_from_json
from rules.access.grant import Grant, GrantState
from rules.sentence import Sentence

_NOTHING = Delivered()
_ROLE = "access_"
_FOR_APPROVERS = frozenset({Telling.APPROVE, Telling.ROTATION_HELD})
_GONE = frozenset({"message_not_found", "channel_not_found", "is_archived", "cant_update_message"})


async def access_tell(desk: Desk, job: Job) -> Delivered:
    """Say what happened to a grant or a group; the job's key keeps it from being said twice."""
    what = Telling(str(job.payload["what"]))
    sentence = sentence_from_json(job.payload["sentence"])
    grant = await _grant(desk, job)
    named = [grant.person, *grant.asked] if grant else []
    await desk.directory.learn_names([*people_in([sentence]), *named])
    earlier = await _earlier(desk, job)
    if what is Telling.ANSWERED:
        await _answered(desk, job, sentence, earlier)
        return _NOTHING
    if what in _FOR_APPROVERS and grant is not None and grant.state is not GrantState.REQUESTED:
        return _NOTHING
    person = str(job.payload.get("person") or "")
    if grant is not None and what is Telling.ENDED and not person and any(map(_is_loud, earlier)):
        await _refresh(desk, job, grant, earlier)
        return _NOTHING  # the channel's own message of it says so now
    ref = await _post(desk, job, _body(desk, what, sentence, grant))
    if grant is not None:
        with _posted_already():
            await _refresh(desk, job, grant, [one for one in earlier if one.ts != ref.ts])
    return Delivered((replace(ref, role=f"{_ROLE}{what}", person=person),))


@contextmanager
def _posted_already() -> Iterator[None]:
    """Have what is tried again looked up first: only the edits after the post failed."""
    try:
        yield
    except RetryLaterError as later:
        raise RetryLaterError(
            str(later),
            after=later.after,
            unsure=True,
            throttled=later.throttled,
            whole_lane=later.whole_lane,
            ours=later.ours,
        ) from later


async def _grant(desk: Desk, job: Job) -> Grant | None:
    its_id = str(job.payload.get("grant") or "")
    return await desk.access.grant(its_id) if its_id and desk.access else None


async def _earlier(desk: Desk, job: Job) -> list[MessageRef]:
    """Return what stands in Slack about the same grant."""
    if not (job.payload.get("grant") and job.incident_id):
        return []
    placed = await desk.reader.messages(job.incident_id)
    return [one for one in placed if one.role.startswith(_ROLE)]


def _body(desk: Desk, what: Telling, sentence: Sentence, grant: Grant | None) -> Json:
    now = desk.clock.now()
    text = spoken(sentence, desk.directory, now)
    group = desk.rulebook().access.groups.get(grant.group) if grant else None
    return views.told(what, text, grant, group, now)


async def _post(desk: Desk, job: Job, body: Json) -> MessageRef:
    if person := str(job.payload.get("person") or ""):
        return await desk.post(job, await messages_with(desk, person), body)
    channel = str(job.payload.get("channel") or "")
    if not channel:
        raise GiveUpError("the message names neither a person nor a channel")
    return await desk.post_in(job, channel, body)


async def _answered(desk: Desk, job: Job, sentence: Sentence, earlier: list[MessageRef]) -> None:
    """Take the buttons off what an approver was asked, and say who has answered."""
    person = str(job.payload.get("person") or "")
    body = _body(desk, Telling.ANSWERED, sentence, None)
    for one in earlier:
        if _telling(one) in _FOR_APPROVERS and one.person == person:
            await _edit(desk, job, one, body)


async def _refresh(desk: Desk, job: Job, grant: Grant, earlier: list[MessageRef]) -> None:
    """Make earlier messages about a grant show it as it is; nobody is notified of that."""
    group, now = desk.rulebook().access.groups.get(grant.group), desk.clock.now()
    for one in earlier:
        what = _telling(one)
        if what not in _FOR_APPROVERS:
            body = views.standing(what, grant, group, desk.directory, now)
            await _edit(desk, job, one, body)


async def _edit(desk: Desk, job: Job, message: MessageRef, body: Json) -> None:
    try:
        await desk.edit(job, message.channel, message.ts, body)
    except SlackRefusedError as refused:
        if refused.code not in _GONE:
            raise
        LOG.warning("an earlier message about access cannot be edited: %s", refused)


def _is_loud(message: MessageRef) -> bool:
    return _telling(message) is Telling.BREAK_GLASS and not message.person


def _telling(message: MessageRef) -> Telling:
    return Telling(message.role.removeprefix(_ROLE))
