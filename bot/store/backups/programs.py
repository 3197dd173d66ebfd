"""Runs PostgreSQL's own programs, and says what they said when they fail."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import URL

from bot.config.databases import FOR_POOLER
from bot.store.backups.contents import BackupError

_LOOK_EVERY = 0.2
_CONNECT_SECONDS = "10"


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the PATH. Raises BackupError when it is not there."""

    name: str
    environment: Mapping[str, str] = field(repr=False)

    @property
    def path(self) -> str:
        found = shutil.which(self.name, path=self.environment.get("PATH", ""))
        if found is None:
            message = (
                f"{self.name} is not on the PATH. Install PostgreSQL's client programs, no older"
                f" than the server, or run {self.name} where they are; docs/operations/backup.md"
                " says how."
            )
            raise BackupError(message)
        return found

    def run(
        self, *options: str, to: URL | None = None, look: Callable[[], None] = lambda: None
    ) -> str:
        """Run it to its end, however long that takes; return its output, or raise BackupError.

        `look` is called five times a second meanwhile. The password goes by the environment, for
        everybody on the machine can read command lines.
        """
        environment = {**self.environment, "PGCONNECT_TIMEOUT": _CONNECT_SECONDS}
        address: tuple[str, ...] = ()
        if to is not None:
            address = (f"--dbname={_libpq(to)}",)
            environment |= {"PGPASSWORD": str(to.password)} if to.password else {}
        with subprocess.Popen(  # noqa: S603 - a program of ours to choose, without a shell
            (self.path, *address, *options),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as running:
            while True:
                try:
                    output, said = running.communicate(timeout=_LOOK_EVERY)
                except subprocess.TimeoutExpired:
                    look()
                    continue
                break
        if running.returncode:
            lines = [line for line in said.splitlines() if line.strip()]
            raise BackupError(lines[0] if lines else f"{self.name} failed and said nothing.")
        return output


def _libpq(address: URL) -> str:
    """Return the address as PostgreSQL's programs read it, without the password."""
    bare = URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database
    )
    known = address.difference_update_query(FOR_POOLER).query
    return bare.set(query=known).render_as_string(hide_password=False)
