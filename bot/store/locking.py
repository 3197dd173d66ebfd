"""The lock by which one process at a time has a SQLite file."""

import fcntl
from io import TextIOWrapper
from pathlib import Path

from bot.store.errors import StoreInUseError, StoreUnfitError


def lock(path: Path) -> TextIOWrapper:
    """Take the lock beside the database `path`; it is held until what is returned is closed.

    Raises StoreInUseError when another process has it, StoreUnfitError without a folder.
    """
    if not path.absolute().parent.is_dir():
        raise StoreUnfitError(f"database: make the folder {path.absolute().parent} first")
    held = Path(f"{path}.lock").open("a")  # noqa: SIM115 - open as long as the process lives
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        message = (
            f"database: another process uses {path}; stop it first,"
            " or move to PostgreSQL to run several"
        )
        raise StoreInUseError(message) from error
    return held
