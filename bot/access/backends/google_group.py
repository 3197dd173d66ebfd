"""Google Groups by the Directory interface: members without an end, so that we must end them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.access.backends.google_service import (
    GoogleService,
    GoogleSpec,
    Json,
    RefusedError,
    checked,
)
from bot.access.backends.kind import BackendKind, Surroundings
from bot.ports.access import Capabilities, Member
from bot.ports.delivering import GiveUpError, RetryLaterError

SCOPE = "https://www.googleapis.com/auth/admin.directory.group.member"
_PAGE = 200
_MOST_PAGES = 200


class GoogleGroup:
    """`group` is its e-mail, `account` a person's. Owners and managers keep a group: not listed."""

    def __init__(self, options: GoogleSpec, around: Surroundings) -> None:  # noqa: ARG002 - every kind's
        self._google = GoogleService("admin", "directory_v1", (SCOPE,), options)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(propagation="several minutes, at worst hours,")

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:  # noqa: ARG002 - the port's
        checked(group)
        body = {"email": checked(account), "role": "MEMBER"}
        try:
            await self._ask(lambda members: members.insert(groupKey=group, body=body))
        except RefusedError as error:
            if error.status != 409:
                raise _explained(error, group, account) from error
            await self._check_member(group, account)

    async def revoke(self, group: str, account: str) -> None:
        asked = {"groupKey": checked(group), "memberKey": checked(account)}
        try:
            held = await self._ask(lambda members: members.get(**asked))
            if held.get("role") == "MEMBER":
                await self._ask(lambda members: members.delete(**asked), empty=True)
        except RefusedError as error:
            if error.status != 404:
                raise _explained(error, group, account) from error
            # gone already, unless it is the group that is not there
            await self._listed(group, most=1)

    async def members(self, group: str) -> Sequence[Member]:
        return await self._listed(group)

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        await self._listed(group)
        return ()

    async def close(self) -> None:
        """Hold nothing open."""

    async def _check_member(self, group: str, account: str) -> None:
        """Refuse whom a later revoke would take more from than we gave."""
        try:
            held = await self._ask(lambda members: members.get(groupKey=group, memberKey=account))
        except RefusedError as error:
            raise _explained(error, group, account) from error
        if held.get("role") != "MEMBER":
            words = f"{account} is {str(held.get('role')).lower()} of {group} and is always in it."
            raise GiveUpError(words)

    async def _listed(self, group: str, *, most: int = _MOST_PAGES) -> list[Member]:
        found: list[Member] = []
        asked: dict[str, Any] = {"groupKey": checked(group), "roles": "MEMBER", "maxResults": _PAGE}
        for _ in range(most):
            try:
                answer = await self._ask(lambda members: members.list(**asked))
            except RefusedError as error:
                raise _explained(error, group) from error
            found += [_member(one) for one in answer.get("members") or ()]
            if not answer.get("nextPageToken") or most == 1:
                return found
            asked["pageToken"] = answer["nextPageToken"]
        raise GiveUpError(f"the group {group} has too many members; choose one of its own.")

    async def _ask(self, request: Any, *, empty: bool = False) -> Json:
        return await self._google.call(lambda service: request(service.members()), empty=empty)


def _member(told: Json) -> Member:
    name = told.get("email") or told.get("id")
    if not name:
        raise RetryLaterError("Google told of a member without a name.")
    return Member(str(name).lower())


def _explained(error: RefusedError, group: str, account: str = "") -> GiveUpError:
    message = error.message.lower()
    if error.status == 404 and account and "groupkey" not in message:
        return GiveUpError(f"Google knows no {account}. Correct it, or name it in `accounts`.")
    if error.status == 404:
        return GiveUpError(f"Google shows us no group {group}. Correct `group`, its e-mail.")
    if error.status == 400 and "memberkey" in message.replace(" ", ""):
        return GiveUpError(f"{account} cannot be a member for Google. Correct it.")
    return error


KIND = BackendKind(options=GoogleSpec, open=GoogleGroup)
