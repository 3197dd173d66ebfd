"""aiosqlite with one visit to its thread for each statement instead of four.

The visits, not SQLite, are what a short transaction on one file spends its time on.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiosqlite

Rows = list[Any]


class OneVisitConnection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors fetch in the same visit as they execute."""

    def cursor(self) -> Any:
        return OneVisitCursor(self)

    async def visit(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Let `work` use the connection in its own thread."""
        reach: Any = self._execute
        await reach(work, self._conn)


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

    async def execute(self, statement: str, parameters: Any = ()) -> "OneVisitCursor":
        raw = self._connection._conn  # noqa: SLF001 - its thread is reached no other way
        return await self._visit(lambda: raw.execute(statement, parameters))

    async def executemany(self, statement: str, parameters: Sequence[Any]) -> "OneVisitCursor":
        raw = self._connection._conn  # noqa: SLF001
        return await self._visit(lambda: raw.executemany(statement, parameters))

    async def fetchall(self) -> Rows:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    async def _visit(self, work: Any) -> "OneVisitCursor":
        def visit() -> tuple[sqlite3.Cursor, Rows]:
            cursor: sqlite3.Cursor = work()
            return cursor, cursor.fetchall() if cursor.description else []

        reach: Any = self._connection._execute  # noqa: SLF001
        cursor, self._rows = await reach(visit)
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
