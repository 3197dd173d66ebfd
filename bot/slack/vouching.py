"""Who really clicked: what elevated access goes by, and nothing that a person can set themselves.

Elsewhere a name or a handle is enough to find a person, because a page that reaches the wrong
one does no harm. Here only the member id that Slack signed counts, and the e-mail address that
Slack has checked.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.slack.api import SlackApi
from bot.slack.blocks import Json
from bot.slack.members import Members, is_foreign
from rules.people import People

WITHIN = 2.0
"""Seconds to ask Slack in: it waits three for the acknowledgement."""

_FRESH = timedelta(minutes=5)

GUEST = "Guests of this workspace cannot have access. Ask a member."
APP = "Apps cannot have access."
CLOSED = "This Slack account is closed."
FOREIGN = "Only members of this workspace can have access; yours is another one."
NO_ANSWER = "Slack did not say who you are, so nothing was done. Please try again."


class NotVouchedError(Exception):
    """Somebody who cannot ask for access or decide about it; the text says why."""


@dataclass(frozen=True, slots=True)
class _Vouched:
    key: str
    why_not: str
    until: datetime


class Vouching:
    """Asks Slack about whoever clicks, and remembers it for five minutes."""

    def __init__(
        self, api: SlackApi, people: Callable[[], People], clock: Clock, members: Members
    ) -> None:
        self._api = api
        self._members = members
        self._people = people
        self._clock = clock
        self._known: dict[str, _Vouched] = {}

    async def key_of(self, user: str) -> str:
        """Return the key of the person behind a member id. Raises NotVouchedError."""
        found = self._known.get(user)
        now = self._clock.now()
        if found is None or not now < found.until <= now + _FRESH:  # clocks jump
            found = self._known[user] = await self._ask(user)
        if found.why_not:
            raise NotVouchedError(found.why_not)
        return found.key

    def forget(self, user: str) -> None:
        """Ask again next time: Slack says that something about them has changed."""
        self._known.pop(user, None)

    async def _ask(self, user: str) -> _Vouched:
        try:
            async with asyncio.timeout(WITHIN):
                team = await self._members.team()
                answer = await self._api.read("users.info", user=user)
        except (TimeoutError, RetryLaterError, GiveUpError) as error:
            raise NotVouchedError(NO_ANSWER) from error
        member = answer.get("user")
        if not isinstance(member, dict) or str(member.get("id")) != user:
            raise NotVouchedError(NO_ANSWER)
        return _Vouched(self._key(member), unfit(member, team), self._clock.now() + _FRESH)

    def _key(self, member: Json) -> str:
        user = str(member["id"])
        configured = self._people().by_slack(user)
        if configured is not None:
            return configured.key
        email = str((member.get("profile") or {}).get("email") or "").lower()
        return email or f"slack:{user}"


def unfit(member: Json, team: str) -> str:
    """Return why a member can never have access, as `users.info` tells; "" when they can."""
    if member.get("deleted"):
        return CLOSED
    if member.get("is_bot") or member.get("is_workflow_bot") or member.get("id") == "USLACKBOT":
        return APP
    if member.get("is_restricted") or member.get("is_ultra_restricted"):
        return GUEST
    return FOREIGN if is_foreign(member, team) else ""
