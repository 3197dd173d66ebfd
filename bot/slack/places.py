"""Where things stand in Slack: channels by name, direct messages, user groups, our own posts."""

import asyncio
import re
from datetime import datetime

from bot.ports.delivering import CLOCKS_APART, GiveUpError, RetryLaterError
from bot.slack.api import LOG, SlackApi, SlackRefusedError
from bot.slack.blocks import Json

_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,20}")
_MOST_PAGES = 50


class Places:
    """Looks things up once and remembers them."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._channels: dict[str, str] = {}
        self._cursor = ""
        self._laps = 0
        self._sought: dict[str, int] = {}
        """After how many laps of the whole list a channel that was not in it is none."""
        self._listing = asyncio.Lock()
        self._failed: RetryLaterError | None = None
        self._messages_with: dict[str, str] = {}
        self._groups: dict[str, str] = {}

    async def channel(self, name: str) -> str:
        """Return a channel's id by its name; raises GiveUpError when there is none."""
        bare = name.removeprefix("#")
        if _CHANNEL_ID.fullmatch(bare):
            return bare
        if bare not in self._channels:
            await self._list_channels(bare)
        found = self._channels.get(bare)
        if found is None:
            raise GiveUpError(
                f"Slack shows no channel #{bare}: create it, or /invite @Watchbill if it is private"
            )
        return found

    def known_channel(self, name: str) -> str:
        """Return a channel's id if it is known without asking, else ""."""
        return self._channels.get(name.removeprefix("#"), "")

    async def _list_channels(self, wanted: str) -> None:
        """Read on from where the last listing stopped, once around; one at a time.

        Slack lets so few pages be read in a minute that who begins anew after each refusal never
        reaches the last of many.
        """
        before = self._failed
        async with self._listing:
            if self._failed is not None and self._failed is not before:
                raise self._failed  # what stopped the one that was waited for stops this one
            enough = self._sought.setdefault(wanted, self._laps + (2 if self._cursor else 1))
            for _ in range(2 * _MOST_PAGES):
                if wanted in self._channels or self._laps >= enough:
                    break
                await self._list_on()
            del self._sought[wanted]

    async def _list_on(self) -> None:
        """Read one page of channels."""
        try:
            page = await self._api.read(
                "conversations.list",
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=1000,
                cursor=self._cursor,
            )
        except SlackRefusedError as refused:
            if not self._cursor:
                raise
            self._cursor = ""
            raise RetryLaterError(f"the list of channels is begun anew: {refused}") from refused
        except RetryLaterError as error:
            self._failed = error
            raise
        self._channels |= {c["name"]: c["id"] for c in page.get("channels", [])}
        self._cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        self._laps += not self._cursor

    async def moved(self, name: str) -> str:
        """Look a channel up anew, "" when there is none: it was renamed, archived or made anew."""
        self._channels.pop(name.removeprefix("#"), None)
        try:
            return await self.channel(name)
        except GiveUpError:
            return ""

    async def join(self, channel: str) -> bool:
        """Try to enter a public channel; False when that is not allowed."""
        try:
            await self._api.call("conversations.join", channel=channel)
        except SlackRefusedError:
            return False
        return True

    async def messages_with(self, user: str) -> str:
        """Return the channel of direct messages with a person."""
        if user not in self._messages_with:
            answer = await self._api.call("conversations.open", users=user)
            self._messages_with[user] = str(answer["channel"]["id"])
        return self._messages_with[user]

    def forget_messages(self, user: str) -> None:
        """Ask for the channel of direct messages again next time."""
        self._messages_with.pop(user, None)

    async def group(self, handle: str) -> str:
        """Return a user group's id by its handle; raises GiveUpError when there is none."""
        bare = handle.removeprefix("@")
        if bare not in self._groups:
            answer = await self._api.read("usergroups.list")
            self._groups = {g["handle"]: g["id"] for g in answer.get("usergroups", [])}
        if bare not in self._groups:
            raise GiveUpError(f"Slack has no user group @{bare}: create it, or correct the policy")
        return self._groups[bare]

    async def posted(
        self, channel: str, key: str, since: datetime, thread: str = ""
    ) -> tuple[str, str] | None:
        """Find our own message marked with `key`, posted since then; (channel, ts) or None.

        Without the right to read history nothing is found: a page twice is better than none.
        """
        cursor = ""
        oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
        method = "conversations.replies" if thread else "conversations.history"
        for _ in range(_MOST_PAGES):
            try:
                page = await self._api.read(
                    method,
                    channel=channel,
                    ts=thread,
                    oldest=oldest,
                    inclusive=True,
                    include_all_metadata=True,
                    limit=200,
                    cursor=cursor,
                )
            except SlackRefusedError as refused:
                if refused.code == "not_in_channel" and await self.join(channel):
                    continue
                LOG.warning("cannot look for an earlier post in %s: %s", channel, refused)
                return None
            found = next((m for m in page.get("messages", []) if _key_of(m) == key), None)
            if found is not None:
                return channel, str(found["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return None
        raise RetryLaterError("too much has been posted to find an earlier message", unsure=True)


def _key_of(message: Json) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != "watchbill":
        return ""
    return str((metadata.get("event_payload") or {}).get("key", ""))
