"""The workspace's memory: who and what exists, how to find it, and who hears of a change."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.clock import Clock, SystemClock
from bot.workspace.errors import SlackError
from bot.workspace.model import (
    Call,
    Channel,
    Json,
    Message,
    ResponseHook,
    Shortcut,
    SlashCommand,
    Trigger,
    User,
    UserGroup,
    View,
)

T = TypeVar("T")

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 1800.0
RESPONSE_URL_USES = 5
ALL_SCOPES = frozenset(
    [
        "app_mentions:read",
        "bookmarks:read",
        "bookmarks:write",
        "channels:history",
        "channels:join",
        "channels:manage",
        "channels:read",
        "chat:write",
        "chat:write.public",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "groups:write",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "pins:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "usergroups:write",
        "users:read",
        "users:read.email",
    ]
)


@dataclass(frozen=True)
class Change:
    """Something is different now; `what` is one of message, view, home, call, user, group,
    channel and connection.
    """

    what: str
    channel: str | None = None
    user: str | None = None
    ts: str | None = None


class Records:
    """Everything a workspace remembers, without any wire format."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.stopwatch = stopwatch
        self.team_id = "T0LOCAL"
        self.team_name = "Local workspace"
        self.team_domain = "local"
        self.app_id = "A0LOCAL"
        self.bot_id = "B0LOCAL"
        self.bot_user_id = "U0BOT"
        self.bot_token = f"xoxb-local-{secrets.token_hex(12)}"
        self.app_token = f"xapp-local-{secrets.token_hex(12)}"
        self.user_token = f"xoxp-local-{secrets.token_hex(12)}"
        self.paid_plan = True
        """Free workspaces have no user groups."""
        self.bot_may_edit_groups = True
        """Whether the workspace lets everybody manage user groups; `user_token` always may."""
        self.signing_secret = secrets.token_hex(16)
        self.base_url = "http://127.0.0.1"
        self.ack_seconds = 3.0
        self.commands: tuple[SlashCommand, ...] = ()
        self.shortcuts: tuple[Shortcut, ...] = ()
        self.global_shortcuts: tuple[Shortcut, ...] = ()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, UserGroup] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, View] = {}
        self.unread: dict[str, dict[str, int]] = {}
        self.inputs: dict[tuple[str, str], Json] = {}
        self.triggers: dict[str, Trigger] = {}
        self.used_triggers: deque[str] = deque(maxlen=2000)
        self.hooks: dict[str, ResponseHook] = {}
        self.uploads: dict[str, Json] = {}
        self.tickets: dict[str, float] = {}
        self.scopes: set[str] = set(ALL_SCOPES)
        self.calls: deque[Call] = deque(maxlen=2000)
        self.listeners: list[Callable[[Change], None]] = []
        self._last_ts = 0
        self._serial = 0
        self._waiting: set[asyncio.Event] = set()

    # ------------------------------------------------------------ numbers and names

    def next_ts(self) -> str:
        """Slack's message id: seconds with six decimals, unique and increasing here."""
        micros = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(micros, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """A fresh id such as D000000A1; never reused, also after a restart."""
        self._serial += 1
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        number, text = self._serial, ""
        while number:
            number, rest = divmod(number, 36)
            text = digits[rest] + text
        return f"{prefix}{text:0>8}"

    def secret(self) -> str:
        return secrets.token_hex(16)

    # ------------------------------------------------------------ finding things

    def user(self, user_id: str) -> User:
        found = self.users.get(user_id)
        if found is None:
            raise SlackError("user_not_found")
        return found

    def person(self, name_or_id: str) -> User:
        """The user with this id, handle or e-mail."""
        name = name_or_id.removeprefix("@")
        for user in self.users.values():
            if name in {user.id, user.name, user.email}:
                return user
        raise SlackError("user_not_found")

    def conversation(self, name_or_id: str) -> Channel:
        """The channel with this id or name."""
        found = self.channels.get(name_or_id)
        if found is not None:
            return found
        name = name_or_id.removeprefix("#")
        for channel in self.channels.values():
            if channel.name == name and not channel.is_im:
                return channel
        raise SlackError("channel_not_found")

    def im(self, user_id: str) -> Channel:
        """The direct message between the bot and this user, opened when needed."""
        for channel in self.channels.values():
            if channel.im_user == user_id:
                return channel
        self.user(user_id)
        channel = Channel(
            id=self.next_id("D"),
            name="",
            is_private=True,
            created=self.seconds(),
            members=[self.bot_user_id, user_id],
            im_user=user_id,
        )
        self.channels[channel.id] = channel
        self.changed(Change("channel", channel.id))
        return channel

    def message(self, channel: str, ts: str) -> Message:
        found = self.conversation(channel).find(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def view(self, view_id: str) -> View:
        found = self.views.get(view_id)
        if found is None:
            raise SlackError("view_not_found")
        return found

    def top_view(self, user_id: str) -> View | None:
        """The modal that this person sees now."""
        stack = self.stacks.get(user_id)
        return self.views[stack[-1]] if stack else None

    def seconds(self) -> int:
        return int(self.clock.now().timestamp())

    # ------------------------------------------------------------ short-lived permissions

    def new_trigger(self, user: str) -> str:
        trigger = f"{self.seconds()}.{self._serial}.{self.secret()}"
        cutoff = self.stopwatch() - 60
        self.triggers = {k: t for k, t in self.triggers.items() if t.at >= cutoff}
        self.triggers[trigger] = Trigger(user, self.stopwatch())
        return trigger

    def spend_trigger(self, trigger: str) -> str:
        """The user who may see a view now; a trigger works once, for three seconds."""
        if trigger in self.used_triggers:
            raise SlackError("exchanged_trigger_id")
        found = self.triggers.pop(trigger, None)
        if found is None:
            raise SlackError("invalid_trigger_id")
        if self.stopwatch() - found.at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        self.used_triggers.append(trigger)
        return found.user

    def new_response_url(self, user: str, channel: str, message_ts: str | None = None) -> str:
        cutoff = self.stopwatch() - RESPONSE_URL_SECONDS
        self.hooks = {k: h for k, h in self.hooks.items() if h.at >= cutoff}
        token = self.secret()
        self.hooks[token] = ResponseHook(user, channel, self.stopwatch(), message_ts)
        return f"{self.base_url}/response/{token}"

    def spend_response(self, token: str) -> ResponseHook:
        hook = self.hooks.get(token)
        if hook is None or self.stopwatch() - hook.at > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url", status=404)
        if hook.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url", status=404)
        hook.uses += 1
        return hook

    # ------------------------------------------------------------ changes

    def changed(self, change: Change) -> None:
        for listener in list(self.listeners):
            listener(change)
        for event in self._waiting:
            event.set()

    async def until(self, check: Callable[[], T | None], seconds: float = 5.0) -> T:
        """Wait for the first truthy answer of `check`, asked at every change.

        Raises TimeoutError after `seconds` of real time.
        """
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                while not (answer := check()):
                    event.clear()
                    await event.wait()
            return answer
        finally:
            self._waiting.discard(event)

    def log(self, call: Call) -> None:
        self.calls.append(call)
        self.changed(Change("call"))
