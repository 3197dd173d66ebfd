"""The dialects of SQLAlchemy as tests use them: every engine of a process shares one compiled cache.

Each test opens engines of its own, and would compile each statement anew.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_COMPILED: dict[Any, Any] = {}


class _Sharing:
    """Equal to every other of its class, as the dialect is part of a compiled statement's key."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class Aiosqlite(_Sharing, SQLiteDialect_aiosqlite):
    supports_statement_cache = True


class Pysqlite(_Sharing, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class Asyncpg(_Sharing, PGDialect_asyncpg):
    supports_statement_cache = True


def share() -> None:
    """Let every engine made from now on be of these dialects."""
    registry.register("sqlite", __name__, Pysqlite.__name__)
    registry.register("sqlite.aiosqlite", __name__, Aiosqlite.__name__)
    registry.register("postgresql.asyncpg", __name__, Asyncpg.__name__)
