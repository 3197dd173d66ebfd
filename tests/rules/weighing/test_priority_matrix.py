"""Impact by urgency: every cell has a priority, and worse is never less."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.priority import Impact, Priority, Urgency
from rules.sentence import plain
from rules.weighing.priority_matrix import (
    DEFAULT_MATRIX,
    overlaid,
    priority,
    priority_reason,
    reversals,
)

CELLS = list(product(Impact, Urgency))


@pytest.mark.parametrize(
    ("impact", "row"),
    [
        (Impact.EXTENSIVE, "P1 P1 P2 P3"),
        (Impact.SIGNIFICANT, "P1 P2 P3 P4"),
        (Impact.MODERATE, "P2 P3 P4 P5"),
        (Impact.MINOR, "P3 P4 P5 P5"),
    ],
)
def test_the_shipped_matrix(impact: Impact, row: str) -> None:
    assert " ".join(priority(impact, urgency) for urgency in Urgency) == row


@given(st.sampled_from(CELLS), st.sampled_from(CELLS))
def test_worse_in_both_is_at_least_as_urgent(
    one: tuple[Impact, Urgency], other: tuple[Impact, Urgency]
) -> None:
    impacts, urgencies = list(Impact), list(Urgency)
    if impacts.index(one[0]) <= impacts.index(other[0]) and (
        urgencies.index(one[1]) <= urgencies.index(other[1])
    ):
        assert priority(*one) <= priority(*other)


def test_a_cell_can_be_replaced_alone() -> None:
    matrix = overlaid(DEFAULT_MATRIX, {Impact.MINOR: {Urgency.LOW: Priority.P4}})
    changed = [cell for cell in CELLS if priority(*cell, matrix) != priority(*cell)]
    assert changed == [(Impact.MINOR, Urgency.LOW)]
    assert priority(Impact.MINOR, Urgency.LOW, matrix) is Priority.P4


def test_a_reversal_is_found_in_either_direction() -> None:
    assert list(reversals(DEFAULT_MATRIX)) == []
    matrix = overlaid(DEFAULT_MATRIX, {Impact.SIGNIFICANT: {Urgency.MEDIUM: Priority.P1}})
    assert list(reversals(matrix)) == [
        ((Impact.SIGNIFICANT, Urgency.MEDIUM), (Impact.EXTENSIVE, Urgency.MEDIUM)),
        ((Impact.SIGNIFICANT, Urgency.MEDIUM), (Impact.SIGNIFICANT, Urgency.HIGH)),
    ]


def test_the_reason_names_the_cell() -> None:
    reason = priority_reason(Impact.SIGNIFICANT, Urgency.HIGH)
    assert reason.rule == "priority_matrix.significant.high"
    assert reason.sentence.render(plain) == "P2: significant impact, high urgency."
