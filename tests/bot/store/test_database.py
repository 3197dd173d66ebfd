"""Connections to one database: as many as are worth it, however many readers come at once."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from bot.store.database import Database

READERS = 4


async def test_readers_that_come_at_once_share_four_connections(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    reading, most = 0, 0
    all_taken, go = asyncio.Event(), asyncio.Event()
    before = threading.active_count()

    async def read() -> None:
        nonlocal reading, most
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))
            reading += 1
            most = max(most, reading)
            if reading == READERS:
                all_taken.set()
            await go.wait()
            reading -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(3 * READERS):
            group.create_task(read())
        await asyncio.wait_for(all_taken.wait(), 10)
        threads = threading.active_count() - before
        go.set()
    assert most == READERS
    assert threads <= READERS
    await database.close()


async def test_the_pages_of_a_new_file_hold_more_than_one_body(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE one (body BLOB)"))
    async with database.read() as connection:
        size = (await connection.execute(text("PRAGMA page_size"))).scalar_one()
        log = (await connection.execute(text("PRAGMA journal_mode"))).scalar_one()
    await database.close()
    assert (size, log) == (8_192, "wal")


async def test_a_file_with_smaller_pages_works_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; CREATE TABLE one (n);")
    database = Database(f"sqlite:///{path}")
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO one VALUES (1)"))
        size = (await connection.execute(text("PRAGMA page_size"))).scalar_one()
    await database.close()
    assert size == 4_096
