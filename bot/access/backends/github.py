"""GitHub teams: their members, by GitHub's user names."""

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
from rules.documents.spec import Text

_PAGE = "100"
_MOST_PAGES = 100
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})")
_SLUG = re.compile(r"[A-Za-z0-9._-]{1,100}")


class GitHubOptions(TokenSpec):
    organization: Text = Field(description="The organization's name.")
    invite: bool = Field(
        default=False,
        description="Invite people who are not in the organization yet; that takes a seat.",
    )
    api_url: Url = Field(
        default="https://api.github.com",
        description="GitHub's interface; `https://<host>/api/v3` for an Enterprise Server.",
    )


class GitHub:
    """Teams, by their slugs. Maintainers keep a team: they are neither listed nor granted."""

    def __init__(self, options: GitHubOptions, around: Surroundings) -> None:
        self._organization = options.organization
        self._invite = options.invite
        self._token = Credential("GitHub's token", options.token, options.token_file)
        self._rest = Rest("GitHub", options.api_url, around.session, self._headers, limit=_limit)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:  # noqa: ARG002 - the port's
        """Add to the team. Who is not in the organization is invited only where that is allowed.

        Raises RetryLaterError while an invitation is not accepted.
        """
        held = await self._membership(group, account)
        if held.get("role") == "maintainer":
            words = f"{account} is a maintainer of {group}, or an owner of the organization, and"
            raise GiveUpError(f"{words} is always in it.")
        if held.get("state") == "active":
            return
        if held.get("state") == "pending":
            raise RetryLaterError(_invited(account))
        if not held and not self._invite:
            await self._check_in_organization(account)
        reply = await self._rest.call(
            "PUT", *self._of_team(group), "memberships", _name(account), body={"role": "member"}
        )
        if reply.status == 404:
            raise GiveUpError(self._unknown(group, account))
        self._check(reply, group)
        if isinstance(reply.body, dict) and reply.body.get("state") == "pending":
            raise RetryLaterError(_invited(account))

    async def revoke(self, group: str, account: str) -> None:
        if (await self._membership(group, account)).get("role") == "maintainer":
            return
        path = (*self._of_team(group), "memberships", _name(account))
        reply = await self._rest.call("DELETE", *path)
        if reply.status == 404:
            await self._shown(group)
            return
        self._check(reply, group)

    async def members(self, group: str) -> Sequence[Member]:
        """Return members and who is invited, for an invitation can be accepted at any time."""
        found = await self._listed(group, "members", {"role": "member"})
        invited = await self._listed(group, "invitations", {})
        pending = [Member(login, pending=True) for login in invited if login not in found]
        return [*(Member(login) for login in found), *pending]

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        team = await self._shown(group)
        await self.members(group)
        faults = []
        if team.get("ldap_dn"):
            faults.append("the team is kept by LDAP, which undoes changes. Use another team.")
        if await self._listed(group, "teams", {}, name="slug"):
            words = "the team has teams below it, whose members GitHub counts as its own."
            faults.append(f"{words} Use a team without any.")
        return faults

    async def close(self) -> None:
        """Hold nothing open."""

    async def _membership(self, group: str, account: str) -> Mapping[str, object]:
        path = (*self._of_team(group), "memberships", _name(account))
        reply = await self._rest.call("GET", *path)
        if reply.status == 404:
            return {}
        self._check(reply, group)
        return reply.body if isinstance(reply.body, dict) else {}

    async def _check_in_organization(self, account: str) -> None:
        path = ("orgs", self._organization, "memberships", _name(account))
        reply = await self._rest.call("GET", *path)
        state = reply.body.get("state") if isinstance(reply.body, dict) else None
        if reply.status == 404 or (reply.status < 300 and state != "active"):
            words = f"{account} is not in the organization {self._organization} on GitHub."
            raise GiveUpError(f"{words} Invite them there first, or set `invite: true`.")
        self._check(reply, self._organization)

    async def _listed(
        self, group: str, what: str, query: Mapping[str, str], *, name: str = "login"
    ) -> list[str]:
        path = (*self._of_team(group), what)
        reply = await self._rest.call("GET", *path, query={**query, "per_page": _PAGE})
        found: list[str] = []
        for _ in range(_MOST_PAGES):
            if reply.status == 404:
                raise GiveUpError(self._unknown(group))
            self._check(reply, group)
            if not isinstance(reply.body, list):
                raise RetryLaterError(f"GitHub's list of {what} cannot be read.")
            # who is invited by e-mail has no user name yet
            found += [str(one[name]) for one in reply.body if one.get(name)]
            following = next_page(reply)
            if not following:
                return found
            reply = await self._rest.follow(following)
        raise GiveUpError(f"the team {group} has too many members; choose one of its own.")

    async def _shown(self, group: str) -> Mapping[str, object]:
        reply = await self._rest.call("GET", *self._of_team(group))
        if reply.status == 404:
            raise GiveUpError(self._unknown(group))
        self._check(reply, group)
        return reply.body if isinstance(reply.body, dict) else {}

    def _of_team(self, group: str) -> tuple[str, ...]:
        if not _SLUG.fullmatch(group):
            words = f"{group[:100]!r} is no slug of a team; take it from the team's address."
            raise GiveUpError(words)
        return ("orgs", self._organization, "teams", group)

    def _unknown(self, group: str, account: str = "") -> str:
        who = f", or no user {account}" if account else ""
        words = f"GitHub shows the token no team {group} in {self._organization}{who}."
        return f"{words} Take the slug from the team's address, and check the token's rights."

    def _headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {self._token.read()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def _check(self, reply: Reply, group: str) -> None:
        if reply.status < 300:
            return
        told = reply.body.get("message") if isinstance(reply.body, dict) else None
        message = " ".join(str(told or "").split())[:200]
        match reply.status:
            case 401:
                words = "GitHub refuses the token. Make a new one with Members: read and write."
            case 403 if "synchron" in message.lower() or "idp" in message.lower():
                words = (
                    f"{group} is kept by your identity provider; grant there instead, or use"
                    " another team."
                )
            case 403:
                words = (
                    f"GitHub's token may not do this to {group} ({message}). It needs the"
                    " organization's right Members: read and write; docs/access-backends.md."
                )
            case status:
                words = f"GitHub answers {status} {message}".strip() + "."
        raise GiveUpError(words)


def _invited(account: str) -> str:
    return f"GitHub has invited {account}; it works once they accept the e-mail."


def _limit(status: int, headers: Mapping[str, str]) -> Throttle | None:
    """GitHub says 403 as well as 429, with how long to wait or that nothing is left."""
    if status not in {403, 429}:
        return None
    if (after := wait_of(headers)) is not None:
        return Throttle(after)
    if status == 429 or headers.get("x-ratelimit-remaining") == "0":
        return Throttle(reset_of(headers, "x-ratelimit-reset"))
    return None


def _name(account: str) -> str:
    if not _NAME.fullmatch(account):
        words = f"{account[:100]!r} is no GitHub user name. Name it in the group's `accounts`."
        raise GiveUpError(words)
    return account


KIND = BackendKind(options=GitHubOptions, open=GitHub)
