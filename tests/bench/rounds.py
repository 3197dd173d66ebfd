"""What every part of the bench is given: folders, a PostgreSQL, how long to go on, who to tell."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from tests.process.postgresql import database, postgresql


@dataclass
class Run:
    """One run of the bench. `quick` takes about a third of the time and is as much less certain."""

    folder: Path
    quick: bool
    open_until_end: ExitStack
    progress: "Progress"
    stored: dict[str, Any] = field(default_factory=dict)
    """What the part of that name left for others: databases by kind, with what they took."""
    columns: list[Any] = field(default_factory=list)
    """The comparison with others, where that ran."""
    _server: str = ""
    _numbers: Iterator[int] = field(default_factory=count)

    def made(self, name: str) -> Path:
        """Make a folder that nothing else has."""
        path = self.folder / f"{name}-{next(self._numbers)}"
        path.mkdir()
        return path

    def database(self, kind: str) -> str:
        """Return the URL of a new, empty database: `SQLite` or `PostgreSQL`."""
        if kind == "SQLite":
            return f"sqlite:///{self.made('database') / 'watchbill.db'}"
        self.start_postgresql()
        return database(self._server, f"bench_{next(self._numbers)}")

    def start_postgresql(self) -> None:
        """Start it once; it keeps the cores that this process has at that moment."""
        if not self._server:
            self._server = self.open_until_end.enter_context(postgresql())

    def rounds(self, most: int) -> int:
        return max(2, most // 2) if self.quick else most


class Progress:
    """A bar on a terminal, a line for each part elsewhere; both on standard error."""

    def __init__(self, seconds: float, out: TextIO = sys.stderr) -> None:
        self._expected = max(seconds, 1.0)
        self._out = out
        self._began = time.monotonic()
        self._bar = out.isatty()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def tell(self, what: str) -> None:
        passed = self.seconds
        if not self._bar:
            self._out.write(f"{passed:6.0f} s  {what}\n")
        else:
            full = min(int(24 * passed / self._expected), 24)
            bar = "#" * full + "." * (24 - full)
            self._out.write(f"\r[{bar}] {passed:4.0f} s of about {self._expected:.0f}  {what:<44}")
        self._out.flush()

    def end(self) -> None:
        if self._bar:
            self._out.write("\r" + " " * 100 + "\r")
            self._out.flush()


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """Keep to one core, where there is more than one: the servers have core 0 for themselves."""
    cores = os.sched_getaffinity(0)
    if {0, number} <= cores:
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def pin(pid: int) -> None:
    """Put a server on core 0, where there are more."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {0})
