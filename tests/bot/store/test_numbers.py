"""No incident gets a number that another had, also where the database has lost the last of them."""

from sqlalchemy import text

from bot.store.opening import OpenedStore, open_store
from tests.bot.store.samples import incident, job
from tests.fakes.clock import FakeClock


async def opens(opened: OpenedStore, clock: FakeClock) -> int:
    """Open an incident and return its number."""
    async with opened.store.begin() as tx:
        await tx.in_turn()
        number = tx.next_number()
        tx.save(incident(number, clock.now()))
        tx.enqueue(job(f"page:{number}", clock.now()))
    return number


async def loses(opened: OpenedStore, number: int) -> None:
    """Undo what was done with an incident, as a server does that had not heard of it."""
    async with opened.database.write() as connection:
        await connection.execute(text(f"DELETE FROM incident WHERE number = {number}"))
        await connection.execute(text(f"DELETE FROM job WHERE key = 'page:{number}'"))
        await connection.execute(text(f"UPDATE counter SET value = {number - 1}"))


async def test_a_lost_incidents_number_is_not_given_again(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    assert [await opens(opened_store, clock) for _ in range(2)] == [1, 2]
    await loses(opened_store, 2)
    assert [await opens(opened_store, clock) for _ in range(2)] == [1_002, 1_003]


async def test_what_may_have_been_sent_before_a_loss_is_looked_up(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    for _ in range(2):
        await opens(opened_store, clock)
    await loses(opened_store, 2)
    await opens(opened_store, clock)
    unsure = {one.key: one.unsure for one in await opened_store.queue.claim(clock.now(), 9)}
    assert unsure == {"page:1": True, "page:1002": False}


async def test_replicas_notice_a_loss_once(
    opened_store: OpenedStore, database_url: str, clock: FakeClock
) -> None:
    other = await open_store(database_url, clock, beside=True)
    assert [await opens(one, clock) for one in (opened_store, other, opened_store)] == [1, 2, 3]
    await loses(opened_store, 3)
    assert [await opens(one, clock) for one in (opened_store, other)] == [1_003, 1_004]
    await other.close()
