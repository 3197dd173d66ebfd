"""Every migration can be taken back and run again, on both databases."""

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from bot.store import schema
from bot.store.database import Database

_Shape = dict[str, list[tuple[str, str, bool]]]


async def test_each_migration_is_taken_back_and_run_again(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(_there_and_back)
    await database.close()


def _there_and_back(connection: Connection) -> None:
    config = schema.alembic_config(connection)
    found = ScriptDirectory.from_config(config).walk_revisions()
    shapes: dict[str, _Shape] = {"base": _shape(connection)}
    revisions = [script.revision for script in found][::-1]
    for revision in revisions:
        command.upgrade(config, revision)
        shapes[revision] = _shape(connection)
    assert revisions[-1] == schema.HEAD
    for earlier in ["base", *revisions[:-1]][::-1]:
        command.downgrade(config, earlier)
        assert _shape(connection) == shapes[earlier], f"down to {earlier}"
    command.upgrade(config, "head")
    assert _shape(connection) == shapes[schema.HEAD]


def _shape(connection: Connection) -> _Shape:
    """Return each table's columns, and its indexes as columns of their own."""
    seen = inspect(connection)
    return {
        table: sorted(
            [(one["name"], str(one["type"]), one["nullable"]) for one in seen.get_columns(table)]
            + [(str(one["name"]), "index", one["unique"]) for one in seen.get_indexes(table)]
        )
        for table in seen.get_table_names()
        if table != "alembic_version"
    }
