"""The real store on a real SQLite file, without threads, whose commits fail as the seed says."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy import event as sql_event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.clock import Clock
from bot.ports.inbox import NotStoredError
from bot.store.database import Database
from bot.store.inbox import InboundTuple, SqliteBatchWriter, _write_batch
from bot.store.opening import OpenedStore, open_store
from bot.store.sqlite_driver import BEGIN, OneVisitConnection
from tests.fakes.clock import FakeClock
from tests.simulation.chance import Fate
from tests.simulation.time import pause

T = TypeVar("T")
LANE_GAP = timedelta(seconds=1)
_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;"
_FSYNC = 0.004
"""Seconds that a commit takes at most, in which others go on."""
_YIELDS = 0.05


class _Thread:
    daemon = True


class _AtOnce:
    """Stands where aiosqlite has the queue to its thread."""

    def put_nowait(self, work: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = work
        result = function()
        if future is not None and not future.done():
            future.set_result(result)


class InlineConnection(OneVisitConnection):
    """A connection whose every visit is over at once; commits toss the coins."""

    def __init__(self, fate: Fate, raw: sqlite3.Connection) -> None:  # pylint: disable=super-init-not-called
        self._fate = fate
        self._connection = raw
        self._running = True
        self._tx = _AtOnce()  # type: ignore[assignment]
        self._thread = _Thread()  # type: ignore[assignment]

    def __del__(self) -> None:
        """Leave a dead process's connection to the one who closes the file."""

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return fn(*args, **kwargs)

    async def visit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        fate = self._fate
        fate.may_die()
        if fate.strikes("read_fails"):
            raise sqlite3.OperationalError("disk I/O error")
        if fate.dice.random() < _YIELDS:
            await pause(0)
            fate.may_die()
        return await super().visit(work)

    async def commit(self) -> None:
        self._is_to_begin = False
        if not self._was_visited:
            return
        fate = self._fate
        await pause(fate.dice.random() * _FSYNC)
        fate.may_die()
        if fate.strikes("commit_fails"):
            raise sqlite3.OperationalError("database or disk is full")
        self._conn.commit()
        self._was_visited = False
        fate.may_die()
        if fate.strikes("commit_unheard"):
            raise sqlite3.OperationalError("the answer to COMMIT was lost")

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class InlineWriter(SqliteBatchWriter):
    """The inbox's writer without its thread, with the same coins at its commit."""

    def __init__(self, database: Database, raw: sqlite3.Connection, fate: Fate) -> None:
        self._database = database
        self._raw = raw
        self._fate = fate

    async def write(self, batch: Sequence[InboundTuple]) -> dict[str, str]:
        async with self._database.turn():
            fate = self._fate
            await pause(fate.dice.random() * _FSYNC)
            fate.may_die()
            if fate.strikes("commit_fails"):
                raise NotStoredError("database or disk is full")
            earlier = _write_batch(self._raw, batch)
            fate.may_die()
            if fate.strikes("commit_unheard"):
                raise NotStoredError("the answer to COMMIT was lost")
            return earlier

    async def close(self) -> None:
        self._raw.close()


class Disk:
    """One file for all lives of this process, and engines that remember how statements read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "life.db"
        self._template = folder / "template.db"
        self._raw: list[sqlite3.Connection] = []
        self._fate = Fate(0)
        url = make_url(f"sqlite+aiosqlite:///{self.path}")
        self.writer = create_async_engine(
            url, async_creator=self._connect, pool_size=1, max_overflow=0
        )
        self.reader = create_async_engine(
            url,
            async_creator=self._connect,
            isolation_level="AUTOCOMMIT",
            pool_size=4,
            pool_reset_on_return=None,
        )

        @sql_event.listens_for(self.writer.sync_engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(BEGIN)

    def prepare(self) -> None:
        """Make the template once: every life begins with a copy of it."""
        asyncio.run(_migrate(self._template))

    def begin_life(self, fate: Fate) -> None:
        for old in self._folder.glob("life.db*"):
            old.unlink()
        shutil.copy(self._template, self.path)
        self._fate = fate

    def open(self, clock: Clock, lease: timedelta) -> OpenedStore:
        database = _InlineDatabase(self)
        writer = InlineWriter(database, self.bare(), self._fate)
        return OpenedStore(database, clock, writer, None, lease=lease, lane_gap=LANE_GAP)

    async def end_process(self) -> None:
        """Drop every connection as the end of a process does; what was not committed is gone."""
        for raw in self._raw:
            raw.close()
        self._raw.clear()
        for engine in (self.writer, self.reader):
            await engine.dispose(close=False)

    def look(self) -> sqlite3.Connection:
        """Return a connection past the bot, for who checks; close it after use."""
        found = sqlite3.connect(self.path, isolation_level=None)
        found.row_factory = sqlite3.Row
        return found

    def bare(self) -> sqlite3.Connection:
        raw = sqlite3.connect(self.path, isolation_level=None, timeout=0.0)
        raw.executescript(_PRAGMAS)
        self._raw.append(raw)
        return raw

    async def _connect(self) -> InlineConnection:
        return InlineConnection(self._fate, self.bare())


class _InlineDatabase(Database):
    def __init__(self, disk: Disk) -> None:  # pylint: disable=super-init-not-called
        self.url = make_url(f"sqlite:///{disk.path}")
        self.is_sqlite = True
        self.writing = asyncio.Lock()
        self._writer: AsyncEngine = disk.writer
        self._reader: AsyncEngine = disk.reader


async def _migrate(path: Path) -> None:
    opened = await open_store(f"sqlite:///{path}", FakeClock())
    await opened.close()
