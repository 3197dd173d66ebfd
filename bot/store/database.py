"""Connections: one writer at a time on SQLite, a pool on PostgreSQL, readers apart from both."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import URL, Connection, Executable, NullPool, Row, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.config.databases import FOR_DRIVER, FOR_POOLER, WITHOUT_EFFECT
from bot.store.errors import ReadOnlyError, StoreUnfitError, database_errors
from bot.store.near import Near
from bot.store.sqlite_driver import OneVisitConnection, connect

_WRITER_PRAGMAS = (
    # of a new file: bodies of 2 KB stand three to a page and not one to a page of half the size
    "PRAGMA page_size=8192",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA temp_store=MEMORY",
)
_READER_PRAGMAS = ("PRAGMA busy_timeout=5000", "PRAGMA query_only=ON")
_SERVER_SETTINGS = {
    "application_name": "watchbill",
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    # who froze with a lock in hand is cut off, and the others go on
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}
ANSWER = 30.0
"""Seconds after which an answer of the server is no longer waited for."""


class Database:
    """Both engines of one database; `url` is `sqlite:///file` or `postgresql://...`.

    Every writing transaction of a SQLite file holds `writing`, whichever connection it uses.
    """

    near: Near | None = None
    """Looks at a SQLite file without a visit to a thread."""

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.writing = asyncio.Lock()
        self._generation = 0
        """Of connections: those of an earlier one are not used again."""
        if self.is_sqlite:
            self._writer, self._reader = _sqlite_engines(self.url)
            self.near = Near(self.url)
        else:
            self._writer, self._reader = _postgresql_engines(self.url)
            for engine in (self._writer, self._reader):
                event.listen(engine.sync_engine, "connect", self._note_generation)
                event.listen(engine.sync_engine, "checkout", self._drop_if_past)

    @property
    def path(self) -> Path:
        """Return the file of a SQLite database."""
        return Path(self.url.database or "")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection in a transaction that commits when the block ends well."""
        async with self.turn():
            with self._errors():
                async with self._writer.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def write_long(self) -> AsyncIterator[AsyncConnection]:
        """Yield the same on a connection of its own, whose every answer may take minutes."""
        if self.is_sqlite:
            async with self.write() as connection:
                yield connection
            return
        engine = _engine(self.url, answer=None, poolclass=NullPool)
        with database_errors():
            async with engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection that only reads and is in no transaction."""
        with self._errors():
            async with self._reader.connect() as connection:
                yield connection

    async def look(self, query: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Return a few rows that an index leads to.

        A SQLite file is asked near, and only if that fails in a thread, which may wait.
        """
        if self.near is not None and (found := self.near.look(query, values)) is not None:
            return found.all()
        async with self.read() as connection:
            return (await connection.execute(query, values)).all()

    @asynccontextmanager
    async def bare(self) -> AsyncIterator[AsyncConnection]:
        """Yield a writer's connection outside any transaction."""
        with self._errors():
            async with self._writer.connect() as connection:
                yield connection

    def connect_anew(self) -> None:
        """Use no connection again that is open now: after a failover it may lead to a standby."""
        self._generation += 1

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for the turn to write; at once where the database itself lets many write."""
        return self._only_writer() if self.is_sqlite else nullcontext()

    async def close(self) -> None:
        if self.near is not None:
            self.near.close()
        await self._reader.dispose()
        await self._writer.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with database_errors():
                yield
        except ReadOnlyError:
            self.connect_anew()
            raise

    def _note_generation(self, connection: object, record: Any) -> None:  # noqa: ARG002 - as the event passes
        record.info["generation"] = self._generation

    def _drop_if_past(self, connection: Any, record: Any, proxy: object) -> None:  # noqa: ARG002 - as the event passes
        """Replace what must not be used again, or the server has closed, without asking it."""
        if (
            connection.driver_connection.is_closed()
            or record.info["generation"] != self._generation
        ):
            raise DisconnectionError

    @asynccontextmanager
    async def _only_writer(self) -> AsyncIterator[None]:
        async with self.writing:
            yield


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        message = "database: write sqlite:///watchbill.db or postgresql://user@host/name"
        raise StoreUnfitError(message) from error
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise StoreUnfitError("database: SQLite needs a file, such as sqlite:///watchbill.db")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        message = f"database: {parsed.get_backend_name()} is neither sqlite nor postgresql"
        raise StoreUnfitError(message)
    return parsed


def _sqlite_engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    url = url.set(drivername="sqlite+aiosqlite")
    connecting = partial(connect, str(url.database))
    writer = create_async_engine(url, async_creator=connecting, pool_size=1, max_overflow=0)
    reader = create_async_engine(
        url,
        async_creator=connecting,
        isolation_level="AUTOCOMMIT",
        pool_size=4,  # each one more costs a thread, 0.3 MB and a look through the whole schema
        max_overflow=0,
        pool_timeout=10,
        pool_reset_on_return=None,
    )
    for engine, pragmas in ((writer, _WRITER_PRAGMAS), (reader, _READER_PRAGMAS)):
        _on_connect(engine, pragmas)

    @event.listens_for(writer.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, OneVisitConnection)
        driver.begin()

    return writer, reader


def _on_connect(engine: AsyncEngine, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: object) -> None:  # noqa: ARG001 - as the event passes
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()


def _postgresql_engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    writer = _engine(url, answer=ANSWER, pool_size=10, max_overflow=0, pool_timeout=10)
    reader = _engine(
        url,
        answer=ANSWER,
        isolation_level="AUTOCOMMIT",
        pool_size=5,
        max_overflow=0,
        pool_timeout=10,
        pool_reset_on_return=None,
    )
    return writer, reader


def _engine(url: URL, *, answer: float | None, **options: Any) -> AsyncEngine:
    arguments = {"server_settings": _SERVER_SETTINGS, "timeout": 5, "command_timeout": answer}
    if told := {name: said for name, said in url.query.items() if name in FOR_DRIVER}:
        arguments["dsn"] = f"postgresql://?{urlencode(told, doseq=True)}"
    url = url.difference_update_query([*FOR_DRIVER, *WITHOUT_EFFECT])
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"), connect_args=arguments, **options
    )


def address_for_driver(url: URL) -> str:
    """Return a server's address, with its password, as asyncpg itself reads it."""
    plain = url.set(drivername="postgresql").difference_update_query([*FOR_POOLER, *WITHOUT_EFFECT])
    return plain.render_as_string(hide_password=False)
