"""What fake services share: a port of their own, and bad days to order."""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web


@dataclass(slots=True)
class Fault:
    """One kind of trouble for the next `times` requests; `lie`: says yes and does nothing."""

    kind: Literal["status", "drop", "drop_after", "hang", "lie", "nonsense"]
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    times: int = 1
    verb: str = ""


class FakeService:
    """A service in memory. `breaches` are requests that its description does not know."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[str] = []
        self.breaches: list[str] = []
        self.faults: list[Fault] = []
        self.state: dict[str, Any] = {}
        self._closing = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        raise NotImplementedError

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """Listen; a request that the real service would not understand fails the test."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._closing.set()
            await runner.cleanup()
        assert self.breaches == []

    def breach(self, words: str) -> web.Response:
        self.breaches.append(words)
        return web.json_response({"breach": words}, status=400)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.rel_url.raw_path}")
        fault = self._take(request)
        match fault.kind if fault else "":
            case "status":
                assert fault is not None
                return web.json_response(fault.body, status=fault.status, headers=fault.headers)
            case "nonsense":
                return web.Response(text="<html>Sorry</html>")
            case "drop":
                return _dropped(request)
            case "hang":
                await self._closing.wait()
                return _dropped(request)
            case "drop_after":
                await self.answer(request)
                return _dropped(request)
            case "lie":
                before = copy.deepcopy(self.state)
                response = await self.answer(request)
                self.state = before
                return response
            case _:
                return await self.answer(request)

    def _take(self, request: web.Request) -> Fault | None:
        if request.path == "/token":
            return None
        for fault in self.faults:
            if fault.verb in {"", request.method}:
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return None


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
