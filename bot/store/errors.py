"""What goes wrong in a database, told as the ports' two errors."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from bot.ports.inbox import ConflictError, LockedError, NotStoredError, UnstorableError

_TRY_AGAIN = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
}
_LOCKED = "55P03"
"""lock_not_available: lock_timeout passed"""

_VIOLATED = "23"
"""The class of integrity_constraint_violation."""
_UNSTORABLE = ("22", "54")
"""The classes of data_exception and program_limit_exceeded."""
_READ_ONLY = "25006"
"""read_only_sql_transaction"""


DAMAGED = ("not a database", "malformed")
"""What SQLite says of a file that it cannot make sense of."""


class StoreInUseError(Exception):
    """Another process has the database file; the text names it."""


class StoreUnfitError(Exception):
    """The database cannot be used as it is; the text says what to do."""


class ReadOnlyError(NotStoredError):
    """The server lets this connection only read: a standby, or what was one when it connected."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise ConflictError where running again helps, NotStoredError for any other failure.

    That is UnstorableError where it is a value that the database does not take.
    """
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise ConflictError(_first_line(error)) from error
    except (DataError, sqlite3.DataError) as error:
        raise UnstorableError(_first_line(error)) from error
    except DBAPIError as error:
        raise _of_state(getattr(error.orig, "sqlstate", None), error) from error
    except (NoConnectionError, sqlite3.Error, OSError) as error:
        raise NotStoredError(_first_line(error)) from error
    except _of_asyncpg() as error:
        raise _of_state(getattr(error, "sqlstate", None), error) from error


def _of_state(state: object, error: Exception) -> Exception:
    """Return what a server's answer means, by its SQLSTATE."""
    found = str(state or "")
    if found in _TRY_AGAIN or found.startswith(_VIOLATED):
        return ConflictError(_first_line(error))
    if found == _LOCKED:
        return LockedError(_first_line(error))
    if found == _READ_ONLY:
        return ReadOnlyError(_first_line(error))
    kind = UnstorableError if found.startswith(_UNSTORABLE) else NotStoredError
    return kind(_first_line(error))


def _of_asyncpg() -> tuple[type[Exception], ...]:
    """Return the driver's own errors where it is loaded: it takes 0.2 s that SQLite need not spend."""
    driver = sys.modules.get("asyncpg")
    if driver is None:
        return ()
    # internal: what a connection raises that the server is just ending
    return driver.PostgresError, driver.InterfaceError, driver.InternalClientError


def _first_line(error: Exception) -> str:
    """Return the database's own words: never the statement, whose values are other people's."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
