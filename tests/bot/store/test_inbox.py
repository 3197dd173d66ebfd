"""What was accepted is stored, in few commits; what could not be stored was never accepted."""

import asyncio
import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.ports.inbox import NewDelivery, NotStoredError
from bot.store.inbox import GroupCommitInbox, SqliteBatchWriter
from bot.store.opening import OpenedStore, open_store
from tests.fakes.clock import FakeClock


def delivery(key: str, body: bytes = b"{}") -> NewDelivery:
    return NewDelivery(
        source="airflow",
        key=key,
        body=body,
        content_type="application/json",
        headers={"x-event": "failed\0"},
    )


async def test_a_delivery_comes_back_as_it_was_accepted(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    body = bytes(range(256))
    accepted = await opened_store.inbox.accept(delivery("one", body))
    found = await opened_store.reader.delivery(accepted.id)
    assert found is not None
    assert not accepted.repeated
    assert (found.body, found.source, found.key) == (body, "airflow", "one")
    assert found.content_type == "application/json"
    assert found.headers == {"x-event": "failed\0"}
    assert found.received_at == clock.now()


async def test_many_at_once_share_few_commits(opened_store: OpenedStore) -> None:
    accepted = await asyncio.gather(
        *(opened_store.inbox.accept(delivery(f"key {i}")) for i in range(500))
    )
    assert len({a.id for a in accepted}) == 500
    assert opened_store.inbox.commits <= 3


async def test_a_repeated_key_answers_the_first_id(opened_store: OpenedStore) -> None:
    first = await opened_store.inbox.accept(delivery("same", b"first"))
    later = await opened_store.inbox.accept(delivery("same", b"second"))
    assert (later.id, later.repeated) == (first.id, True)
    found = await opened_store.reader.delivery(first.id)
    assert found is not None
    assert found.body == b"first"


async def test_a_key_repeated_within_one_commit_is_stored_once(opened_store: OpenedStore) -> None:
    await opened_store.inbox.accept(delivery("old"))
    keys = ["old", "new", "new", "other", "new"]
    accepted = await asyncio.gather(*(opened_store.inbox.accept(delivery(k)) for k in keys))
    assert [a.repeated for a in accepted] == [True, False, True, False, True]
    assert accepted[1].id == accepted[2].id == accepted[4].id


async def test_a_key_too_long_for_an_index_is_still_one_key(opened_store: OpenedStore) -> None:
    long = "k" * 9_000
    first = await opened_store.inbox.accept(delivery(long + "1"))
    other = await opened_store.inbox.accept(delivery(long + "2"))
    again = await opened_store.inbox.accept(delivery(long + "1"))
    assert first.id != other.id
    assert again.id == first.id


async def test_text_no_database_takes_is_accepted(opened_store: OpenedStore) -> None:
    strange = NewDelivery(source="a\0b", key="\ud800\0", body=b"", content_type="\0")
    accepted = await opened_store.inbox.accept(strange)
    assert (await opened_store.inbox.accept(strange)).id == accepted.id


async def test_a_requester_that_leaves_disturbs_nobody(opened_store: OpenedStore) -> None:
    async with asyncio.TaskGroup() as group:
        leaves = group.create_task(opened_store.inbox.accept(delivery("leaves")))
        stays = group.create_task(opened_store.inbox.accept(delivery("stays")))
        await asyncio.sleep(0)  # noqa: TID251 - lets both begin, takes no time
        leaves.cancel()
    assert not stays.result().repeated


async def test_deliveries_are_taken_oldest_first_and_once(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    for i in range(3):
        await opened_store.inbox.accept(delivery(f"key {i}"))
        clock.advance(seconds=1)
    async with opened_store.store.begin() as tx:
        taken = await tx.take_deliveries(2, clock.now())
        assert [d.key for d in taken] == ["key 0", "key 1"]
        tx.finish_delivery(taken[0].id)
        tx.finish_delivery(taken[1].id, error="not JSON")
    async with opened_store.store.begin() as tx:
        assert [d.key for d in await tx.take_deliveries(9, clock.now())] == ["key 2"]


async def test_a_postponed_delivery_waits(opened_store: OpenedStore, clock: FakeClock) -> None:
    accepted = await opened_store.inbox.accept(delivery("later"))
    async with opened_store.store.begin() as tx:
        tx.postpone_delivery(accepted.id, clock.now() + timedelta(minutes=1), "database busy")
    async with opened_store.store.begin() as tx:
        assert not await tx.take_deliveries(9, clock.now())
    clock.advance(minutes=1)
    async with opened_store.store.begin() as tx:
        (again,) = await tx.take_deliveries(9, clock.now())
    assert again.attempts == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_refuses_and_recovers(opened_store: OpenedStore) -> None:
    inbox = opened_store.inbox
    writer = inbox._writer
    assert isinstance(writer, SqliteBatchWriter)
    await inbox.accept(delivery("fits"))

    def limit(pages: int) -> None:
        connection = writer._connection
        assert isinstance(connection, sqlite3.Connection)
        connection.execute(f"PRAGMA max_page_count = {pages}")

    loop = asyncio.get_running_loop()
    await loop.run_in_executor(writer._thread, limit, 1)
    big = b"x" * 4_000_000
    results = await asyncio.gather(
        *(inbox.accept(delivery(f"big {i}", big)) for i in range(3)), return_exceptions=True
    )
    assert all(isinstance(result, NotStoredError) for result in results)
    await loop.run_in_executor(writer._thread, limit, 1_000_000)
    accepted = await inbox.accept(delivery("big 0", big))
    assert not accepted.repeated


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_server_that_drops_its_connections_is_reached_again(
    opened_store: OpenedStore,
) -> None:
    await opened_store.inbox.accept(delivery("before"))
    async with opened_store.store.begin() as tx:
        await tx.silences(FakeClock().now())
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    async with opened_store.database.read() as connection:
        await connection.execute(text(others))
    for attempt in range(3):
        try:
            accepted = await opened_store.inbox.accept(delivery("after"))
            break
        except NotStoredError:
            assert attempt < 2
    assert await opened_store.reader.delivery(accepted.id) is not None


async def test_closing_waits_for_those_being_accepted(database_url: str, clock: FakeClock) -> None:
    opened = await open_store(database_url, clock)
    async with asyncio.TaskGroup() as group:
        accepting = group.create_task(opened.inbox.accept(delivery("late")))
        await asyncio.sleep(0)  # noqa: TID251 - lets it begin, takes no time
        await opened.close()
    reopened = await open_store(database_url, clock)
    assert await reopened.reader.delivery(accepting.result().id) is not None
    await reopened.close()


class _BrokenWriter:
    async def write(self, batch: object) -> dict[str, str]:
        raise RuntimeError("a fault of ours")

    async def close(self) -> None:
        pass


async def test_nobody_waits_for_ever_when_the_writer_has_a_fault(clock: FakeClock) -> None:
    inbox = GroupCommitInbox(_BrokenWriter(), clock)
    with pytest.raises(NotStoredError):
        await inbox.accept(delivery("one"))
    await inbox.close()
