"""Refuses a pooler that forgets, between two transactions, what was said on a connection."""

from contextlib import AsyncExitStack

import asyncpg
from sqlalchemy import text

from bot.store.database import Database
from bot.store.errors import StoreUnfitError

_FORGETS = (
    "database: the pooler in between forgets prepared statements. Connect to PostgreSQL itself,"
    " or pool whole sessions; docs/operations/running.md#behind-a-pooler"
)
_KEEPS_BACK = (
    "database: the pooler in between keeps our time-outs from PostgreSQL, and one frozen process"
    " would stop all others. Connect to PostgreSQL itself, or give the role these time-outs;"
    " docs/operations/running.md#behind-a-pooler"
)
_WHO = text(
    "SELECT pg_backend_pid(), '0' IN (current_setting('lock_timeout'),"
    " current_setting('idle_in_transaction_session_timeout'))"
)
_HOLD = text("SELECT 1")
_BUSY = 4
"""Transactions held open, until one has the server's connection on which a statement was prepared."""


async def refuse_forgetful(database: Database) -> None:
    """Ask over several connections at once. Raises StoreUnfitError, or NotStoredError for `in_words`."""
    async with database.read() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, asyncpg.Connection)
        pid, unbounded = (await connection.execute(_WHO)).one()
        if pid == driver.get_server_pid():
            return  # a pooler gives each of its clients a number of its own
        if unbounded:
            raise StoreUnfitError(_KEEPS_BACK)
        prepared = await driver.prepare("SELECT 1")
        async with AsyncExitStack() as transactions:
            for _ in range(_BUSY):
                busy = await transactions.enter_async_context(database.write())
                await busy.execute(_HOLD)
                await prepared.fetchval()


def in_words(why: str) -> str:
    """Return what to do about a failure that only a pooler causes; "" for any other."""
    if "unsupported startup parameter" in why:
        return _KEEPS_BACK
    return _FORGETS if "prepared statement" in why else ""
