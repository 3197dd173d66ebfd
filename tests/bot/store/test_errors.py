"""A failure of the database is told from a value that it does not take."""

import asyncpg
import pytest
from sqlalchemy import text

from bot.ports.inbox import LockedError, NotStoredError, UnstorableError
from bot.store.errors import database_errors
from bot.store.opening import OpenedStore

NOT_TAKEN = {"sqlite": "SELECT zeroblob(3000000000)", "postgresql": "SELECT CAST('x' AS integer)"}


async def ask(opened: OpenedStore, statement: str) -> None:
    async with opened.database.write() as connection:
        await connection.execute(text(statement))


async def test_a_value_that_is_not_taken_is_at_fault_itself(opened_store: OpenedStore) -> None:
    with pytest.raises(UnstorableError):
        await ask(opened_store, NOT_TAKEN[opened_store.database.url.get_backend_name()])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_somebody_else_has_locked_is_told_from_a_lost_race(
    opened_store: OpenedStore,
) -> None:
    async with opened_store.database.write() as connection:
        await connection.execute(text("LOCK TABLE incident IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(LockedError):
            await ask(opened_store, "LOCK TABLE incident IN ACCESS SHARE MODE NOWAIT")


async def test_what_is_not_there_is_no_value_s_fault(opened_store: OpenedStore) -> None:
    with pytest.raises(NotStoredError) as caught:
        await ask(opened_store, "SELECT * FROM nowhere")
    assert type(caught.value) is NotStoredError


def test_what_the_driver_trips_over_while_a_server_ends_is_no_deliverys_fault() -> None:
    with pytest.raises(NotStoredError), database_errors():
        raise asyncpg.InternalClientError("cannot switch to state 12")
