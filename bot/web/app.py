"""The HTTP server: which address leads to which handler, its start and its orderly stop."""

import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.web.answers import Handler, errors_as_json, harden, refusal
from bot.web.body import RefusedError, read_body
from bot.web.calendars import CalendarFeeds
from bot.web.hooks import Hooks
from bot.web.probes import Probes
from bot.web.raw_bodies import RawBodies

SHUTDOWN_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75.0
"""How long a connection may say nothing, or half of a request's head, before it is closed.

Longer than proxies keep theirs, and short: connections are files, and those are few.
"""
LINGER_SECONDS = 1.0
"""How long the rest of a refused body is read, so that its sender gets to see the answer."""

BIGGEST_BODY = 50_000_000
SLACK_BODY_LIMIT = 1_000_000

_CONTINUE = "100-continue"
_Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
OfBody = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]

_FRONT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Watchbill</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<h1>Watchbill</h1>
<p>The on-call bot for data teams, in Slack. This is the address your tools send alerts to.</p>
<p>Alerts: <code>POST /hooks/&lt;source&gt;</code>. State: <code>/readyz</code>.
Numbers: <code>/metrics</code>.</p>
<p>For people: <a href="/issues">production issues</a>.</p>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Who answers what; `slack_events` is there only in Slack's HTTP mode."""

    hooks: Hooks
    probes: Probes
    raw_bodies: RawBodies | None = None
    calendars: CalendarFeeds | None = None
    slack_events: OfBody | None = None
    pages: Sequence[web.RouteDef] = ()


def build_web(parts: WebParts) -> web.Application:
    app = web.Application(middlewares=[errors_as_json], client_max_size=BIGGEST_BODY)
    app.on_response_prepare.append(harden)
    hooks, probes = parts.hooks, parts.probes
    doors = [
        web.post("/hooks/roster", hooks.roster_changed),
        web.post("/hooks/{source}", hooks.receive),
        web.options("/hooks/{source}", hooks.agree),
        web.post("/hooks/{source}/heartbeat/{heartbeat}", hooks.receive),
        web.get("/healthz", probes.healthz),
        web.get("/readyz", probes.readyz),
        web.get("/metrics", probes.metrics),
        web.get("/", _front),
        *parts.pages,
    ]
    if parts.raw_bodies is not None:
        doors.append(web.get("/deliveries/{delivery}", parts.raw_bodies.show))
    if parts.calendars is not None:
        # a sheet may call a rotation `EU/US`, and the first that fits is taken
        doors.append(web.get("/calendar/person/{name:.+}.ics", parts.calendars.person))
        doors.append(web.get("/calendar/{name:.+}.ics", parts.calendars.rotation))
    if parts.slack_events is not None:
        doors.append(web.post("/slack/events", _bounded(parts.slack_events)))
    app.router.add_routes(doors)
    return app


async def start_web(
    app: web.Application, host: str, port: int, *, keep_alive: float = KEEP_ALIVE_SECONDS
) -> web.AppRunner:
    """Listen and return the runner; `runner.addresses` tells the port when 0 was asked for.

    Raises OSError, in words, when the address cannot be taken. Requests are not logged:
    addresses can hold keys.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_SECONDS,
        lingering_time=LINGER_SECONDS,
        keepalive_timeout=keep_alive,
        auto_decompress=False,  # a small compressed body can be a huge one
    )
    await runner.setup()
    assert runner.server is not None
    runner.server.request_handler = _guarded(runner.server.request_handler)
    try:
        await web.TCPSite(runner, host, port, backlog=socket.SOMAXCONN).start()
    except OSError as error:
        await runner.cleanup()
        why = os.strerror(error.errno) if error.errno else str(error)
        message = (
            f"listen: {host}:{port} cannot be taken ({why}); stop whoever has it,"
            " or name another address in config.yaml"
        )
        raise OSError(message) from error
    return runner


async def stop_web(runner: web.AppRunner) -> None:
    """Stop listening, let running requests end for up to ten seconds, and close."""
    await runner.cleanup()


def _bounded(handle: OfBody) -> Handler:
    """Read the body before anybody knows who sends it: no more of it than Slack ever sends."""

    async def bounded(request: web.Request) -> web.StreamResponse:
        try:
            body = await read_body(request, SLACK_BODY_LIMIT)
        except RefusedError as error:
            refused = refusal(error.status, error.why)
            refused.force_close()
            return refused
        return await handle(request, body)

    return bounded


def _guarded(handle: _Handle) -> _Handle:
    """Refuse an odd `Expect` before anybody looks: aiohttp's own refusal can fail at its signs."""

    async def guarded(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Expect", _CONTINUE).lower() != _CONTINUE:
            refused = refusal(417, "Only `Expect: 100-continue` is understood.")
            refused.headers["Server"] = "Watchbill"
            refused.force_close()
            return refused
        return await handle(request)

    return guarded


async def _front(_request: web.Request) -> web.StreamResponse:
    return web.Response(text=_FRONT, content_type="text/html", charset="utf-8")
