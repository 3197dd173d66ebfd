"""Opening a database: migrated, locked, read, pruned, and refused with a reason."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, make_url, text

from bot.ports.delivering import Delivered
from bot.ports.inbox import NewDelivery, NotStoredError
from bot.ports.store import TimelineEntry
from bot.store import schema
from bot.store.database import Database, address_for_driver
from bot.store.errors import StoreInUseError, StoreUnfitError
from bot.store.opening import OpenedStore, open_store
from bot.store.tables.row import METADATA
from rules.incident import State
from rules.sentence import say
from tests.bot.store.samples import HOUR, alert, incident, job
from tests.fakes.clock import FakeClock
from tests.fakes.mail import certificate


async def test_an_empty_database_is_migrated_once(
    empty_database_url: str, clock: FakeClock
) -> None:
    database = Database(empty_database_url)
    assert await schema.migrate(database)
    assert not await schema.migrate(database)
    await database.close()
    opened = await open_store(empty_database_url, clock)
    await opened.inbox.accept(NewDelivery(source="a", key="1", body=b""))
    await opened.close()


@pytest.mark.parametrize(
    ("database_url", "empty_database_url"),
    [("sqlite", "sqlite"), ("postgresql", "postgresql")],
    indirect=True,
)
async def test_migrations_make_exactly_the_tables_of_the_code(
    database_url: str, empty_database_url: str
) -> None:
    migrated, declared = Database(database_url), Database(empty_database_url)
    async with declared.write() as connection:
        await connection.run_sync(METADATA.create_all)
    async with migrated.read() as left, declared.read() as right:
        assert await left.run_sync(_shape) == await right.run_sync(_shape)
        assert not await left.run_sync(_drift)
    await migrated.close()
    await declared.close()


def _drift(connection: Connection) -> list[object]:
    options = {"compare_type": True, "include_name": _is_declared}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


def _is_declared(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the indexes of words, of which each database has its own kind."""
    of_words = (name or "").startswith(("journal_search", "issue_search"))
    return kind not in {"table", "index"} or not of_words


