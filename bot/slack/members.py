"""Everybody in the workspace, as `users.list` tells, asked once in a while."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.slack.api import LOG, SlackApi
from bot.slack.blocks import Json
from rules.schedule.linking import Member

_KEEP = timedelta(minutes=5)
_MOST_PAGES = 50
_PAGE = 1000
_SLACKBOT = "USLACKBOT"


class Members:
    """Asks for the whole list and keeps it for some minutes."""

    def __init__(self, api: SlackApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._documents: dict[str, Json] = {}
        self._until: datetime | None = None

    async def all(self, *, afresh: bool = False) -> tuple[Member, ...]:
        """Return every member. Raises RetryLaterError or GiveUpError."""
        return tuple(
            member_of(document) for document in (await self.documents(afresh=afresh)).values()
        )

    async def documents(self, *, afresh: bool = False) -> Mapping[str, Json]:
        """Return what Slack says of each, by user id."""
        now = self._clock.now()
        if afresh or self._until is None or not now < self._until <= now + _KEEP:  # clocks jump
            self._documents = await self._list()
            self._until = now + _KEEP
        return self._documents

    async def _list(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = await self._api.read("users.list", limit=_PAGE, cursor=cursor)
            for document in page.get("members", []):
                if isinstance(document, dict) and document.get("id"):
                    found[str(document["id"])] = document
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return found
        LOG.warning("the workspace has more than %s members; the rest is not seen", len(found))
        return found


def member_of(document: Json) -> Member:
    """Read a member from Slack's document."""
    profile = document.get("profile") or {}
    names = (document.get("real_name"), profile.get("real_name"), profile.get("display_name"))
    user = str(document["id"])
    return Member(
        user=user,
        handle=str(document.get("name") or ""),
        names=tuple(dict.fromkeys(str(name) for name in names if name)),
        email=str(profile.get("email") or ""),
        deleted=bool(document.get("deleted")),
        bot=bool(document.get("is_bot")) or user == _SLACKBOT,
    )
