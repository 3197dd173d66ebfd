"""Backups of PostgreSQL by its own pg_dump and pg_restore, which take one consistent instant."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.inbox import ConflictError, NotStoredError
from bot.store.backups.contents import (
    TABLES,
    BackupError,
    Contents,
    Progress,
    kind_of,
    refuse_taken,
    refuse_unfit,
)
from bot.store.backups.files import whole
from bot.store.backups.programs import Program
from bot.store.backups.settling import SETTLE
from bot.store.database import Database
from bot.store.schema import KEPT, MIGRATION_LOCK

_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'watchbill' AND pid <> pg_backend_pid()"
)
"""Bots at work; our own question comes by the one connection that is not counted."""
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")

_MOVE = """
DO $$
DECLARE one record;
BEGIN
  CREATE SCHEMA IF NOT EXISTS {to};
  FOR one IN
    SELECT format('ALTER TABLE {schema}.%I SET SCHEMA {to}', c.relname) AS change, c.oid
    FROM pg_class c WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT format('ALTER FUNCTION {schema}.%I() SET SCHEMA {to}', p.proname), p.oid
    FROM pg_proc p WHERE p.pronamespace = '{schema}'::regnamespace AND p.pronargs = 0
  LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = one.oid AND d.deptype = 'e') THEN
      EXECUTE one.change;
    END IF;
  END LOOP;
END $$
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment of the command, in which programs are found, and who hears of progress."""

    environment: Mapping[str, str] = field(repr=False)
    progress: Progress

    def program(self, name: str) -> Program:
        return Program(name, self.environment)


async def back_up(url: str, file: Path, around: Surroundings) -> Contents:
    """Dump a database that may be in use to `file`. Raises BackupError."""
    refuse_taken(file)
    async with _connected(url) as (connection, address):
        contents = await _contents(connection)
    if contents is None:
        raise BackupError("The database has no tables of Watchbill; there is nothing to back up.")
    await asyncio.to_thread(_dump, address, file, around)
    return contents


def _dump(address: URL, file: Path, around: Surroundings) -> None:
    try:
        with whole(file) as partial:
            around.program("pg_dump").run(
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                "--lock-wait-timeout=30s",
                f"--exclude-schema={KEPT}*",
                f"--file={partial}",
                to=address,
                look=lambda: around.progress("dumping", partial.stat().st_size, 0),
            )
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror or error}.") from error


async def restore(
    file: Path, url: str, around: Surroundings, now: datetime, *, replace: bool
) -> tuple[Contents, str]:
    """Make the database of an archive, all of it or nothing; return where what was there is kept.

    Raises BackupError.
    """
    if kind_of(file) != "postgresql":
        message = "a SQLite file, and `database` in the configuration is PostgreSQL"
        raise BackupError(f"{file} is {message}.")
    refuse_unfit(file, await asyncio.to_thread(_revision, file, around))
    async with _connected(url) as (connection, address):
        # a bot that starts on an empty database meanwhile waits here, and then says so
        await connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
        if (await connection.execute(_OTHERS)).scalar_one():
            raise BackupError("A bot works on this database. Stop every replica first.")
        kept = await _make_room(connection, now, replace=replace)
        try:
            await asyncio.to_thread(_load, address, file, around)
        except BackupError as error:
            if kept:
                await _put_back(connection, kept, str(error))
            raise
        found = await _contents(connection)
        assert found is not None, "what was restored has its tables"
        for statement in SETTLE:
            await connection.execute(text(statement))
    return found, kept


def _load(address: URL, file: Path, around: Surroundings) -> None:
    strokes = count()
    around.program("pg_restore").run(
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        str(file),
        to=address,
        look=lambda: around.progress("restoring", next(strokes), 0),
    )


def _revision(file: Path, around: Surroundings) -> str:
    """Read the migration out of an archive, and nothing else of it."""
    program = around.program("pg_restore")
    lines = program.run(
        "--data-only", "--table=alembic_version", "--file=-", str(file)
    ).splitlines()
    begins = [n for n, line in enumerate(lines) if line.startswith("COPY ")]
    if not begins:
        raise BackupError(f"{file} is no backup of Watchbill.")
    return lines[begins[0] + 1].strip()


async def _make_room(connection: AsyncConnection, now: datetime, *, replace: bool) -> str:
    """Move what is there into a schema of its own and return its name; "" when nothing is."""
    tables = set((await connection.execute(_TABLES)).scalars())
    if not tables:
        return ""
    found = await _contents(connection)
    if found is None:
        message = f"The database holds tables that are not ours, such as {min(tables)}."
        raise BackupError(f"{message} Watchbill needs a database of its own.")
    if not replace:
        message = f"The database holds {found}. To put the backup in its place, say --replace."
        raise BackupError(message)
    kept = f"{KEPT}{now:%Y%m%dt%H%M%Sz}"
    await _move(connection, await _schema(connection), kept)
    return kept


async def _put_back(connection: AsyncConnection, kept: str, why: str) -> None:
    try:
        await _move(connection, kept, await _schema(connection))
        await connection.execute(text(f"DROP SCHEMA {kept}"))
    except (NotStoredError, ConflictError, DBAPIError) as error:
        message = (
            f"{why} What was there could not be put back and stands whole in the schema {kept}:"
            " run restore again; until then no bot starts."
        )
        raise BackupError(message) from error


async def _schema(connection: AsyncConnection) -> str:
    return str((await connection.execute(text("SELECT current_schema()"))).scalar_one())


async def _move(connection: AsyncConnection, schema: str, to: str) -> None:
    """Move all that no extension brought from one schema to another, all of it or nothing."""
    await connection.execute(text(_MOVE.format(schema=schema, to=to)))


async def _contents(connection: AsyncConnection) -> Contents | None:
    tables = set((await connection.execute(_TABLES)).scalars())
    if not tables >= TABLES:
        return None
    row = (
        await connection.execute(
            text(
                "SELECT (SELECT version_num FROM alembic_version),"
                " count(*), count(*) FILTER (WHERE state != 'resolved'),"
                " greatest((SELECT received_at FROM inbound ORDER BY id DESC LIMIT 1),"
                " (SELECT opened_at FROM incident ORDER BY number DESC LIMIT 1)) FROM incident"
            )
        )
    ).one()
    return Contents(*row)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[tuple[AsyncConnection, URL]]:
    """Yield a connection whose every statement is a transaction, and the address of the server."""
    database = Database(url)
    try:
        async with database.read() as connection:
            yield connection, database.url
    except NotStoredError as error:
        shown = database.url.render_as_string(hide_password=True)
        raise BackupError(f"{shown} cannot be used: {error}.") from error
    except ConflictError as error:
        message = "Somebody else uses its tables, such as a pg_dump: let that end, and try again."
        raise BackupError(f"{error}. {message}") from error
    finally:
        await database.close()
