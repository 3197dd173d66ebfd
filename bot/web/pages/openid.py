"""Sign in with Slack: OpenID Connect, the authorization code flow with state and nonce."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import structlog

from bot.clock import Clock
from bot.sources.fetch import Fetch, FetchError, fetch

SCOPE = "openid profile"
KEPT = timedelta(hours=1)
"""How old the provider's addresses and keys may get."""
PAUSE = timedelta(seconds=10)
"""For how long a provider that has just failed is not asked: people would wait one after another."""
LEEWAY = 60
"""Seconds by which the provider's clock and ours may differ."""
_SECONDS = 5.0
_LARGEST = 65_536
_NEVER = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger(__name__)


class OpenIdError(Exception):
    """Nobody was signed in; the message is for the one who tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdApp:
    """Our registration with the provider. `team` is the workspace people must be of, "" unknown."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect: str
    team: Callable[[], str]


@dataclass(slots=True)
class _Provider:
    authorize: str
    token: str
    keys: Mapping[str, Any]
    read_at: datetime


class OpenId:
    """Leads people to the provider, and reads who came back."""

    def __init__(self, app: OpenIdApp, clock: Clock, get: Fetch = fetch) -> None:
        self._app = app
        self._clock = clock
        self._get = get
        self._known: _Provider | None = None
        self._failed_at = _NEVER
        self._lock = asyncio.Lock()

    async def address(self, state: str, nonce: str) -> str:
        """Return where to send somebody to sign in. Raises OpenIdError."""
        provider = await self._provider()
        asked = {
            "response_type": "code",
            "scope": SCOPE,
            "client_id": self._app.client_id,
            "redirect_uri": self._app.redirect,
            "state": state,
            "nonce": nonce,
        }
        if team := self._app.team():
            asked["team"] = team
        return f"{provider.authorize}?{urlencode(asked)}"

    async def member(self, code: str, nonce: str) -> str:
        """Return the Slack member id of whom a code stands for. Raises OpenIdError."""
        provider = await self._provider()
        token = await self._exchange(provider, code)
        claims = await self._claims(provider, token)
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise OpenIdError("Slack's answer belongs to another sign-in. Try again.")
        if claims.get("https://slack.com/team_id") != self._app.team() or not self._app.team():
            raise OpenIdError(
                "You signed in to another Slack workspace. Choose ours and try again."
            )
        member = claims.get("https://slack.com/user_id") or claims.get("sub")
        if not isinstance(member, str) or not member.isalnum():
            raise OpenIdError("Slack did not say who you are. Try again.")
        return member

    async def _exchange(self, provider: _Provider, code: str) -> str:
        """Trade the code for a token, once: a code that may have been used works no more."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret,
            "redirect_uri": self._app.redirect,
        }
        try:
            answer = await _post(provider.token, form)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            log.warning("openid", action="exchange", error=type(error).__name__)
            raise OpenIdError("Slack does not answer. Try again in a minute.") from error
        token = answer.get("id_token")
        if not isinstance(token, str):
            log.warning("openid", action="exchange", error=str(answer.get("error"))[:100])
            raise OpenIdError("Slack refused the sign-in. Try again.")
        return token

    async def _claims(self, provider: _Provider, token: str) -> Mapping[str, Any]:
        # imported here: only sign-ins with Slack need it
        import jwt

        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
            if kid not in provider.keys:
                provider = await self._provider(fresh=True)
            claims: dict[str, Any] = jwt.decode(
                token,
                provider.keys[kid],
                algorithms=["RS256"],
                audience=self._app.client_id,
                issuer=self._app.issuer,
                # its time is checked below, by the clock everything here goes by
                options={
                    "require": ["exp", "iat", "iss", "aud", "sub", "nonce"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            log.warning("openid", action="check_token", error=type(error).__name__)
            raise OpenIdError("Slack's answer could not be checked. Try again.") from error
        now = self._clock.now().timestamp()
        issued, ends = claims["iat"], claims["exp"]
        if not all(isinstance(at, int | float) for at in (issued, ends)):
            raise OpenIdError("Slack's answer could not be checked. Try again.")
        if not issued - LEEWAY <= now < ends + LEEWAY:
            raise OpenIdError("Slack's answer has run out. Try again.")
        return claims

    async def _provider(self, *, fresh: bool = False) -> _Provider:
        async with self._lock:
            now, known = self._clock.now(), self._known
            old = timedelta(minutes=1) if fresh else KEPT
            if known is not None and now - known.read_at < old:
                return known
            if not self._failed_at <= now < self._failed_at + PAUSE:
                try:
                    self._known = await self._read(now)
                except (FetchError, ValueError, KeyError, TypeError) as error:
                    log.warning("openid", action="read_provider", error=str(error))
                    self._failed_at = now
                else:
                    return self._known
            if known is not None and not fresh:
                return known
            raise OpenIdError("Slack does not answer. Try again in a minute.")

    async def _read(self, now: datetime) -> _Provider:
        issuer = self._app.issuer
        found = json.loads(await self._get(f"{issuer}/.well-known/openid-configuration"))
        if found["issuer"] != issuer:
            raise ValueError("the provider calls itself by another name")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        authorize, token, keys = (_same_scheme(found[name], issuer) for name in names)
        return _Provider(authorize, token, await _keys(await self._get(keys)), now)


async def _keys(document: bytes) -> Mapping[str, Any]:
    # imported here: only sign-ins with Slack need it
    from jwt import PyJWKSet

    read = await asyncio.to_thread(PyJWKSet.from_json, document.decode())
    return {str(key.key_id): key for key in read.keys if key.key_type == "RSA"}


def _same_scheme(address: str, issuer: str) -> str:
    if urlsplit(address).scheme != urlsplit(issuer).scheme:
        raise ValueError(f"{address} is not of the issuer's scheme")
    return address


async def _post(address: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
        session.post(address, data=form, allow_redirects=False) as answer,
    ):
        body = await answer.content.read(_LARGEST)
        while not answer.content.at_eof():
            more = await answer.content.read(_LARGEST)
            if len(body) + len(more) > _LARGEST:
                raise ValueError("the answer is too large")
            body += more
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - of all that it can be
    return found
