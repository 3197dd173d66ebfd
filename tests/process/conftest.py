"""A database of its own on the session's PostgreSQL, for bots in processes of their own."""

from itertools import count

import pytest

from tests.process.postgresql import database

_made = count(1)


@pytest.fixture
def postgresql_database(postgresql_server: str) -> str:
    """Return the URL of an empty database."""
    return database(postgresql_server, f"process_{next(_made)}")
