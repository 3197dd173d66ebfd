"""GitHub's teams, by the operations of its published REST description (2022-11-28).

Operations: teams/get-by-name, teams/list-child-in-org, teams/list-members-in-org,
teams/list-pending-invitations-in-org, teams/get-membership-for-user-in-org,
teams/add-or-update-membership-for-user-in-org, teams/remove-membership-for-user-in-org,
orgs/get-membership-for-user.
"""

import json
import re

from aiohttp import web

from tests.fakes.access.server import FakeService

TOKEN = "github_pat_0000000000000000000000"
ORG = "example-org"
TEAM = "incident-admins"
_ORG = rf"/orgs/{ORG}"
_TEAM = rf"{_ORG}/teams/(?P<team>[^/]+)"
_PAGES = frozenset({"per_page", "page"})
_OPERATIONS: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    ("GET", _TEAM, "_get", frozenset()),
    ("GET", rf"{_TEAM}/teams", "_children", _PAGES),
    ("GET", rf"{_TEAM}/members", "_members", _PAGES | {"role"}),
    ("GET", rf"{_TEAM}/invitations", "_invitations", _PAGES),
    ("GET", rf"{_TEAM}/memberships/(?P<user>[^/]+)", "_membership", frozenset()),
    ("PUT", rf"{_TEAM}/memberships/(?P<user>[^/]+)", "_put", frozenset()),
    ("DELETE", rf"{_TEAM}/memberships/(?P<user>[^/]+)", "_delete", frozenset()),
    ("GET", rf"{_ORG}/memberships/(?P<user>[^/]+)", "_organization", frozenset()),
)


class FakeGitHub(FakeService):
    """`users` are all of GitHub, `organization` who is in the organization, with their role."""

    def __init__(self) -> None:
        super().__init__()
        self.users: set[str] = set()
        self.organization: dict[str, str] = {}
        self.children: list[str] = []
        self.synchronised = False
        self.state = {TEAM: {}, "invited": []}

    def add_user(self, login: str, *, member: bool = True) -> str:
        self.users.add(login)
        if member:
            self.organization[login] = "member"
        return login

    def accept(self, login: str) -> None:
        self.state["invited"].remove(login)
        self.organization[login] = "member"
        self.state[TEAM][login] = "member"

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            return self.breach("no version asked for")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, "Bad credentials")
        for verb, path, method, query in _OPERATIONS:
            found = re.fullmatch(path, request.path)
            if not found or verb != request.method:
                continue
            if extra := set(request.query) - query:
                return self.breach(f"{method}: {extra}")
            named = found.groupdict()
            if "team" in named and named["team"] != TEAM:
                return _error(404, "Not Found")
            body = await request.text()
            if verb == "PUT":
                return self._put(named["user"], json.loads(body))
            if body:
                return self.breach(f"{method} takes no body")
            played: web.Response = getattr(self, method)(request, named.get("user", ""))
            return played
        return self.breach(f"{request.method} {request.path}")

    def _get(self, request: web.Request, user: str) -> web.Response:
        return web.json_response({"slug": TEAM, "name": "Incident admins", "privacy": "closed"})

    def _children(self, request: web.Request, user: str) -> web.Response:
        return self._page(request, [{"slug": slug} for slug in self.children])

    def _members(self, request: web.Request, user: str) -> web.Response:
        role = request.query.get("role", "all")
        found = [{"login": u} for u, r in self.state[TEAM].items() if role in {"all", r}]
        return self._page(request, found)

    def _invitations(self, request: web.Request, user: str) -> web.Response:
        by_email = [{"login": None, "email": "somebody@example.com"}]
        return self._page(request, [{"login": u} for u in self.state["invited"]] + by_email)

    def _membership(self, request: web.Request, user: str) -> web.Response:
        if user in self.state["invited"]:
            return web.json_response({"role": "member", "state": "pending"})
        if user not in self.state[TEAM]:
            return _error(404, "Not Found")
        return web.json_response({"role": self.state[TEAM][user], "state": "active"})

    def _organization(self, request: web.Request, user: str) -> web.Response:
        if user not in self.organization:
            return _error(404, "Not Found")
        return web.json_response({"role": self.organization[user], "state": "active"})

    def _put(self, user: str, body: dict[str, object]) -> web.Response:
        if set(body) - {"role"} or body.get("role") not in {"member", "maintainer"}:
            return self.breach(f"a membership cannot be {body}")
        if self.synchronised:
            return _error(403, "Team synchronization is enabled for this team.")
        if user not in self.users:
            return _error(404, "Not Found")
        if user not in self.organization:
            if user not in self.state["invited"]:
                self.state["invited"].append(user)
            return web.json_response({"role": body["role"], "state": "pending"})
        self.state[TEAM][user] = body["role"]
        return web.json_response({"role": body["role"], "state": "active"})

    def _delete(self, request: web.Request, user: str) -> web.Response:
        if user in self.state["invited"]:
            self.state["invited"].remove(user)
        elif user in self.state[TEAM]:
            del self.state[TEAM][user]
        else:
            return _error(404, "Not Found")
        return web.Response(status=204)

    def _page(self, request: web.Request, found: list[dict[str, object]]) -> web.Response:
        size = min(int(request.query.get("per_page", "30")), 100)
        page = int(request.query.get("page", "1"))
        headers = {}
        if page * size < len(found):
            following = request.url.update_query(page=page + 1)
            headers["Link"] = f'<{following}>; rel="next", <{following}>; rel="last"'
        return web.json_response(found[(page - 1) * size : page * size], headers=headers)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message, "status": str(status)}, status=status)
