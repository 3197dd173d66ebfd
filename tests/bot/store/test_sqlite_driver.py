"""Transactions of the SQLite driver begin late, and never leave anything behind."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.store.sqlite_driver import OneVisitConnection, connect


async def _opened(path: Path) -> OneVisitConnection:
    connection = await connect(str(path))
    connection.isolation_level = None
    await connection.cursor().execute("CREATE TABLE IF NOT EXISTS t (x)")
    await connection.commit()
    return connection


async def test_a_transaction_takes_the_lock_with_its_first_statement(tmp_path: Path) -> None:
    one, other = await _opened(tmp_path / "a.db"), await _opened(tmp_path / "a.db")
    await other.cursor().execute("PRAGMA busy_timeout=0")
    one.begin()
    await other.cursor().execute("INSERT INTO t VALUES (1)")
    await one.cursor().execute("SELECT x FROM t")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await other.cursor().execute("INSERT INTO t VALUES (2)")
    await one.commit()
    await other.cursor().execute("INSERT INTO t VALUES (3)")
    await one.close()
    await other.close()


async def test_who_cannot_connect_ends_before_that_is_told() -> None:
    """A thread that answers into a closed loop ends in a traceback, long after the words."""

    def refuse() -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    connection = OneVisitConnection(refuse, 64)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await connection
    assert connection.ended is not None
    assert connection.ended.done()


async def test_what_was_rolled_back_is_gone(tmp_path: Path) -> None:
    one = await _opened(tmp_path / "a.db")
    one.begin()
    await one.cursor().execute("INSERT INTO t VALUES (1)")
    await one.rollback()
    await one.cursor().execute("INSERT INTO t VALUES (2)")
    found = await one.cursor().execute("SELECT x FROM t")
    assert await found.fetchall() == [(2,)]
    await one.close()


async def test_a_statement_given_up_is_rolled_back_with_its_transaction(tmp_path: Path) -> None:
    one = await _opened(tmp_path / "a.db")
    one.begin()
    async with asyncio.TaskGroup() as group:
        given_up = group.create_task(one.cursor().execute("INSERT INTO t VALUES (1)"))
        await asyncio.wait([given_up], timeout=0)
        given_up.cancel()
    await one.rollback()
    found = await one.cursor().execute("SELECT count(*) FROM t")
    assert await found.fetchall() == [(0,)]
    await one.close()
