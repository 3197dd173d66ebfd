"""The HTTP server: which address leads to which handler, its start and its orderly stop."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.web.answers import Handler, errors_as_json, harden
from bot.web.calendars import CalendarFeeds
from bot.web.hooks import Hooks
from bot.web.probes import Probes
from bot.web.raw_bodies import RawBodies

SHUTDOWN_SECONDS = 10.0
LINGER_SECONDS = 1.0
"""How long the rest of a refused body is read, so that its sender gets to see the answer."""

BIGGEST_BODY = 50_000_000

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
    slack_events: Handler | None = None
    pages: Sequence[web.RouteDef] = ()


def build_web(parts: WebParts) -> web.Application:
    app = web.Application(middlewares=[errors_as_json], client_max_size=BIGGEST_BODY)
    app.on_response_prepare.append(harden)
    app.router.add_post("/hooks/roster", parts.hooks.roster_changed)
    app.router.add_post("/hooks/{source}", parts.hooks.receive)
    app.router.add_route("OPTIONS", "/hooks/{source}", parts.hooks.agree)
    app.router.add_post("/hooks/{source}/heartbeat/{heartbeat}", parts.hooks.receive)
    app.router.add_get("/healthz", parts.probes.healthz)
    app.router.add_get("/readyz", parts.probes.readyz)
    app.router.add_get("/metrics", parts.probes.metrics)
    app.router.add_get("/", _front)
    if parts.raw_bodies is not None:
        app.router.add_get("/deliveries/{delivery}", parts.raw_bodies.show)
    if parts.calendars is not None:
        app.router.add_get("/calendar/{name}.ics", parts.calendars.rotation)
        app.router.add_get("/calendar/person/{name}.ics", parts.calendars.person)
    app.router.add_routes(parts.pages)
    if parts.slack_events is not None:
        app.router.add_post("/slack/events", parts.slack_events)
    return app


async def start_web(app: web.Application, host: str, port: int) -> web.AppRunner:
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
        auto_decompress=False,  # a small compressed body can be a huge one
    )
    await runner.setup()
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


async def _front(_request: web.Request) -> web.StreamResponse:
    return web.Response(text=_FRONT, content_type="text/html", charset="utf-8")
