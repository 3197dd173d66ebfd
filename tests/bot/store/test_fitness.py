"""Whether a database takes what is written, told in words that say what to do."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.ports.inbox import NewDelivery, NotStoredError
from bot.store.database import Database
from bot.store.fitness import EVERY, REMEMBERED, Fitness
from bot.store.inbox import GroupCommitInbox, InboundTuple
from bot.store.opening import OpenedStore
from tests.fakes.clock import FakeClock

FULL = "database or disk is full"


@dataclass
class Writer:
    """Stores nothing, or says why it cannot."""

    trouble: str = ""

    async def write(self, batch: Sequence[InboundTuple]) -> dict[str, str]:
        if self.trouble:
            raise NotStoredError(self.trouble)
        return {}

    async def close(self) -> None:
        """There is nothing to close."""


async def accept(inbox: GroupCommitInbox, key: str) -> None:
    await inbox.accept(NewDelivery(source="tests", key=key, body=b"{}"))


async def test_a_database_that_is_written_is_fit(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    fitness = Fitness(opened_store.database, opened_store.inbox, clock)
    assert await fitness.fault() == ""
    clock.advance(seconds=EVERY.total_seconds())
    assert await fitness.fault() == ""


async def test_a_file_that_cannot_be_written_is_named_as_such(
    sqlite_file: Database, clock: FakeClock
) -> None:
    fitness = Fitness(sqlite_file, GroupCommitInbox(Writer(), clock), clock)
    assert await fitness.fault() == ""
    async with sqlite_file.bare() as connection:
        await connection.exec_driver_sql("PRAGMA query_only=ON")
    assert await fitness.fault() == "", "it is believed for a while"
    clock.advance(seconds=EVERY.total_seconds())
    said = await fitness.fault()
    assert "give Watchbill the right to" in said
    assert "readonly" in said


async def test_a_refused_delivery_tells_of_a_full_disk(
    sqlite_file: Database, clock: FakeClock
) -> None:
    writer = Writer(FULL)
    inbox = GroupCommitInbox(writer, clock)
    fitness = Fitness(sqlite_file, inbox, clock)
    with pytest.raises(NotStoredError):
        await accept(inbox, "first")
    said = await fitness.fault()
    assert f"the disk of {sqlite_file.path} is full: make space there" in said
    assert "senders try again" in said
    writer.trouble = ""
    await accept(inbox, "second")
    assert await fitness.fault() == "", "what is stored shows that there is space again"


async def test_a_refused_delivery_is_forgotten_when_nobody_sends(
    sqlite_file: Database, clock: FakeClock
) -> None:
    inbox = GroupCommitInbox(Writer("somebody pulled the plug"), clock)
    fitness = Fitness(sqlite_file, inbox, clock)
    with pytest.raises(NotStoredError):
        await accept(inbox, "first")
    assert "(somebody pulled the plug): is it there" in await fitness.fault()
    clock.advance(seconds=(REMEMBERED - timedelta(seconds=1)).total_seconds())
    assert await fitness.fault() != ""
    clock.advance(seconds=1)
    assert await fitness.fault() == ""


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
async def test_a_standby_is_not_fit(empty_database_url: str, clock: FakeClock) -> None:
    first = Database(empty_database_url)
    name = first.url.database
    async with first.write() as connection:
        await connection.execute(
            text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        )
    await first.close()
    standby = Database(empty_database_url)
    said = await Fitness(standby, GroupCommitInbox(Writer(), clock), clock).fault()
    await standby.close()
    assert "point `database` at the primary" in said


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_was_a_standby_when_we_connected_is_written_once_it_is_none(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    """Connections outlive a failover, and those of a pool would lead to the standby for ever."""
    database, one = opened_store.database, opened_store.inbox
    fitness = Fitness(database, one, clock)
    name = f'ALTER DATABASE "{database.url.database}"'
    async with database.write() as connection:
        await connection.execute(text(f"{name} SET default_transaction_read_only = on"))
    for engine in (database._reader, database._writer):
        await engine.dispose()  # as a failover ends all connections
    with pytest.raises(NotStoredError, match="read-only"):
        await accept(one, "first")
    with pytest.raises(NotStoredError, match="read-only"):
        await opened_store.queue.claim(clock.now(), 1)
    assert "point `database` at the primary" in await fitness.fault()
    async with database.read() as connection:
        await connection.execute(text("SET transaction_read_only = off"))
        await connection.execute(text("SET default_transaction_read_only = off"))
        await connection.execute(text(f"{name} RESET default_transaction_read_only"))
        await connection.execute(text("SET default_transaction_read_only = on"))
    await opened_store.queue.claim(clock.now(), 1)
    await accept(one, "second")
    clock.advance(seconds=REMEMBERED.total_seconds())
    await fitness.fault()
    assert await fitness.fault() == ""


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
async def test_a_server_without_a_free_connection_is_told_of(
    empty_database_url: str, clock: FakeClock
) -> None:
    first = Database(empty_database_url)
    name = first.url.database
    async with first.write() as connection:
        await connection.execute(text("CREATE ROLE crowd LOGIN"))
        await connection.execute(text(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0'))
    crowd = Database(
        first.url.set(username="crowd", password=None).render_as_string(hide_password=False)
    )
    said = await Fitness(crowd, GroupCommitInbox(Writer(), clock), clock).fault()
    await crowd.close()
    async with first.write() as connection:
        await connection.execute(text("DROP ROLE crowd"))
    await first.close()
    assert "so raise max_connections" in said


async def test_a_server_that_is_not_there_is_asked_after(clock: FakeClock) -> None:
    nobody = Database("postgresql://someone@127.0.0.1:1/nothing")
    said = await Fitness(nobody, GroupCommitInbox(Writer(), clock), clock).fault()
    await nobody.close()
    assert "is it there, and may we in?" in said
    assert "senders try again" in said


@pytest.fixture
async def sqlite_file(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    path = tmp_path / "watchbill.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    await database.close()
