"""What bots in processes of their own share: loaded modules, and the session's PostgreSQL."""

import os
from collections.abc import Iterator
from itertools import count

import pytest

from tests.process.forking import Forking
from tests.process.harness import Process
from tests.process.postgresql import database

_made = count(1)


@pytest.fixture(scope="session", autouse=True)
def loaded() -> Iterator[None]:
    """Load the modules of bots and of their Slack once; each start would take a second of work."""
    if not hasattr(os, "pidfd_open"):
        yield
        return
    Process.forking = Forking()
    yield
    Process.forking.close()
    Process.forking = None


@pytest.fixture
def postgresql_database(postgresql_server: str) -> str:
    """Return the URL of an empty database."""
    return database(postgresql_server, f"process_{next(_made)}")
