"""Okta's groups, by the operations of its published management description (2024.07).

Operations: getUser, getGroup, listGroupUsers, assignUserToGroup, unassignUserFromGroup.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web
from multidict import CIMultiDict

from tests.fakes.access.server import FakeService

TOKEN = "okta-token-000000000000000000000000"
GROUP = "00gADMINS0000000001"
_PAGE = 200
_PATHS = {
    "getUser": ("GET", re.compile(r"/api/v1/users/(?P<user>[^/]+)")),
    "getGroup": ("GET", re.compile(r"/api/v1/groups/(?P<group>[^/]+)")),
    "listGroupUsers": ("GET", re.compile(r"/api/v1/groups/(?P<group>[^/]+)/users")),
    "assignUserToGroup": (
        "PUT",
        re.compile(r"/api/v1/groups/(?P<group>[^/]+)/users/(?P<user>[^/]+)"),
    ),
    "unassignUserFromGroup": (
        "DELETE",
        re.compile(r"/api/v1/groups/(?P<group>[^/]+)/users/(?P<user>[^/]+)"),
    ),
}
_QUERY = {"listGroupUsers": {"after", "limit"}}


class FakeOkta(FakeService):
    def __init__(self) -> None:
        super().__init__()
        self.kind = "OKTA_GROUP"
        self.users: dict[str, dict[str, str]] = {}
        self.state = {GROUP: []}

    def add_user(self, login: str, status: str = "ACTIVE") -> str:
        user_id = f"00u{len(self.users):016}"
        self.users[user_id] = {"login": login, "status": status}
        return user_id

    async def answer(self, request: web.Request) -> web.Response:
        operation, named = _operation(request)
        if not operation:
            return self.breach(f"{request.method} {request.path}")
        if extra := set(request.query) - _QUERY.get(operation, set()):
            return self.breach(f"{operation}: {extra}")
        if await request.read():
            return self.breach(f"{operation} takes no body")
        if request.headers.get("Authorization") != f"SSWS {TOKEN}":
            return _error(401, "E0000011", "Invalid token provided")
        if "group" in named and named["group"] not in self.state:
            return _error(404, "E0000007", "Not found: Resource not found (UserGroup)")
        user = self._find(named.get("user", ""))
        if "user" in named and not user:
            return _error(404, "E0000007", "Not found: Resource not found (User)")
        return self._play(request, operation, named.get("group", ""), user)

    def _play(self, request: web.Request, operation: str, group: str, user: str) -> web.Response:
        if operation == "getUser":
            return web.json_response(self._shown(user))
        if operation == "getGroup":
            shown = {"id": group, "type": self.kind, "profile": {"name": "Admins"}}
            return web.json_response(shown)
        if operation == "listGroupUsers":
            return self._listed(request, group)
        if self.kind != "OKTA_GROUP":
            return _error(403, "E0000006", "You do not have permission")
        members = self.state[group]
        if operation == "assignUserToGroup" and user not in members:
            members.append(user)
        if operation == "unassignUserFromGroup" and user in members:
            members.remove(user)
        return web.Response(status=204)

    def too_fast(self, seconds: int) -> dict[str, str]:
        """Return the headers of a 429: the limit's end by the service's own clock."""
        now = datetime(2026, 11, 23, 3, tzinfo=UTC)
        reset = int(now.timestamp()) + seconds
        return {"X-Rate-Limit-Reset": str(reset), "Date": format_datetime(now, usegmt=True)}

    def _listed(self, request: web.Request, group: str) -> web.Response:
        limit = min(int(request.query.get("limit", "1000")), _PAGE)
        start = int(request.query.get("after", "0"))
        page = self.state[group][start : start + limit]
        headers: CIMultiDict[str] = CIMultiDict()
        if start + limit < len(self.state[group]):
            url = f"{self.url}/api/v1/groups/{group}/users"
            # a header of its own for each, in any order
            headers.add("Link", f'<{url}?after={start + limit}&limit={limit}>; rel="next"')
            headers.add("Link", f'<{url}?limit={limit}>; rel="self"')
        return web.json_response([self._shown(user) for user in page], headers=headers)

    def _shown(self, user_id: str) -> dict[str, object]:
        user = self.users[user_id]
        profile = {"login": user["login"], "email": user["login"]}
        return {"id": user_id, "status": user["status"], "profile": profile}

    def _find(self, written: str) -> str:
        """Find by id, login, or the part of a login before the @, as Okta does."""
        for user_id, user in self.users.items():
            login = user["login"].lower()
            if written.lower() in {user_id.lower(), login, login.partition("@")[0]}:
                return user_id
        return ""


def _operation(request: web.Request) -> tuple[str, dict[str, str]]:
    for operation, (verb, path) in _PATHS.items():
        found = path.fullmatch(request.path)
        if found and verb == request.method:
            return operation, found.groupdict()
    return "", {}


def _error(status: int, code: str, words: str) -> web.Response:
    said = {"errorCode": code, "errorSummary": words, "errorLink": code, "errorId": "oae1"}
    return web.json_response({**said, "errorCauses": []}, status=status)
