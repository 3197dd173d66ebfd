"""Slack user groups: their members, by e-mail. Slack cannot have an empty group."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from bot.access.backends.kind import BackendKind, SlackCalls, Surroundings
from bot.ports.access import Capabilities, Member
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.documents.spec import Spec, Text

Json = Mapping[str, Any]
_EMAIL = re.compile(r"[\x21-\x3f\x41-\x7e]{1,100}@[A-Za-z0-9.-]{1,200}")
_MEMBER_ID = re.compile(r"slack:([UW][A-Z0-9]{2,20})", re.IGNORECASE)
_E_MAILS_HOLD = timedelta(minutes=10)
_WAIT = "Slack's answer about {what} cannot be read."


class SlackGroupOptions(Spec):
    keepers: tuple[Text, ...] = Field(
        min_length=1,
        description="E-mails of who always stays in the group, for Slack has no empty ones.",
    )


class SlackGroup:
    """User groups by handle; keepers are put in with the first change, and never listed.

    An account is an e-mail, or `slack:U...` for a member whose e-mail Slack does not tell.
    """

    def __init__(self, options: SlackGroupOptions, around: Surroundings) -> None:
        if around.slack is None:
            raise ValueError("there is no Slack workspace here to keep user groups in")
        self._slack: SlackCalls = around.slack
        self._keepers = frozenset(keeper.lower() for keeper in options.keepers)
        self._clock = around.clock
        self._emails: dict[str, tuple[str, datetime]] = {}
        # Slack has no etag: of two writes at once, one would be lost
        self._writing = asyncio.Lock()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(propagation="a few seconds")

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:  # noqa: ARG002 - the port's
        if account.lower() in self._keepers:
            raise GiveUpError(f"{account} is a keeper of @{group} and is always in it.")
        user = await self._user(account)
        async with self._writing:
            found = await self._group(group)
            await self._write(found, [*_users(found), user])

    async def revoke(self, group: str, account: str) -> None:
        async with self._writing:
            found = await self._group(group)
            users = _users(found)
            gone = {user for user in users if await self._account(user) == account.lower()}
            if gone:
                await self._write(found, [user for user in users if user not in gone])

    async def members(self, group: str) -> Sequence[Member]:
        accounts = [await self._account(user) for user in _users(await self._group(group))]
        return [Member(account) for account in accounts if account not in self._keepers]

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        await self.members(group)
        for keeper in sorted(self._keepers):
            await self._user(keeper)
        return ()

    async def close(self) -> None:
        """Hold nothing open."""

    async def _write(self, group: Json, users: Sequence[str]) -> None:
        """Make these the members, and the keepers besides; nothing when they are already."""
        keepers = [await self._user(keeper) for keeper in sorted(self._keepers)]
        wanted = list(dict.fromkeys([*keepers, *users]))
        if set(wanted) == set(_users(group)):
            return
        arguments = {"usergroup": str(group["id"]), "users": ",".join(wanted)}
        await self._call("usergroups.users.update", arguments)

    async def _group(self, handle: str) -> Json:
        handle = handle.lstrip("@")
        arguments = {"include_users": "true", "include_disabled": "true"}
        answer = await self._call("usergroups.list", arguments)
        groups = answer.get("usergroups")
        if not isinstance(groups, list):
            raise RetryLaterError(_WAIT.format(what="user groups"))
        found: Json | None = next((one for one in groups if one.get("handle") == handle), None)
        if found is None:
            raise GiveUpError(f"there is no user group @{handle}. Create it, or correct `group`.")
        if found.get("date_delete"):
            raise GiveUpError(f"the user group @{handle} is switched off. Switch it on in Slack.")
        return found

    async def _user(self, account: str) -> str:
        if found := _MEMBER_ID.fullmatch(account):
            return found[1].upper()
        if not _EMAIL.fullmatch(account):
            words = f"{account[:100]!r} is no e-mail. Name it in `accounts`, or write `slack:U...`."
            raise GiveUpError(words)
        answer = await self._call("users.lookupByEmail", {"email": account})
        user = answer.get("user") or {}
        if user.get("deleted") or user.get("is_bot"):
            raise GiveUpError(f"{account} is a bot or a closed account and gets nothing.")
        if user.get("is_restricted") or user.get("is_ultra_restricted"):
            raise GiveUpError(f"{account} is a guest in Slack and gets nothing.")
        if not user.get("id"):
            raise RetryLaterError(_WAIT.format(what=account))
        return str(user["id"])

    async def _account(self, user: str) -> str:
        known, now = self._emails.get(user), self._clock.now()
        if known and now - known[1] < _E_MAILS_HOLD:
            return known[0]
        told = (await self._call("users.info", {"user": user})).get("user") or {}
        email = (told.get("profile") or {}).get("email")
        account = str(email or f"slack:{user}").lower()
        self._emails[user] = (account, now)
        return account

    async def _call(self, method: str, arguments: Json) -> Json:
        try:
            return await self._slack(method, arguments)
        except GiveUpError as error:
            if words := CANNOT.get(str(getattr(error, "code", ""))):
                raise GiveUpError(words) from error
            raise


def _users(group: Json) -> list[str]:
    return [str(user) for user in group.get("users") or ()]


_PAID = "Slack has user groups only in paid plans. Use another back-end for this group."
_GUEST = "Slack does not take one of the members: a guest, an app, or a closed account."
_RIGHT = (
    "the workspace does not let the app edit user groups. Let everyone manage them (Workspace"
    " settings, Permissions, User groups), or set `slack.user_token`."
)
CANNOT: Mapping[str, str] = {
    "paid_teams_only": _PAID,
    "plan_upgrade_required": _PAID,
    "permission_denied": _RIGHT,
    "missing_scope": "the Slack app lacks a scope: usergroups:read, usergroups:write, users:read"
    " and users:read.email are needed. Install it with what `watchbill manifest` prints.",
    "invalid_users": _GUEST,
    "invalid_user": _GUEST,
    "single_channel_guests_cannot_be_added": _GUEST,
    "no_such_subteam": "the user group is gone. Create it, or correct `group`.",
    "users_not_found": "Slack knows nobody with this e-mail. Correct it, or write `slack:U...` in"
    " `accounts`.",
}
"""What Slack's refusals mean here, and what to do."""

KIND = BackendKind(options=SlackGroupOptions, open=SlackGroup)