def _shape(connection: Connection) -> object:
    """Return all tables, columns, keys and indexes, with the conditions of partial indexes."""
    seen = inspect(connection)
    tables = sorted(set(seen.get_table_names()) - {"alembic_version"})
    if connection.dialect.name == "sqlite":
        indexes = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    else:
        indexes = text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
    return (
        [
            (
                table,
                sorted(
                    (c["name"], repr(c["type"]), c["nullable"], str(c["default"]))
                    for c in seen.get_columns(table)
                ),
                seen.get_pk_constraint(table)["constrained_columns"],
                sorted(u["column_names"] for u in seen.get_unique_constraints(table)),
            )
            for table in tables
        ],
        sorted(i for i in connection.execute(indexes).scalars() if "alembic_version" not in i),
    )


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    folder = Path(schema.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == schema.HEAD


async def test_a_database_of_a_newer_version_is_refused(
    database_url: str, clock: FakeClock
) -> None:
    await _become_newer(database_url, clock, floor="9998")
    with pytest.raises(StoreUnfitError, match="newer version"):
        await open_store(database_url, clock)


async def test_a_newer_version_that_only_added_is_worked_on(
    database_url: str, clock: FakeClock
) -> None:
    await _become_newer(database_url, clock, floor=schema.HEAD)
    opened = await open_store(database_url, clock)
    async with opened.database.read() as connection:
        assert (await connection.execute(text("SELECT * FROM alembic_version"))).scalar() == "9999"
    assert (await opened.inbox.accept(NewDelivery(source="a", key="1", body=b""))).id
    await opened.close()


async def _become_newer(url: str, clock: FakeClock, *, floor: str) -> None:
    opened = await open_store(url, clock)
    async with opened.database.write() as connection:
        told = await connection.execute(text("SELECT revision FROM schema_floor"))
        assert told.scalars().all() == [schema.FLOOR]
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.execute(
            text("UPDATE schema_floor SET revision = :floor"), {"floor": floor}
        )
    await opened.close()


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
async def test_replicas_that_start_together_migrate_once(
    empty_database_url: str, clock: FakeClock
) -> None:
    opened = await asyncio.gather(*(open_store(empty_database_url, clock) for _ in range(4)))
    for each in opened:
        await each.ping()
        await each.close()


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
async def test_a_start_says_so_when_another_takes_too_long_to_migrate(
    empty_database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "TURN", "50ms")
    other = Database(empty_database_url)
    async with other.write() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(7205759403792793)"))
        with pytest.raises(NotStoredError, match="cannot be brought up to date"):
            await open_store(empty_database_url, clock)
    await other.close()


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
async def test_a_migration_may_take_longer_than_any_other_answer(
    empty_database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await asyncpg.connect(empty_database_url)
    await other.execute("SELECT pg_advisory_lock(7205759403792793)")
    monkeypatch.setattr("bot.store.database.ANSWER", 0.5)
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(open_store(empty_database_url, clock))
        await other.execute("SELECT pg_sleep(0.8), pg_advisory_unlock(7205759403792793)")
    await (await starting).close()
    await other.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_vendors_write_behind_a_servers_address_is_understood(
    database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    _, trusted = certificate(tmp_path)
    told = {
        "connect_timeout": "5", "application_name": "theirs", "keepalives": "1",
        "sslmode": "verify-full", "sslrootcert": str(trusted),
        "target_session_attrs": "read-write", "prepared_statement_cache_size": "0",
    }  # fmt: skip
    url = make_url(database_url).update_query_dict(told)
    opened = await open_store(url.render_as_string(hide_password=False), clock)
    async with opened.database.read() as connection:
        name = await connection.scalar(text("SELECT current_setting('application_name')"))
    assert name == "watchbill"
    await opened.close()
    listening = await asyncpg.connect(address_for_driver(url))
    await listening.close()
    gone = url.update_query_dict({"sslrootcert": str(tmp_path / "gone.pem")})
    with pytest.raises(NotStoredError, match=r"gone\.pem"):
        await open_store(gone.render_as_string(hide_password=False), clock)


async def test_a_second_process_by_another_name_of_the_file_is_refused(
    tmp_path: Path, clock: FakeClock
) -> None:
    opened = await open_store(f"sqlite:///{tmp_path / 'bot.db'}", clock)
    (tmp_path / "link.db").symlink_to(tmp_path / "bot.db")
    with pytest.raises(StoreInUseError, match=r"link\.db"):
        await open_store(f"sqlite:///{tmp_path / 'link.db'}", clock)
    await opened.close()


async def test_a_second_process_on_one_file_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    opened = await open_store(url, clock)
    with pytest.raises(StoreInUseError, match=r"bot\.db"):
        await open_store(url, clock)
    await opened.close()
    again = await open_store(url, clock)
    await again.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://root@localhost/x", "neither sqlite nor postgresql"),
        ("watchbill.db", "write sqlite:///watchbill.db"),
        ("sqlite:////nowhere/to/be/found.db", "make the folder /nowhere/to/be first"),
    ],
)
async def test_an_unfit_url_is_refused_with_what_to_do(
    url: str, says: str, clock: FakeClock
) -> None:
    with pytest.raises(StoreUnfitError, match=says):
        await open_store(url, clock)


async def test_a_server_that_is_not_there_is_told(clock: FakeClock) -> None:
    with pytest.raises(NotStoredError):
        await open_store("postgresql://nobody@127.0.0.1:1/none", clock)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_keeps_its_promises(opened_store: OpenedStore) -> None:
    async with opened_store.database.bare() as connection:
        pragmas = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous")
        ]
    assert pragmas == ["wal", 2]
    with pytest.raises(NotStoredError, match="readonly"):
        async with opened_store.database.read() as connection:
            await connection.execute(text("DELETE FROM counter"))


async def test_the_database_tells_the_time(opened_store: OpenedStore, clock: FakeClock) -> None:
    offset = await opened_store.clock_offset()
    now = await opened_store.database_now()
    if opened_store.shared:
        assert abs(now - clock.now() - offset) < timedelta(minutes=1)
    else:
        assert (now, offset) == (clock.now(), timedelta(0))


