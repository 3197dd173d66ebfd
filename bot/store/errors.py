"""What goes wrong in a database, told as the ports' two errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from bot.ports import ConflictError, NotStoredError

_TRY_AGAIN = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available: lock_timeout passed
}


class StoreInUseError(Exception):
    """Another process has the database file; the text names it."""


class StoreUnfitError(Exception):
    """The database cannot be used as it is; the text says what to do."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise ConflictError where running again helps, NotStoredError for any other failure."""
    try:
        yield
    except (
        IntegrityError,
        sqlite3.IntegrityError,
        asyncpg.IntegrityConstraintViolationError,
    ) as error:
        raise ConflictError(_first_line(error)) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _TRY_AGAIN:
            raise ConflictError(_first_line(error)) from error
        raise NotStoredError(_first_line(error)) from error
    except asyncpg.PostgresError as error:
        if error.sqlstate in _TRY_AGAIN:
            raise ConflictError(_first_line(error)) from error
        raise NotStoredError(_first_line(error)) from error
    except (NoConnectionError, asyncpg.InterfaceError, sqlite3.Error, OSError) as error:
        raise NotStoredError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    """Return the database's own words: never the statement, whose values are other people's."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
