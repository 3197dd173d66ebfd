"""Carries jobs out to Slack: shows incidents, pages people, writes notes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.ports.access import ACCESS_TELL
from bot.ports.delivering import Delivered, Deliverer, GiveUpError, MessageRef
from bot.ports.jobs import Job
from bot.slack.access.delivery import access_tell
from bot.slack.api import LOG, SlackRefusedError
from bot.slack.desk import Desk
from bot.slack.direct import write_to
from bot.slack.journal.delivery import WORKS as JOURNAL_WORKS
from bot.slack.pictures import show_picture
from bot.slack.replies import Answer, Home
from bot.slack.rota.delivery import WORKS as ROTA_WORKS
from bot.slack.rota.loads import load_picture
from bot.slack.rota.notes import ROSTER_NOTE, roster_note
from bot.slack.runbooks import show_result, show_runbook
from bot.slack.scene import people_in, root_of
from bot.slack.tasks import nudge, show_tasks
from bot.slack.text import mention_group
from bot.slack.thread import keep_in_thread, thread_of
from bot.slack.views import incident as views
from bot.slack.views.consequences import consequences_message
from bot.wire import sentence_from_json
from rules.incident import Incident, State
from rules.sentence import Sentence, say

_NOTHING = Delivered()
_GONE = frozenset({"message_not_found", "channel_not_found", "is_archived"})

Work = Callable[[Desk, Job], Awaitable[Delivered]]


class Task:
    """One kind of job."""

    def __init__(self, desk: Desk, work: Work) -> None:
        self._desk = desk
        self._work = work

    async def deliver(self, job: Job) -> Delivered:
        return await self._work(self._desk, job)


def deliverers(desk: Desk) -> Mapping[str, Deliverer]:
    """Return who carries out each kind of job that Slack is for."""
    works: dict[str, Work] = {
        "show": show,
        "page": page,
        "show_page": show_page,
        "consequences": consequences,
        "page_user_group": page_user_group,
        "page_channel": page_channel,
        "ask_acker": ask_acker,
        "tell": tell,
        "picture": show_picture,
        ROSTER_NOTE: roster_note,
        "runbook": show_runbook,
        "runbook_result": show_result,
        "tasks": show_tasks,
        "nudge": nudge,
    }
    works |= {**JOURNAL_WORKS, **ROTA_WORKS, "load_picture": load_picture, ACCESS_TELL: access_tell}
    tasks: dict[str, Deliverer] = {kind: Task(desk, work) for kind, work in works.items()}
    return {**tasks, "answer": Answer(desk), "home": Home(desk)}


async def show(desk: Desk, job: Job) -> Delivered:
    """Make the channel, and every copy elsewhere, show the incident as it is now."""
    incident = await desk.incident(job)
    scene, messages = await desk.scene(incident)
    body = views.root_message(replace(scene, permalink="", channel_id=""))
    root = root_of(messages)
    if root is None and incident.hidden:
        return _NOTHING
    if root is None:
        return await _post_root(desk, job, incident, body)
    for copy in (m for m in messages if m.role == "copy"):
        await _update_copy(desk, job, copy, body)
    try:
        await desk.edit(job, root.channel, root.ts, body)
    except SlackRefusedError as refused:
        if refused.code not in _GONE:
            raise
        if not incident.is_open:
            return _NOTHING
        LOG.warning("the message of #%s is gone (%s): posting it again", incident.number, refused)
        return await _post_root(desk, job, incident, body)
    return _NOTHING


async def _post_root(desk: Desk, job: Job, incident: Incident, body: dict[str, Any]) -> Delivered:
    """Post the message in the incident's channel.

    One that only the catalogue names may be one that nobody made, or that we were not invited to;
    the message then stands where the last route has it.
    """
    try:
        return _posted(await desk.post_in(job, incident.channel, body), "root")
    except GiveUpError as unreachable:
        book = desk.rulebook()
        product, last = book.catalogue.product(incident.product), book.routes[-1].channel
        own = product.channel.lstrip("#") if product else ""
        if own != incident.channel or last == own:
            raise
        LOG.warning("posting #%s in #%s instead: %s", incident.number, last, unreachable)
        return _posted(await desk.post_in(job, last, body), "root")


async def _update_copy(desk: Desk, job: Job, copy: MessageRef, body: dict[str, Any]) -> None:
    try:
        await desk.edit(job, copy.channel, copy.ts, body)
    except SlackRefusedError as refused:
        LOG.warning("a copy in %s cannot be edited: %s", copy.channel, refused)


async def page(desk: Desk, job: Job) -> Delivered:
    """Send the direct message that pages a person, unless it is not needed any more."""
    incident = await desk.incident(job)
    waits = incident.state is State.TRIGGERED and incident.muted is None
    by_hand = incident.is_open and job.payload.get("force")
    if not by_hand and not (waits and incident.pages):
        return _NOTHING
    person = str(job.payload["person"])
    scene, messages = await desk.scene(incident)
    body = views.page_message(scene, person, _sentence(job.payload.get("reason")))
    ref = await write_to(desk, job, person, body)
    # it waits for nothing, not even for the message in the channel that it links to
    early = root_of(messages) is None
    return replace(_posted(ref, "page", person), early=early)


async def show_page(desk: Desk, job: Job) -> Delivered:
    """Make a person's latest page show the incident as it is now."""
    incident = await desk.incident(job)
    scene, messages = await desk.scene(incident)
    person = str(job.payload["person"])
    latest = next((m for m in reversed(messages) if (m.role, m.person) == ("page", person)), None)
    if latest is None:
        return _NOTHING
    try:
        reason = _sentence(job.payload["reason"]) if "reason" in job.payload else None
        await desk.edit(job, latest.channel, latest.ts, views.page_message(scene, person, reason))
    except SlackRefusedError as refused:
        if refused.code != "message_not_found":
            raise
    return _NOTHING


