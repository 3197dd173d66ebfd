"""Plays the story: waits for each moment, sends what is sent, lets people do what they do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

import aiohttp

from bot.courier import signature
from bot.demo.beats import (
    FIRING,
    PICTURE,
    RESOLVED,
    Beat,
    Click,
    Fill,
    Press,
    Send,
    SplitOff,
    Type,
    Until,
)
from bot.demo.hands import NotThereError, fill, press
from bot.demo.payloads import body
from bot.demo.stage import Stage
from bot.demo.watching import Kind, Seen
from bot.slack.views.consequences import SPLIT_OFF

_PATIENCE = 15.0
"""Seconds of the machine's own time that anything may take, beyond the night's."""
_LONGEST_STEP = timedelta(minutes=6)
_LONGEST_WAIT = timedelta(hours=1)
_CALM = timedelta(minutes=2)
"""Before hours are skipped, so that what was just said has gone out."""
_BEARERS = frozenset({"alertmanager", "generic"})
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class StoryError(Exception):
    """The story did not go on as it should; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One accepted delivery: the night's time and real seconds before it left."""

    kind: str
    body: str
    at: datetime
    clock: float
    size: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The night's time, and real seconds."""

    at: datetime
    clock: float


@dataclass(slots=True)
class Played:
    """What the player did: deliveries by body, numbers by name, and what came in marked beats.

    `began` is, by name, the moment before what opened the incident.
    """

    sent: dict[str, Sent] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    began: dict[str, Moment] = field(default_factory=dict)
    marked: dict[str, list[Seen]] = field(default_factory=dict)