async def test_reading_lists_what_pages_show(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, now))
        tx.save(incident(2, now).ack("ana", now, None))
        tx.save(incident(3, now).ack("bo", now, None))
        tx.save(incident(4, now).resolve("bo", now))
        tx.record_alert("incident-000001", alert("old", now), now)
        tx.record_alert("incident-000001", alert("new", now), now + HOUR)
    reader = opened_store.reader
    is_open = [State.TRIGGERED, State.ACKNOWLEDGED]
    assert [i.number for i in await reader.incidents(states=is_open, limit=9)] == [3, 2, 1]
    assert [i.number for i in await reader.incidents(states=is_open, limit=1)] == [3]
    mine = await reader.incidents(states=is_open, limit=9, assigned_to="ana")
    assert [i.number for i in mine] == [2]
    labels = await reader.recent_alert_labels(now, 9)
    assert [found["dedup_key"] for found in labels] == ["new", "old"]
    assert labels[0] == {
        "team": "finance",
        "source": "airflow",
        "severity": "error",
        "title": "new failed",
        "dedup_key": "new",
    }
    assert len(await reader.recent_alert_labels(now + HOUR, 9)) == 1
    assert await reader.incident("unknown") is None
    assert await reader.delivery("unknown") is None
    assert await reader.next_wake() is None


async def test_pruning_forgets_what_is_over_and_nothing_else(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    start = clock.now()
    line = TimelineEntry(at=start, what="opened", sentence=say("x"))
    kept = await opened_store.inbox.accept(NewDelivery(source="a", key="waits", body=b""))
    gone = await opened_store.inbox.accept(NewDelivery(source="a", key="done", body=b""))
    async with opened_store.store.begin() as tx:
        tx.finish_delivery(gone.id)
        for number in (1, 2):
            made = incident(number, start)
            tx.save(made)
            tx.add_timeline(made.id, line)
            tx.record_alert(made.id, alert("a", start), start)
            tx.enqueue(job(f"page {number}", start, incident_id=made.id))
        tx.enqueue(job("waits", start + 100 * HOUR))
    for each in await opened_store.queue.claim(start, 9):
        async with opened_store.store.begin() as tx:
            await tx.finish_job(each, Delivered(), start)
    async with opened_store.store.begin() as tx:
        await tx.load_incidents(["incident-000001"])
        tx.save(replace(tx.incident("incident-000001").resolve("ana", start)))
    assert sum((await opened_store.prune(start)).values()) == 0
    removed = await opened_store.prune(start + HOUR)
    assert removed == {
        "deliveries": 1,
        "jobs": 1,
        "alerts": 0,
        "timeline": 1,
        "runs": 0,
        "occasions": 0,
        "expectations": 0,
        "alert times": 1,
        "notes": 0,
        "notices": 0,
        "actions": 0,
        "tasks": 0,
        "prompts": 0,
        "gaps": 0,
        "ticks": 0,
        "runbooks": 0,
        "contact attempts": 0,
        "grants": 0,
    }
    reader = opened_store.reader
    assert await reader.delivery(gone.id) is None
    assert await reader.delivery(kept.id) is not None
    assert not await reader.timeline("incident-000001", 9)
    assert len(await reader.timeline("incident-000002", 9)) == 1
    assert await reader.incident_numbered(1) is not None
    assert await opened_store.queue.next_due(start) == start + 100 * HOUR


async def test_a_lock_that_cannot_be_taken_says_what_to_look_at(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "bot.db.lock").mkdir()
    with pytest.raises(StoreUnfitError, match=r"lock cannot be opened .* may this user"):
        await open_store(f"sqlite:///{tmp_path}/bot.db", clock)


async def test_a_file_that_cannot_be_used_asks_for_room_and_rights(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "bot.db").mkdir()
    with pytest.raises(NotStoredError, match=r"cannot be used .*; is there room for it, and may"):
        await open_store(f"sqlite:///{tmp_path}/bot.db", clock)


async def test_a_file_that_makes_no_sense_is_damaged_and_to_be_restored(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "bot.db").write_text("Dear diary, " * 99)
    with pytest.raises(NotStoredError, match=r"is damaged .*: restore the newest whole backup"):
        await open_store(f"sqlite:///{tmp_path}/bot.db", clock)
