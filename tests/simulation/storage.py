"""The real store on a real SQLite file, without threads, whose commits fail as the seed says."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from sqlalchemy import make_url

from bot.clock import Clock
from bot.ports.inbox import NotStoredError
from bot.store.database import Database
from bot.store.errors import database_errors
from bot.store.inbox import InboundTuple, SqliteBatchWriter, _write_batch
from bot.store.opening import OpenedStore, open_store
from bot.store.sqlite_driver import BEGIN, OneVisitConnection
from tests.fakes.clock import FakeClock
from tests.simulation.process import Process, Turns
from tests.simulation.statements import DIALECT, Answered, Statements
from tests.simulation.time import pause

T = TypeVar("T")
LANE_GAP = timedelta(seconds=1)
_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;"
_FSYNC = 0.004
"""Seconds that a commit takes at most, in which others go on."""
_YIELDS = 0.05
_STATEMENTS = 2000


class Disk:
    """One file for all lives of this process: one connection writes, one reads, one looks."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "life.db"
        self.statements = Statements()
        self.turns = Turns()
        self._template = folder / "template.db"

    def prepare(self) -> None:
        """Make the template once: every life begins with a copy of it."""
        asyncio.run(_migrate(self._template))
        self.writer, self.reader, self.looker = (self._connected() for _ in range(3))
        self.looker.row_factory = sqlite3.Row

    def begin_life(self) -> None:
        self.turns = Turns()
        self.writer.rollback()
        with sqlite3.connect(self._template) as template:
            template.backup(self.writer)
        template.close()

    def open(self, process: Process, clock: Clock, lease: timedelta) -> OpenedStore:
        database = _InlineDatabase(self, process)
        writer = InlineWriter(database, self, process)
        return OpenedStore(database, clock, writer, None, lease=lease, lane_gap=LANE_GAP)

    def close(self) -> None:
        for one in (self.writer, self.reader, self.looker):
            one.close()

    def _connected(self) -> sqlite3.Connection:
        raw = sqlite3.connect(
            self.path, isolation_level=None, timeout=0.0, cached_statements=_STATEMENTS
        )
        with sqlite3.connect(self._template) as template:  # a copy has pages of the same size
            (size,) = template.execute("PRAGMA page_size").fetchone()
        template.close()
        raw.executescript(f"PRAGMA page_size={size}; {_PRAGMAS}")
        return raw


class InlineDriver(OneVisitConnection):
    """The driver's connection, as those who go past SQLAlchemy use it."""

    def __init__(self, connection: "InlineConnection") -> None:  # pylint: disable=super-init-not-called
        self._inline = connection

    def __del__(self) -> None:
        """Own nothing that would have to be closed."""

    async def visit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._inline.visit(work)


class InlineConnection:
    """Stands where SQLAlchemy's connection does: a statement is over at once, or fails."""

    dialect = DIALECT

    def __init__(self, disk: Disk, process: Process, *, writes: bool) -> None:
        self._raw = disk.writer if writes else disk.reader
        self._statements = disk.statements
        self._process = process
        self._is_to_begin = writes

    async def execute(self, statement: Any, parameters: Any = None) -> Answered:
        await self._comes()
        return self._statements.execute(self._raw, statement, parameters)

    async def visit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        await self._comes()
        return work(self._raw)

    async def get_raw_connection(self) -> Any:
        return SimpleNamespace(driver_connection=InlineDriver(self))

    async def commit(self) -> None:
        if self._raw.in_transaction:
            await commit(self._process, lambda: self._raw.execute("COMMIT"))

    def rollback(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    async def _comes(self) -> None:
        """Be a statement on its way to the database, where much can happen."""
        process = self._process
        process.may_die()
        if process.fate.strikes("read_fails"):
            raise sqlite3.OperationalError("disk I/O error")
        if process.may_sleep() or process.fate.dice.random() < _YIELDS:
            await pause(0)
            process.may_die()
        if self._is_to_begin:
            self._is_to_begin = False
            self._raw.execute(BEGIN)


async def commit(process: Process, work: Callable[[], T]) -> T:
    """Toss the coins of a commit around the `work` that it is."""
    fate = process.fate
    await pause(fate.dice.random() * _FSYNC)
    process.may_die()
    if fate.strikes("commit_fails"):
        raise sqlite3.OperationalError("database or disk is full")
    done = work()
    process.may_die()
    if fate.strikes("commit_unheard"):
        raise sqlite3.OperationalError("the answer to COMMIT was lost")
    return done


class InlineWriter(SqliteBatchWriter):
    """The inbox's writer without its thread, with the same coins at its commit."""

    def __init__(self, database: Database, disk: Disk, process: Process) -> None:
        self._database = database
        self._raw = disk.writer
        self._process = process

    async def write(self, batch: Sequence[InboundTuple]) -> dict[str, str]:
        async with self._database.turn():
            try:
                return await commit(self._process, lambda: _write_batch(self._raw, batch))
            except sqlite3.Error as error:
                raise NotStoredError(str(error)) from error

    async def close(self) -> None:
        """Leave the connection to the disk."""


class _InlineDatabase(Database):
    """The database as one process sees it."""

    def __init__(self, disk: Disk, process: Process) -> None:  # pylint: disable=super-init-not-called
        self.url = make_url(f"sqlite:///{disk.path}")
        self.is_sqlite = True
        self._disk = disk
        self._process = process

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        async with self.turn():
            with database_errors():
                connection = InlineConnection(self._disk, self._process, writes=True)
                try:
                    yield connection
                    await connection.commit()
                finally:
                    connection.rollback()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        with database_errors():
            yield InlineConnection(self._disk, self._process, writes=False)

    def turn(self) -> AbstractAsyncContextManager[None]:
        return self._disk.turns.turn()


async def _migrate(path: Path) -> None:
    opened = await open_store(f"sqlite:///{path}", FakeClock())
    await opened.close()
