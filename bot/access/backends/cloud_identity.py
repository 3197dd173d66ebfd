"""Google groups by Cloud Identity: memberships that Google itself ends."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

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

SCOPE = "https://www.googleapis.com/auth/cloud-identity.groups"
_PAGE = 500
_MOST_PAGES = 100
_MEMBER = "MEMBER"
_ALREADY_EXISTS, _NOT_FOUND = 6, 5
_LATER = frozenset({1, 4, 8, 10, 13, 14})
_EDITION = (
    "Google ends no memberships in your edition: that needs Cloud Identity Premium, Workspace"
    " Enterprise Standard or Plus, or Education. Set `native_expiry: false`; Watchbill then ends"
    " them alone."
)


class CloudIdentityOptions(GoogleSpec):
    native_expiry: bool = Field(
        default=True, description="Let Google end memberships too; needs an edition that can."
    )


class CloudIdentity:
    """`group` is its e-mail, `account` a person's. Owners and managers keep a group: not listed."""

    def __init__(self, options: CloudIdentityOptions, around: Surroundings) -> None:  # noqa: ARG002 - every kind's
        self._expires = options.native_expiry
        self._google = GoogleService("cloudidentity", "v1", (SCOPE,), options)

    @property
    def capabilities(self) -> Capabilities:
        words = "several minutes, at worst hours,"
        return Capabilities(native_expiry=self._expires, propagation=words)

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:  # noqa: ARG002 - the port's
        parent = await self._group(group)
        held = await self._held(parent, account)
        if held is None:
            await self._create(parent, account, until)
            return
        if _keeps(held):
            words = f"{account} is an owner or manager of {group} and is always in it."
            raise GiveUpError(words)
        if until is not None and self._expires:
            await self._extend(_named(held), until)

    async def revoke(self, group: str, account: str) -> None:
        held = await self._held(await self._group(group), account)
        if held is None or _keeps(held):
            return
        name = _named(held)
        try:
            done = await self._ask(lambda memberships: memberships.delete(name=name))
        except RefusedError as error:
            if error.status != 404:
                raise
            return
        _check_operation(done, account, accepted=_NOT_FOUND)

    async def members(self, group: str) -> Sequence[Member]:
        asked: dict[str, Any] = {
            "parent": await self._group(group),
            "view": "FULL",
            "pageSize": _PAGE,
        }
        found: list[Member] = []
        for _ in range(_MOST_PAGES):
            answer = await self._ask(lambda memberships: memberships.list(**asked))
            told = answer.get("memberships") or ()
            found += [member for one in told if (member := _member(one)) is not None]
            if not answer.get("nextPageToken"):
                return found
            asked["pageToken"] = answer["nextPageToken"]
        raise GiveUpError(f"the group {group} has too many members; choose one of its own.")

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        await self.members(group)
        return ()

    async def close(self) -> None:
        """Hold nothing open."""

    async def _create(self, parent: str, account: str, until: datetime | None) -> None:
        role: dict[str, Any] = {"name": _MEMBER}
        if until is not None and self._expires:
            role["expiryDetail"] = {"expireTime": _instant(until)}
        body = {"preferredMemberKey": {"id": account}, "roles": [role]}
        try:
            done = await self._ask(lambda memberships: memberships.create(parent=parent, body=body))
        except RefusedError as error:
            if error.status == 409:  # between our look and now; the next try sets its end
                words = f"{account} has just been put into the group."
                raise RetryLaterError(words) from error
            raise _explained(error, account) from error
        _check_operation(done, account, accepted=_ALREADY_EXISTS)

    async def _extend(self, name: str, until: datetime) -> None:
        role = {"name": _MEMBER, "expiryDetail": {"expireTime": _instant(until)}}
        update = {"fieldMask": "expiry_detail.expire_time", "membershipRole": role}
        body = {"updateRolesParams": [update]}
        try:
            await self._ask(
                lambda memberships: memberships.modifyMembershipRoles(name=name, body=body)
            )
        except RefusedError as error:
            raise _explained(error, name) from error

    async def _held(self, parent: str, account: str) -> Json | None:
        name = await self._lookup(parent, account)
        if name is None:
            return None
        try:
            return await self._ask(lambda memberships: memberships.get(name=name))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    async def _lookup(self, parent: str, account: str) -> str | None:
        """Return the name of a membership, None when there is none."""
        asked = {"parent": parent, "memberKey_id": checked(account)}
        try:
            answer = await self._ask(lambda memberships: memberships.lookup(**asked))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        return _named(answer)

    async def _group(self, group: str) -> str:
        try:
            answer = await self._google.call(
                lambda service: service.groups().lookup(groupKey_id=checked(group))
            )
        except RefusedError as error:
            if error.status in {403, 404}:
                # Google answers 403 as well where there is no such group
                words = (
                    f"Google shows {self._google.address} no group {group}. Correct `group`, its"
                    " e-mail, and make the service account its manager."
                )
                raise GiveUpError(words) from error
            raise
        return _named(answer)

    async def _ask(self, request: Any) -> Json:
        return await self._google.call(lambda service: request(service.groups().memberships()))


def _named(answer: Json) -> str:
    name = answer.get("name")
    if not isinstance(name, str) or not name:
        raise RetryLaterError("Google's answer to a look-up cannot be read.")
    return name


def _keeps(held: Json) -> bool:
    return any(role.get("name") != _MEMBER for role in held.get("roles") or ())


def _member(told: Json) -> Member | None:
    roles = {str(role.get("name")): role for role in told.get("roles") or ()}
    if roles.keys() - {_MEMBER}:
        return None
    account = str((told.get("preferredMemberKey") or {}).get("id") or "").lower()
    if not account:
        raise RetryLaterError("Google told of a member without a name.")
    ends = ((roles.get(_MEMBER) or {}).get("expiryDetail") or {}).get("expireTime")
    try:
        return Member(account, datetime.fromisoformat(ends) if ends else None)
    except ValueError:
        raise RetryLaterError("Google's time of an end cannot be read.") from None


def _check_operation(done: Json, account: str, *, accepted: int) -> None:
    """Raise what an operation failed of; one that goes on is seen when members are read."""
    error = done.get("error")
    if not error or error.get("code") == accepted:
        return
    code, message = error.get("code"), " ".join(str(error.get("message", "")).split())[:200]
    if code in _LATER:
        raise RetryLaterError(f"Google did not do it now ({message}).")
    if code == _NOT_FOUND:
        raise GiveUpError(f"Google knows no {account}. Correct it, or name it in `accounts`.")
    raise GiveUpError(_EDITION if "expir" in message.lower() else f"Google refuses it ({message}).")


def _explained(error: RefusedError, account: str) -> GiveUpError:
    if error.status in {400, 403, 412} and "expir" in error.message.lower():
        return GiveUpError(_EDITION)
    if error.status == 404:
        return GiveUpError(f"Google knows no {account}. Correct it, or name it in `accounts`.")
    return error


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


KIND = BackendKind(options=CloudIdentityOptions, open=CloudIdentity)
