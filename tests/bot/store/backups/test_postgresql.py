"""Backups of PostgreSQL by its own programs, the way back, and every refusal with what to do."""

import re
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, text

from bot.ports.inbox import NewDelivery
from bot.store import schema
from bot.store.backups import postgresql
from bot.store.backups.contents import BackupError, Contents
from bot.store.backups.postgresql import Surroundings
from bot.store.database import _SERVER_SETTINGS, Database
from bot.store.errors import StoreUnfitError
from bot.store.opening import open_store
from bot.store.schema import KEPT
from tests.bot.store.samples import incident, job
from tests.fakes.clock import FakeClock
from tests.process.postgresql import PROGRAMS

pytestmark = pytest.mark.parametrize(
    ("database_url", "empty_database_url"), [("postgresql", "postgresql")], indirect=True
)
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def silent(what: str, done: int, of: int) -> None:
    """Take no notice of progress."""


AROUND = Surroundings({"PATH": str(PROGRAMS)}, silent)


async def fill(url: str, clock: FakeClock) -> None:
    opened = await open_store(url, clock)
    await opened.inbox.accept(NewDelivery(source="a", key="1", body=b"x"))
    async with opened.store.begin() as tx:
        tx.save(incident(1, clock.now()))
        tx.enqueue(job("show", clock.now(), incident_id="incident-000001"))
    await opened.close()


@pytest.fixture
async def backup(tmp_path: Path, database_url: str, clock: FakeClock) -> Path:
    """Return a backup that was taken while a bot was on the database."""
    await fill(database_url, clock)
    opened = await open_store(database_url, clock)
    file = tmp_path / "backup.dump"
    contents = await postgresql.back_up(database_url, file, AROUND)
    assert (contents.incidents, contents.open_incidents) == (1, 1)
    await opened.close()
    return file


async def restored(file: Path, url: str, *, replace: bool = False) -> tuple[Contents, str]:
    return await postgresql.restore(file, url, AROUND, NOW, replace=replace)


async def asked(url: str, *statements: str) -> object:
    """Run statements as somebody who is no bot; return what the last one answers."""
    database = Database(url)
    async with database.write() as connection:
        for statement in statements:
            found = await connection.execute(text(statement))
        answer = found.scalar() if found.returns_rows else None
    await database.close()
    return answer


async def test_a_restored_database_knows_that_it_slept(
    backup: Path, empty_database_url: str, clock: FakeClock
) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    contents, kept = await restored(backup, empty_database_url)
    assert (contents.revision, contents.incidents, kept) == (schema.HEAD, 1, "")
    opened = await open_store(empty_database_url, clock)
    (claimed,) = await opened.queue.claim(clock.now(), 9)
    assert claimed.unsure, "it is looked up before it is sent"
    assert await opened.reader.incident_numbered(1) is not None
    await opened.close()
    number = "SELECT value FROM counter WHERE name = 'incident'"
    assert await asked(empty_database_url, number) == 1_000


