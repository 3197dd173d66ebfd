"""Looks at a SQLite file in the event loop: they see what is committed, and never write."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import OperationalError

from bot.ports.inbox import NotStoredError
from bot.store.database import Database
from bot.store.near import LooksNear, looking_near
from bot.store.opening import OpenedStore
from bot.store.tables.core import COUNTER
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock

_VALUE = select(COUNTER.c.value).where(COUNTER.c.name == bindparam("asked"))
_SET = update(COUNTER).where(COUNTER.c.name == "incident")


@pytest.fixture
async def database(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    path = tmp_path / "near.db"
    path.write_bytes(sqlite_template.read_bytes())
    opened = Database(f"sqlite:///{path}")
    yield opened
    await opened.close()


async def value(database: Database) -> int:
    found: int = (await database.look(_VALUE, {"asked": "incident"}))[0][0]
    return found


async def test_what_is_committed_is_seen_and_what_is_not_is_not(database: Database) -> None:
    before = await value(database)
    async with database.write() as connection:
        await connection.execute(_SET.values(value=before + 7))
        assert await value(database) == before
    assert await value(database) == before + 7


async def test_a_look_cannot_write(database: Database) -> None:
    assert database.near is not None
    assert database.near.look(insert(COUNTER).values(name="more", value=1), {}) is None
    assert not await database.look(_VALUE, {"asked": "more"})


async def test_what_cannot_be_looked_at_near_is_asked_in_a_thread(database: Database) -> None:
    class Locked:
        def execute(self, *_: Any) -> None:
            raise OperationalError("select", {}, sqlite3.OperationalError("database is locked"))

        def close(self) -> None: ...

    before = await value(database)
    assert database.near is not None
    database.near._connection = Locked()  # type: ignore[assignment]
    assert await value(database) == before
    async with database.write() as connection:
        looking = looking_near(connection, database.near)
        found = await looking.execute(_VALUE, {"asked": "incident"})
        assert found.scalar_one() == before


async def test_a_file_that_is_broken_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    database = Database(f"sqlite:///{tmp_path / 'broken.db'}")
    with pytest.raises(NotStoredError):
        await value(database)
    await database.close()


async def test_a_transaction_sees_what_it_has_written_itself(database: Database) -> None:
    before = await value(database)
    async with database.write() as connection:
        looking = looking_near(connection, database.near)
        assert isinstance(looking, LooksNear)
        asked = {"asked": "incident"}
        assert (await looking.execute(_VALUE, asked)).scalar_one() == before
        await looking.execute(_SET.values(value=before + 1))
        assert (await looking.execute(_VALUE, asked)).scalar_one() == before + 1


async def test_a_transaction_that_went_past_sqlalchemy_looks_no_more_near(
    database: Database,
) -> None:
    async with database.write() as connection:
        looking = looking_near(connection, database.near)
        driver = (await looking.get_raw_connection()).driver_connection
        await driver.visit(  # type: ignore[union-attr]
            lambda raw: raw.execute("UPDATE counter SET value = 99 WHERE name = 'incident'")
        )
        found = await looking.execute(_VALUE, {"asked": "incident"})
        assert found.scalar_one() == 99


async def test_an_incident_is_found_as_it_was_last_saved(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    made = incident(1, clock.now())
    async with opened_store.store.begin() as tx:
        tx.save(made)
        assert await opened_store.reader.incident(made.id) is None
    found = await opened_store.reader.incident(made.id)
    assert found is not None
    async with opened_store.store.begin() as tx:
        await tx.load_incidents([made.id])
        tx.save(tx.incident(made.id).but(title="orders is very late"))
    found = await opened_store.reader.incident(made.id)
    assert found is not None
    assert found.title == "orders is very late"


async def test_nobody_writes_between_a_first_look_and_what_follows_from_it(
    database: Database,
) -> None:
    other = sqlite3.connect(database.path, timeout=0, isolation_level=None)
    async with database.write() as connection:
        looking = looking_near(connection, database.near)
        await looking.execute(_VALUE, {"asked": "incident"})
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()
