"""Writes down what the workspace really received: every message, page, answer and refusal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.workspace.model import Message
from bot.workspace.mrkdwn_dates import format_date, zone_of
from bot.workspace.records import Change
from bot.workspace.state import Workspace

_INCIDENT = re.compile(r"incident:(\d+)")
_TOKEN = re.compile(r"<([^<>]+)>")
_DATE = re.compile(r"!date\^(\d+)\^([^|^]+)")
_BOLD = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")


class Kind(StrEnum):
    ROOT = "root"
    PAGE = "page"
    NOTE = "note"
    ANSWER = "answer"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One message as it was posted or edited; `at` is the night's time, `clock` real seconds.

    `place` is a channel's name or a person's handle, `number` the incident's, 0 for none;
    `lines` are its blocks with text: the header, the state, the rest; `text` is what a phone
    shows; `pictures` are described in words. In a thread `number` is that of its incident.
    `news` are the lines below the title that an edit has changed.
    """

    at: datetime
    clock: float
    kind: Kind
    edited: bool
    place: str
    number: int
    lines: tuple[str, ...]
    text: str
    actions: frozenset[str]
    channel: str
    ts: str
    pictures: tuple[str, ...] = ()
    news: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.lines[0] if self.lines else ""

    @property
    def state(self) -> str:
        return self.lines[1] if len(self.lines) > 1 else ""

    @property
    def sign(self) -> str:
        """The state at a glance: 🔴, 🟡, 🟢, 💤 or 🔕."""
        return self.title[:1]


class Watcher:
    """Listens to a workspace from its beginning."""

    def __init__(self, workspace: Workspace, zone: str) -> None:
        self.seen: list[Seen] = []
        self.calls = 0
        self.refusals: list[str] = []
        self.workspace = workspace
        self._zone = zone_of(zone)
        self._latest: dict[tuple[str, str], Seen] = {}
        workspace.listeners.append(self._note)

    def see(self, things: Iterable[Seen]) -> None:
        """Write down what was seen."""
        for one in things:
            self.seen.append(one)
            self._latest[one.channel, one.ts] = one

    def latest(self, kind: Kind, number: int, place: str = "") -> Seen | None:
        """The present form of the last message of this kind about an incident."""
        found = [s for s in self._latest.values()
                 if (s.kind, s.number) == (kind, number) and place in {"", s.place}]  # fmt: skip
        return found[-1] if found else None

    def roots(self) -> list[Seen]:
        """Every incident's message in a channel as it now stands, in the order of posting."""
        return [s for s in self._latest.values() if s.kind is Kind.ROOT]

    def posts(self, kind: Kind, number: int = 0) -> Iterator[Seen]:
        """What was posted, without edits; of one incident when `number` is given."""
        return (s for s in self.seen
                if s.kind is kind and not s.edited and number in {0, s.number})  # fmt: skip

    def notes(self, number: int, action: str = "") -> Iterator[Seen]:
        """What stands in an incident's thread, with a button of this action if one is given."""
        return (s for s in self._latest.values()
                if (s.kind, s.number) == (Kind.NOTE, number)
                and (not action or action in s.actions))  # fmt: skip

    def says(self, number: int, words: str) -> bool:
        """Say whether these words stand in an incident's message or thread now."""
        return any(words in line
                   for s in self._latest.values()
                   if s.number == number and s.kind in {Kind.ROOT, Kind.NOTE}
                   for line in (s.text, *s.lines))  # fmt: skip

    def heard(self, words: str, place: str = "") -> Seen | None:
        """Return when a message about no incident first had these words, there or anywhere."""
        told = (s for s in self.seen if s.kind is Kind.OTHER and words in s.text)
        return next((s for s in told if place in {"", s.place}), None)

    def plain(self, text: str) -> str:
        """Return mrkdwn as a person reads it, in the zone of the story."""
        said = _BOLD.sub(r"\1", _TOKEN.sub(self._token, text))
        return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    def _token(self, hit: re.Match[str]) -> str:
        inner, _, label = hit[1].partition("|")
        if date := _DATE.match(inner):
            return format_date(int(date[1]), date[2], self._zone, self.workspace.clock.now())
        if inner.startswith("@") and inner[1:] in self.workspace.users:
            return self.workspace.users[inner[1:]].real_name
        if inner.startswith("#") and inner[1:] in self.workspace.channels:
            return f"#{self.workspace.channels[inner[1:]].name}"
        return label or inner

    def _note(self, change: Change) -> None:
        if change.what == "call":
            self._note_call()
        elif change.what == "message" and change.channel and change.ts:
            channel = self.workspace.channels[change.channel]
            message = channel.find(change.ts)
            if message is not None and message.user == self.workspace.bot_user_id:
                self._note_message(message)

    def _note_call(self) -> None:
        call = self.workspace.calls[-1]
        self.calls += call.by == "bot"
        if call.by == "bot" and call.answer != "ok":
            self.refusals.append(f"{call.method}: {call.answer}")

    def _note_message(self, message: Message) -> None:
        key = (message.channel, message.ts)
        before = self._latest.get(key)
        seen = self._seen(message, edited=before is not None)
        if before is None:
            self.see([seen])
        elif (before.lines, before.text) != (seen.lines, seen.text):
            old = set(_flat(before.lines))
            news = tuple(line for line in _flat(seen.lines[1:]) if line not in old)
            self.see([replace(seen, news=news)])

    def _seen(self, message: Message, *, edited: bool) -> Seen:
        channel = self.workspace.channels[message.channel]
        reader = message.only_for or channel.im_user
        number, actions = _incident(message.blocks)
        if message.is_reply:
            root = self._latest.get((message.channel, message.thread_ts or ""))
            number = root.number if root else 0
        lines = tuple(self.plain(line) for line in _lines(message.blocks))
        return Seen(
            at=self.workspace.clock.now(),
            clock=self.workspace.stopwatch(),
            kind=_kind(message, number, in_dm=channel.is_im),
            edited=edited,
            place=self.workspace.users[reader].name if reader else channel.name,
            number=number,
            lines=lines,
            text=self.plain(message.text),
            actions=actions,
            channel=message.channel,
            ts=message.ts,
            pictures=tuple(str(file.get("alt_txt") or "") for file in message.files),
        )


def _kind(message: Message, number: int, *, in_dm: bool) -> Kind:
    if message.only_for:
        return Kind.ANSWER
    if message.is_reply:
        return Kind.NOTE
    if not number:
        return Kind.OTHER
    return Kind.PAGE if in_dm else Kind.ROOT


def _flat(blocks: Sequence[str]) -> list[str]:
    return [line for text in blocks for line in text.splitlines() if line]


def _incident(blocks: Sequence[dict[str, Any]]) -> tuple[int, frozenset[str]]:
    """Return the incident that the buttons are for, 0 for none, and the actions there are."""
    beside = frozenset(
        str(block["accessory"].get("action_id", "")) for block in blocks if block.get("accessory")
    )
    for block in blocks:
        if hit := _INCIDENT.fullmatch(str(block.get("block_id", ""))):
            return int(hit[1]), beside | {str(e["action_id"]) for e in block["elements"]}
    return 0, beside


def _lines(blocks: Sequence[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        text = block.get("text")
        if isinstance(text, dict):
            yield str(text["text"])
