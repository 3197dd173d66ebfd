"""A web server that writes down what it is sent, and answers as a test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Heard:
    """What arrived: method, path, headers, and the JSON of a body."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Receiver:
    """`status` is what it answers."""

    url: str = ""
    status: int = 200
    heard: list[Heard] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = await request.json() if raw else None
        self.heard.append(Heard(request.method, request.path, dict(request.headers), body))
        return web.Response(status=self.status, headers=self.headers)

    @property
    def texts(self) -> list[str]:
        return [str(one.body["text"]) for one in self.heard]


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    try:
        yield made
    finally:
        await runner.cleanup()
