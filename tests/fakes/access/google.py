"""Google's groups and policies: every request and answer is checked against the descriptions."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aiohttp import web

from bot.local_google.discovery import Call, service
from bot.local_google.errors import BreachError, GoogleError
from bot.local_google.tokens import Accounts, InvalidGrantError
from tests.fakes.access.server import FakeService

Json = dict[str, Any]
BOT = "watchbill@local.iam.gserviceaccount.com"
GROUP = "incident-admins@example.com"
PROJECT = "projects/warehouse"
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
_SERVICES = (("admin", "directory_v1"), ("cloudidentity", "v1"), ("cloudresourcemanager", "v3"))
_ID = "groups/01abc"


@cache
def _accounts() -> tuple[Accounts, Json]:
    """Return a service account; made once, for keys take long to make."""
    accounts = Accounts()
    return accounts, accounts.add(BOT, "")


class FakeGoogleAccess(FakeService):
    """`state`: members of GROUP (address to role and end), and the policy of PROJECT."""

    def __init__(self) -> None:
        super().__init__()
        self.users: set[str] = set()
        self.page = 2
        self.may = {
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.setIamPolicy",
        }
        self.premium = True
        self.meanwhile: list[Callable[[], None]] = []
        """Done between somebody's read of the policy and the next write."""
        self.without_etag = False
        self.state = {"members": {}, "bindings": [], "revision": 1}
        self._accounts, self._key = _accounts()

    @property
    def key(self) -> Json:
        return {**self._key, "token_uri": f"{self.url}/token"}

    def add_user(self, email: str) -> str:
        self.users.add(email)
        return email

    def member(self, email: str, role: str = "MEMBER", end: str = "") -> None:
        self.state["members"][email] = {"role": role, "end": end}

    def bind(self, binding: Json) -> None:
        """Add a binding as another tool does."""
        self.state["bindings"].append(binding)
        self.state["revision"] += 1

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            return await self._token(request)
        try:
            call = _found(request)
            body = json.loads(await request.text() or "null")
            call.check_request({n: request.query.getall(n) for n in request.query}, body)
            self._accounts.caller(request.headers.get("Authorization", ""))
            answer = self._play(call, dict(request.query), body or {})
            if "response" not in call.method:
                return web.Response(status=204)
            call.check_answer(answer)
            return web.json_response(answer)
        except GoogleError as error:
            if isinstance(error, BreachError):
                self.breaches.append(str(error))
            return web.json_response(error.body(), status=error.status)

    def _play(self, call: Call, query: Mapping[str, str], body: Json) -> Json:
        service_name, _, method = call.id.partition(".")
        played: Json = getattr(self, f"_{service_name}_{method.replace('.', '_')}")(
            call.path, query, body
        )
        return played

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            return web.json_response(self._accounts.exchange(str(form.get("assertion", ""))))
        except InvalidGrantError as error:
            said = {"error": "invalid_grant", "error_description": str(error)}
            return web.json_response(said, status=400)

    # the Directory

    def _directory_members_insert(self, path: Mapping[str, str], query: Any, body: Json) -> Json:
        _check_group(path["groupKey"])
        email = body["email"]
        if email not in self.users:
            raise GoogleError(404, "Resource Not Found: memberKey", reason="notFound")
        if email in self.state["members"]:
            raise GoogleError(409, "Member already exists.", reason="duplicate")
        self.member(email, body.get("role", "MEMBER"))
        return self._shown(email)

    def _directory_members_delete(self, path: Mapping[str, str], query: Any, body: Json) -> Json:
        _check_group(path["groupKey"])
        if path["memberKey"] not in self.state["members"]:
            raise GoogleError(404, "Resource Not Found: memberKey", reason="notFound")
        del self.state["members"][path["memberKey"]]
        return {}

    def _directory_members_get(self, path: Mapping[str, str], query: Any, body: Json) -> Json:
        _check_group(path["groupKey"])
        if path["memberKey"] not in self.state["members"]:
            raise GoogleError(404, "Resource Not Found: memberKey", reason="notFound")
        return self._shown(path["memberKey"])

    def _directory_members_list(
        self, path: Mapping[str, str], query: Mapping[str, str], body: Json
    ) -> Json:
        _check_group(path["groupKey"])
        roles = query.get("roles", "MEMBER,MANAGER,OWNER").split(",")
        found = [e for e, held in self.state["members"].items() if held["role"] in roles]
        start = int(query.get("pageToken", "0"))
        answer: Json = {"kind": "admin#directory#members"}
        answer["members"] = [self._shown(email) for email in found[start : start + self.page]]
        if start + self.page < len(found):
            answer["nextPageToken"] = str(start + self.page)
        return answer

    def _shown(self, email: str) -> Json:
        role = self.state["members"][email]["role"]
        return {"email": email, "role": role, "type": "USER", "status": "ACTIVE"}

    # Cloud Identity

    def _cloudidentity_groups_lookup(self, path: Any, query: Mapping[str, str], body: Json) -> Json:
        if query.get("groupKey.id") != GROUP:
            words = "Error(2028): Permission denied for resource (or it may not exist)."
            raise GoogleError(403, words)
        return {"name": _ID}

    def _cloudidentity_groups_memberships_lookup(
        self, path: Any, query: Mapping[str, str], body: Json
    ) -> Json:
        email = query["memberKey.id"]
        if email not in self.state["members"]:
            raise GoogleError(404, "Error(4003): Cannot find membership.")
        return {"name": f"{_ID}/memberships/{_number(email)}"}

    def _cloudidentity_groups_memberships_get(
        self, path: Mapping[str, str], query: Any, body: Json
    ) -> Json:
        return self._membership(self._email(path["membershipsId"]))

    def _cloudidentity_groups_memberships_create(
        self, path: Mapping[str, str], query: Any, body: Json
    ) -> Json:
        email, role = body["preferredMemberKey"]["id"], body["roles"][0]
        end = role.get("expiryDetail", {}).get("expireTime", "")
        self._check_end(end)
        if email in self.state["members"]:
            raise GoogleError(409, "Error(4014): Membership already exists.")
        if email not in self.users:
            raise GoogleError(404, "Error(2017): Entity not found.")
        self.member(email, role["name"], end)
        return {"done": True, "response": {"name": f"{_ID}/memberships/{_number(email)}"}}

    def _cloudidentity_groups_memberships_delete(
        self, path: Mapping[str, str], query: Any, body: Json
    ) -> Json:
        del self.state["members"][self._email(path["membershipsId"])]
        return {"done": True, "response": {}}

    def _cloudidentity_groups_memberships_list(
        self, path: Any, query: Mapping[str, str], body: Json
    ) -> Json:
        full, start = query.get("view") == "FULL", int(query.get("pageToken", "0"))
        found = list(self.state["members"])
        answer: Json = {"memberships": [self._membership(e) for e in found[start:][: self.page]]}
        if not full:
            answer["memberships"] = [{**one, "roles": []} for one in answer["memberships"]]
        if start + self.page < len(found):
            answer["nextPageToken"] = str(start + self.page)
        return answer

    def _cloudidentity_groups_memberships_modifyMembershipRoles(  # noqa: N802 - by Google's id
        self, path: Mapping[str, str], query: Any, body: Json
    ) -> Json:
        (update,) = body["updateRolesParams"]
        if update["fieldMask"] != "expiry_detail.expire_time" or set(body) != {"updateRolesParams"}:
            raise BreachError("only the end of a membership can be updated")
        email = self._email(path["membershipsId"])
        end = update["membershipRole"]["expiryDetail"]["expireTime"]
        self._check_end(end)
        self.state["members"][email]["end"] = end
        return {"membership": self._membership(email)}

    def _check_end(self, end: str) -> None:
        if end and not self.premium:
            raise GoogleError(400, "Error(4001): Membership expiry is not available to you.")
        if end and not NOW < datetime.fromisoformat(end) < NOW + timedelta(days=366):
            raise BreachError(f"a membership cannot end at {end}")

    def _membership(self, email: str) -> Json:
        held = self.state["members"][email]
        roles: list[Json] = [{"name": "MEMBER"}]
        if held["end"]:
            roles[0]["expiryDetail"] = {"expireTime": held["end"]}
        if held["role"] != "MEMBER":
            roles.append({"name": held["role"]})
        name = f"{_ID}/memberships/{_number(email)}"
        return {"name": name, "preferredMemberKey": {"id": email}, "roles": roles, "type": "USER"}

    def _email(self, number: str) -> str:
        for email in self.state["members"]:
            if _number(email) == number:
                return str(email)
        raise GoogleError(404, "Error(4003): Cannot find membership.")

    # policies

    def _cloudresourcemanager_projects_getIamPolicy(  # noqa: N802 - by Google's id
        self, path: Mapping[str, str], query: Any, body: Json
    ) -> Json:
        self._check_project(path, "get")
        conditional = any("condition" in one for one in self.state["bindings"])
        asked = body.get("options", {}).get("requestedPolicyVersion", 1)
        if conditional and asked != 3:
            raise BreachError("a policy with conditions needs version 3")
        policy = {"bindings": self.state["bindings"], "version": 3 if conditional else 1}
        return policy if self.without_etag else {**policy, "etag": self._etag()}

    def _cloudresourcemanager_projects_setIamPolicy(  # noqa: N802 - by Google's id
        self, path: Mapping[str, str], query: Any, body: Json
    ) -> Json:
        self._check_project(path, "set")
        if self.meanwhile:
            self.meanwhile.pop(0)()
        policy = body["policy"]
        if not policy.get("etag") or policy.get("version") != 3:
            raise BreachError("a policy is written with its etag and as version 3")
        if policy["etag"] != self._etag():
            words = "There were concurrent policy changes. Please retry the whole read-modify-write"
            raise GoogleError(409, words)
        for binding in policy["bindings"]:
            self._check_binding(binding)
        self.state["bindings"] = policy["bindings"]
        self.state["revision"] += 1
        return {**policy, "etag": self._etag()}

    def _cloudresourcemanager_projects_testIamPermissions(  # noqa: N802 - by Google's id
        self, path: Mapping[str, str], query: Any, body: Json
    ) -> Json:
        if f"projects/{path['projectsId']}" != PROJECT:
            return {}
        return {"permissions": [one for one in body["permissions"] if one in self.may]}

    def _check_project(self, path: Mapping[str, str], verb: str) -> None:
        permission = f"resourcemanager.projects.{verb}IamPolicy"
        if f"projects/{path['projectsId']}" != PROJECT or permission not in self.may:
            raise GoogleError(403, f"Permission '{permission}' denied on resource.")

    def _check_binding(self, binding: Json) -> None:
        if not binding["members"]:
            raise BreachError("a binding needs a member")
        if binding["role"] in {"roles/owner", "roles/editor"} and "condition" in binding:
            raise BreachError("no conditions on basic roles")
        for member in binding["members"]:
            kind, _, email = member.partition(":")
            if kind == "user" and email not in self.users:
                raise GoogleError(400, f"User {email} does not exist.")

    def _etag(self) -> str:
        return base64.b64encode(f"r{self.state['revision']:08}".encode()).decode()


def _found(request: web.Request) -> Call:
    for name, version in _SERVICES:
        if call := service(name, version).find(request.method, request.rel_url.raw_path):
            return call
    raise BreachError(f"no service has {request.method} {request.path}", 404)


def _check_group(key: str) -> None:
    if key != GROUP:
        raise GoogleError(404, "Resource Not Found: groupKey", reason="notFound")


def _number(email: str) -> str:
    return str(int.from_bytes(email.encode(), "big"))
