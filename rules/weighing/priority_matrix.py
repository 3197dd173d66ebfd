"""Impact by urgency gives the priority: a table, and what must hold for any such table."""

from collections.abc import Iterator, Mapping

from rules.decision import Reason
from rules.priority import Impact, Priority, Urgency
from rules.sentence import say

Matrix = Mapping[Impact, Mapping[Urgency, Priority]]
"""Has a cell for every impact and urgency."""


def _row(text: str) -> dict[Urgency, Priority]:
    return dict(zip(Urgency, map(Priority, text.split()), strict=True))


DEFAULT_MATRIX: Matrix = {
    Impact.EXTENSIVE: _row("P1 P1 P2 P3"),
    Impact.SIGNIFICANT: _row("P1 P2 P3 P4"),
    Impact.MODERATE: _row("P2 P3 P4 P5"),
    Impact.MINOR: _row("P3 P4 P5 P5"),
}


def priority(impact: Impact, urgency: Urgency, matrix: Matrix = DEFAULT_MATRIX) -> Priority:
    return matrix[impact][urgency]


def priority_reason(impact: Impact, urgency: Urgency, matrix: Matrix = DEFAULT_MATRIX) -> Reason:
    """Name the cell that gave the priority."""
    words = say(
        "{priority}: {impact} impact, {urgency} urgency.",
        priority=priority(impact, urgency, matrix),
        impact=impact,
        urgency=urgency,
    )
    return Reason(f"priority_matrix.{impact}.{urgency}", words)


def overlaid(matrix: Matrix, over: Mapping[Impact, Mapping[Urgency, Priority]]) -> Matrix:
    """Replace the cells that `over` has; it need not have all."""
    return {impact: {**row, **over.get(impact, {})} for impact, row in matrix.items()}


def reversals(matrix: Matrix) -> Iterator[tuple[tuple[Impact, Urgency], tuple[Impact, Urgency]]]:
    """Yield each cell and a neighbour that is worse off and yet has the lower priority."""
    impacts, urgencies = list(Impact), list(Urgency)
    for i, impact in enumerate(impacts):
        for u, urgency in enumerate(urgencies):
            worse = [(impacts[i - 1], urgency)] if i else []
            worse += [(impact, urgencies[u - 1])] if u else []
            for above in worse:
                if matrix[above[0]][above[1]] > matrix[impact][urgency]:
                    yield (impact, urgency), above
