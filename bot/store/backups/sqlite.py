"""Backups of a SQLite file that is in use, by SQLite's own online backup; and the way back."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from bot.store.backups.contents import (
    TABLES,
    BackupError,
    Contents,
    Progress,
    kind_of,
    refuse_taken,
    refuse_unfit,
)
from bot.store.backups.files import sync, whole
from bot.store.backups.settling import SETTLE
from bot.store.columns import from_micros
from bot.store.errors import DAMAGED
from bot.store.locking import lock, restoring

_AT_ONCE = 256
"""Pages copied until they are synced: left to the system, they would hold up a bot's commits."""
_WAIT = 30.0
_CHECK_EVERY = 1_000_000
"""Instructions of SQLite between two strokes while it checks."""
_BESIDE = ("-wal", "-shm")


def back_up(database: Path, file: Path, progress: Progress) -> Contents:
    """Copy a database that may be in use to `file`, as it is at one instant, and check the copy.

    Raises BackupError; then there is no `file`.
    """
    if not database.is_file():
        raise BackupError(f"There is no database {database}.")
    refuse_taken(file)
    return _made(database, file, progress)


def restore(
    file: Path, database: Path, now: datetime, progress: Progress, *, replace: bool
) -> tuple[Contents, Path | None]:
    """Make `database` of a backup; return what it holds, and where the one is kept that was there.

    Raises BackupError, StoreInUseError while a bot runs on it, StoreUnfitError without a folder.
    """
    if kind_of(file) != "sqlite":
        message = "a backup of PostgreSQL, and `database` in the configuration is a SQLite file"
        raise BackupError(f"{file} is {message}.")
    with closing(lock(database)) as locked:
        held = _held(database)
        if held and not replace:
            message = f"{database} holds {held}. To put the backup in its place, say --replace."
            raise BackupError(message)
        owner = (database if database.exists() else database.absolute().parent).stat()
        made = restoring(database)
        made.unlink(missing_ok=True)
        contents = _made(file, made, progress, settle=True)
        kept = _move_aside(database, now) if database.exists() else None
        made.rename(database)
        sync(database.absolute().parent)
        _give_to(owner, database, Path(locked.name))
        if kept is not None and not held:
            for ending in ("", *_BESIDE):
                Path(f"{kept}{ending}").unlink(missing_ok=True)
    return contents, kept if held else None


def _made(source: Path, target: Path, progress: Progress, *, settle: bool = False) -> Contents:
    """Copy to a file beside the target, check it, and give it the target's name at last."""
    with _told(source, target), closing(_reading(source)) as reading:
        contents = _contents(reading, source)
        if settle:
            refuse_unfit(source, contents.revision)
        with whole(target) as partial, closing(sqlite3.connect(partial)) as copy:
            _copy(reading, copy, partial, progress)
            _check(copy, source, progress)
            for statement in SETTLE if settle else ():
                copy.execute(statement)
            copy.commit()
    return contents


def _reading(source: Path) -> sqlite3.Connection:
    """Open to read only; a backup may stand where nothing may be written."""
    if os.access(source, os.W_OK) and os.access(source.absolute().parent, os.W_OK):
        how = "mode=rw"  # what a killed bot left in the -wal cannot be read by mode=ro
    else:
        how = "mode=ro" if Path(f"{source}-wal").exists() else "mode=ro&immutable=1"
    reading = sqlite3.connect(
        f"{source.absolute().as_uri()}?{how}", uri=True, timeout=_WAIT, isolation_level=None
    )
    reading.execute("PRAGMA query_only=ON")
    return reading


def _copy(
    reading: sqlite3.Connection, copy: sqlite3.Connection, partial: Path, progress: Progress
) -> None:
    # one instant for the whole copy: without it, every commit of a running bot would begin it anew
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM sqlite_master").fetchone()

    with partial.open("rb") as file:

        def told(_status: int, left: int, total: int) -> None:
            os.fdatasync(file.fileno())
            progress("copying", total - left, total)

        reading.backup(copy, pages=_AT_ONCE, progress=told)
    reading.execute("ROLLBACK")
    copy.execute("PRAGMA journal_mode=DELETE")  # so that it is one file


def _check(copy: sqlite3.Connection, source: Path, progress: Progress) -> None:
    strokes = 0

    def told() -> None:
        nonlocal strokes
        strokes += 1
        progress("checking", strokes, 0)

    copy.set_progress_handler(told, _CHECK_EVERY)
    (said,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    copy.set_progress_handler(None, 0)
    if said != "ok":
        raise BackupError(f"{source} is damaged: {said}. Restore the newest whole backup.")


def _contents(reading: sqlite3.Connection, source: Path) -> Contents:
    """Say what is in it. Raises BackupError when it is not ours."""
    tables = {name for (name,) in reading.execute("SELECT name FROM sqlite_master")}
    if not tables >= TABLES:
        raise BackupError(f"{source} is no database of Watchbill.")
    (revision,) = reading.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    incidents, opened = reading.execute(
        "SELECT count(*), count(*) FILTER (WHERE state != 'resolved') FROM incident"
    ).fetchone()
    (newest,) = reading.execute(
        "SELECT max(coalesce((SELECT received_at FROM inbound ORDER BY id DESC LIMIT 1), 0),"
        " coalesce((SELECT opened_at FROM incident ORDER BY number DESC LIMIT 1), 0))"
    ).fetchone()
    return Contents(revision, incidents, opened, from_micros(newest) if newest else None)


def _held(database: Path) -> str:
    """Say in words what stands where the backup shall stand; nothing when nothing is lost."""
    if not database.exists() or database.stat().st_size == 0:
        return ""
    try:
        with closing(_reading(database)) as reading:
            found = _contents(reading, database)
            (deliveries,) = reading.execute("SELECT count(*) FROM inbound").fetchone()
    except (sqlite3.Error, BackupError) as error:
        return f"something that cannot be read ({error})"
    return str(found) if found.incidents or deliveries else ""


def _move_aside(database: Path, now: datetime) -> Path:
    kept = Path(f"{database}.before-{now:%Y%m%dT%H%M%SZ}")
    # the file first: what is only in its -wal must never meet another database
    database.rename(kept)
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{database}{ending}").rename(f"{kept}{ending}")
    return kept


def _give_to(owner: os.stat_result, *files: Path) -> None:
    """Let whoever had the database, or has its folder, have it again when root restores."""
    if os.geteuid() == 0:
        for file in files:
            os.chown(file, owner.st_uid, owner.st_gid)


@contextmanager
def _told(source: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        words = str(error)
        if "full" in words or "disk I/O" in words:
            message = f"{target} cannot be written ({words}). Is there room for it?"
        elif any(word in words for word in DAMAGED):
            message = f"{source} is damaged: {words}. Restore the newest whole backup."
        else:
            message = f"{source} cannot be copied to {target}: {words}."
        raise BackupError(message) from error
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror or error}.") from error
