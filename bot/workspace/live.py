"""Tells open pages what changed, as server-sent events."""

import asyncio
import json

from aiohttp import web

from bot.workspace.records import Change, Records

QUIET_SECONDS = 15.0


class Live:
    """One queue of changed parts per open page; a part that changes twice is named once."""

    def __init__(self, records: Records) -> None:
        self._pages: dict[asyncio.Event, set[tuple[str, str]]] = {}
        self._closing = False
        records.listeners.append(self.note)

    def note(self, change: Change) -> None:
        for event, parts in self._pages.items():
            parts.add((change.what, change.channel or ""))
            event.set()

    def close(self) -> None:
        self._closing = True
        for event in self._pages:
            event.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await answer.prepare(request)
        event = asyncio.Event()
        self._pages[event] = set()
        try:
            await answer.write(b"retry: 500\n: hello\n\n")
            while not self._closing:
                await answer.write(await self._next(event))
        except ConnectionError:
            pass
        finally:
            del self._pages[event]
        return answer

    async def _next(self, event: asyncio.Event) -> bytes:
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await event.wait()
        except TimeoutError:
            return b": still here\n\n"
        event.clear()
        parts, self._pages[event] = self._pages[event], set()
        changes = [{"what": what, "channel": channel} for what, channel in sorted(parts)]
        return f"data: {json.dumps(changes)}\n\n".encode()
