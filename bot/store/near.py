"""Looks at a SQLite file in the event loop itself: 20 microseconds, a visit to a thread ten times as long."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import (
    URL,
    CompoundSelect,
    CursorResult,
    Dialect,
    Executable,
    Select,
    StaticPool,
    create_engine,
    event,
)
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection


class Near:
    """A connection that only reads and never waits; it is opened by the first look.

    For few rows that an index leads to: nothing else happens meanwhile.
    """

    def __init__(self, url: URL) -> None:
        self._engine = create_engine(
            url.set(drivername="sqlite"),
            isolation_level="AUTOCOMMIT",
            poolclass=StaticPool,
            pool_reset_on_return=None,
            connect_args={"timeout": 0},
        )
        self._connection: SyncConnection | None = None

        @event.listens_for(self._engine, "connect")
        def prepare(connection: Any, record: object) -> None:  # noqa: ARG001 - as the event passes
            connection.execute("PRAGMA query_only=ON")

    def look(self, query: Executable, values: Mapping[str, Any]) -> CursorResult[Any] | None:
        """Return what there is, to be fetched at once; None when the file cannot be read now."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return self._connection.execute(query, values)
        except DBAPIError:  # locked, or broken: a thread may wait, or say so
            return None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._engine.dispose()


class LooksNear:
    """The connection of a transaction that has the turn to write, as far as the store uses it.

    Its first statement begins it, and from then on nobody else writes. Until it does so itself it
    sees what anybody sees: so long it looks near.
    """

    def __init__(self, connection: AsyncConnection, near: Near) -> None:
        self._connection = connection
        self._near = near
        self._has_begun = False
        self._has_written = False

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        looks = isinstance(statement, Select | CompoundSelect)
        if looks and self._has_begun and not self._has_written:
            found = self._near.look(statement, parameters or {})
            if found is not None:
                return found
        self._has_begun = True
        self._has_written = self._has_written or not looks
        return await self._connection.execute(statement, parameters)

    async def get_raw_connection(self) -> Any:
        self._has_written = True
        return await self._connection.get_raw_connection()


def looking_near(connection: AsyncConnection, near: Near | None) -> AsyncConnection:
    """Let a transaction's first looks cost no visit to a thread, where the database is a file."""
    return connection if near is None else cast("AsyncConnection", LooksNear(connection, near))