async def test_what_the_page_says_to_do_by_hand_restores_as_well(
    backup: Path, empty_database_url: str, clock: FakeClock
) -> None:
    await fill(empty_database_url, clock)
    await asked(empty_database_url, "INSERT INTO counter VALUES ('of before', 1)")
    page = (Path(__file__).parents[4] / "docs/operations/backup.md").read_text(encoding="utf-8")
    (by_hand,) = re.findall(r"```sh\n(psql .*?)```", page, re.DOTALL)
    (slept,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    (backup.parent / "slept.sql").write_text(slept)
    backup.rename(backup.parent / "watchbill.dump")
    environment = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "DATABASE_URL": empty_database_url}
    done = subprocess.run(
        ["sh", "-ceu", by_hand], cwd=backup.parent, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    opened = await open_store(empty_database_url, clock)
    (claimed,) = await opened.queue.claim(clock.now(), 9)
    assert claimed.unsure
    await opened.close()
    counts = ("SELECT count(*) FROM counter WHERE name = 'of before'",
              f"SELECT count(*) FROM {KEPT}restore.counter WHERE name = 'of before'",
              "SELECT value FROM counter WHERE name = 'incident'")  # fmt: skip
    assert [await asked(empty_database_url, one) for one in counts] == [0, 1, 1_000]


async def test_what_was_there_is_kept_aside_and_not_backed_up_again(
    backup: Path, empty_database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    await fill(empty_database_url, clock)
    await asked(empty_database_url, "INSERT INTO counter VALUES ('of before', 1)")
    with pytest.raises(BackupError, match=r"holds 1 incident, .*--replace"):
        await restored(backup, empty_database_url)
    _, kept = await restored(backup, empty_database_url, replace=True)
    assert kept == f"{KEPT}20261123t030000z"
    here, aside = (f"SELECT count(*) FROM {one} WHERE name = 'of before'"
                   for one in ("counter", f"{kept}.counter"))  # fmt: skip
    assert [await asked(empty_database_url, one) for one in (here, aside)] == [0, 1]
    opened = await open_store(empty_database_url, clock)
    await opened.close()
    again = tmp_path / "again.dump"
    await postgresql.back_up(empty_database_url, again, AROUND)
    assert kept.encode() not in again.read_bytes()


async def test_after_a_killed_restore_no_bot_begins_an_empty_database(
    backup: Path, empty_database_url: str, clock: FakeClock
) -> None:
    await fill(empty_database_url, clock)
    await asked(
        empty_database_url, f"ALTER SCHEMA public RENAME TO {KEPT}x", "CREATE SCHEMA public"
    )
    with pytest.raises(StoreUnfitError, match=f"left the schema {KEPT}x: run `watchbill restore`"):
        await open_store(empty_database_url, clock)
    await restored(backup, empty_database_url)
    opened = await open_store(empty_database_url, clock)
    await opened.close()


async def test_a_backup_of_an_older_version_replaces_a_newer_database(
    backup: Path, database_url: str, empty_database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    await asked(
        database_url, "DROP TABLE schema_floor", "UPDATE alembic_version SET version_num = '0020'"
    )
    older = tmp_path / "older.dump"
    await postgresql.back_up(database_url, older, AROUND)
    await fill(empty_database_url, clock)
    contents, _ = await restored(older, empty_database_url, replace=True)
    assert contents.revision == "0020"
    opened = await open_store(empty_database_url, clock)
    await opened.close()
    version = "SELECT version_num FROM alembic_version"
    assert await asked(empty_database_url, version) == schema.HEAD


async def test_a_running_bot_is_not_touched(
    backup: Path, empty_database_url: str, clock: FakeClock
) -> None:
    opened = await open_store(empty_database_url, clock)
    await opened.ping()
    with pytest.raises(BackupError, match="Stop every replica"):
        await restored(backup, empty_database_url, replace=True)
    await opened.close()


async def test_what_cannot_be_restored_leaves_all_as_it_was(
    backup: Path, empty_database_url: str, clock: FakeClock
) -> None:
    await fill(empty_database_url, clock)
    backup.write_bytes(backup.read_bytes()[:-2_000])
    with pytest.raises(BackupError):
        await restored(backup, empty_database_url, replace=True)
    assert await asked(empty_database_url, "SELECT count(*) FROM incident") == 1
    schemas = f"SELECT count(*) FROM pg_namespace WHERE nspname LIKE '{KEPT}%'"
    assert await asked(empty_database_url, schemas) == 0
    opened = await open_store(empty_database_url, clock)
    await opened.close()


async def test_a_table_that_somebody_reads_is_not_moved_from_under_them(
    backup: Path, empty_database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(empty_database_url, clock)
    monkeypatch.setitem(_SERVER_SETTINGS, "lock_timeout", "50ms")
    reading = await asyncpg.connect(empty_database_url)
    async with reading.transaction():
        await reading.fetch("SELECT 1 FROM incident")
        with pytest.raises(BackupError, match=r"lock timeout\. Somebody else"):
            await restored(backup, empty_database_url, replace=True)
    await reading.close()
    assert await asked(empty_database_url, "SELECT count(*) FROM incident") == 1
    _, kept = await restored(backup, empty_database_url, replace=True)
    assert await asked(empty_database_url, f"SELECT count(*) FROM {kept}.incident") == 1


async def test_what_cannot_be_put_back_is_told_where_it_is(
    backup: Path, empty_database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    await fill(empty_database_url, clock)
    program = tmp_path / "pg_restore"
    program.write_text(
        f"""#!/bin/sh
case "$*" in *alembic_version*) exec {PROGRAMS}/pg_restore "$@";; esac
{PROGRAMS}/psql "{empty_database_url}" --quiet --command="SELECT pg_terminate_backend(pid)
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
echo "the server went away" >&2
exit 1
"""
    )
    program.chmod(0o755)
    around = Surroundings({"PATH": f"{tmp_path}:/bin"}, silent)
    with pytest.raises(
        BackupError, match=f"whole in the schema {KEPT}20261123t030000z: run restore"
    ):
        await postgresql.restore(backup, empty_database_url, around, NOW, replace=True)
    contents, _ = await restored(backup, empty_database_url)
    assert contents.incidents == 1


async def test_a_backup_of_a_newer_version_is_refused(
    backup: Path, database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    await asked(database_url, "UPDATE alembic_version SET version_num = '9999'")
    newer = tmp_path / "newer.dump"
    await postgresql.back_up(database_url, newer, AROUND)
    with pytest.raises(BackupError, match="made by a newer version"):
        await restored(newer, empty_database_url)


async def test_files_that_are_no_backup_of_postgresql_are_refused(
    tmp_path: Path, sqlite_template: Path, empty_database_url: str, database_url: str
) -> None:
    (broken := tmp_path / "broken").write_bytes(b"PGDMP and more")
    (text_file := tmp_path / "text").write_text("Dear diary")
    for file, says in (
        (sqlite_template, "is a SQLite file"),
        (broken, "pg_restore"),
        (text_file, "is no backup"),
        (tmp_path / "absent", "No such file"),
    ):
        with pytest.raises(BackupError, match=says):
            await restored(file, empty_database_url)


async def test_tables_of_others_are_never_moved(backup: Path, empty_database_url: str) -> None:
    await asked(empty_database_url, "CREATE TABLE cats (name TEXT)")
    with pytest.raises(BackupError, match=r"cats.*database of its own"):
        await restored(backup, empty_database_url, replace=True)
    with pytest.raises(BackupError, match="nothing to back up"):
        await postgresql.back_up(empty_database_url, backup.with_name("cats"), AROUND)


async def test_without_the_programs_it_says_what_to_install(
    tmp_path: Path, database_url: str, empty_database_url: str
) -> None:
    around = Surroundings({"PATH": str(tmp_path)}, silent)
    with pytest.raises(BackupError, match="Install PostgreSQL's client programs"):
        await postgresql.back_up(database_url, tmp_path / "backup", around)
    assert not list(tmp_path.iterdir())
    nowhere = make_url(empty_database_url).set(host="127.0.0.1", port=1, query={})
    with pytest.raises(BackupError, match="cannot be used"):
        await postgresql.back_up(str(nowhere), tmp_path / "backup", AROUND)


async def test_a_password_is_neither_shown_nor_on_the_command_line(
    tmp_path: Path, database_url: str, empty_database_url: str
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" >{seen}\necho "$PGPASSWORD" >>{seen}\nexit 1\n')
    program.chmod(0o755)
    secret = make_url(database_url).set(password="hidden-word")
    around = Surroundings({"PATH": f"{tmp_path}:/bin"}, silent)
    url = secret.render_as_string(hide_password=False)
    with pytest.raises(BackupError) as raised:
        await postgresql.back_up(url, tmp_path / "backup", around)
    arguments, password = seen.read_text().splitlines()
    assert "hidden-word" not in arguments
    assert "hidden-word" not in str(raised.value)
    assert password == "hidden-word"
