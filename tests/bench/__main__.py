"""`make bench`: the promises of speed as ratios of one run, each beside its bound.

`--quick` takes a third of the time and is as much less certain.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import classification, latency, process, throughput
from tests.bench.table import Figure, rendered
from tests.process.postgresql import postgresql


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--strict", action="store_true", help="end with status 1 when a promise is not kept"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchbill-bench-") as made, postgresql() as server:
        figures = asyncio.run(_measure(Path(made), server, quick=options.quick))
    sys.stdout.write("\n".join(rendered(figures)) + "\n")
    kept = all(figure.kept for figure in figures)
    return 0 if kept or not options.strict else 1


async def _measure(folder: Path, server: str, *, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    with _on_core(1):
        figures += await throughput.measure(_made(folder, "load"), server, quick=quick)
    figures += classification.measure(quick=quick)
    figures += await latency.measure(_made(folder, "latency"), quick=quick)
    figures += await process.measure(_made(folder, "process"), quick=quick)
    return figures


def _made(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


@contextmanager
def _on_core(number: int) -> Iterator[None]:
    """Keep to one core, where there is more than one: the servers have core 0 for themselves."""
    cores = os.sched_getaffinity(0)
    if number in cores:
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    sys.exit(main())
