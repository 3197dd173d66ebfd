"""Okta groups: their members, by people's logins."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from bot.access.backends.credential import Credential
from bot.access.backends.kind import BackendKind, Surroundings, TokenSpec
from bot.access.backends.rest import Reply, Rest, Throttle, next_page, reset_of, wait_of
from bot.config.types import Url
from bot.ports.access import Capabilities, Member
from bot.ports.delivering import GiveUpError, RetryLaterError

_PAGE = "200"
_MOST_PAGES = 100
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_GONE = frozenset({"DEPROVISIONED", "SUSPENDED"})
_NO_GROUP = (
    "Okta has no group {group!r} that the token may see. Give its id, which begins with 00g"
    " (Directory, Groups, the end of its address)."
)


class OktaOptions(TokenSpec):
    url: Url = Field(description="Your Okta's address, like `https://example.okta.com`.")


class Okta:
    """Groups of type OKTA_GROUP; `account` is a login, which is mostly the e-mail."""

    def __init__(self, options: OktaOptions, around: Surroundings) -> None:
        self._token = Credential("Okta's token", options.token, options.token_file)
        self._rest = Rest("Okta", options.url, around.session, self._headers, limit=_limit)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(propagation="seconds in Okta, minutes in some applications,")

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:  # noqa: ARG002 - the port's
        user = await self._user(account)
        if user is None:
            words = f"Okta knows no {account}. Correct the login, or name it in `accounts`."
            raise GiveUpError(words)
        if str(user.get("status")) in _GONE:
            raise GiveUpError(f"{account} is {user['status'].lower()} in Okta and gets nothing.")
        path = ("api", "v1", "groups", _group(group), "users", str(user["id"]))
        reply = await self._rest.call("PUT", *path)
        if reply.status == 404:
            raise GiveUpError(_NO_GROUP.format(group=group))
        self._check(reply, group)

    async def revoke(self, group: str, account: str) -> None:
        user = await self._user(account)
        if user is None:
            return  # a deleted user is in no group
        path = ("api", "v1", "groups", _group(group), "users", str(user["id"]))
        reply = await self._rest.call("DELETE", *path)
        if reply.status == 404:
            await self._shown(group)
            return
        self._check(reply, group)

    async def members(self, group: str) -> Sequence[Member]:
        path = ("api", "v1", "groups", _group(group), "users")
        reply = await self._rest.call("GET", *path, query={"limit": _PAGE})
        found: list[Member] = []
        for _ in range(_MOST_PAGES):
            if reply.status == 404:
                raise GiveUpError(_NO_GROUP.format(group=group))
            self._check(reply, group)
            found += [Member(_login(one)) for one in _documents(reply)]
            following = next_page(reply)
            if not following:
                return found
            reply = await self._rest.follow(following)
        raise GiveUpError(f"the Okta group {group} has too many members; choose one of its own.")

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        told = await self._shown(group)
        await self.members(group)
        if told.get("type") != "OKTA_GROUP":
            words = f"the group is of type {told.get('type')}, which only its own source changes."
            return (f"{words} Use a group of type OKTA_GROUP.",)
        return ()

    async def close(self) -> None:
        """Hold nothing open."""

    async def _shown(self, group: str) -> Mapping[str, object]:
        reply = await self._rest.call("GET", "api", "v1", "groups", _group(group))
        if reply.status == 404:
            raise GiveUpError(_NO_GROUP.format(group=group))
        self._check(reply, group)
        return reply.body if isinstance(reply.body, dict) else {}

    async def _user(self, account: str) -> dict[str, str] | None:
        reply = await self._rest.call("GET", "api", "v1", "users", account)
        if reply.status == 404:
            return None
        self._check(reply, "")
        if not isinstance(reply.body, dict) or not _ID.fullmatch(str(reply.body.get("id"))):
            raise RetryLaterError("Okta's answer about a user cannot be read.")
        found: dict[str, str] = reply.body
        if _login(found) != account.lower():
            words = f"Okta takes {account} for {_login(found)}. Write the whole login."
            raise GiveUpError(words)
        return found

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"SSWS {self._token.read()}", "Accept": "application/json"}

    def _check(self, reply: Reply, group: str) -> None:
        if reply.status < 300:
            return
        code = reply.body.get("errorCode", "") if isinstance(reply.body, dict) else ""
        match reply.status:
            case 401:
                words = "Okta refuses the token. Make a new one (Security, API, Tokens)."
            case 403:
                words = (
                    f"Okta's token may not do this to {group or 'users'}. Give its owner the role"
                    " Group Membership Administrator for this group; docs/access-backends.md."
                )
            case status:
                words = f"Okta answers {status} {code}".strip() + "."
        raise GiveUpError(words)


def _limit(status: int, headers: Mapping[str, str]) -> Throttle | None:
    if status != 429:
        return None
    return Throttle(reset_of(headers, "x-rate-limit-reset") or wait_of(headers))


def _group(group: str) -> str:
    if not _ID.fullmatch(group):
        raise GiveUpError(_NO_GROUP.format(group=group[:100]))
    return group


def _documents(reply: Reply) -> Sequence[Mapping[str, object]]:
    if not isinstance(reply.body, list) or not all(isinstance(one, dict) for one in reply.body):
        raise RetryLaterError("Okta's list of members cannot be read.")
    return reply.body


def _login(user: Mapping[str, object]) -> str:
    profile = user.get("profile")
    login = profile.get("login") if isinstance(profile, dict) else None
    if not isinstance(login, str) or not login:
        raise RetryLaterError("Okta told of a user without a login.")
    return login.lower()


KIND = BackendKind(options=OktaOptions, open=Okta)
