"""A way to a PostgreSQL that can be blocked: the server is there, and says nothing any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url


class Relay:
    """Passes on what both sides say; `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._to = make_url(url)
        self._open = asyncio.Event()
        self._open.set()
        self._ways: set[asyncio.Task[None]] = set()
        self.url = ""

    def block(self) -> None:
        """Say nothing from now on, to those who are connected and to those who come."""
        self._open.clear()

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        through = self._to.set(host="127.0.0.1", port=port).difference_update_query(["host"])
        self.url = through.render_as_string(hide_password=False)
        return server

    async def close(self) -> None:
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        self._ways.add(this)
        folder = self._to.query["host"]
        port = self._to.port or 5432
        theirs, ours = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, ours))
                group.create_task(self._pass_on(theirs, writer))
        finally:
            self._ways.discard(this)
            for end in (writer, ours):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _pass_on(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while said := await source.read(65_536):
                await self._open.wait()
                to.write(said)
                await to.drain()
            to.write_eof()


@asynccontextmanager
async def relay(url: str) -> AsyncIterator[Relay]:
    one = Relay(url)
    async with await one.listen():
        yield one
        await one.close()
