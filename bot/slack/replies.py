"""Answers to one person, and their App Home."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from bot.acts.act import AnswerTo
from bot.ports.delivering import Delivered
from bot.ports.jobs import Job
from bot.slack import blocks as kit
from bot.slack.api import LOG, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.scene import people_in
from bot.slack.text import outside, spoken
from bot.slack.views.access import home_blocks
from bot.slack.views.contact import home_section
from bot.slack.views.home import HomeFacts, home_view
from bot.slack.views.journal import prompt_blocks
from bot.slack.views.rota import undo_button
from bot.wire import sentence_from_json
from rules.incident import State

_ANSWER_TO = TypeAdapter(AnswerTo)
_OPEN = (State.TRIGGERED, State.ACKNOWLEDGED)
_RESPONSE_URL_LIFE = timedelta(minutes=29)
_NOTHING = Delivered()


class Answer:
    """Tells one person what became of what they asked for.

    The response_url first, then an ephemeral message, then a direct one.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def deliver(self, job: Job) -> Delivered:
        to = _ANSWER_TO.validate_python(job.payload["answer_to"])
        body = await self._body(job.payload)
        fresh = self._desk.clock.now() - job.created_at < _RESPONSE_URL_LIFE
        if to.response_url and fresh and await self._respond(to.response_url, body):
            return _NOTHING
        if to.channel and await self._whisper(to, body):
            return _NOTHING
        channel = await self._desk.places.messages_with(to.user)
        await self._desk.post(job, channel, body)
        return _NOTHING

    async def _body(self, payload: Json) -> Json:
        if "sentence" in payload:
            sentence = sentence_from_json(payload["sentence"])
            await self._desk.directory.learn_names(people_in([sentence]))
            text = spoken(sentence, self._desk.directory, self._desk.clock.now())
            undo = undo_button(payload.get("undo"), self._desk.directory)
            return kit.message(text, [kit.section(text), *undo])
        text = outside(str(payload.get("text", "")), 2900)
        return kit.message(text, payload.get("blocks") or [kit.section(text)])

    async def _respond(self, url: str, body: Json) -> bool:
        """POST to the response_url; False when it is used up or not one."""
        if urlsplit(url).scheme not in {"https", "http"}:
            return False
        answer = {"response_type": "ephemeral", "replace_original": False, **body}
        status = await self._desk.api.respond(url, answer)
        return status < 400

    async def _whisper(self, to: AnswerTo, body: Json) -> bool:
        try:
            await self._desk.api.ephemeral(to.channel, to.user, body)
        except SlackRefusedError as refused:
            LOG.info("an answer becomes a direct message: %s", refused)
            return False
        return True


class Home:
    """Publishes a person's App Home as it is now."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def deliver(self, job: Job) -> Delivered:
        user = str(job.payload["user"])
        await self._desk.api.show_home(user, await render_home(self._desk, user))
        return _NOTHING


async def render_home(desk: Desk, user: str) -> Json:
    """Read what a person's home shows, and build it."""
    person = desk.directory.key_of(user)
    triggered = await desk.reader.incidents(states=_OPEN, limit=25)
    facts = HomeFacts(
        person=person,
        now=desk.clock.now(),
        names=desk.directory,
        on_call=desk.on_call(),
        open_incidents=tuple(triggered),
        silences=tuple(await desk.reader.silences(desk.clock.now())),
        access=await _access(desk, person),
        tasks=tuple(await desk.tasks.open_tasks(assignee=person, limit=20)),
        reached=tuple(home_section(desk.rulebook().contacts, person)),
    )
    prompts = await desk.recall.journal.open_prompts(person)
    return home_view(replace(facts, journal=tuple(prompt_blocks(prompts, desk.clock.now()))))


async def _access(desk: Desk, person: str) -> tuple[Json, ...]:
    if desk.access is None or not desk.rulebook().access.groups:
        return ()
    grants = await desk.access.open_grants()
    return tuple(home_blocks(grants, person, desk.directory, desk.clock.now()))
