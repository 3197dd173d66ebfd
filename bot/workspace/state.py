"""The workspace as others use it: seeded with people and channels, kept in a file if wanted."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bot.clock import Clock
from bot.workspace import snapshot
from bot.workspace.acting_views import ActingInViews
from bot.workspace.delivering import DEFAULT_EVENTS
from bot.workspace.http_mode import HttpMode
from bot.workspace.model import Channel, Message, Shortcut, SlashCommand, User, UserGroup
from bot.workspace.rate_limits import RateLimits
from bot.workspace.records import Change

Entry = Mapping[str, Any]
SAVE_AFTER = 0.1
SAVED_CHANGES = frozenset({"message", "view", "home", "channel", "group", "user"})


class Workspace(ActingInViews):
    """One team of people, one app.

    `commands`, `shortcuts` and `global_shortcuts` are what the app registers in its manifest;
    without `commands`, every slash command is delivered. `events` are its subscriptions, such
    as "message.im". With `path`, the state outlives the process; a file that is there is read,
    and `seed` then adds only what is new. `stopwatch` measures the life of triggers and
    response_urls in real seconds, whatever `clock` does.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        commands: Iterable[SlashCommand] = (),
        shortcuts: Iterable[Shortcut] = (),
        global_shortcuts: Iterable[Shortcut] = (),
        events: Iterable[str] = DEFAULT_EVENTS,
        path: Path | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock=clock, stopwatch=stopwatch, events=frozenset(events))
        self.commands = tuple(commands)
        self.shortcuts = tuple(shortcuts)
        self.global_shortcuts = tuple(global_shortcuts)
        self.rate_limits: RateLimits | None = None
        self._path = path
        self._save_timer: asyncio.TimerHandle | None = None
        self.saving: asyncio.Event | None = None
        self._last_save_took = 0.0
        if path is not None:
            snapshot.load(self, path)
            self.listeners.append(self._note)

    def seed(
        self,
        *,
        users: Iterable[Entry] = (),
        channels: Iterable[Entry] = (),
        user_groups: Iterable[Entry] = (),
        app_name: str = "Watchbill",
        bot_user: Entry | None = None,
        team_name: str | None = None,
    ) -> None:
        """Add people, channels and groups; what is there under the same id or name stays.

        users: {id?, name, real_name?, email?, tz?, is_bot?}; channels: {id?, name, is_private?,
        topic?, members?} where members are names or ids, everybody and the bot by default;
        user_groups: {id?, handle, name?, users?}. bot_user: as a user.
        """
        self.team_name = team_name or self.team_name
        self._seed_user({"name": app_name.lower(), "real_name": app_name, "id": self.bot_user_id}
                        | dict(bot_user or {}) | {"is_bot": True})  # fmt: skip
        if bot_user and "id" in bot_user:
            self.bot_user_id = str(bot_user["id"])
        for entry in users:
            self._seed_user(entry)
        for entry in channels:
            self._seed_channel(entry)
        for entry in user_groups:
            self._seed_group(entry)
        self.changed(Change("channel"))

    def _seed_user(self, entry: Entry) -> None:
        name = str(entry["name"])
        if any(user.name == name for user in self.users.values()):
            return
        self.add_user(**{"real_name": name.replace(".", " ").title(), **entry})

    def add_user(
        self,
        *,
        name: str,
        real_name: str = "",
        email: str = "",
        tz: str = "Etc/UTC",
        id: str | None = None,  # noqa: A002  # Slack's own word for it
        is_bot: bool = False,
    ) -> User:
        user = User(id or self.next_id("U"), name, real_name or name, email, tz, is_bot)
        self.users[user.id] = user
        self.changed(Change("user", user=user.id))
        return user

    def _seed_channel(self, entry: Entry) -> None:
        name = str(entry["name"]).removeprefix("#")
        if any(channel.name == name for channel in self.channels.values()):
            return
        self.add_channel(**{**entry, "name": name})

    def add_channel(
        self,
        *,
        name: str,
        id: str | None = None,  # noqa: A002  # Slack's own word for it
        is_private: bool = False,
        topic: str = "",
        members: Iterable[str] | None = None,
    ) -> Channel:
        """A channel of `members` (ids or names); everybody and the bot when not given."""
        who = list(self.users) if members is None else [self.person(m).id for m in members]
        channel = Channel(
            id=id or self.next_id("C"),
            name=name,
            is_private=is_private,
            topic=topic,
            created=self.seconds(),
            members=who,
        )
        self.channels[channel.id] = channel
        self.changed(Change("channel", channel.id))
        return channel

    def _seed_group(self, entry: Entry) -> None:
        handle = str(entry["handle"])
        if any(group.handle == handle for group in self.groups.values()):
            return
        now = self.seconds()
        group = UserGroup(
            id=str(entry.get("id") or self.next_id("S")),
            handle=handle,
            name=str(entry.get("name") or handle),
            users=[self.person(name).id for name in entry.get("users", ())],
            created=now,
            updated=now,
        )
        self.groups[group.id] = group

    # ------------------------------------------------------------ looking

    def messages(self, channel: str, *, viewer: str | None = None) -> list[Message]:
        """Everything in a channel, threads included, oldest first; with the ephemeral messages
        of `viewer`. A user's id or name means the direct message between them and the bot.
        """
        place = self.dm(channel) if self._is_person(channel) else self.conversation(channel)
        found = list(place.messages.values())
        if viewer is not None:
            who = self.person(viewer).id
            found += [m for m in place.ephemerals.values() if m.only_for == who]
        return sorted(found, key=lambda message: message.ts)

    def dm(self, user: str) -> Channel:
        """The direct message between the bot and this person."""
        return self.im(self.person(user).id)

    def _is_person(self, name: str) -> bool:
        return any(name in {user.id, user.name} for user in self.users.values())

    # ------------------------------------------------------------ the app's line

    def limit_rates(self) -> None:
        """Answer 429 from now on wherever the real service would."""
        self.rate_limits = RateLimits(self.stopwatch)

    async def use_http(self, request_url: str) -> bool:
        """Deliver by signed requests to this URL from now on; True if it echoes the challenge."""
        await self.link.close()
        link = HttpMode(request_url, self.signing_secret, self.ack_seconds)
        self.link = link
        return await link.verify()

    # ------------------------------------------------------------ the file

    def _note(self, change: Change) -> None:
        if self._save_timer is None and change.what in SAVED_CHANGES:
            # A big workspace is written less often, so that writing never fills the loop.
            delay = max(SAVE_AFTER, 10 * self._last_save_took)
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._save_timer = loop.call_later(delay, self.save)
            self.saving = asyncio.Event()

    def save(self) -> None:
        """Write the state now."""
        if self._save_timer is not None:
            self._save_timer.cancel()
            self._save_timer = None
        if self._path is not None:
            began = self.stopwatch()
            snapshot.save(self, self._path)
            self._last_save_took = self.stopwatch() - began
            if self.saving is not None:
                self.saving.set()
