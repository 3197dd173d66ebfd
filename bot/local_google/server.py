"""Puts the local Google on a port of this machine; other services can be mounted beside it."""

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.local_google.discovery import Call
from bot.local_google.errors import BreachError, GoogleError
from bot.local_google.faults import Fault
from bot.local_google.google import LocalGoogle
from bot.local_google.tokens import InvalidGrantError

LARGEST_BODY = 10_000_000


class NotLoopbackError(ValueError):
    """The local Google was asked to listen where others could reach it."""


@dataclass(slots=True)
class RunningGoogle:
    """A Google that listens; `url` is what the client's `rootUrl` becomes, without a slash."""

    google: LocalGoogle
    url: str
    runner: web.AppRunner
    closing: asyncio.Event

    async def close(self) -> None:
        self.closing.set()
        await self.runner.cleanup()


async def serve(
    google: LocalGoogle,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    mounted: Mapping[str, web.Application] | None = None,
) -> RunningGoogle:
    """Listen on `host` (loopback only, else NotLoopbackError); port 0 takes a free one.

    `mounted` are applications by the beginning of their paths, like "/calendar/v3".
    """
    if not _is_loopback(host):
        raise NotLoopbackError(f"The local Google listens on this machine only, not on {host}.")
    closing = asyncio.Event()
    app = application(google, closing, mounted)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    google.url = f"http://{host}:{runner.addresses[0][1]}"
    return RunningGoogle(google, google.url, runner, closing)


def application(
    google: LocalGoogle,
    closing: asyncio.Event,
    mounted: Mapping[str, web.Application] | None = None,
) -> web.Application:
    """Return the application; `closing` ends answers that are held back on purpose."""
    app = web.Application(client_max_size=LARGEST_BODY)
    door = _Door(google, closing)
    app.router.add_post("/token", door.token)
    for prefix, other in (mounted or {}).items():
        app.add_subapp(prefix, other)
    app.router.add_route("*", "/{path:.*}", door.handle)
    return app


@dataclass(slots=True)
class _Door:
    google: LocalGoogle
    closing: asyncio.Event

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Give an access token for what a service account has signed."""
        form = await request.post()
        fault = self.google.faults.take("token")
        if fault and (refusal := fault.refusal):
            return _json(refusal.status, refusal.body())
        try:
            return _json(200, self.google.accounts.exchange(str(form.get("assertion", ""))))
        except InvalidGrantError as error:
            said = {"error": "invalid_grant", "error_description": str(error)}
            return _json(400, said)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            call = self.google.find(request.method, request.rel_url.raw_path)
        except BreachError as error:
            self.google.breaches.append(str(error))
            return _json(error.status, error.body())
        self.google.calls.append(call.id)
        text = await request.text()
        fault = self.google.faults.take(call.id)
        if fault and fault.kind == "drop_before":
            return _drop(request)
        if fault and (refusal := fault.refusal):
            return _refused(refusal)
        if fault and fault.kind == "html":
            return web.Response(status=502, text="<html>Bad Gateway</html>")
        response = self._played(request, call, text)
        return await self._delivered(request, response, fault)

    def _played(self, request: web.Request, call: Call, text: str) -> web.Response:
        try:
            caller = self.google.accounts.caller(request.headers.get("Authorization", ""))
            query = {name: request.query.getall(name) for name in request.query}
            return _json(200, self.google.answer(call, caller, query, _body(text)))
        except GoogleError as error:
            if isinstance(error, BreachError):
                self.google.breaches.append(str(error))
            return _refused(error)

    async def _delivered(
        self, request: web.Request, response: web.Response, fault: Fault | None
    ) -> web.StreamResponse:
        match fault.kind if fault else "":
            case "drop_after_commit":
                return _drop(request)
            case "timeout_after_commit":
                await self.closing.wait()
                return _drop(request)
            case "truncated":
                return await _truncated(request, response)
            case _:
                return response


def _body(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        body = json.loads(text)
    except ValueError:
        raise BreachError("Invalid JSON payload received.") from None
    if not isinstance(body, dict):
        raise BreachError("Invalid JSON payload received: not an object.")
    return body


def _json(status: int, body: object) -> web.Response:
    return web.json_response(body, status=status)


def _refused(error: GoogleError) -> web.Response:
    response = _json(error.status, error.body())
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _drop(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _truncated(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Send half of an answer, and hang up."""
    body = response.body
    whole = body if isinstance(body, bytes) else b""
    cut = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    cut.content_length = len(whole)
    await cut.prepare(request)
    await cut.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()  # what was written is sent before
    return cut


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
