"""What Slack tells by itself: a home opened, a direct message, a mention; and the shortcuts."""

import re
from collections import OrderedDict
from datetime import timedelta

from bot.acts.act import AnswerTo
from bot.ports.delivering import RetryLaterError
from bot.slack.api import LOG
from bot.slack.blocks import Json
from bot.slack.intake import Ack, Intake
from bot.slack.replies import render_home
from bot.slack.text import md
from bot.slack.views import modals
from bot.slack.views.answers import said
from bot.slack.words import Words

_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[\s:,]*")
_REMEMBERED = 500
_TRIES = 4
_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=1)


class Happenings:
    """Handles events and shortcuts."""

    def __init__(self, intake: Intake, words: Words) -> None:
        self._intake = intake
        self._desk = intake.desk
        self._words = words
        self._heard: OrderedDict[str, None] = OrderedDict()

    async def home_opened(self, ack: Ack, body: Json) -> None:
        await ack()
        event = body["event"]
        if event.get("tab", "home") != "home":
            return
        user = str(event["user"])
        await self._desk.directory.learn(user)
        await self._desk.api.show_home(user, await render_home(self._desk, user))

    async def hear(self, body: Json) -> Json | None:
        """Carry out a direct message or a mention: the same words as after `/oncall`.

        Whatever it asks for is stored when this returns; the answer is None when it comes later.
        """
        event = body["event"]
        is_direct = event.get("channel_type") == "im"
        key = _key(body)
        if not _is_for_us(event) or self._is_repeated(key):
            return None
        user, channel = str(event["user"]), str(event["channel"])
        text = _MENTION.sub("", str(event.get("text") or ""))
        return await self._words.hear(text, user, AnswerTo(user, channel), key, private=is_direct)

    async def reply(self, body: Json, answer: Json | None) -> None:
        """Post the answer where the words were written."""
        event = body["event"]
        if not _is_for_us(event):
            return
        if answer is not None:
            apart = "" if event.get("channel_type") == "im" else event["ts"]
            thread = str(event.get("thread_ts") or apart)
            more = {"thread_ts": thread} if thread else {}
            await self._post(str(event["channel"]), answer, _key(body), more)
        await self._desk.directory.learn(str(event["user"]))

    async def _post(self, channel: str, answer: Json, key: str, more: Json) -> None:
        """Post once Slack takes it: no job stands behind an answer, and nobody asks twice."""
        for _ in range(_TRIES - 1):
            try:
                await self._desk.api.post(channel, answer, key, **more)
            except RetryLaterError as later:
                wait = min(later.after or _FIRST_WAIT, _LONGEST_WAIT)
                LOG.info("an answer waits %s: %s", wait, later)
                await self._desk.clock.sleep_until(self._desk.clock.now() + wait)
            else:
                return
        await self._desk.api.post(channel, answer, key, **more)

    async def other_event(self, ack: Ack, _body: Json) -> None:
        """Something we did not ask for; Slack would send it again unacknowledged."""
        await ack()

    async def page_someone(self, ack: Ack, body: Json) -> None:
        """The global shortcut."""
        await ack()
        caller = self._intake.caller(body)
        view = modals.open_modal("Page someone", self._desk.on_call(), caller.metadata())
        await self._desk.api.open_modal(caller.trigger, view)

    async def create_incident(self, ack: Ack, body: Json) -> None:
        """The message shortcut: the message becomes the details."""
        await ack()
        caller = self._intake.caller(body)
        text = self._intake.read(body.get("message") or {})
        first = next((line.strip() for line in text.splitlines() if line.strip()), "")
        view = modals.open_modal(
            "Create incident",
            self._desk.on_call(),
            caller.metadata(),
            title=first[:200],
            details=text[:2000],
        )
        await self._desk.api.open_modal(caller.trigger, view)

    async def unknown_shortcut(self, ack: Ack, body: Json) -> None:
        await ack()
        text = md("That shortcut is from another version. Try `/oncall help`.")
        await self._intake.whisper(self._intake.caller(body), said(text))

    def _is_repeated(self, key: str) -> bool:
        if key in self._heard:
            return True
        self._heard[key] = None
        if len(self._heard) > _REMEMBERED:
            self._heard.popitem(last=False)
        return False


def _key(body: Json) -> str:
    return f"event:{body.get('event_id', body['event']['ts'])}"


def _is_for_us(event: Json) -> bool:
    as_written = event.get("subtype") in {None, "", "file_share", "thread_broadcast"}
    from_a_person = event.get("user") and not event.get("bot_id") and as_written
    is_direct = event.get("channel_type") == "im"
    return bool(from_a_person) and (is_direct or event["type"] == "app_mention")
