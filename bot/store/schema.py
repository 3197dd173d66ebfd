"""Bring a database to this version's tables, at every start."""

from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, inspect, text

from bot.ports.inbox import ConflictError, NotStoredError
from bot.store.database import Database
from bot.store.errors import StoreUnfitError

_log = structlog.get_logger(__name__)

HEAD = "0021"
"""The newest migration; a test compares it with the files."""
FLOOR = "0019"
"""The oldest migration whose code works on HEAD's tables: every one after it only adds, by a test."""

MIGRATION_LOCK = 7205759403792793

KEPT = "watchbill_before_"
"""Begins the name of a schema with what a restore has replaced; no backup has it."""

TURN = "25s"
"""How long a replica waits while another one migrates; then its start fails, and is repeated."""


async def migrate(database: Database) -> bool:
    """Run what is missing; return whether anything was. Raises StoreUnfitError, NotStoredError.

    A newer version's tables are left as they are when its floor says that this one works on them.
    """
    async with database.read() as connection:
        if await connection.run_sync(_version) == HEAD:
            return False
    try:
        async with database.write_long() as connection:
            return await connection.run_sync(_upgrade)
    except ConflictError as error:
        raise NotStoredError(f"its tables cannot be brought up to date: {error}") from error


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> bool:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{TURN}'"))
        # replicas that start together migrate one after another; ends with the transaction
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        # a table that somebody has locked is not waited for: whoever comes later would wait too
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    # imported here: half of a start-up's time, and most starts have nothing to migrate
    from alembic import command
    from alembic.script import ScriptDirectory

    version = _version(connection)
    if version == HEAD:
        return False
    if version is None:
        _refuse_half_restored(connection)
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        _refuse_unless_it_only_added(connection, version)
        return False
    command.upgrade(config, "head")
    connection.execute(text("DELETE FROM schema_floor"))
    connection.execute(text("INSERT INTO schema_floor VALUES (:floor)"), {"floor": FLOOR})
    return True


def _refuse_half_restored(connection: Connection) -> None:
    """Begin no empty database where a restore was killed after it had moved the old one aside."""
    if connection.dialect.name != "postgresql":
        return
    aside = text("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :kept)")
    if kept := connection.execute(aside, {"kept": KEPT}).scalars().first():
        raise half_restored(f"the schema {kept}")


def half_restored(left: str) -> StoreUnfitError:
    """Return how to say that a restore was killed, and what to do about what it left."""
    message = f"a restore did not end, and left {left}: run `watchbill restore` again"
    return StoreUnfitError(f"database: {message}, or take that away to begin an empty database")


def _refuse_unless_it_only_added(connection: Connection, version: str) -> None:
    floor = None
    if inspect(connection).has_table("schema_floor"):
        floor = connection.execute(text("SELECT revision FROM schema_floor")).scalar()
    if floor is None or int(floor) > int(HEAD):
        message = f"database: made by a newer version (migration {version}); start that one"
        raise StoreUnfitError(message)
    _log.warning("store", action="migrate", newer=version, works_from=floor)


def alembic_config(connection: Connection) -> Any:
    """Return an Alembic Config that works on `connection`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
