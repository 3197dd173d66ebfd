"""Many rows in one go, straight through the driver.

Statements are SQLAlchemy's, compiled once. Past it go only the values, column by column: its
handling of each row's parameters costs as much as the database itself.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import ARRAY, Executable, Table, bindparam, func, literal, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.columns import UtcDateTime, to_micros
from bot.store.rows import Values
from bot.store.sqlite_driver import OneVisitConnection

if TYPE_CHECKING:  # 2 MB, which a bot on SQLite need not spend
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"
Write = tuple[Executable, Sequence[Values]]
"""A statement, and the values of its parameters for each row."""

_SQLITE = sqlite.dialect()
_BEGIN = select(literal(1))


@cache
def _postgresql() -> Any:
    from sqlalchemy.dialects.postgresql import asyncpg  # as above

    return asyncpg.dialect()  # type: ignore[no-untyped-call]


def insert_rows(table: Table, names: Sequence[str], dialect: str) -> Insert:
    """Build an insert of rows of these columns: on PostgreSQL one statement for all of them."""
    if dialect == "sqlite":
        return sqlite.insert(table).values({name: bindparam(name) for name in names}).inline()
    from sqlalchemy.dialects import postgresql  # as above

    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    rows = select(*(func.unnest(array) for array in arrays))
    return postgresql.insert(table).from_select(list(names), rows).inline()


async def write(connection: AsyncConnection, writes: Sequence[Write]) -> None:
    """Execute each statement for all of its rows; no statement may ask for an answer."""
    writes = [(statement, rows) for statement, rows in writes if rows]
    if not writes:
        return
    driver = (await connection.get_raw_connection()).driver_connection
    if isinstance(driver, OneVisitConnection):
        await driver.visit(_on_sqlite(writes))
        return
    assert driver is not None  # asyncpg's, which is loaded only where it is used
    if not driver.is_in_transaction():
        # SQLAlchemy begins with its own first statement: what goes past it would stand by itself
        await connection.execute(_BEGIN)
    for statement, rows in writes:
        planned = plan(statement, sqlite=False)
        if planned.takes_arrays:
            await driver.execute(planned.sql, *planned.arguments(rows))
        else:
            await driver.executemany(planned.sql, planned.tuples(rows))


async def write_then(
    connection: AsyncConnection, writes: Sequence[Write], then: Callable[[sqlite3.Connection], T]
) -> T:
    """Write to a SQLite file and do what follows in the same visit."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, OneVisitConnection)
    first = _on_sqlite([(statement, rows) for statement, rows in writes if rows])

    def both(raw: sqlite3.Connection) -> T:
        first(raw)
        return then(raw)

    return await driver.visit(both)


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled statement; `constants` are the parameters that no row gives."""

    sql: str
    names: Sequence[str]
    instants: frozenset[str]
    constants: Values
    takes_arrays: bool

    def arguments(self, rows: Sequence[Values]) -> list[Any]:
        """Return each parameter's values in a list of their own, constants as they are."""
        return [
            self.constants[name] if name in self.constants else self._column(name, rows)
            for name in self.names
        ]

    def tuples(self, rows: Sequence[Values]) -> list[tuple[Any, ...]]:
        columns = [
            [self.constants[name]] * len(rows)
            if name in self.constants
            else self._column(name, rows)
            for name in self.names
        ]
        return list(zip(*columns, strict=True))

    def _column(self, name: str, rows: Sequence[Values]) -> list[Any]:
        if name in self.instants:
            return [_micros(row[name]) for row in rows]
        return [row[name] for row in rows]


@cache
def plan(statement: Executable, *, sqlite: bool) -> Plan:
    """Compile a statement once, for the driver itself."""
    compiled: Any = statement.compile(dialect=_SQLITE if sqlite else _postgresql())  # type: ignore[attr-defined]
    binds = compiled.binds
    given = {name for name, bind in binds.items() if bind.required}
    return Plan(
        sql=compiled.string,
        names=compiled.positiontup,
        instants=frozenset(
            name for name, bind in binds.items() if sqlite and isinstance(bind.type, UtcDateTime)
        ),
        constants={name: bind.value for name, bind in binds.items() if name not in given},
        takes_arrays=any(isinstance(binds[name].type, ARRAY) for name in given),
    )


def _on_sqlite(writes: Sequence[Write]) -> Callable[[sqlite3.Connection], None]:
    planned = [(plan(statement, sqlite=True), rows) for statement, rows in writes]
    prepared = [(one.sql, one.tuples(rows)) for one, rows in planned]

    def execute(raw: sqlite3.Connection) -> None:
        for sql, rows in prepared:
            raw.executemany(sql, rows)

    return execute


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)
