"""Roles on a Google Cloud resource, for a while: bindings whose condition Google checks each time."""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bot.access.backends.google_service import GoogleService, GoogleSpec, RefusedError
from bot.access.backends.kind import BackendKind, Surroundings
from bot.ports.access import Capabilities, Member
from bot.ports.delivering import GiveUpError, RetryLaterError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TITLE = "watchbill"
"""The title of our bindings' conditions; every other binding is somebody else's."""

_POLICY_VERSION = 3
_TRIES = 5
_RESOURCE = re.compile(r"(projects|folders|organizations)/[a-z0-9:.-]{1,100}")
_ROLE = re.compile(r"(roles/|(projects|organizations)/[a-z0-9:.-]+/roles/)[A-Za-z0-9_.]{1,120}")
_BASIC = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
_EMAIL = re.compile(r"[^@\s:?\"'\\]{1,100}@[A-Za-z0-9.-]{1,200}")
_UNTIL = re.compile(r"request\.time < timestamp\('([0-9T:.Z-]{20,30})'\)")

Policy = dict[str, Any]
Binding = dict[str, Any]


def _resource(text: str) -> str:
    if not _RESOURCE.fullmatch(text):
        raise ValueError("not a resource; write projects/<id>, folders/<number>, organizations/<n>")
    return text


class GoogleIamOptions(GoogleSpec):
    resource: Annotated[str, AfterValidator(_resource)] = Field(
        description="What the role is on: `projects/<id>`, `folders/<number>` or "
        "`organizations/<number>`."
    )
    member_kind: Annotated[str, Field(pattern="^(user|serviceAccount|group)$")] = Field(
        default="user", description="What accounts are: `user`, `serviceAccount` or `group`."
    )


