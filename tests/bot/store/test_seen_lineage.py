"""Lineage in the store: written with the delivery, seldom again, bounded, moved and forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.inbox import NewDelivery
from bot.store import seen_lineage
from bot.store.opening import OpenedStore
from rules.seen_lineage import Seen, SeenAsset, SeenLineage
from tests.bot.store.samples import HOUR
from tests.fakes.clock import FakeClock


def table(name: str, owners: tuple[str, ...] = ()) -> SeenAsset:
    return SeenAsset(id=f"dataset:pg/{name}", name=name, relation=name, owners=owners)


def job(name: str) -> SeenAsset:
    return SeenAsset(id=f"job:etl/{name}", name=name)


LOAD = SeenLineage(job=job("load"), inputs=(table("raw"),), outputs=(table("orders"),))


async def tell(store: OpenedStore, *told: SeenLineage, source: str = "lineage") -> Seen:
    async with store.store.begin() as tx:
        for seen in told:
            tx.see_lineage(source, seen)
    return await store.reader.seen_lineage()


def edges(seen: Seen) -> set[tuple[str, str]]:
    return {(e.upstream.rpartition("/")[2], e.downstream.rpartition("/")[2]) for e in seen.edges}


async def test_what_is_told_is_kept(opened_store: OpenedStore, clock: FakeClock) -> None:
    seen = await tell(opened_store, LOAD)
    assert edges(seen) == {("raw", "load"), ("load", "orders")}
    assert {one.asset for one in seen.assets} == set(LOAD.assets)
    assert {one.last_at for one in seen.assets} == {clock.now()}
    assert seen.version == await opened_store.reader.lineage_version() > 0


async def test_nothing_is_kept_of_a_transaction_that_fails(opened_store: OpenedStore) -> None:
    async def fail() -> None:
        async with opened_store.store.begin() as tx:
            tx.see_lineage("lineage", LOAD)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await opened_store.reader.seen_lineage() == Seen()
    assert len((await tell(opened_store, LOAD)).edges) == 2


async def test_what_is_told_again_is_touched_at_most_hourly(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = await tell(opened_store, LOAD)
    clock.advance(minutes=59)
    assert await tell(opened_store, LOAD) == first
    clock.advance(minutes=1)
    later = await tell(opened_store, LOAD)
    assert {one.last_at for one in later.edges} == {clock.now()}
    assert {one.first_at for one in later.assets} == {clock.now() - HOUR}
    assert later.version == first.version


async def test_what_one_event_leaves_out_stays_known(opened_store: OpenedStore) -> None:
    owned = replace(LOAD, outputs=(table("orders", owners=("team:shop",)),))
    first = await tell(opened_store, owned)
    assert await tell(opened_store, LOAD) == first
    new = await tell(opened_store, replace(LOAD, outputs=(table("orders", owners=("user:ana",)),)))
    assert [one.asset.owners for one in new.assets if one.asset.owners] == [("user:ana",)]
    assert new.version > first.version


async def test_sources_do_not_touch_each_other(opened_store: OpenedStore) -> None:
    await tell(opened_store, LOAD, source="one")
    await tell(opened_store, LOAD, source="two")
    left = await tell(opened_store, SeenLineage(gone=("dataset:pg/orders",)), source="two")
    assert {(e.source, e.downstream) for e in left.edges} == {
        ("one", "job:etl/load"),
        ("one", "dataset:pg/orders"),
        ("two", "job:etl/load"),
    }


async def test_a_dropped_table_goes_and_can_come_again(opened_store: OpenedStore) -> None:
    await tell(opened_store, LOAD)
    gone = await tell(opened_store, SeenLineage(gone=("dataset:pg/orders",)))
    assert edges(gone) == {("raw", "load")}
    assert {one.asset.name for one in gone.assets} == {"raw", "load"}
    assert edges(await tell(opened_store, LOAD)) == {("raw", "load"), ("load", "orders")}
    both = await tell(opened_store, LOAD, SeenLineage(gone=("dataset:pg/raw",)))
    assert edges(both) == {("load", "orders")}


async def test_a_renamed_table_keeps_its_edges_and_owner(opened_store: OpenedStore) -> None:
    board = SeenLineage(job=job("board"), inputs=(table("orders"),))
    owned = replace(LOAD, outputs=(table("orders", owners=("team:shop",)),))
    await tell(opened_store, owned, board)
    renaming = SeenLineage(
        job=job("alter"),
        outputs=(table("sales"),),
        renamed=(("dataset:pg/orders", "dataset:pg/sales"),),
    )
    seen = await tell(opened_store, renaming)
    assert edges(seen) == {
        ("raw", "load"), ("load", "sales"), ("sales", "board"), ("alter", "sales")
    }  # fmt: skip
    (sales,) = (one.asset for one in seen.assets if one.asset.name == "sales")
    assert (sales.relation, sales.owners) == ("sales", ("team:shop",))


async def test_names_without_end_push_out_the_oldest(
    opened_store: OpenedStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_lineage, "MOST_ASSETS", 30)
    monkeypatch.setattr(seen_lineage, "MOST_EDGES", 20)
    await tell(opened_store, LOAD, source="other")
    for start in range(0, 100, 25):
        clock.advance(minutes=1)
        flood = [SeenLineage(job=job(f"j{n}"), outputs=(table(f"t{n}"),)) for n in range(25)]
        seen = await tell(
            opened_store,
            *(replace(one, outputs=(table(f"t{start + n}"),)) for n, one in enumerate(flood)),
        )
    ours = [one for one in seen.edges if one.source == "lineage"]
    assert len(ours) == 20
    assert {one.last_at for one in ours} == {clock.now()}
    assert len([one for one in seen.assets if one.source == "lineage"]) == 30
    assert len([one for one in seen.edges if one.source == "other"]) == 2


async def test_what_nobody_tells_any_more_is_forgotten(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await tell(opened_store, LOAD)
    clock.advance(days=31)
    before = await tell(opened_store, SeenLineage(job=job("board"), inputs=(table("orders"),)))
    assert await opened_store.forget_lineage(clock.now() - timedelta(days=30)) == 4
    left = await opened_store.reader.seen_lineage()
    assert edges(left) == {("orders", "board")}
    assert left.version > before.version
    assert await opened_store.forget_lineage(clock.now() - timedelta(days=30)) == 0


async def test_a_repeated_event_writes_nothing(opened_store: OpenedStore) -> None:
    await tell(opened_store, LOAD)
    async with opened_store.database.write() as connection:
        await connection.exec_driver_sql("DROP TABLE seen_edge")
    async with opened_store.store.begin() as tx:
        tx.see_lineage("lineage", LOAD)
    assert (await opened_store.inbox.accept(NewDelivery(source="a", key="1", body=b""))).id
