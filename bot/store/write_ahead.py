"""Grows SQLite's write-ahead log at the start, so that no commit has to.

A sync of a file that has grown waits for the file system's own journal: milliseconds in the place
of a tenth of one, each time until the log is as long as it gets between two checkpoints.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

from bot.store.database import Database
from bot.store.sqlite_driver import BEGIN

_log = structlog.get_logger(__name__)

PAGES = 1_000
"""After so many pages SQLite begins the log anew: https://sqlite.org/wal.html#ckpt."""
_CACHE = 10
"""Pages; what is more than that spills into the log before anything is committed."""


async def grow(database: Database) -> None:
    """Make the log of a SQLite file as long as it gets; a disk that is full is no reason to stop."""
    async with database.turn():
        try:
            await asyncio.to_thread(_grow, database.path)
        except sqlite3.Error as error:
            _log.warning("write-ahead log not grown", action="grow_log", error=str(error))


def _grow(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as connection:
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size >= PAGES * page:
            return
        connection.execute(f"PRAGMA cache_size={_CACHE}")
        connection.execute(BEGIN)
        connection.execute("CREATE TABLE log_growth (filling BLOB)")
        connection.execute("INSERT INTO log_growth VALUES (zeroblob(?))", [PAGES * page])
        # what was spilled stays where it is, and nothing of it was ever committed
        connection.execute("ROLLBACK")
