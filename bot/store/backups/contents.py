"""What is in a backup, whether this version can use it, and how its refusals are worded."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.store.schema import HEAD

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and of how much; 0 for nobody knows."""

SQLITE_FILE = b"SQLite format 3\x00"
POSTGRESQL_ARCHIVE = b"PGDMP"
TABLES = frozenset({"alembic_version", "inbound", "incident", "job"})
"""What every Watchbill database has, of whichever version."""


class BackupError(Exception):
    """It cannot be done; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds: its migration, incidents, and when it was last written to.

    `newest` is the newest delivery or incident, None when there is neither.
    """

    revision: str
    incidents: int
    open_incidents: int
    newest: datetime | None

    def __str__(self) -> str:
        at = f", the newest of {self.newest:%Y-%m-%d %H:%M:%S} UTC" if self.newest else ""
        incidents = "1 incident" if self.incidents == 1 else f"{self.incidents} incidents"
        return f"{incidents}, {self.open_incidents} of them open{at}"


def kind_of(file: Path) -> str:
    """Return sqlite or postgresql by how the file begins. Raises BackupError."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(SQLITE_FILE))
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror or error}.") from error
    if begins == SQLITE_FILE:
        return "sqlite"
    if begins.startswith(POSTGRESQL_ARCHIVE):
        return "postgresql"
    raise BackupError(f"{file} is no backup: neither a SQLite file nor an archive of pg_dump.")


def refuse_unfit(file: Path, revision: str) -> None:
    """Raise BackupError for a backup of a version that we do not know."""
    if not (revision.isascii() and revision.isdecimal()):
        raise BackupError(f'{file} is of no Watchbill that I know: its migration is "{revision}".')
    if int(revision) > int(HEAD):
        message = (
            f"{file} was made by a newer version (migration {revision}; this one knows {HEAD})."
            " Restore it with that version."
        )
        raise BackupError(message)


def refuse_taken(file: Path) -> None:
    """Raise BackupError when the file is there already, or its folder is not."""
    if file.exists():
        raise BackupError(f"{file} is there already; name another file.")
    if not file.absolute().parent.is_dir():
        raise BackupError(f"Make the folder {file.absolute().parent} first.")
