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
        self._team = ""

    async def all(self, *, afresh: bool = False) -> tuple[Member, ...]:
        """Return every member. Raises RetryLaterError or GiveUpError."""
        documents = await self.documents(afresh=afresh)
        team = await self.team()
        return tuple(member_of(document, team) for document in documents.values())

    async def team(self) -> str:
        """Return the id of our own workspace. Raises RetryLaterError or GiveUpError."""
        if not self._team:
            self._team = str((await self._api.call("auth.test")).get("team_id") or "")
        return self._team

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


def is_foreign(document: Json, team: str) -> bool:
    """Tell whether a member, met in a shared channel, is of another workspace than `team`."""
    teams = {str(document.get("team_id") or "")}
    teams |= {str(one) for one in (document.get("enterprise_user") or {}).get("teams") or ()}
    return bool(document.get("is_stranger")) or not team or team not in teams


def is_surely_foreign(document: Json, team: str) -> bool:
    """As `is_foreign`, but nobody is where that is not known: a page must reach somebody.

    The token of a whole organisation names that, and no workspace.
    """
    told = document.get("team_id") or document.get("is_stranger")
    return bool(told) and team.startswith("T") and is_foreign(document, team)


def member_of(document: Json, team: str) -> Member:
    """Read a member from Slack's document; `team` is our own workspace."""
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
        foreign=is_surely_foreign(document, team),
    )
