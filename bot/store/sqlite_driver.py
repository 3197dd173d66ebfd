"""aiosqlite with one visit to its thread for each statement instead of four.

The visits, not SQLite, are what a short transaction on one file spends its time on.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import aiosqlite

T = TypeVar("T")
Rows = list[Any]

BEGIN = "BEGIN IMMEDIATE"
"""A deferred transaction that reads first can fail at its first write, at once."""


class OneVisitConnection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors fetch in the same visit as they execute.

    A transaction begins in the visit of its first statement, and one without any costs none.
    """

    _is_to_begin = False
    _was_visited = False
    ended: asyncio.Future[None] | None = None
    """Done once its thread has nothing more to say; None before it was asked to stop."""

    def stop(self) -> asyncio.Future[None] | None:
        self.ended = super().stop()
        return self.ended

    async def _connect(self) -> Self:
        try:
            await super()._connect()
        except sqlite3.Error:
            # its thread would answer into a loop that is closed: whoever cannot connect, ends
            if self.ended is not None:
                await self.ended
            raise
        return self

    def cursor(self) -> Any:
        return OneVisitCursor(self)

    def begin(self) -> None:
        """Let the next visit begin a transaction."""
        self._is_to_begin = True

    async def visit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Let `work` use the bare connection in its own thread."""
        begins, self._is_to_begin, self._was_visited = self._is_to_begin, False, True

        def run() -> T:
            if begins:
                self._conn.execute(BEGIN)
            return work(self._conn)

        reach: Any = self._execute
        found: T = await reach(run)
        return found

    async def commit(self) -> None:
        self._is_to_begin = False
        if self._was_visited:
            await super().commit()
            self._was_visited = False

    async def rollback(self) -> None:
        # the pool rolls back whatever it gets back, also what has just been committed; a visit
        # that was given up may still run, and then this comes after it
        self._is_to_begin = False
        if self._was_visited:
            await super().rollback()
            self._was_visited = False


class OneVisitCursor:
    """As much of aiosqlite's cursor as SQLAlchemy uses."""

    def __init__(self, connection: OneVisitConnection) -> None:
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._connection = connection
        self._rows: Rows = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> Self:
        return await self._visit(lambda raw: raw.execute(statement, parameters))

    async def executemany(self, statement: str, parameters: Sequence[Any]) -> Self:
        return await self._visit(lambda raw: raw.executemany(statement, parameters))

    async def fetchall(self) -> Rows:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    async def _visit(self, work: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> Self:
        def execute(raw: sqlite3.Connection) -> tuple[sqlite3.Cursor, Rows]:
            cursor = work(raw)
            return cursor, cursor.fetchall() if cursor.description else []

        cursor, self._rows = await self._connection.visit(execute)
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        return self


async def connect(path: str) -> OneVisitConnection:
    """Open the file; five seconds is the longest wait for another process's lock."""
    connection = OneVisitConnection(
        lambda: sqlite3.connect(path, timeout=5.0, check_same_thread=False), 64
    )
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does with its own
    await connection
    return connection
