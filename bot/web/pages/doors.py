"""Signing in, by a link from Slack or with Slack itself, and out."""

import hmac
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import web

from bot.clock import Clock
from bot.ports.issues import Issues
from bot.web.answers import AWAY
from bot.web.body import RefusedError, read_form
from bot.web.pages.drawing import HEADERS, notice, page
from bot.web.pages.openid import OpenId, OpenIdError
from bot.web.pages.sessions import Sessions, local_path
from bot.web.rate import TokenBucket

CALLBACK = "/sign-in/slack/callback"
ATTEMPTS = 120
"""How many a minute may sign in with a link, and come back from Slack."""
_AGAIN = ("/sign-in", "Sign in")
_RUN_OUT = (
    "Links work for ten minutes, and once. Type /oncall issues in Slack: the answer has a new one."
)


class Doors:
    """The handlers. `openid` is None where nobody has registered us with Slack for sign-in.

    `person_of` makes a person's key of a Slack member id. `address` is ours, as browsers call it.
    """

    def __init__(
        self,
        sessions: Sessions,
        issues: Issues,
        clock: Clock,
        *,
        openid: OpenId | None,
        person_of: Callable[[str], str],
        name_of: Callable[[str], str],
        address: str,
    ) -> None:
        self._sessions = sessions
        self._issues = issues
        self._clock = clock
        self._openid = openid
        self._person_of = person_of
        self._name_of = name_of
        self._address = address
        # Each its own: a stranger can come back from Slack, with a code of no use.
        self._by_link = TokenBucket(ATTEMPTS, clock.now())
        self._by_slack = TokenBucket(ATTEMPTS, clock.now())

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sign-in", self.door),
            web.get("/sign-in/link", self.show_link),
            web.post("/sign-in/link", self.use_link),
            web.get("/sign-in/slack", self.to_slack),
            web.get(CALLBACK, self.from_slack),
            web.post("/sign-out", self.sign_out),
        ]

    async def door(self, request: web.Request) -> web.StreamResponse:
        then = local_path(request.query.get("next", ""))
        if await self._reads_as(request):
            return _on_to(then)
        way = f"/sign-in/slack?{urlencode({'next': then})}" if self._openid else ""
        response = page("door.html", {"me": None, "slack": way})
        if "next" in request.query:
            self._sessions.keep_way(response, then)
        return response

    async def show_link(self, request: web.Request) -> web.StreamResponse:
        """Ask before signing in: whatever looks at links in advance must not use them up."""
        token = request.query.get("key", "")
        given = request.query.get("next", "")
        then = local_path(given) if given else self._sessions.kept_way(request)
        claim = self._sessions.read_link(token)
        reads_as = await self._reads_as(request)
        if reads_as and (claim is None or claim.person == reads_as):
            return _on_to(then)  # an old link in an old message still leads to the table
        if claim is None:
            return notice("This link has run out", _RUN_OUT, status=403, way=_AGAIN)
        context = {"me": None, "key": token, "then": then, "name": self._name_of(claim.person)}
        return page("link.html", context)

    async def use_link(self, request: web.Request) -> web.StreamResponse:
        if stopped := _from_elsewhere(request, self._address):
            return stopped
        try:
            form = await read_form(request)
        except RefusedError as error:
            return notice("You are not signed in", error.why, status=error.status, way=_AGAIN)
        claim = self._sessions.read_link(form.get("key", ""))
        # Counted only when it is signed: strangers must not use up everybody's attempts.
        if claim is not None and (busy := self._busy(self._by_link)):
            return busy
        try:
            now = self._clock.now()
            fine = claim is not None and await self._issues.use_link(claim.id, claim.ends_at, now)
        except AWAY:
            text = "Nobody was signed in. Try again in a minute."
            return notice("The database does not answer", text, status=503, way=_AGAIN)
        if claim is None or not fine:
            if claim is not None and claim.person == await self._reads_as(request):
                return _on_to(form.get("next", ""))  # who presses twice is inside by the first
            return notice("This link has run out", _RUN_OUT, status=403, way=_AGAIN)
        return self._inside(claim.person, form.get("next", ""))

    async def to_slack(self, request: web.Request) -> web.StreamResponse:
        if self._openid is None:
            raise web.HTTPNotFound
        state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        try:
            address = await self._openid.address(state, nonce)
        except OpenIdError as error:
            return notice("You are not signed in", str(error), status=502, way=_AGAIN)
        then = local_path(request.query.get("next", ""))
        response = web.Response(status=303, headers={**HEADERS, "Location": address})
        token = self._sessions.state_token(state=state, nonce=nonce, then=then)
        self._sessions.remember(response, token)
        return response

    async def from_slack(self, request: web.Request) -> web.StreamResponse:
        if self._openid is None:
            raise web.HTTPNotFound
        begun = self._sessions.read_state(request)
        said = request.query.get("state", "").encode()
        if begun is None or not hmac.compare_digest(begun.more["state"].encode(), said):
            text = "This sign-in was not begun in this browser, or too long ago. Try again."
            return notice("You are not signed in", text, status=403, way=_AGAIN)
        code = request.query.get("code", "")
        if not code or len(code) > 2_000:
            text = "Slack did not let you in, or you said no."
            return notice("You are not signed in", text, status=403, way=_AGAIN)
        if busy := self._busy(self._by_slack):
            return busy
        try:
            member = await self._openid.member(code, begun.more["nonce"])
        except OpenIdError as error:
            return notice("You are not signed in", str(error), status=403, way=_AGAIN)
        return self._inside(self._person_of(member), begun.more["then"])

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """End the session itself: a copy of its cookie opens nothing any more."""
        if stopped := _from_elsewhere(request, self._address):
            return stopped
        claim = self._sessions.read_session(request)
        text, status = "You are signed out. Links to this browser open nothing any more.", 200
        try:
            if claim is not None:
                await self._issues.use_link(claim.id, claim.ends_at, self._clock.now())
        except AWAY:
            text = "This browser is signed out. Copies of its cookie work until they run out."
            status = 503
        response = notice("Signed out", text, status=status, way=_AGAIN)
        self._sessions.sign_out(response)
        return response

    async def _reads_as(self, request: web.Request) -> str:
        """Return who is signed in, "" for nobody or while that cannot be told."""
        claim = self._sessions.read_session(request)
        try:
            over = claim is None or await self._issues.is_used(claim.id)
        except AWAY:
            over = True
        return "" if claim is None or over else claim.person

    def _inside(self, person: str, then: str) -> web.StreamResponse:
        response = _on_to(then)
        self._sessions.sign_in(response, person)
        return response

    def _busy(self, bucket: TokenBucket) -> web.Response | None:
        wait = bucket.take(self._clock.now())
        if not wait:
            return None
        text = "Too many people sign in at once. Wait a minute and try again."
        return notice("Too many requests", text, status=429, way=_AGAIN)


def _on_to(then: str) -> web.Response:
    return web.Response(status=303, headers={**HEADERS, "Location": local_path(then)})


def _from_elsewhere(request: web.Request, address: str) -> web.Response | None:
    """Refuse what another site's page sends: it could sign somebody in as somebody else, or out."""
    said = request.headers.get("Sec-Fetch-Site") or _site_of_origin(request, address)
    if said in {"same-origin", "none"}:
        return None
    text = "Another site sent you here. Open the link in Slack, or the page itself."
    return notice("Nothing was done", text, status=403, way=_AGAIN)


def _site_of_origin(request: web.Request, address: str) -> str:
    """Judge by `Origin`: older browsers tell no more, and by plain http none does."""
    origin = request.headers.get("Origin")
    if origin is None:
        return "same-origin"
    ours = {request.host.lower(), _host(address)} - {""}  # `Origin: null` has no host either
    return "same-origin" if _host(origin) in ours else "cross-site"


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].lower()