class Player:
    """Plays beats on a stage; `strict` raises StoryError where a viewer may otherwise differ."""

    def __init__(
        self,
        stage: Stage,
        http: aiohttp.ClientSession,
        *,
        tell: Callable[[str], None],
        strict: bool,
    ) -> None:
        self.played = Played()
        self._stage = stage
        self._http = http
        self._tell = tell
        self._strict = strict
        self._watcher = stage.watcher

    def words(self, text: str) -> str:
        """Fill in names and numbers; raises StoryError for an incident that never came."""
        numbers = {name: f"#{number}" for name, number in self.played.numbers.items()}
        try:
            return text.format_map({**self._stage.names, **numbers})
        except KeyError as missing:
            raise StoryError(f"The incident {missing} was never opened.") from None

    async def play(self, beat: Beat) -> None:
        """Wait for the beat's minute, then let it happen; returns when it has had its effect."""
        stage = self._stage
        await self._until(stage.night(beat.night) + timedelta(minutes=beat.minute))
        before = len(self._watcher.seen)
        if beat.only_while and self._sign(beat.only_while[0]) != beat.only_while[1]:
            if self._strict:
                raise StoryError(f"{beat.only_while[0]} is not {beat.only_while[1]} any more.")
            return
        self._tell(self.words(beat.text))
        began = Moment(stage.clock.now(), self._watcher.workspace.stopwatch())
        await self._do(beat)
        if beat.opens:
            self.played.began[beat.opens[0]] = began
            await self._opened(*beat.opens)
        for until in beat.until:
            await self._wait(partial(self._reached, until, before), str(until))
        if beat.mark:
            # Long enough for whatever should not come.
            await stage.clock.sleep_until(stage.clock.now() + timedelta(minutes=1))
            seen = self.played.marked.setdefault(beat.mark, [])
            seen += self._watcher.seen[before:]

    async def _until(self, when: datetime) -> None:
        """Wait for a moment of the story; hours in which nothing happens are skipped."""
        clock = self._stage.clock
        if when - clock.now() > _LONGEST_WAIT:
            await clock.sleep_until(clock.now() + _CALM)
            clock.skip_to(when)
        await clock.sleep_until(when)

    def _sign(self, about: str) -> str:
        root = self._watcher.latest(Kind.ROOT, self.played.numbers.get(about, -1))
        return root.sign if root else ""

    async def _do(self, beat: Beat) -> None:
        match beat.deed:
            case Send(kind, name):
                await self._send(kind, name)
            case Click():
                await self._click(beat.deed)
            case Press() | Fill():
                await self._in_thread(beat.deed)
            case SplitOff():
                await self._split_off(beat.deed)
            case Type(who, text):
                await self._type(self._stage.cast[who], self.words(text))
            case None:
                return

    async def _send(self, kind: str, name: str) -> None:
        stage = self._stage
        source = stage.source(kind)
        at, clock = stage.clock.now(), stage.watcher.workspace.stopwatch()
        raw = await asyncio.to_thread(body, name, at)
        secret = source.secret.get_secret_value()
        headers = {"Content-Type": "application/json"}
        if kind in _BEARERS:
            headers["Authorization"] = f"Bearer {secret}"
        else:
            headers["X-Watchbill-Signature"] = signature(secret, raw)
        url = f"{stage.application.url}/hooks/{source.name}"
        async with self._http.post(url, data=raw, headers=headers, timeout=_TIMEOUT) as answer:
            if answer.status != HTTPStatus.ACCEPTED:
                raise StoryError(f"POST /hooks/{source.name} was answered {answer.status}.")
        self.played.sent[name] = Sent(kind=kind, body=name, at=at, clock=clock, size=len(raw))

    async def _click(self, deed: Click) -> None:
        who, number = self._stage.cast[deed.who], self.played.numbers[deed.about]
        page = self._watcher.latest(Kind.PAGE, number, who)
        if page is None or deed.button not in page.actions:
            if self._strict:
                raise StoryError(f"{who} has no button {deed.button!r} for #{number}.")
            return
        outcome = await self._watcher.workspace.click(who, page.channel, page.ts, deed.button)
        if self._strict and not outcome.acked:
            raise StoryError(f"{who}'s click was not answered: {outcome.error}")

    async def _split_off(self, deed: SplitOff) -> None:
        who, number = self._stage.cast[deed.who], self.played.numbers[deed.about]
        workspace = self._watcher.workspace
        for note in self._watcher.notes(number, SPLIT_OFF):
            message = workspace.channels[note.channel].find(note.ts)
            for block in message.blocks if message else ():
                text, beside = block.get("text") or {}, block.get("accessory") or {}
                if deed.alert in str(text.get("text")) and beside.get("action_id") == SPLIT_OFF:
                    await workspace.click(
                        who, note.channel, note.ts, SPLIT_OFF, block_id=block["block_id"]
                    )
                    return
        if self._strict:
            raise StoryError(f"There is no button to split {deed.alert!r} off #{number}.")

    async def _in_thread(self, deed: Press | Fill) -> None:
        who, number = self._stage.cast[deed.who], self.played.numbers[deed.about]
        try:
            if isinstance(deed, Press):
                await press(self._watcher, deed, who=who, number=number)
            else:
                await fill(self._watcher, deed, who=who, number=number)
        except NotThereError as missing:
            if self._strict:
                raise StoryError(str(missing)) from None

    async def _type(self, who: str, text: str) -> None:
        channel = self._stage.config.slack.alerts_channel
        outcome = await self._watcher.workspace.command(who, channel, text)
        if self._strict and outcome.error:
            raise StoryError(f"{text}: {outcome.error}")

    async def _opened(self, name: str, needle: str) -> None:
        def found() -> int:
            known = set(self.played.numbers.values())
            fits = (r.number for r in self._watcher.roots()
                    if needle in r.title and r.number not in known)  # fmt: skip
            return next(fits, 0)

        number = await self._wait(found, f"a message about {needle!r}")
        if number:
            self.played.numbers[name] = number

    def _reached(self, until: Until, since: int) -> bool:
        number = self.played.numbers.get(until.about, -1)
        if until.page:
            who = self._stage.cast[until.page]
            moved_on = not self._strict and self._sign(until.about) != FIRING
            return moved_on or self._watcher.latest(Kind.PAGE, number, who) is not None
        if until.sign:
            return self._sign(until.about) == until.sign
        if until.thread and not self._strict and self._sign(until.about) == RESOLVED:
            return True
        if until.thread:
            notes = self._watcher.notes(number, until.thread if until.thread != PICTURE else "")
            return any(until.thread != PICTURE or note.pictures for note in notes)
        if until.says:
            return self._watcher.says(number, until.says)
        if until.told:
            # in a viewer's night somebody may have been faster, or have taken other ways
            return not self._strict or self._watcher.heard(until.told) is not None
        who = self._stage.cast[until.answer]
        return any(s.kind is Kind.ANSWER and s.place == who for s in self._watcher.seen[since:])

    async def _wait(self, check: Callable[[], int | bool], what: str) -> int | bool:
        longest = _PATIENCE + _LONGEST_STEP.total_seconds() / self._stage.speed
        try:
            return await self._watcher.workspace.until(check, longest)
        except TimeoutError:
            if self._strict:
                raise StoryError(f"Waited {longest:.0f} s in vain for {what}.") from None
            return False
