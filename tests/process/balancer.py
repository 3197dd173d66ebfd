"""A balancer as small as can be: each request to the next replica that takes a connection."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.ports import free_port

_PASSED_ON = frozenset({"authorization", "content-type", "x-watchbill-delivery"})
_TIMEOUT = aiohttp.ClientTimeout(total=4, sock_connect=1)


@dataclass
class Balancer:
    """Takes turns; a refused connection goes on to the next, and anything else is the answer.

    What was sent and never answered is not sent to another: that is the sender's to repeat.
    """

    replicas: Sequence[str]
    served: dict[str, int] = field(default_factory=dict)
    url: str = ""
    _turn: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() in _PASSED_ON}
        session = request.app[_SESSION]
        for _ in self.replicas:
            replica = self._next()
            try:
                async with session.request(
                    request.method, f"{replica}{request.path_qs}", data=body, headers=headers
                ) as answer:
                    self.served[replica] = self.served.get(replica, 0) + 1
                    return web.Response(status=answer.status, body=await answer.read())
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError):
                return web.Response(status=502)
        return web.Response(status=503)

    def _next(self) -> str:
        self._turn += 1
        return self.replicas[self._turn % len(self.replicas)]


_SESSION = web.AppKey("session", aiohttp.ClientSession)


@asynccontextmanager
async def balancing(replicas: Sequence[str]) -> AsyncIterator[Balancer]:
    """Listen on a free port in front of these addresses."""
    balancer, port = Balancer(replicas), free_port()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", balancer.handle)
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        app[_SESSION] = session
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            balancer.url = f"http://127.0.0.1:{port}"
            yield balancer
        finally:
            await runner.cleanup()
