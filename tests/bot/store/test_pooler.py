"""A pooler that works is let in; one that would lose pages is refused, with what to do."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.inbox import NewDelivery, NotStoredError
from bot.store.database import Database
from bot.store.errors import StoreUnfitError
from bot.store.opening import open_store
from bot.store.pooler import in_words, refuse_forgetful
from tests.databases import Databases
from tests.fakes.clock import FakeClock
from tests.fakes.pooler import pooling, refusing


@pytest.fixture
def address(postgresql_databases: Databases) -> Iterator[str]:
    with postgresql_databases.migrated() as url:
        yield url


async def bound(address: str) -> None:
    """Let the server itself know the time-outs, as the documents say."""
    connection = await asyncpg.connect(address)
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"ALTER DATABASE {make_url(address).database} SET {name} = '5s'")
    await connection.close()


class Forgetful(Database):
    """Each transaction has the connection on which something was prepared just now."""

    reading: AsyncConnection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with super().read() as connection:
            self.reading = connection
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        async with super().write() as connection:
            await self.reading.execute(text("DEALLOCATE ALL"))
            yield connection


async def test_a_pooler_of_sessions_works(address: str, clock: FakeClock) -> None:
    await bound(address)
    async with pooling(address) as pooler:
        opened = await open_store(pooler, clock)
        await opened.inbox.accept(NewDelivery(source="tests", key="one", body=b"{}"))
        async with opened.store.begin() as tx:
            assert len(await tx.take_deliveries(5, clock.now())) == 1
        await opened.close()


async def test_a_pooler_that_keeps_time_outs_from_the_server_is_refused(
    address: str, clock: FakeClock
) -> None:
    async with pooling(address) as pooler:
        with pytest.raises(StoreUnfitError, match="give the role these time-outs"):
            await open_store(pooler, clock)


async def test_a_pooler_that_does_not_take_time_outs_is_named(clock: FakeClock) -> None:
    async with refusing("unsupported startup parameter: lock_timeout") as pooler:
        with pytest.raises(StoreUnfitError, match="the pooler in between"):
            await open_store(pooler, clock)


async def test_a_pooler_that_forgets_prepared_statements_is_refused(address: str) -> None:
    await bound(address)
    async with pooling(address) as pooler:
        database = Forgetful(pooler)
        with pytest.raises(NotStoredError) as caught:
            await refuse_forgetful(database)
        await database.close()
    assert "pool whole sessions" in in_words(str(caught.value))
