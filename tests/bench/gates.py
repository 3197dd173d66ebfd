"""What CI asks of the speed: bounds that a quiet machine keeps with room, asked for twice."""

import sys
from collections.abc import Callable, Sequence

from tests.bench.parts import Part
from tests.bench.result import Result

TOO_BUSY = 0.5
"""So many cores used by others: what is measured then says nothing."""

Measure = Callable[[Sequence[Part]], Result]


def ask(parts: Sequence[Part], measure: Measure, tell: Callable[[Result], None]) -> int:
    """Measure; measure once more what fell short. Return the status to end with: 1 when twice.

    A part that was disturbed both times by other processes is told of and lets through.
    """
    left = [part for part in parts if part.gates is not None]
    for _ in range(2):
        result = measure(left)
        tell(result)
        short = {
            section.name: 0.0 if section.failed else section.others
            for section in result.sections
            if section.failed or not all(one.let_through for one in section.figures)
        }
        left = [part for part in left if part.name in short]
        if not left:
            sys.stdout.write("All gates are kept.\n")
            return 0
    names = [part.name for part in left if short[part.name] < TOO_BUSY]
    busy = [part.name for part in left if part.name not in names]
    if busy:
        sys.stdout.write(f"Not judged, others were too busy meanwhile: {', '.join(busy)}.\n")
    if names:
        sys.stdout.write(f"Slower than the gates, twice: {', '.join(names)}.\n")
    return 1 if names else 0
