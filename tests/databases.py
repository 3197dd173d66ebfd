"""Databases for tests: SQLite files that are copies of one that was migrated once, and PostgreSQL's.

Those are migrated once, emptied between tests, and made anew when altered.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from bot.store.opening import open_store
from tests.fakes.clock import FakeClock

# Everything a test could alter beside rows: columns, indexes, triggers, what the template held.
_SHAPE = """
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
  SELECT attrelid::regclass || attname || atttypid || attnotnull || attisdropped AS line
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL SELECT tgrelid::regclass || tgname || tgenabled::text FROM pg_trigger
    WHERE NOT tgisinternal
  UNION ALL SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT array_to_string(setconfig, ',') FROM pg_db_role_setting
  UNION ALL SELECT version_num FROM alembic_version
) AS lines
"""
_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_RESTART = """
SELECT setval(oid::regclass, 1, false) FROM pg_class
WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""
_migrated: list[bytes] = []

_TABLES = "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"


async def make_sqlite(path: Path) -> None:
    """Make the file of a database that needs no migration; they run once in a process."""
    if not _migrated:
        with tempfile.TemporaryDirectory() as folder:
            ready = Path(folder) / "ready.db"
            await migrate(f"sqlite:///{ready}")
            _migrated.append(ready.read_bytes())
    path.write_bytes(_migrated[0])


async def migrate(url: str) -> None:
    opened = await open_store(url, FakeClock())
    await opened.close()


class Databases:
    """The databases of one PostgreSQL server; `url` is that of its own `postgres` database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._named = (f"fresh_{number}" for number in count())
        self._free: list[str] = []
        self._shape = ""
        self._put_back = ""

    def url(self, name: str) -> str:
        return make_url(self._url).set(database=name).render_as_string(hide_password=False)

    def make_template(self) -> str:
        """Make the empty database `template_ready`, to be migrated by the caller; its URL."""
        asyncio.run(run(self._url, "CREATE DATABASE template_ready"))
        return self.url("template_ready")

    def seal_template(self) -> None:
        asyncio.run(self._look_at_template())

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Yield the URL of a database without tables."""
        name = self._made("")
        yield self.url(name)
        self._drop(name)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Yield the URL of a database as the template is."""
        # a copy by file is the quick one, as nothing here syncs to disk
        name = (
            self._free.pop()
            if self._free
            else self._made("TEMPLATE template_ready STRATEGY file_copy")
        )
        yield self.url(name)
        if asyncio.run(self._emptied_again(name)):
            self._free.append(name)
        else:
            self._drop(name)

    def _made(self, how: str) -> str:
        name = next(self._named)
        asyncio.run(run(self._url, f"CREATE DATABASE {name} {how}"))
        return name

    def _drop(self, name: str) -> None:
        asyncio.run(run(self._url, f"DROP DATABASE {name} WITH (FORCE)"))

    async def _look_at_template(self) -> None:
        connection = await asyncpg.connect(self.url("template_ready"))
        self._shape = await connection.fetchval(_SHAPE)
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        # as a replica: what may only be added to is emptied too, in any order
        steps = ["SET session_replication_role = replica"]
        steps += [f"DELETE FROM {table}" for table in tables]
        for table in tables:
            held = await connection.fetchval(f"SELECT quote_literal(json_agg(t)) FROM {table} t")
            if held is not None:
                steps.append(
                    f"INSERT INTO {table} SELECT * FROM json_populate_recordset(null::{table}, {held})"
                )
        self._put_back = ";".join([*steps, _RESTART])
        await connection.close()

    async def _emptied_again(self, name: str) -> bool:
        """Take out what the test wrote; whether the database is as the template again."""
        connection = await asyncpg.connect(self.url(name))
        try:
            await connection.execute(_OTHERS)
            if await connection.fetchval(_SHAPE) != self._shape:
                return False
            await connection.execute(self._put_back)
            return True
        finally:
            await connection.close()


async def run(url: str, *statements: str) -> None:
    """Run statements one after the other, each in a transaction of its own."""
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()
