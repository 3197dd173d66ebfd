"""The line to Slack: Socket Mode over two connections with a watchdog, or signed HTTP requests."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.slack.intake import Running

LOG = logging.getLogger(__name__)

CONNECTIONS = 2
"""One may be refreshed while the other listens; Slack sends each envelope to one of them."""

HttpHandler = Callable[[web.Request, bytes], Awaitable[web.Response]]

_LOOK_EVERY = timedelta(seconds=1)
_GRACE = timedelta(seconds=10)
_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=1)


class PacedClient(SocketModeClient):
    """Asks Slack for a new address no faster than its limits, and slower after each failure."""

    def __init__(self, *, clock: Clock, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._pause = timedelta(0)

    async def issue_new_wss_url(self) -> str:
        pause, self._pause = self._pause, self._longer()
        await self._clock.sleep_until(self._clock.now() + pause)
        return await super().issue_new_wss_url()

    async def begin(self) -> None:
        """Return when connected, however long that takes, or when ended."""
        await self.connect()  # type: ignore[no-untyped-call]

    async def end(self) -> None:
        await self.close()  # type: ignore[no-untyped-call]

    def greeted(self) -> None:
        """Slack said hello: the next trouble is a new one."""
        self._pause = timedelta(0)

    def start_over(self) -> None:
        """Drop an address that leads nowhere; the library would try it for ever."""
        self.wss_uri = None

    def _longer(self) -> timedelta:
        return min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)


@dataclass(slots=True)
class _Line:
    client: PacedClient
    bad_since: datetime | None = None


@dataclass
class SocketConnection:
    """Keeps Socket Mode connected; `clock` is the machine's, whatever a demo's night does."""

    app: AsyncApp
    running: Running
    app_token: str
    api_url: str
    clock: Clock
    connections: int = CONNECTIONS
    grace: timedelta = _GRACE
    ping_interval: float = 10.0
    last_event_at: datetime | None = None
    _lines: list[_Line] = field(default_factory=list)
    _closing: bool = False

    async def run(self) -> None:
        """Stay connected until cancelled or closed; trouble is retried, never raised."""
        self._lines = [_Line(self._new_client()) for _ in range(self.connections)]
        try:
            async with asyncio.TaskGroup() as tasks:
                for line in self._lines:
                    tasks.create_task(line.client.begin())
                tasks.create_task(self._watch())
        finally:
            await self._hang_up()

    async def connected(self) -> int:
        """Return how many connections are up."""
        return sum([await line.client.is_connected() for line in self._lines])

    def silent_for(self) -> timedelta | None:
        """Return how long ago Slack last sent anything, None when it never has."""
        return self.clock.now() - self.last_event_at if self.last_event_at else None

    async def close(self, within: timedelta = timedelta(seconds=5)) -> None:
        """Take no more envelopes, wait for handlers at work, then hang up."""
        self._closing = True
        await _finished(self.running, self.clock, within)
        await self._hang_up()

    async def _hang_up(self) -> None:
        for line in self._lines:
            await line.client.end()

    def _new_client(self) -> PacedClient:
        web_client = AsyncWebClient(base_url=self.api_url, timeout=10, retry_handlers=[])
        client = PacedClient(
            clock=self.clock,
            app_token=self.app_token,
            web_client=web_client,
            logger=LOG,
            ping_interval=self.ping_interval,
        )
        client.message_listeners.append(self._on_message)
        client.socket_mode_request_listeners.append(self._on_request)
        return client

    async def _watch(self) -> None:
        while not self._closing:
            await self.clock.sleep_until(self.clock.now() + _LOOK_EVERY)
            for line in self._lines:
                await self._look_at(line)

    async def _look_at(self, line: _Line) -> None:
        if await line.client.is_connected():
            line.bad_since = None
            return
        now = self.clock.now()
        line.bad_since = line.bad_since or now
        if now - line.bad_since >= self.grace:
            LOG.warning("a Slack connection has been down for %s: starting over", self.grace)
            line.client.start_over()
            line.bad_since = None

    async def _on_message(
        self, client: AsyncBaseSocketModeClient, message: dict[str, Any], _raw: str | None
    ) -> None:
        self.last_event_at = self.clock.now()
        if message.get("type") == "hello" and isinstance(client, PacedClient):
            client.greeted()

    async def _on_request(
        self, client: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        if self._closing:
            # Unacknowledged, an event comes again to whoever listens then.
            return
        async with self.running.one():
            response = await run_async_bolt_app(self.app, request)
            await send_async_response(client, request, response, 0.0)


def http_handler(app: AsyncApp, running: Running, signing_secret: str) -> HttpHandler:
    """Make the handler of POST /slack/events: of a request, and its body as it came.

    What Slack has not signed is refused before anything in it is read; Bolt looks at the time as
    well. Raises ValueError without a signing secret: then anybody could click.
    """
    if not signing_secret:
        raise ValueError("slack.mode http needs slack.signing_secret")

    async def handle(request: web.Request, body: bytes) -> web.Response:
        if not _is_signed(request, body, signing_secret):
            return web.Response(status=401, text="Slack has not signed this request")
        try:
            asked = AsyncBoltRequest(
                body=body.decode(), query=request.query_string, headers=dict(request.headers)
            )
        except (ValueError, RecursionError, AttributeError, TypeError):
            return web.Response(status=400, text="this is not a request from Slack")
        async with running.one():
            return await to_aiohttp_response(await app.async_dispatch(asked))

    return handle


def _is_signed(request: web.Request, body: bytes, secret: str) -> bool:
    at = request.headers.get("X-Slack-Request-Timestamp", "")
    made = hmac.new(secret.encode(), b"v0:" + at.encode("utf-8", "replace") + b":", hashlib.sha256)
    made.update(body)
    given = request.headers.get("X-Slack-Signature", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, f"v0={made.hexdigest()}".encode())


async def _finished(running: Running, clock: Clock, within: timedelta) -> None:
    idle = asyncio.Event()

    async def wait() -> None:
        await running.idle()
        idle.set()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wait())
        await clock.wait(idle, clock.now() + within)
        waiting.cancel()
