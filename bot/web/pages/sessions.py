"""Who is signed in: signed tokens for links, cookies and a sign-in under way; none is stored."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from aiohttp import web

from bot.clock import Clock

LINK_LASTS = timedelta(minutes=10)
STATE_LASTS = timedelta(minutes=10)
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says, once its signature and its time are checked."""

    id: str
    person: str
    ends_at: datetime
    more: Mapping[str, str]


class Sessions:
    """Makes and reads tokens. A key of its own is derived for each kind, so none passes for another.

    `lasts` is for how long somebody stays signed in; `secure` keeps cookies to https.
    """

    def __init__(self, secret: str, clock: Clock, *, lasts: timedelta, secure: bool) -> None:
        if not secret:
            raise ValueError("without a secret anybody could sign in")
        self._secret = secret.encode()
        self._clock = clock
        self._lasts = lasts
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self.cookie = f"{prefix}watchbill"
        self.state_cookie = f"{prefix}watchbill-sign-in"
        self._way_cookie = f"{prefix}watchbill-next"

    def link_token(self, person: str) -> str:
        """Return what signs a person in once, within ten minutes."""
        return self._token("link", person, LINK_LASTS, {})

    def read_link(self, token: str) -> Claim | None:
        return self._read("link", token)

    def state_token(self, **more: str) -> str:
        return self._token("state", "", STATE_LASTS, more)

    def read_state(self, request: web.Request) -> Claim | None:
        return self._read("state", request.cookies.get(self.state_cookie, ""))

    def read_session(self, request: web.Request) -> Claim | None:
        """Return who is signed in, None for nobody; whether they signed out is the store's word."""
        return self._read("session", request.cookies.get(self.cookie, ""))

    def sign_in(self, response: web.StreamResponse, person: str) -> None:
        token = self._token("session", person, self._lasts, {})
        self._set(response, self.cookie, token, self._lasts)
        self._drop(response, self.state_cookie)
        self._drop(response, self._way_cookie)

    def keep_way(self, response: web.StreamResponse, path: str) -> None:
        """Remember where somebody wanted to go, who now gets a link from Slack."""
        self._set(response, self._way_cookie, quote(path), LINK_LASTS)

    def kept_way(self, request: web.Request) -> str:
        """Return where they wanted to go, the table where nothing is known."""
        return local_path(unquote(request.cookies.get(self._way_cookie, "")))

    def remember(self, response: web.StreamResponse, state: str) -> None:
        """Keep a sign-in under way with the browser that began it."""
        self._set(response, self.state_cookie, state, STATE_LASTS)

    def sign_out(self, response: web.StreamResponse) -> None:
        self._drop(response, self.cookie)
        self._drop(response, self.state_cookie)

    def _set(self, response: web.StreamResponse, name: str, value: str, lasts: timedelta) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()),
            path="/",
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )

    def _drop(self, response: web.StreamResponse, name: str) -> None:
        response.del_cookie(name, path="/", httponly=True, secure=self._secure, samesite="Lax")

    def _token(self, kind: str, person: str, lasts: timedelta, more: Mapping[str, str]) -> str:
        ends = int((self._clock.now() + lasts).timestamp())
        said = {"id": secrets.token_urlsafe(18), "p": person, "e": ends, "m": dict(more)}
        body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        return f"{body}.{self._mac(kind, body)}"

    def _read(self, kind: str, token: str) -> Claim | None:
        body, dot, mac = token.partition(".")
        if not dot or len(token) > _LONGEST or not token.isascii():
            return None
        if not hmac.compare_digest(self._mac(kind, body), mac):
            return None
        try:
            said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            ends = datetime.fromtimestamp(said["e"], UTC)
        except (binascii.Error, ValueError, KeyError, TypeError, OverflowError):
            return None
        if self._clock.now() >= ends:
            return None
        return Claim(said["id"], said["p"], ends, said["m"])

    def _mac(self, kind: str, body: str) -> str:
        own = hmac.new(self._secret, f"watchbill pages {kind}".encode(), hashlib.sha256).digest()
        mac = hmac.new(own, body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def local_path(text: str) -> str:
    """Return where to go after signing in: a path of ours, the table for anything else."""
    fine = text.startswith("/") and not text.startswith(("//", "/sign-")) and len(text) < 2_000
    clean = fine and "\\" not in text and text.isprintable()
    return text if clean else "/issues"
