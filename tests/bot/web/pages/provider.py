"""An OpenID provider on this machine that signs what a test wants it to sign."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.web.app import start_web, stop_web

CLIENT, SECRET, TEAM = "client-1", "hush", "T1"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def usual_key() -> rsa.RSAPrivateKey:
    """Return the key of every provider of this process: to make one takes a tenth of a second."""
    return new_key()


@dataclass
class Provider:
    """Answers as told. `claims` change what the next token says; `answer` replaces it wholly."""

    url: str = ""
    nonce: str = ""
    now: Callable[[], float] = field(default=lambda: 0.0)
    key: rsa.RSAPrivateKey = field(default_factory=usual_key)
    signs: rsa.RSAPrivateKey | None = None
    kid: str = "k1"
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    answer: tuple[int, str] | None = None
    issuer: str = ""
    fails: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    looks: int = 0

    def token(self) -> str:
        now = int(self.now())
        said = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "U1",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "https://slack.com/team_id": TEAM,
            "https://slack.com/user_id": "U1",
            **self.claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        if self.algorithm == "RS256":
            return jwt.encode(said, self.signs or self.key, "RS256", headers={"kid": self.kid})
        key = "" if self.algorithm == "none" else "x" * 32
        return jwt.encode(said, key, self.algorithm, headers={"kid": self.kid})

    async def discovery(self, _request: web.Request) -> web.Response:
        self.looks += 1
        if "discovery" in self.fails:
            return web.Response(status=500)
        return web.json_response(
            {
                "issuer": self.issuer or self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def keys(self, _request: web.Request) -> web.Response:
        if "keys" in self.fails:
            return web.Response(status=503)
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return web.json_response({"keys": [{**jwk, "kid": "k1", "use": "sig"}]})

    async def exchange(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked.append({name: str(value) for name, value in form.items()})
        if "token" in self.fails:
            assert request.transport is not None
            request.transport.close()
        if self.answer is not None:
            return web.Response(status=self.answer[0], text=self.answer[1])
        return web.json_response({"ok": True, "id_token": self.token()})


@asynccontextmanager
async def provider(now: Callable[[], float]) -> AsyncIterator[Provider]:
    one = Provider(now=now)
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", one.discovery)
    app.router.add_get("/keys", one.keys)
    app.router.add_post("/token", one.exchange)
    runner = await start_web(app, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await stop_web(runner)
