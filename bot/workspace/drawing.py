"""What the page's templates see: channels, messages and views as one person sees them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader

from bot.workspace import inputs
from bot.workspace.emoji import glyph
from bot.workspace.model import Channel, Json, Message, View
from bot.workspace.mrkdwn import Reader
from bot.workspace.mrkdwn_dates import format_date, zone_of
from bot.workspace.rich_text import cell, markdown, rich_text
from bot.workspace.state import Workspace
from bot.workspace.wire import channel_name

SHOWN_MESSAGES = 200
SHOWN_CALLS = 150
HUES = 8


def environment() -> Environment:
    env = Environment(
        loader=PackageLoader("bot.workspace", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["glyph"] = glyph
    env.filters["pretty"] = _pretty
    return env


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@dataclass(frozen=True)
class Row:
    """A message and what stands around it."""

    message: Message
    name: str
    initials: str
    hue: int
    is_bot: bool
    clock: str
    day: str
    date_title: str
    follows: bool
    state: Json


class Drawing:
    """One person's sight of the workspace."""

    def __init__(self, workspace: Workspace, viewer: str) -> None:
        self.workspace = workspace
        self.viewer = workspace.users[viewer]
        self.reader = Reader(workspace, viewer)
        self.zone = zone_of(self.viewer.tz)

    # ------------------------------------------------------------ text

    def text(self, thing: Any) -> Any:
        """A text object."""
        if not isinstance(thing, dict):
            return ""
        text = str(thing.get("text", ""))
        return self.reader.plain(text) if thing.get("type") == "plain_text" else self.rich(text)

    def rich(self, text: str) -> Any:
        return self.reader.mrkdwn(text)

    def rich_block(self, block: Json) -> Any:
        return rich_text(self.reader, block)

    def markdown(self, text: str) -> Any:
        return markdown(self.reader, text)

    def cell(self, value: Json) -> Any:
        return cell(self.reader, value)

    def held(self, block: Json, element: Json, state: Json) -> list[str]:
        """The values an input holds now, as strings."""
        if element["type"] not in inputs.SHAPES:
            return []
        entry = state.get(block["block_id"], {}).get(element["action_id"])
        entry = entry or inputs.initial(element)
        value = entry.get(inputs.SHAPES[element["type"]][0])
        many = value if isinstance(value, list) else [] if value is None else [value]
        return [str(v["value"]) if isinstance(v, dict) else str(v) for v in many]

    # ------------------------------------------------------------ people and places

    def initials(self, user_id: str) -> str:
        user = self.workspace.users.get(user_id)
        words = (user.real_name if user else "?").split()
        return "".join(word[0] for word in words[:2]).upper()

    def hue(self, user_id: str) -> int:
        return sum(user_id.encode()) % HUES

    def name(self, channel: Channel) -> str:
        return channel_name(self.workspace, channel, self.viewer.id)

    def unread(self, channel: Channel | None, user: str | None = None) -> int:
        if channel is None:
            return 0
        return self.workspace.unread.get(user or self.viewer.id, {}).get(channel.id, 0)

    def waiting(self, user: str) -> int:
        """Unread direct messages of a person: what the switcher shows beside the name."""
        marks = self.workspace.unread.get(user, {})
        channels = self.workspace.channels
        return sum(n for place, n in marks.items() if place in channels and channels[place].is_im)

    def people(self) -> list[Any]:
        return [u for u in self.workspace.users.values() if not u.is_bot and not u.deleted]

    def channels(self) -> list[Channel]:
        return sorted(
            (
                c
                for c in self.workspace.channels.values()
                if not c.is_im and (not c.is_private or self.viewer.id in c.members)
            ),
            key=lambda channel: (channel.is_archived, channel.name),
        )

    def may_see(self, channel: Channel) -> bool:
        return not channel.is_private or self.viewer.id in channel.members

    # ------------------------------------------------------------ messages

    def rows(self, channel: Channel, thread: str | None = None) -> list[Row]:
        if thread is None:
            found = channel.timeline()[-SHOWN_MESSAGES:]
        else:
            found = channel.thread(thread)
        found += [
            m
            for m in channel.ephemerals.values()
            if m.only_for == self.viewer.id and m.thread_ts == thread
        ]
        rows: list[Row] = []
        for message in sorted(found, key=lambda m: m.ts):
            rows.append(self._row(message, rows[-1] if rows else None))
        return rows

    def _row(self, message: Message, before: Row | None) -> Row:
        user = self.workspace.users.get(message.user)
        at = datetime.fromtimestamp(float(message.ts), UTC)
        day = self.date(message.ts, "{day_divider_pretty}")
        follows = (
            before is not None
            and before.message.user == message.user
            and before.day == day
            and (before.message.only_for is None) == (message.only_for is None)
            and float(message.ts) - float(before.message.ts) < 300
            and not (message.blocks or before.message.blocks)
        )
        return Row(
            message=message,
            name=message.username or (user.real_name if user else message.user),
            initials=self.initials(message.user),
            hue=self.hue(message.user),
            is_bot=bool(message.bot_id),
            clock=f"{at.astimezone(self.zone):%H:%M}",
            day=day,
            date_title=self.date(message.ts, "{date_long} {time_secs}") + f" {self.zone.key}",
            follows=follows,
            state=self.workspace.inputs.get(
                (f"{message.channel}:{message.ts}", self.viewer.id), {}
            ),
        )

    def date(self, ts: str, pattern: str) -> str:
        return format_date(int(float(ts)), pattern, self.zone, self.workspace.clock.now())

    def local(self, stamp: str) -> str:
        """A UNIX timestamp as the value of a datetime-local input in the viewer's zone."""
        return f"{datetime.fromtimestamp(int(stamp), self.zone):%Y-%m-%dT%H:%M}"

    def edited(self, message: Message) -> str:
        return self.date(message.edited or message.ts, "{date_pretty} {time}")

    def names(self, user_ids: list[str]) -> str:
        users = self.workspace.users
        return ", ".join(users[u].real_name if u in users else u for u in user_ids)

    # ------------------------------------------------------------ views and calls

    def modal(self) -> View | None:
        return self.workspace.top_view(self.viewer.id)

    def home(self) -> View | None:
        return self.workspace.homes.get(self.viewer.id)

    def calls(self) -> list[Any]:
        return list(self.workspace.calls)[-SHOWN_CALLS:][::-1]