class GoogleIam:
    """`group` is a role, `account` an e-mail. Only bindings of our own are listed or changed."""

    def __init__(self, options: GoogleIamOptions, around: Surroundings) -> None:  # noqa: ARG002 - every kind's
        self._resource = options.resource
        self._kind = options.member_kind
        self._google = GoogleService("cloudresourcemanager", "v3", (SCOPE,), options)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(native_expiry=True, propagation="about 2 minutes, sometimes 7 or more,")

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:
        """Put a binding of our own in, which ends at `until`; raises GiveUpError without one."""
        role, member = _role(group), self._member(account)
        if until is None:
            words = "a role of Google's is given for a time only. Say until when."
            raise GiveUpError(words)
        condition = {
            "title": TITLE,
            "description": f"Grant {key}. Watchbill keeps this binding; changes are undone.",
            "expression": f"request.time < timestamp('{_instant(until)}')",
        }

        def change(bindings: list[Binding]) -> list[Binding]:
            kept = _without(bindings, role, member)
            return [*kept, {"role": role, "members": [member], "condition": condition}]

        await self._change(change)

    async def revoke(self, group: str, account: str) -> None:
        """Take our bindings out, also those that have ended: they stay in a policy for good."""
        role, member = _role(group), self._member(account)
        await self._change(lambda bindings: _without(bindings, role, member))

    async def members(self, group: str) -> Sequence[Member]:
        role = _role(group)
        found: dict[str, datetime | None] = {}
        for binding in (await self._policy()).get("bindings") or ():
            if _is_ours(binding, role):
                ends = _ends(binding)
                found |= {_account(member): ends for member in binding.get("members") or ()}
        return [Member(account, ends) for account, ends in found.items()]

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        _role(group)
        kind = self._resource.partition("/")[0]
        wanted = [f"resourcemanager.{kind}.{verb}IamPolicy" for verb in ("get", "set")]
        body = {"permissions": wanted}
        try:
            answer = await self._google.call(
                lambda service: getattr(service, kind)().testIamPermissions(
                    resource=self._resource, body=body
                )
            )
        except RefusedError as error:
            raise self._explained(error) from error
        missing = [one for one in wanted if one not in (answer.get("permissions") or ())]
        if missing:
            words = f"{self._google.address} lacks {' and '.join(missing)} on {self._resource}."
            return (f"{words} docs/access-backends.md says how to give it no more than that.",)
        await self._policy()
        return ()

    async def close(self) -> None:
        """Hold nothing open."""

    async def _change(self, change: Callable[[list[Binding]], list[Binding]]) -> None:
        """Read, change and write the policy; again when somebody else wrote meanwhile."""
        for _ in range(_TRIES):
            policy = await self._policy()
            before = policy.get("bindings") or []
            after = change(deepcopy(before))
            if after == before:
                return
            try:
                await self._write(policy | {"bindings": after, "version": _POLICY_VERSION})
            except RefusedError as error:
                if error.status not in {409, 412}:
                    raise self._explained(error) from error
            else:
                return
        words = f"the policy of {self._resource} is being changed by others all the time."
        raise RetryLaterError(words)

    async def _policy(self) -> Policy:
        body = {"options": {"requestedPolicyVersion": _POLICY_VERSION}}
        try:
            answer = await self._google.call(
                lambda service: self._on(service).getIamPolicy(resource=self._resource, body=body)
            )
        except RefusedError as error:
            raise self._explained(error) from error
        if not answer.get("etag"):
            # written back without one, it would drop what others changed, and all conditions
            raise RetryLaterError("Google gave a policy without an etag; it is not touched.")
        return dict(answer)

    async def _write(self, policy: Policy) -> None:
        body = {"policy": policy}
        await self._google.call(
            lambda service: self._on(service).setIamPolicy(resource=self._resource, body=body)
        )

    def _on(self, service: Any) -> Any:
        return getattr(service, self._resource.partition("/")[0])()

    def _member(self, account: str) -> str:
        if not _EMAIL.fullmatch(account):
            raise GiveUpError(f"{account[:100]!r} is no e-mail. Name it in the group's `accounts`.")
        return f"{self._kind}:{account.lower()}"

    def _explained(self, error: RefusedError) -> GiveUpError:
        if error.status == 404:
            return GiveUpError(f"Google has no {self._resource}. Correct `resource`.")
        if error.status == 400 and "does not exist" in error.message:
            words = f"Google refuses it ({error.message}). Correct the account, or `accounts`."
            return GiveUpError(words)
        return error


def _role(group: str) -> str:
    if not _ROLE.fullmatch(group):
        raise GiveUpError(f"{group[:150]!r} is no role; write it like roles/bigquery.admin.")
    if group in _BASIC:
        words = f"Google takes no condition on {group}, so it would have no end."
        raise GiveUpError(f"{words} Choose a role for just what is needed.")
    return group


def _is_ours(binding: Binding, role: str) -> bool:
    condition = binding.get("condition") or {}
    return binding.get("role") == role and condition.get("title") == TITLE


def _without(bindings: list[Binding], role: str, member: str) -> list[Binding]:
    """Return the bindings without this member in ours; a binding must have at least one."""
    kept = []
    for binding in bindings:
        if _is_ours(binding, role):
            left = [one for one in binding.get("members") or () if not _same(one, member)]
            if not left:
                continue
            binding = binding | {"members": left}
        kept.append(binding)
    return kept


def _same(written: str, member: str) -> bool:
    """Whether it is the same account, or what Google writes once that is deleted."""
    return written.removeprefix("deleted:").partition("?")[0].lower() == member.lower()


def _account(member: str) -> str:
    bare = member.removeprefix("deleted:").partition("?")[0]
    return bare.partition(":")[2].lower() or bare.lower()


def _ends(binding: Binding) -> datetime | None:
    found = _UNTIL.fullmatch(str((binding.get("condition") or {}).get("expression", "")))
    try:
        return datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


KIND = BackendKind(options=GoogleIamOptions, open=GoogleIam)
