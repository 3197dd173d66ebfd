"""Stands between a bot and PostgreSQL as a pooler does that gives each session a connection."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import make_url

_SSL_REQUEST = 80877103
_KEPT_BACK = {b"lock_timeout", b"statement_timeout", b"idle_in_transaction_session_timeout"}
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def pooling(url: str) -> AsyncIterator[str]:
    """Yield the address of a pooler before the database, which takes but three parameters off."""
    socket = str(Path(str(make_url(url).query["host"])) / ".s.PGSQL.5432")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await asyncio.open_unix_connection(socket)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            server[1].write(_without(await _startup(reader, writer)))
            await _answer_startup(server[0], writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(reader, server[1]))
                group.create_task(_pass_on(server[0], writer))
        for end in (writer, server[1]):
            end.close()

    listening = await asyncio.start_server(serve, "127.0.0.1")
    port = listening.sockets[0].getsockname()[1]
    parsed = make_url(url)
    yield parsed.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    listening.close()


@asynccontextmanager
async def refusing(why: str) -> AsyncIterator[str]:
    """Yield the address of a pooler that refuses whoever comes, in these words."""
    said = b"".join(
        kind + text.encode() + b"\0"
        for kind, text in ((b"S", "FATAL"), (b"C", "08P01"), (b"M", why))
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _startup(reader, writer)
        writer.write(b"E" + struct.pack("!I", len(said) + 5) + said + b"\0")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1")
    yield f"postgresql://bot@127.0.0.1:{listening.sockets[0].getsockname()[1]}/bot"
    listening.close()


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        body = await reader.readexactly(length - 4)
        if struct.unpack("!I", body[:4])[0] != _SSL_REQUEST:
            return body
        writer.write(b"N")


def _without(startup: bytes) -> bytes:
    words = startup[4:].rstrip(b"\0").split(b"\0")
    pairs = zip(words[::2], words[1::2], strict=True)
    kept = b"".join(name + b"\0" + value + b"\0" for name, value in pairs if name not in _KEPT_BACK)
    body = startup[:4] + kept + b"\0"
    return struct.pack("!I", len(body) + 4) + body


async def _answer_startup(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    """Pass on what the server says until it is ready, with another number for the connection."""
    kind = b""
    while kind != b"Z":
        kind = await server.readexactly(1)
        (length,) = struct.unpack("!I", await server.readexactly(4))
        body = await server.readexactly(length - 4)
        if kind == b"K":
            body = struct.pack("!I", 1) + body[4:]
        client.write(kind + struct.pack("!I", length) + body)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()
