"""Backups of a SQLite file in use, the way back, and every refusal with what to do."""

import resource
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.ports.inbox import NewDelivery
from bot.store import schema
from bot.store.backups import sqlite
from bot.store.backups.contents import BackupError
from bot.store.errors import StoreInUseError, StoreUnfitError
from bot.store.opening import OpenedStore, open_store
from tests.bot.store.samples import incident, job
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def silent(what: str, done: int, of: int) -> None:
    """Take no notice of progress."""


async def filled(path: Path, clock: FakeClock) -> OpenedStore:
    opened = await open_store(f"sqlite:///{path}", clock)
    await opened.inbox.accept(NewDelivery(source="a", key="1", body=b"x"))
    async with opened.store.begin() as tx:
        tx.save(incident(1, clock.now()))
        tx.save(incident(2, clock.now()).resolve("ana", clock.now()))
        tx.enqueue(job("show", clock.now(), incident_id="incident-000001"))
    return opened


@pytest.fixture
async def backup(tmp_path: Path, clock: FakeClock) -> Path:
    """Return a backup that was taken while the database was open."""
    opened = await filled(tmp_path / "bot.db", clock)
    file = tmp_path / "backup.db"
    contents = sqlite.back_up(tmp_path / "bot.db", file, silent)
    assert (contents.incidents, contents.open_incidents) == (2, 1)
    assert contents.newest is not None
    assert abs(contents.newest - clock.now()).total_seconds() < 1
    await opened.close()
    return file


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as opened, opened:
        for statement in statements:
            opened.execute(statement)


def asked(file: Path, question: str) -> object:
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute(question).fetchone()[0]


