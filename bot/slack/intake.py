"""The way in: who asks, where they hear the answer, and storing the wish before Slack is told."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.acts.act import SLACK, Act, ActPayload, AnswerTo, act_to_json
from bot.ports.inbox import Inbox, NewDelivery
from bot.slack.api import LOG, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.text import as_read
from bot.slack.wishes import Typist

Ack = Callable[..., Awaitable[Any]]
Handler = Callable[[Ack, Json], Awaitable[None]]

NOT_STORED = "Watchbill could not save that, so nothing was done. Please try again."
OUTDATED = "That button is from another version. Try `/oncall help`."
_NO_TEXT = "This content can't be displayed"
"""What Slack puts where a tool gave blocks and no text."""
_MOST_PARTS = 50
_NUMBER = re.compile(r"[0-9]{1,9}")


class Running:
    """Counts handlers at work, so that shutting down can wait for them."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()

    async def idle(self) -> None:
        """Return when no handler is at work."""
        await self._idle.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One person asking: `user` is their Slack id, `key` ours. `trigger` opens one modal."""

    user: str
    key: str
    channel: str = ""
    response_url: str = ""
    trigger: str = ""

    def answer_to(self, *, quiet: bool = False) -> AnswerTo:
        return AnswerTo(self.user, self.channel, self.response_url, quiet)

    def metadata(self, number: int = 0) -> str:
        """What a modal carries for its submission: the incident, and where to answer."""
        kept = {"n": number, "c": self.channel, "r": self.response_url}
        return json.dumps({name: value for name, value in kept.items() if value})


@dataclass(frozen=True, slots=True)
class Intake:
    """What every listener works with."""

    inbox: Inbox
    desk: Desk
    running: Running

    def caller(self, body: Json) -> Caller:
        """Tell who sent an interaction, a command or a shortcut, without asking Slack."""
        user = body["user"]["id"] if isinstance(body.get("user"), dict) else body["user_id"]
        channel = (body.get("channel") or {}).get("id") or body.get("channel_id") or ""
        found = Caller(
            user=user,
            key=self.desk.directory.key_of(user),
            channel=str(channel),
            response_url=str(body.get("response_url") or ""),
            trigger=str(body.get("trigger_id") or ""),
        )
        kept = read_metadata(body.get("view") or {})
        if not found.channel and kept.get("c"):
            found = replace(found, channel=str(kept["c"]))
        return replace(found, response_url=str(kept["r"])) if kept.get("r") else found

    def typist(self, user: str) -> Typist:
        directory = self.desk.directory
        return Typist(
            by=directory.key_of(user),
            now=self.desk.clock.now(),
            zone=directory.zone_of(user),
            people=directory.people,
            on_call=self.desk.on_call(),
        )

    async def store(self, act: Act, to: AnswerTo, key: str) -> None:
        """Store an act durably; `key` makes a repetition harmless. Raises NotStoredError."""
        body = act_to_json(ActPayload(act=act, answer_to=to))
        await self.inbox.accept(
            NewDelivery(
                source=SLACK, key=f"slack:{key}", body=body, content_type="application/json"
            )
        )

    def read(self, message: Json) -> str:
        """Return what a message says as people see it, with the names of those it mentions."""
        directory = self.desk.directory
        said = written_in(message)
        return as_read(said, lambda user: directory.name(directory.key_of(user)))

    async def whisper(self, caller: Caller, message: Json) -> None:
        """Tell the caller something only they see, as best we can.

        By the response_url, which may be used up; else where they are; else directly.
        """
        api = self.desk.api
        if caller.response_url:
            answer = {"response_type": "ephemeral", "replace_original": False, **message}
            if await api.respond(caller.response_url, answer) < 400:
                return
        if caller.channel:
            try:
                await api.ephemeral(caller.channel, caller.user, message)
            except SlackRefusedError as refused:
                LOG.info("a whisper becomes a direct message: %s", refused)
            else:
                return
        channel = await self.desk.places.messages_with(caller.user)
        await api.post(channel, message, f"whisper:{caller.trigger}")


def form_key(view: Json) -> str:
    """Name what a form sent: the same again is a repetition, another answer in it is none.

    Slack leaves a form open when it did not hear in time that it was stored. What was filled in
    counts and not the act: of "1h" each second makes another.
    """
    filled = json.dumps((view.get("state") or {}).get("values"), sort_keys=True)
    return f"view:{view['id']}:{hashlib.sha256(filled.encode()).hexdigest()[:16]}"


def written_in(message: Json) -> str:
    """Return a message's text as Slack writes it; many tools have it in attachments or blocks."""
    text = str(message.get("text") or "")
    if text.strip() and not text.startswith(_NO_TEXT):
        return text
    found = _texts_of(message.get("blocks"))
    for one in _listed(message.get("attachments")):
        own = [str(one[name]) for name in ("pretext", "title", "text") if one.get(name)]
        own += _texts_of(one.get("blocks"))
        found += own or [str(one.get("fallback") or "")]
    return "\n".join(filter(None, found))


def _texts_of(blocks: object) -> list[str]:
    parts = [part for one in _listed(blocks)
             for part in (one.get("text"), *_listed(one.get("fields")))]  # fmt: skip
    return [str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text")]


def _listed(found: object) -> list[Json]:
    listed = found if isinstance(found, list) else []
    return [one for one in listed[:_MOST_PARTS] if isinstance(one, dict)]


def read_number(written: object) -> int | None:
    """Read the number that a button or field carries; None where it carries none of ours."""
    text = str(written)
    return int(text) if _NUMBER.fullmatch(text) else None


def read_metadata(view: Json) -> Json:
    """Read what `Caller.metadata` wrote; {} for a view that carries nothing of ours."""
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
