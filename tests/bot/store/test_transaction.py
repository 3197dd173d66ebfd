"""One event, one commit: what a transaction finds, what it writes, and when it must begin again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from bot.ports.changes import RosterChange
from bot.ports.inbox import ConflictError, NewDelivery, NotStoredError
from bot.ports.store import OpenAlert, PastOpenings, StoredOverride, TimelineEntry, Transaction
from bot.store.opening import OpenedStore
from bot.store.tables.core import ALERT, TIMELINE
from rules.alert import AlertStatus
from rules.incident import Incident, State
from rules.matching.matcher import Matcher, Operator
from rules.schedule.held import Slot
from rules.sentence import Who, say
from rules.silence import Silence
from tests.bot.store.samples import HOUR, alert, incident, job, ref
from tests.fakes.clock import FakeClock


@asynccontextmanager
async def grouping(
    opened: OpenedStore, now: datetime, *keys: str, group: str = ""
) -> AsyncIterator[Transaction]:
    async with opened.store.begin() as tx:
        await tx.load_for([ref(key, group) for key in keys], now=now, window=HOUR)
        yield tx


async def store(opened: OpenedStore, *incidents: Incident) -> None:
    async with opened.store.begin() as tx:
        for each in incidents:
            tx.save(each)


async def test_an_incident_comes_back_as_it_was_saved(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    saved = incident(
        7,
        clock.now(),
        labels={"a": "\0", "b": "ü"},
        step_due_at=clock.now() + HOUR,
        assigned_to="ana",
    )
    await store(opened_store, saved)
    found = await opened_store.reader.incident(saved.id)
    assert found == replace(saved, version=1)
    assert await opened_store.reader.incident_numbered(7) == found
    assert await opened_store.reader.next_wake() == clock.now() + HOUR


async def test_numbers_are_consecutive_and_only_committed_ones_are_used_up(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with grouping(opened_store, clock.now()) as tx:
        assert [tx.next_number(), tx.next_number()] == [1, 2]
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the transaction
        async with grouping(opened_store, clock.now()) as tx:
            assert tx.next_number() == 3
            _ = 1 / 0
    async with grouping(opened_store, clock.now()) as tx:
        assert tx.next_number() == 3


async def test_a_number_needs_the_counter_to_be_loaded(opened_store: OpenedStore) -> None:
    async with opened_store.store.begin() as tx:
        with pytest.raises(LookupError, match="load_for"):
            tx.next_number()


async def test_what_fails_writes_nothing(opened_store: OpenedStore, clock: FakeClock) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the transaction
        async with opened_store.store.begin() as tx:
            tx.save(incident(1, clock.now()))
            tx.enqueue(job("a", clock.now()))
            _ = 1 / 0
    assert await opened_store.reader.incident_numbered(1) is None
    assert await opened_store.queue.next_due(clock.now()) is None


async def test_what_fails_at_its_end_has_written_nothing_though_it_read_nothing_before(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    slot = Slot(rotation="data", role="primary", starts_at=now, ends_at=now + HOUR)
    change = RosterChange(
        id="1", at=now, by="ana", origin="slack", what="override", subject="o", slot=slot
    )
    with pytest.raises(ConflictError):  # noqa: PT012 - the block is the transaction
        async with opened_store.store.begin() as tx:
            tx.save(incident(1, now))
            tx.enqueue(job("a", now))
            tx.roster.note_change(change)
            tx.roster.note_change(change)
    assert await opened_store.reader.incident_numbered(1) is None
    assert await opened_store.queue.next_due(now) is None


async def test_a_cancelled_transaction_writes_nothing_and_frees_the_turn(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    inside, never = asyncio.Event(), asyncio.Event()

    async def hangs() -> None:
        async with grouping(opened_store, clock.now(), "a") as tx:
            tx.save(incident(1, clock.now()))
            inside.set()
            await never.wait()

    async with asyncio.TaskGroup() as group:
        hanging = group.create_task(hangs())
        await inside.wait()
        hanging.cancel()
    await store(opened_store, incident(1, clock.now()))
    found = await opened_store.reader.incident_numbered(1)
    assert found is not None


async def test_look_ups_find_what_is_stored(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    async with grouping(opened_store, now, "orders", group="run 1") as tx:
        assert tx.open_alert("airflow", "orders") is None
        assert tx.open_group("airflow", "run 1") is None
        assert tx.open_storm("airflow") is None
        assert tx.openings("airflow", now - HOUR) == 0
        assert tx.openings_of("airflow", "orders", now - HOUR) == PastOpenings(0, None)
        tx.save(incident(1, now, dedup_key="orders", group_key="run 1"))
        tx.record_alert("incident-000001", alert("orders", now), now)
        tx.record_alert("incident-000001", alert("payments", now, status=AlertStatus.INFO), now)
        tx.save(incident(2, now, dedup_key="storm", storm=True))
    async with grouping(opened_store, now, "orders", "payments", group="run 1") as tx:
        assert tx.open_alert("airflow", "orders") == OpenAlert(
            "incident-000001", AlertStatus.FIRING
        )
        assert tx.open_alert("airflow", "payments") == OpenAlert(
            "incident-000001", AlertStatus.INFO
        )
        assert tx.open_group("airflow", "run 1") == "incident-000001"
        assert tx.open_storm("airflow") == "incident-000002"
        assert tx.openings("airflow", now) == 2
        assert tx.openings("airflow", now + HOUR) == 0
        assert tx.openings_of("airflow", "orders", now) == PastOpenings(1, 1)
        assert tx.incident("incident-000001").number == 1, "what was found is loaded too"


async def test_look_ups_keep_sources_apart(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    await store(opened_store, incident(1, now, dedup_key="orders", group_key="g", storm=True))
    async with opened_store.store.begin() as tx:
        await tx.load_for([ref("orders", "g", source="dbt")], now=now, window=HOUR)
        assert tx.open_alert("dbt", "orders") is None
        assert tx.open_group("dbt", "g") is None
        assert tx.open_storm("dbt") is None
        assert tx.openings("dbt", now) == 0


async def test_look_ups_find_what_the_same_transaction_saved(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    async with grouping(opened_store, now, "orders", "payments", group="run 1") as tx:
        opened = incident(1, now, dedup_key="orders", group_key="run 1", storm=True)
        tx.save(opened)
        assert tx.open_alert("airflow", "orders") == OpenAlert(opened.id, AlertStatus.FIRING)
        tx.record_alert(opened.id, alert("payments", now), now)
        assert tx.open_alert("airflow", "payments") == OpenAlert(opened.id, AlertStatus.FIRING)
        assert tx.open_group("airflow", "run 1") == opened.id
        assert tx.open_storm("airflow") == opened.id
        assert tx.openings("airflow", now) == 1
        assert tx.openings_of("airflow", "orders", now) == PastOpenings(1, 1)
        tx.save(tx.incident(opened.id).resolve("ana", now))
        assert tx.open_alert("airflow", "orders") is None
        assert tx.open_alert("airflow", "payments") is None
        assert tx.open_group("airflow", "run 1") is None
        assert tx.open_storm("airflow") is None
        assert tx.openings_of("airflow", "orders", now) == PastOpenings(1, 1)


async def test_a_resolved_incident_is_no_longer_found_until_it_comes_back(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, now, dedup_key="own"))
        tx.record_alert("incident-000001", alert("other", now), now)
    async with opened_store.store.begin() as tx:
        await tx.load_incidents(["incident-000001"])
        tx.save(tx.incident("incident-000001").resolve("ana", now))
    async with grouping(opened_store, now, "own", "other") as tx:
        assert tx.open_alert("airflow", "other") is None
        assert tx.openings_of("airflow", "own", now + HOUR) == PastOpenings(0, 1)
        found = await tx.incident_numbered(1)
        assert found is not None
        assert not found.is_open
        tx.save(found.trigger())
    async with grouping(opened_store, now, "own", "other") as tx:
        assert tx.open_alert("airflow", "other") is not None


async def test_asking_about_what_was_not_loaded_is_a_fault(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with grouping(opened_store, clock.now(), "a") as tx:
        with pytest.raises(LookupError):
            tx.open_alert("airflow", "b")
        with pytest.raises(LookupError):
            tx.incident("unknown")


async def test_keys_of_any_length_and_any_text_are_found_again(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now, strange = clock.now(), "\0'\"\\ü\U0001f600" + "x" * 9_000
    async with grouping(opened_store, now, strange, group=strange) as tx:
        tx.save(incident(1, now, dedup_key=strange, group_key=strange, title="\0"))
        tx.record_alert("incident-000001", alert(strange, now, title="\0"), now)
    async with grouping(opened_store, now, strange, group=strange) as tx:
        assert tx.open_alert("airflow", strange) is not None
        assert tx.open_group("airflow", strange) == "incident-000001"


async def test_one_thing_has_one_open_incident(opened_store: OpenedStore, clock: FakeClock) -> None:
    await store(opened_store, incident(1, clock.now(), dedup_key="orders"))
    with pytest.raises(ConflictError):
        await store(opened_store, incident(2, clock.now(), dedup_key="orders"))
    async with opened_store.store.begin() as tx:
        await tx.load_incidents(["incident-000001"])
        tx.save(tx.incident("incident-000001").resolve("ana", clock.now()))
    await store(opened_store, incident(2, clock.now(), dedup_key="orders"))


async def test_saving_what_somebody_else_changed_is_a_conflict(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await store(opened_store, incident(1, clock.now()))
    stale = await opened_store.reader.incident_numbered(1)
    assert stale is not None
    await store(opened_store, stale.resolve("ana", clock.now()))
    with pytest.raises(ConflictError):
        await store(opened_store, stale.ack("bo", clock.now(), None))
    with pytest.raises(ConflictError):  # noqa: PT012 - the block is the transaction
        async with opened_store.store.begin() as tx:
            await tx.load_incidents([stale.id])
            tx.save(stale.ack("bo", clock.now(), None))
    found = await opened_store.reader.incident_numbered(1)
    assert found is not None
    assert (found.state, found.version) == (State.RESOLVED, 2)


async def test_saving_twice_in_one_transaction_raises_the_version_once(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = incident(1, clock.now())
    async with opened_store.store.begin() as tx:
        tx.save(first)
        tx.save(replace(first, title="later"))
        tx.save(replace(tx.incident(first.id), description="latest"))
        assert tx.incident(first.id).version == 1
    found = await opened_store.reader.incident_numbered(1)
    assert found == replace(first, title="later", description="latest", version=1)


async def test_concurrent_transactions_on_one_incident_lose_no_change(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await store(opened_store, incident(1, clock.now()))

    async def add_one() -> None:
        async with opened_store.store.begin() as tx:
            await tx.load_incidents(["incident-000001"])
            found = tx.incident("incident-000001")
            tx.save(replace(found, openings=found.openings + 1))

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(add_one())
    found = await opened_store.reader.incident_numbered(1)
    assert found is not None
    assert (found.openings, found.version) == (21, 21)


async def test_concurrent_openings_get_their_own_numbers(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async def open_one(key: str) -> int:
        async with grouping(opened_store, clock.now(), key) as tx:
            number = tx.next_number()
            tx.save(incident(number, clock.now(), dedup_key=key))
            return number

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(open_one(f"key {i}")) for i in range(12)]
    assert sorted(task.result() for task in tasks) == list(range(1, 13))


async def test_due_incidents_are_taken_soonest_first(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await store(
        opened_store,
        incident(1, now, step_due_at=now + timedelta(minutes=2)),
        incident(2, now, step_due_at=now + timedelta(minutes=1)),
        incident(3, now, step_due_at=now + timedelta(minutes=3)),
        incident(4, now),
    )
    async with opened_store.store.begin() as tx:
        assert not await tx.take_due(now, 9)
    later = clock.advance(minutes=2)
    async with opened_store.store.begin() as tx:
        assert [i.number for i in await tx.take_due(later, 9)] == [2, 1]
        assert [i.number for i in await tx.take_due(later, 1)] == [2]
        tx.save(replace(tx.incident("incident-000002"), step_due_at=None))
    async with opened_store.store.begin() as tx:
        assert [i.number for i in await tx.take_due(later, 9)] == [1]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_replicas_take_different_due_incidents(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await store(opened_store, *(incident(i, now, step_due_at=now) for i in range(1, 5)))
    async with opened_store.store.begin() as one, opened_store.store.begin() as other:
        first = {i.number for i in await one.take_due(now, 2)}
        second = {i.number for i in await other.take_due(now, 9)}
    assert first | second == {1, 2, 3, 4}
    assert not first & second


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_replicas_take_different_deliveries(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    for i in range(4):
        await opened_store.inbox.accept(NewDelivery(source="a", key=f"{i}", body=b""))
    async with opened_store.store.begin() as one, opened_store.store.begin() as other:
        first = {d.key for d in await one.take_deliveries(2, clock.now())}
        second = {d.key for d in await other.take_deliveries(9, clock.now())}
    assert (first, second) == ({"0", "1"}, {"2", "3"})


async def test_open_incidents_are_those_not_resolved(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await store(
        opened_store,
        incident(1, now),
        incident(2, now).ack("ana", now, None),
        incident(3, now).resolve("ana", now),
    )
    async with opened_store.store.begin() as tx:
        assert [i.number for i in await tx.open_incidents()] == [1, 2]
        tx.save(incident(4, now))
        assert [i.number for i in await tx.open_incidents()] == [1, 2, 4]
        assert (await tx.incident_numbered(4)) is not None
        assert (await tx.incident_numbered(5)) is None


async def test_alerts_are_counted_and_timed(opened_store: OpenedStore, clock: FakeClock) -> None:
    start = clock.now()
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, start))
        tx.record_alert("incident-000001", alert("a", start), start)
        tx.record_alert("incident-000001", alert("a", start), start)
    later = clock.advance(minutes=5)
    async with opened_store.store.begin() as tx:
        tx.record_alert("incident-000001", alert("a", later, status=AlertStatus.RESOLVED), later)
        assert await tx.alert_times("incident-000001", start) == [start, start, later]
        assert await tx.alert_times("incident-000001", later) == [later]
    async with opened_store.database.read() as connection:
        (row,) = (await connection.execute(select(ALERT))).all()
    assert row._mapping["count"] == 3
    assert (row.first_at, row.last_at, row.status) == (start, later, "resolved")


async def test_a_timeline_is_read_back_in_order(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    sentence = say("{who} at {at}", who=Who("ana"), at=now)
    for i in range(4):
        async with opened_store.store.begin() as tx:
            tx.add_timeline("inc", TimelineEntry(at=now, what=f"step {i}", sentence=sentence))
    found = await opened_store.reader.timeline("inc", 3)
    assert [entry.what for entry in found] == ["step 1", "step 2", "step 3"]
    assert found[0] == TimelineEntry(at=now, what="step 1", sentence=sentence)


async def test_silences_and_overrides_are_found_until_they_end(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    matchers = (
        Matcher("team", Operator.MATCHES, 'fin"an.*'),
        Matcher("product", Operator.NOT_IN, values=("orders", "x y")),
        Matcher("dag_id", Operator.LIKE, values=("daily_*",)),
    )
    silence = Silence("s1", matchers, now, now + HOUR, "ana", "deploy")
    override = StoredOverride(
        id="o1",
        rotation="data",
        role="primary",
        person="bo",
        starts_at=now,
        ends_at=now + HOUR,
        by="bo",
        created_at=now,
    )
    async with opened_store.store.begin() as tx:
        tx.save_silence(silence)
        tx.save_override(override)
        assert list(await tx.silences(now)) == [silence]
        assert list(await tx.overrides(now)) == [override]
    reader = opened_store.reader
    assert list(await reader.silences(now)) == [silence]
    assert list(await reader.overrides(now)) == [override]
    assert not await reader.silences(now + HOUR)
    assert not await reader.overrides(now + HOUR)
    async with opened_store.store.begin() as tx:
        tx.save_silence(replace(silence, ends_at=now))
        assert not await tx.silences(now)
    assert not await reader.silences(now)


async def test_a_storm_is_written_in_few_statements(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await store(opened_store, incident(1, now, storm=True))
    statements: list[str] = []
    engine = opened_store.database._writer.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection, cursor, statement, parameters, context, executemany) -> None:
        statements.append(statement)

    keys = [f"model {i}" for i in range(200)]
    async with grouping(opened_store, now, *keys) as tx:
        for key in keys:
            assert tx.open_storm("airflow") == "incident-000001"
            found = tx.incident("incident-000001")
            tx.save(found.with_alert(alert(key, now), None, now))
            tx.record_alert(found.id, alert(key, now), now)
            tx.add_timeline(found.id, TimelineEntry(at=now, what="alert", sentence=say("x")))
            tx.enqueue(job("show:1", now, kind="show", lane="C1", renew=True))
    assert len(statements) <= 14
    async with opened_store.database.read() as connection:
        alerts = await connection.scalar(select(func.count()).select_from(ALERT))
        lines = await connection.scalar(select(func.count()).select_from(TIMELINE))
    assert (alerts, lines) == (200, 200)
    stored = await opened_store.reader.incident_numbered(1)
    assert stored is not None
    assert (stored.alert_count, stored.version) == (200, 2)


async def test_a_database_that_is_gone_is_told_as_not_stored(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE silence RENAME TO lost")
    with pytest.raises(NotStoredError, match="silence"):
        async with opened_store.store.begin() as tx:
            await tx.silences(clock.now())
    with pytest.raises(NotStoredError):
        await opened_store.reader.silences(clock.now())
    await opened_store.ping()
