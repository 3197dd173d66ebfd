"""A flood from one source holds up nobody else: not a click, not another team's alert."""

from collections import Counter

from bot.acts.act import SLACK
from bot.ports.inbox import NewDelivery
from bot.store.opening import OpenedStore
from bot.store.taking import FOR_WHO_KNOWS, OTHERS
from tests.fakes.clock import FakeClock


async def accept(opened: OpenedStore, source: str, count: int) -> None:
    for number in range(count):
        delivery = NewDelivery(source=source, key=f"{source}:{number}", body=b"{}")
        await opened.inbox.accept(delivery)


async def take(
    opened: OpenedStore,
    clock: FakeClock,
    limit: int,
    *,
    others: bool = True,
    known: set[str] | None = None,
) -> Counter[str]:
    """Take a batch and finish it; return how many there were of each source."""
    async with opened.store.begin() as tx:
        taken = await tx.take_deliveries(limit, clock.now(), others=others, known=known)
        for delivery in taken:
            tx.finish_delivery(delivery.id)
    assert len({delivery.id for delivery in taken}) == len(taken)
    return Counter(delivery.source for delivery in taken)


async def test_others_come_with_a_batch_that_one_source_fills(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, "flood", 90)
    await accept(opened_store, SLACK, 2)
    await accept(opened_store, "airflow", 1)
    assert await take(opened_store, clock, 40) == {"flood": 40, SLACK: 2, "airflow": 1}
    assert await take(opened_store, clock, 40) == {"flood": 40}
    assert await take(opened_store, clock, 40) == {"flood": 10}


async def test_what_is_of_no_known_source_is_left_for_a_while_to_who_knows_it(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, "new", 2)
    await accept(opened_store, "airflow", 45)
    assert await take(opened_store, clock, 40, known={"airflow"}) == {"airflow": 40}
    clock.advance(seconds=FOR_WHO_KNOWS.total_seconds())
    await accept(opened_store, "newer", 1)
    assert await take(opened_store, clock, 40, known={"airflow"}) == {"new": 2, "airflow": 5}
    assert await take(opened_store, clock, 40, known={"newer"}) == {"newer": 1}


async def test_what_is_a_small_part_of_the_batch_is_not_held_up_either(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, SLACK, 1)
    await accept(opened_store, "flood", 60)
    delivery = NewDelivery(source=SLACK, key="slack:late", body=b"{}")
    await opened_store.inbox.accept(delivery)
    assert await take(opened_store, clock, 40) == {"flood": 39, SLACK: 2}


async def test_only_so_many_of_others_at_once_the_oldest_first(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, "flood", 60)
    await accept(opened_store, "airflow", OTHERS + 5)
    assert await take(opened_store, clock, 60) == {"flood": 60, "airflow": OTHERS}
    assert await take(opened_store, clock, 60) == {"airflow": 5}


async def test_others_do_not_make_a_batch_more_than_twice_as_long(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, "flood", 10)
    for number in range(30):
        await accept(opened_store, f"source{number}", 1)
    assert (await take(opened_store, clock, 4)).total() == 8
    assert (await take(opened_store, clock, 1)).total() == 2


async def test_others_come_with_a_small_batch_as_well(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, "flood", 9)
    await accept(opened_store, SLACK, 2)
    assert await take(opened_store, clock, 5) == {"flood": 5, SLACK: 2}


async def test_who_looks_for_the_one_that_fails_gets_no_others(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, "flood", 20)
    await accept(opened_store, SLACK, 1)
    assert await take(opened_store, clock, 20, others=False) == {"flood": 20}
    assert await take(opened_store, clock, 1, others=False) == {SLACK: 1}


async def test_what_is_put_off_is_not_taken_with_the_others(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await accept(opened_store, SLACK, 1)
    async with opened_store.store.begin() as tx:
        (late,) = await tx.take_deliveries(1, clock.now())
        tx.postpone_delivery(late.id, clock.now().replace(hour=4), "not now")
    await accept(opened_store, "flood", 20)
    assert await take(opened_store, clock, 20) == {"flood": 20}
