"""The lock by which one process at a time has a SQLite file."""

import fcntl
from io import TextIOWrapper
from pathlib import Path

from bot.store.errors import StoreInUseError, StoreUnfitError


def restoring(path: Path) -> Path:
    """Return where a restore makes the database that is to become `path`."""
    return Path(f"{path}.restoring")


def _lock_file(path: Path) -> Path:
    """Return the lock's place: beside the file itself, by whichever links it is reached."""
    return Path(f"{path.resolve()}.lock")


def lock(path: Path) -> TextIOWrapper:
    """Take the lock beside the database `path`; it is held until what is returned is closed.

    Raises StoreInUseError when another process has it, StoreUnfitError, with what to do, when it
    cannot be taken at all.
    """
    folder = path.absolute().parent
    try:
        is_there = folder.is_dir()
    except OSError as error:
        message = f"{folder} cannot be looked at ({error.strerror}); may this user read it?"
        raise StoreUnfitError(f"database: {message}") from error
    if not is_there:
        raise StoreUnfitError(f"database: make the folder {folder} first")
    beside = _lock_file(path)
    try:
        held = beside.open("a")  # open as long as the process lives
    except OSError as error:
        message = (
            f"{beside} cannot be opened ({error.strerror or error}); may this user write there?"
        )
        raise StoreUnfitError(f"database: {message}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        message = (
            f"database: another process uses {path}; stop it first,"
            " or move to PostgreSQL to run several"
        )
        raise StoreInUseError(message) from error
    except OSError as error:
        held.close()
        message = f"{beside} cannot be locked ({error.strerror or error}); a local disk is needed"
        raise StoreUnfitError(f"database: {message}") from error
    return held
