"""Words between replicas: heard at once, not by whoever says them, and never relied on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import make_url

from bot.ports.delivering import Delivered
from bot.ports.replicas import Word
from bot.store.opening import open_store
from bot.store.replicas import CHANNEL, PAUSE, PROBE, PostgresqlReplicas
from tests.bot.store.samples import job
from tests.bot.store.test_queue import enqueue
from tests.bot.test_outbox import Deliverer, Desk
from tests.databases import Databases
from tests.fakes.clock import FakeClock

BOTH = [Word.WORK, Word.ASKED]


@pytest.fixture
def address(postgresql_databases: Databases) -> Iterator[str]:
    with postgresql_databases.migrated() as url:
        yield url


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.001)  # noqa: TID251 - the server works meanwhile


@asynccontextmanager
async def listening(
    address: str, clock: FakeClock, heard: list[Word]
) -> AsyncIterator[PostgresqlReplicas]:
    """Yield a replica that is connected and has looked for itself."""
    replicas = PostgresqlReplicas(make_url(address), clock, heard.append)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(replicas.run())
        await until(lambda: heard == BOTH)
        heard.clear()
        yield replicas
        running.cancel()


async def cut(address: str) -> None:
    """End every connection but this one, as a server does that restarts."""
    connection = await asyncpg.connect(address)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    await connection.close()


async def test_the_others_hear_a_word_and_the_speaker_does_not(
    address: str, clock: FakeClock
) -> None:
    here: list[Word] = []
    there: list[Word] = []
    async with listening(address, clock, here) as one, listening(address, clock, there) as other:
        one.tell(Word.ASKED)
        await until(lambda: there == [Word.ASKED])
        await other.say(Word.WORK)
        await until(lambda: here == [Word.WORK])
    assert (here, there) == ([Word.WORK], [Word.ASKED])


async def test_a_word_of_another_version_is_not_understood_and_does_no_harm(
    address: str, clock: FakeClock
) -> None:
    heard: list[Word] = []
    async with listening(address, clock, heard):
        connection = await asyncpg.connect(address)
        for payload in ("", "work", "x jump", "x work"):
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        await connection.close()
        await until(lambda: bool(heard))
    assert heard == [Word.WORK]


async def test_after_a_cut_it_connects_again_and_looks_for_what_it_missed(
    address: str, clock: FakeClock
) -> None:
    heard: list[Word] = []
    async with listening(address, clock, heard) as replicas:
        await cut(address)
        await until(lambda: replicas._connection is None)
        await replicas.say(Word.WORK)  # nobody to say it to: lost, and no fault
        await until(lambda: clock._moved is not None)
        clock.advance(seconds=PAUSE.total_seconds())
        await until(lambda: heard == BOTH)
        heard.clear()
        connection = await asyncpg.connect(address)
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, "x work")
        await connection.close()
        await until(lambda: heard == [Word.WORK])


@pytest.mark.parametrize(
    "failure", [OSError("no route to host"), asyncpg.InternalClientError("cannot switch to state")]
)
async def test_a_connection_that_died_in_silence_is_found_by_the_probe(
    address: str, clock: FakeClock, failure: Exception
) -> None:
    heard: list[Word] = []

    async def fails(connection: object) -> None:
        raise failure

    async with listening(address, clock, heard) as replicas:
        probe = replicas._speak_or_probe
        replicas._speak_or_probe = fails  # type: ignore[method-assign]
        await until(lambda: clock._moved is not None)
        clock.advance(seconds=PROBE.total_seconds())
        await until(lambda: replicas._connection is None)
        replicas._speak_or_probe = probe  # type: ignore[method-assign]
        await until(lambda: clock._moved is not None)
        clock.advance(seconds=PAUSE.total_seconds())
        await until(lambda: heard == BOTH)


async def test_what_nobody_heard_of_is_found_within_a_second(
    address: str, clock: FakeClock
) -> None:
    """The notification is lost: another replica's page goes out all the same, by polling."""
    one, other = await open_store(address, clock), await open_store(address, clock)
    desk = Desk(one, clock, Deliverer(clock))
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.outbox.room() > 0 and clock._moved is not None)
        await enqueue(other, job("theirs", clock.now(), lane="D1"))
        clock.advance(seconds=1)
        await until(lambda: bool(desk.finished))
        await desk.outbox.drain(clock.now() + timedelta(seconds=5))
    assert [(key, type(outcome)) for key, outcome in desk.finished] == [("theirs", Delivered)]
    await one.close()
    await other.close()
