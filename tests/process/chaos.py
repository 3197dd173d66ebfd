"""Makes a bot's life hard in real processes, then counts what was lost, and what was doubled.

`python -m tests.process.chaos --kills 50 --database sqlite --seed 1`
`python -m tests.process.chaos --scenario takeover freezing --times 20`
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from tests.process.database_loss import crashed_server, cut_connections
from tests.process.disk_full import disk_full
from tests.process.freezing import freezing
from tests.process.killing import kills
from tests.process.postgresql import Server, own_server
from tests.process.scenario import Found, Scenario, Stage
from tests.process.slack_loss import cut_sockets, hanging_slack
from tests.process.stopping import stopping
from tests.process.takeover import takeover
from tests.process.together import together

SCENARIOS: dict[str, Scenario] = {
    "kills": kills,
    "freezing": freezing,
    "stopping": stopping,
    "takeover": takeover,
    "cut-sockets": cut_sockets,
    "hanging-slack": hanging_slack,
    "cut-connections": cut_connections,
    "crashed-server": crashed_server,
    "disk-full": disk_full,
    "together": together,
}


@contextmanager
def _progress(title: str) -> Iterator[tuple[Progress, TaskID]]:
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with shown:
        yield shown, shown.add_task(title, total=None)


def _play(name: str, options: argparse.Namespace, server: Server | None) -> Found:
    """Play one scenario in a folder and on a database of its own."""
    with tempfile.TemporaryDirectory(prefix="watchbill-chaos-") as made, _progress(name) as shown:
        bar, task = shown
        stage = Stage(
            folder=Path(made),
            server=server,
            database=server.database(name) if server else "",
            times=options.kills if name == "kills" else options.times,
            seed=options.seed,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
        try:
            return asyncio.run(SCENARIOS[name](stage))
        finally:
            for log in sorted(Path(made).rglob("serve*.log")) if options.logs else ():
                target = options.logs / f"{options.database}-{name}-{log.parent.name}-{log.name}"
                target.write_bytes(log.read_bytes())


def _report(name: str, found: Found, options: argparse.Namespace, seconds: float) -> Table:
    title = f"{name} on {options.database}, seed {options.seed}, {seconds:.0f} s"
    table = Table(title=title, title_justify="left", show_header=False)
    for label, value in found.figures.items():
        table.add_row(label, value)
    for fault in found.faults[:20]:
        table.add_row("BROKEN", fault)
    if found.skipped:
        table.add_row("skipped", found.skipped)
    table.add_row("result", "broken" if found.faults else "skipped" if found.skipped else "kept")
    return table


@contextmanager
def _server(kind: str) -> Iterator[Server | None]:
    if kind == "sqlite":
        yield None
        return
    with own_server() as server:
        yield server


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.process.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=50, help="kills of a whole campaign")
    parser.add_argument("--times", type=int, default=5, help="how often any other fault is made")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--scenario", nargs="+", choices=[*SCENARIOS, "all"], default=["kills"])
    parser.add_argument("--logs", type=Path, help="keep what the processes wrote in this folder")
    return parser.parse_args()


def main() -> int:
    options = _options()
    names = list(SCENARIOS) if "all" in options.scenario else options.scenario
    console, broken = Console(width=150, soft_wrap=True), False
    with _server(options.database) as server:
        for name in names:
            began = time.monotonic()
            found = _play(name, options, server)
            console.print(_report(name, found, options, time.monotonic() - began))
            broken |= bool(found.faults)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