async def test_a_backup_is_one_private_file(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert asked(backup, "PRAGMA journal_mode") == "delete"
    assert sorted(one.name for one in backup.parent.glob("backup*")) == ["backup.db"]


async def test_it_is_of_one_instant_however_much_is_written_meanwhile(
    tmp_path: Path, clock: FakeClock
) -> None:
    opened = await filled(tmp_path / "bot.db", clock)
    change(tmp_path / "bot.db", "CREATE TABLE ballast (a BLOB)",
           "INSERT INTO ballast SELECT randomblob(1000000) FROM (SELECT 1 UNION ALL SELECT 2"
           " UNION ALL SELECT 3), (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL"
           " SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7)")  # fmt: skip
    strokes = []

    def write(what: str, done: int, of: int) -> None:
        """Commit from another connection between two pieces of the copy."""
        if what == "copying":
            strokes.append((done, of))
            change(tmp_path / "bot.db", f"INSERT INTO counter VALUES ('t{len(strokes)}', 1)")

    sqlite.back_up(tmp_path / "bot.db", tmp_path / "backup.db", write)
    await opened.close()
    assert len(strokes) >= 2
    assert [done for done, _ in strokes] == sorted(done for done, _ in strokes), "never anew"
    assert strokes[-1][0] == strokes[-1][1]
    assert asked(tmp_path / "backup.db", "SELECT count(*) FROM counter WHERE name LIKE 't%'") == 0


async def test_a_restored_database_knows_that_it_slept(backup: Path, clock: FakeClock) -> None:
    made = backup.parent / "elsewhere" / "bot.db"
    made.parent.mkdir()
    contents, kept = sqlite.restore(backup, made, NOW, silent, replace=False)
    assert contents.revision == schema.HEAD
    assert kept is None
    opened = await open_store(f"sqlite:///{made}", clock)
    (claimed,) = await opened.queue.claim(clock.now(), 9)
    assert claimed.unsure, "it is looked up before it is sent"
    async with opened.store.begin() as tx:
        await tx.load_for([], now=clock.now(), window=NOW - NOW)
    await opened.close()
    assert asked(made, "SELECT value FROM counter WHERE name = 'incident'") == 1_000


async def test_what_was_there_is_kept_aside(backup: Path, clock: FakeClock) -> None:
    made = backup.parent / "bot.db"
    change(made, "INSERT INTO counter VALUES ('of before', 1)")
    with pytest.raises(BackupError, match=r"holds 2 incidents.*--replace"):
        sqlite.restore(backup, made, NOW, silent, replace=False)
    _, kept = sqlite.restore(backup, made, NOW, silent, replace=True)
    assert kept == Path(f"{made}.before-20261123T030000Z")
    assert asked(kept, "SELECT count(*) FROM counter WHERE name = 'of before'") == 1
    assert asked(made, "SELECT count(*) FROM counter WHERE name = 'of before'") == 0
    opened = await open_store(f"sqlite:///{made}", clock)
    await opened.close()


async def test_the_writes_ahead_of_a_killed_bot_never_meet_the_backup(
    backup: Path, tmp_path: Path
) -> None:
    made = tmp_path / "killed.db"
    with closing(sqlite3.connect(tmp_path / "bot.db")) as living:
        living.execute("PRAGMA journal_mode=WAL")
        living.execute("INSERT INTO counter VALUES ('of the killed', 1)")
        living.commit()
        for ending in ("", "-wal"):
            Path(f"{made}{ending}").write_bytes(Path(f"{tmp_path / 'bot.db'}{ending}").read_bytes())
    assert Path(f"{made}-wal").stat().st_size
    _, kept = sqlite.restore(backup, made, NOW, silent, replace=True)
    assert kept is not None
    assert asked(made, "SELECT count(*) FROM counter WHERE name = 'of the killed'") == 0
    assert asked(kept, "SELECT count(*) FROM counter WHERE name = 'of the killed'") == 1


async def test_a_restore_that_was_killed_is_done_by_the_next(backup: Path) -> None:
    database, aside = backup.parent / "bot.db", backup.parent / "bot.db.before-20261123T025959Z"
    database.rename(aside)
    Path(f"{database}.restoring").write_bytes(b"half of it")
    Path(f"{database}.restoring.partial").write_bytes(b"half of it")
    contents, kept = sqlite.restore(backup, database, NOW, silent, replace=False)
    assert (contents.incidents, kept) == (2, None)
    assert asked(database, "SELECT count(*) FROM incident") == 2
    names = {one.name for one in backup.parent.iterdir()}
    assert names == {"backup.db", "bot.db", "bot.db.lock", aside.name}


async def test_an_empty_database_is_replaced_without_asking(
    backup: Path, tmp_path: Path, sqlite_template: Path
) -> None:
    made = tmp_path / "new.db"
    made.write_bytes(sqlite_template.read_bytes())
    _, kept = sqlite.restore(backup, made, NOW, silent, replace=False)
    assert kept is None
    assert asked(made, "SELECT count(*) FROM incident") == 2
    assert sorted(one.name for one in tmp_path.glob("new.db*")) == ["new.db", "new.db.lock"]


async def test_after_a_killed_restore_no_bot_begins_an_empty_database(
    backup: Path, clock: FakeClock
) -> None:
    made = backup.parent / "bot.db"
    kept, log = (made.with_name(f"bot.db{ending}") for ending in (".before", "-wal"))
    made.rename(kept)
    log.write_bytes(b"what the old one had not taken in yet")
    backup.rename(made.with_name("bot.db.restoring"))
    with pytest.raises(StoreUnfitError, match=r"bot\.db\.restoring: run `watchbill restore` again"):
        await open_store(f"sqlite:///{made}", clock)
    assert log.exists()
    assert not made.exists()


async def test_a_link_is_replaced_and_what_it_led_to_is_kept(backup: Path) -> None:
    made, real = backup.parent / "link.db", backup.parent / "bot.db"
    made.symlink_to(real)
    _, kept = sqlite.restore(backup, made, NOW, silent, replace=True)
    assert kept is not None
    assert kept.resolve() == real
    assert not made.is_symlink()
    assert asked(made, "SELECT count(*) FROM incident") == 2


async def test_a_running_bot_is_not_touched(backup: Path, clock: FakeClock) -> None:
    made = backup.parent / "bot.db"
    opened = await open_store(f"sqlite:///{made}", clock)
    with pytest.raises(StoreInUseError, match="stop it first"):
        sqlite.restore(backup, made, NOW, silent, replace=True)
    await opened.close()


async def test_a_backup_of_an_older_version_is_restored(backup: Path, clock: FakeClock) -> None:
    change(backup, "DROP TABLE schema_floor", "UPDATE alembic_version SET version_num = '0020'")
    made = backup.parent / "old.db"
    contents, _ = sqlite.restore(backup, made, NOW, silent, replace=False)
    assert contents.revision == "0020"
    opened = await open_store(f"sqlite:///{made}", clock)
    await opened.close()
    assert asked(made, "SELECT version_num FROM alembic_version") == schema.HEAD


def newer(file: Path) -> None:
    change(file, "UPDATE alembic_version SET version_num = '9999'")


async def test_the_version_before_takes_backups_of_newer_tables_too(
    tmp_path: Path, clock: FakeClock
) -> None:
    opened = await filled(tmp_path / "bot.db", clock)
    await opened.close()
    newer(tmp_path / "bot.db")
    contents = sqlite.back_up(tmp_path / "bot.db", tmp_path / "backup.db", silent)
    assert (contents.revision, contents.incidents) == ("9999", 2)


def foreign(file: Path) -> None:
    file.unlink()
    change(file, "CREATE TABLE cats (name TEXT)")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def scratched(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    for at in range(5 * 4096, len(raw), 4096):
        raw[at : at + 64] = b"\xff" * 64
    file.write_bytes(raw)


def test_a_damaged_database_is_told_to_be_restored(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_bytes(b"no database at all" * 99)
    with pytest.raises(BackupError, match="Restore the newest whole backup"):
        sqlite.back_up(tmp_path / "bot.db", tmp_path / "backup.db", silent)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (newer, "made by a newer version .migration 9999"),
        (foreign, "no database of Watchbill"),
        (cut, "is damaged"),
        (scratched, "is damaged: .* Restore the newest whole backup"),
        (lambda file: file.write_text("Dear diary"), "is no backup"),
        (lambda file: file.write_bytes(b"PGDMP..."), "a backup of PostgreSQL"),
        (lambda file: file.write_bytes(b""), "is no backup"),
        (lambda file: file.unlink(), "No such file"),
    ],
    ids=["newer", "foreign", "cut", "scratched", "text", "postgresql", "empty", "absent"],
)
async def test_what_is_no_sound_backup_is_refused_and_nothing_changes(
    backup: Path, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(backup)
    made = backup.parent / "bot.db"
    before = made.read_bytes()
    with pytest.raises(BackupError, match=says):
        sqlite.restore(backup, made, NOW, silent, replace=True)
    assert made.read_bytes() == before
    left = {one.name for one in backup.parent.iterdir()} - {"backup.db", "bot.db", "bot.db.lock"}
    assert not left


async def test_a_backup_never_overwrites(backup: Path) -> None:
    with pytest.raises(BackupError, match="is there already"):
        sqlite.back_up(backup.parent / "bot.db", backup, silent)
    with pytest.raises(BackupError, match="Make the folder"):
        sqlite.back_up(backup.parent / "bot.db", backup.parent / "no" / "where.db", silent)
    with pytest.raises(BackupError, match="There is no database"):
        sqlite.back_up(backup.parent / "none.db", backup.parent / "other.db", silent)


def test_a_disk_without_room_is_told(tmp_path: Path, sqlite_template: Path) -> None:
    source = tmp_path / "bot.db"
    source.write_bytes(sqlite_template.read_bytes())
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(BackupError, match="Is there room for it"):
            sqlite.back_up(source, tmp_path / "backup.db", silent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert [one.name for one in tmp_path.iterdir()] == ["bot.db"]