async def consequences(desk: Desk, job: Job) -> Delivered:
    """Make the thread's list of consequences show them as they now are."""
    incident = await desk.incident(job)
    scene, messages = await desk.scene(incident)
    body = consequences_message(scene)
    first = body if incident.consequences and not incident.muted else None
    return await keep_in_thread(desk, job, messages, "consequences", first, body)


async def page_user_group(desk: Desk, job: Job) -> Delivered:
    """Mention a user group in the thread, loudly."""
    incident = await desk.incident(job)
    scene, messages = await desk.scene(incident)
    root = thread_of(messages)
    group = mention_group(await desk.places.group(str(job.payload["group"])))
    body = views.group_note(scene, group)
    return _posted(await desk.post(job, root.channel, body, root.ts, loud=True), "note")


async def page_channel(desk: Desk, job: Job) -> Delivered:
    """Post the incident in another channel too."""
    scene, _ = await desk.scene(await desk.incident(job))
    name = str(job.payload["channel"])
    return _posted(await desk.post_in(job, name, views.root_message(scene)), "copy")


async def ask_acker(desk: Desk, job: Job) -> Delivered:
    """Ask the acker whether they are still on it, if they still have it."""
    incident = await desk.incident(job)
    person = str(job.payload["person"])
    if incident.state is not State.ACKNOWLEDGED:
        return _NOTHING
    scene, _ = await desk.scene(incident)
    return _posted(await write_to(desk, job, person, views.still_on_it(scene)), "note", person)


async def tell(desk: Desk, job: Job) -> Delivered:
    """Write a note in the incident's thread."""
    incident = await desk.incident(job)
    scene, messages = await desk.scene(incident)
    root = thread_of(messages)
    sentence = _sentence(job.payload["sentence"])
    await desk.directory.learn_names(people_in([sentence]))
    body = views.thread_note(scene, sentence)
    loud = bool(job.payload.get("loud"))
    return _posted(await desk.post(job, root.channel, body, root.ts, loud=loud), "note")


def _posted(ref: MessageRef, role: str, person: str = "") -> Delivered:
    return Delivered((replace(ref, role=role, person=person),))


def _sentence(document: Any) -> Sentence:
    if isinstance(document, dict):
        return sentence_from_json(document)
    return say("{why}", why=str(document or "the escalation policy names you"))
