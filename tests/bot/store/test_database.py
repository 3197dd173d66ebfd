"""Connections to one database: as many as are worth it, however many readers come at once."""

import asyncio
import threading
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
