"""`make bench`: the promises of speed, each beside its baseline, measured in one run.

`--quick` takes a third of the time and is as much less certain.
"""

import argparse
import json
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.gates import ask
from tests.bench.machine import Machine, Spent
from tests.bench.page import check, write
from tests.bench.parts import PARTS, Part, chosen
from tests.bench.result import Result, Section
from tests.bench.rounds import Progress, Run
from tests.bench.table import rendered


def main(words: Sequence[str] | None = None) -> int:
    options = _options().parse_args(words)
    # what is asked to end ends its servers first
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    try:
        parts = chosen([name for name in options.only.split(",") if name])
        if options.write:
            check(Path(options.write))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 2
    if options.gates:
        return ask(parts, partial(_measured, quick=False, gates=True), partial(_tell, gates=True))
    result = _measured(parts, quick=options.quick, gates=False)
    _tell(result, gates=False)
    if options.json:
        Path(options.json).write_text(json.dumps(result.as_json(), indent=1) + "\n")
    if options.write:
        write(Path(options.write), result)
    kept = all(figure.kept for figure in result.figures)
    return 1 if result.failed or (options.strict and not kept) else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = ", ".join(part.name if part.usual else f"({part.name})" for part in PARTS)
    parser.add_argument(
        "--only",
        default="",
        metavar="PART,...",
        help=f"of {names}; those in brackets run only when named",
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--strict", action="store_true", help="end with status 1 when a promise is not kept"
    )
    parser.add_argument(
        "--gates", action="store_true", help="measure for a minute, and hold it to CI's own bounds"
    )
    parser.add_argument("--json", default="", metavar="FILE", help="write all figures there")
    parser.add_argument("--write", default="", metavar="FILE", help="put the tables in a document")
    return parser


def _measured(parts: Sequence[Part], *, quick: bool, gates: bool) -> Result:
    seconds = sum(part.gate_seconds if gates else part.seconds for part in parts)
    progress = Progress(seconds / 3 if quick and not gates else seconds)
    sections = []
    with (
        tempfile.TemporaryDirectory(prefix="watchbill-bench-") as made,
        ExitStack() as stack,
    ):
        run = Run(Path(made), quick, stack, progress)
        run.start_postgresql()
        for part in parts:
            progress.tell(part.name)
            sections.append(_section(part, run, gates=gates))
        progress.end()
    return Result(Machine.found(), sections, progress.seconds, run.columns)


def _section(part: Part, run: Run, *, gates: bool) -> Section:
    spent = Spent()
    measure = part.gates if gates and part.gates else part.measure
    try:
        figures = tuple(measure(run))
    except Exception as error:  # noqa: BLE001 - it must not cost the figures of the other parts
        traceback.print_exc()
        return Section(part.name, part.title, (), spent.others(), repr(error))
    return Section(part.name, part.title, figures, spent.others())


def _tell(result: Result, *, gates: bool) -> None:
    for section in result.sections:
        lines = [f"{section.title}{section.disturbed}", *rendered(section.figures, gates=gates)]
        sys.stdout.write("\n".join([*lines, "", ""]))
    for failed in result.failed:
        sys.stdout.write(f"Could not be measured: {failed}\n")
    sys.stdout.write(f"{result.machine.told}; it took {result.seconds:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main())
