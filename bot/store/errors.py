"""What goes wrong in a database, told as the ports' two errors."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from bot.ports.inbox import ConflictError, NotStoredError

_TRY_AGAIN = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available: lock_timeout passed
}

_VIOLATED = "23"
"""The class of integrity_constraint_violation."""


class StoreInUseError(Exception):
    """Another process has the database file; the text names it."""


class StoreUnfitError(Exception):
    """The database cannot be used as it is; the text says what to do."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise ConflictError where running again helps, NotStoredError for any other failure."""
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise ConflictError(_first_line(error)) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _TRY_AGAIN:
            raise ConflictError(_first_line(error)) from error
        raise NotStoredError(_first_line(error)) from error
    except (NoConnectionError, sqlite3.Error, OSError) as error:
        raise NotStoredError(_first_line(error)) from error
    except _of_asyncpg() as error:
        state = str(getattr(error, "sqlstate", None) or "")
        if state in _TRY_AGAIN or state.startswith(_VIOLATED):
            raise ConflictError(_first_line(error)) from error
        raise NotStoredError(_first_line(error)) from error


def _of_asyncpg() -> tuple[type[Exception], ...]:
    """Return the driver's own errors where it is loaded: it takes 0.2 s that SQLite need not spend."""
    driver = sys.modules.get("asyncpg")
    return (driver.PostgresError, driver.InterfaceError) if driver else ()


def _first_line(error: Exception) -> str:
    """Return the database's own words: never the statement, whose values are other people's."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
