"""One way to make a bot's life hard: what it needs, and what it found."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from tests.process.postgresql import Server
from tests.process.promises import Report

Progress = Callable[[int, int], None]
"""Is told how much is done, of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a scenario plays. `database` is an empty one's URL, "" for a SQLite file of its own.

    `times` is how often the fault is made, `server` a PostgreSQL that may be crashed, and is there where the database is.
    """

    folder: Path
    database: str = ""
    server: Server | None = None
    times: int = 1
    seed: int = 0
    progress: Progress = lambda done, of: None


@dataclass(slots=True)
class Found:
    """What a scenario measured, and which promises were broken; `skipped` says why it was not tried."""

    figures: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    skipped: str = ""

    def add(self, report: Report) -> None:
        """Take over what was counted at the end."""
        shown = {
            name: f"{count}{'  ' if first else ''}{first}" for name, count, first in report.rows()
        }
        self.figures |= shown
        self.faults += report.faults

    def expect(self, kept: bool, otherwise: str) -> None:
        """Note a broken promise, and go on looking."""
        if not kept:
            self.faults.append(otherwise)


Scenario = Callable[[Stage], Coroutine[None, None, Found]]
