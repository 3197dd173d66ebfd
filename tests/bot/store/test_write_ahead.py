"""The write-ahead log of a SQLite file has its full length from the start."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.store.opening import OpenedStore, open_store
from bot.store.write_ahead import PAGES, grow
from tests.fakes.clock import FakeClock

PAGE = 4096


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "watchbill.db"


async def opened(file: Path) -> OpenedStore:
    return await open_store(f"sqlite:///{file}", FakeClock())


def length(file: Path) -> int:
    log = file.with_name(file.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Refuse to let files grow, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_it_is_grown_once_and_no_commit_grows_it(file: Path) -> None:
    store = await opened(file)
    before, data = tables(file), file.stat().st_size
    assert length(file) < PAGES * PAGE
    await grow(store.database)
    grown = length(file)
    assert grown >= PAGES * PAGE
    await grow(store.database)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        for number in range(50):
            other.execute("INSERT INTO counter (name, value) VALUES (?, 0)", [f"more {number}"])
    assert length(file) == grown
    assert tables(file) == before, "what filled the log was never committed"
    assert file.stat().st_size == data
    await store.close()


async def test_a_disk_that_is_full_is_no_reason_to_stop(file: Path) -> None:
    store = await opened(file)
    before = tables(file)
    with no_file_above(length(file) + 100 * PAGE):
        await grow(store.database)
    assert length(file) < PAGES * PAGE
    assert tables(file) == before
    await store.ping()
    await grow(store.database)
    assert length(file) >= PAGES * PAGE, "there is room again"
    await store.close()
