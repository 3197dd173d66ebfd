"""What the sections on priority cannot say together: tables in which worse means less."""

from collections.abc import Iterator, Sequence

from rules.documents.priority_parts import matrix_of, slo_of, thresholds_of
from rules.documents.rulebook_parts import Draft
from rules.documents.yaml_document import Fault
from rules.priority import Priority
from rules.sla import UrgencyThresholds
from rules.weighing.holding import Hold
from rules.weighing.priority_matrix import reversals


def priority_faults(drafts: Sequence[Draft]) -> Iterator[Fault]:
    """Check the tables as they are once every document is laid over those before it."""
    specs = [draft.spec for draft in drafts]
    yield from _matrix_faults(drafts)
    try:
        UrgencyThresholds(**thresholds_of(specs))
    except ValueError:
        last = next(d for d in reversed(drafts) if d.spec.urgency.model_fields_set)
        words = "`critical` must be at most `high`, and `high` at most `medium`"
        yield last.document.fault(("urgency",), words)
    slo = slo_of(specs)
    if slo.misses > slo.of_last:
        last = next(d for d in reversed(drafts) if d.spec.slo.model_fields_set)
        words = f"`misses`: {slo.of_last} due days never have {slo.misses} misses"
        yield last.document.fault(("slo", "misses"), words)


def priority_warnings(drafts: Sequence[Draft]) -> Iterator[Fault]:
    for draft in drafts:
        if draft.spec.holding.outside_hours.get(Priority.P1, Hold.NOW) is not Hold.NOW:
            words = "P1 waits outside working hours; write P1: now, or lower what is P1"
            yield draft.document.fault(("holding", "outside_hours", "P1"), words)


def _matrix_faults(drafts: Sequence[Draft]) -> Iterator[Fault]:
    matrix = matrix_of([draft.spec for draft in drafts])
    for cell, worse in reversals(matrix):
        draft, (impact, urgency) = next(
            (draft, written)
            for draft in reversed(drafts)
            for written in (cell, worse)
            if written[1] in draft.spec.priority_matrix.get(written[0], {})
        )
        yield draft.document.fault(
            ("priority_matrix", impact, urgency),
            f"{cell[0]} impact with {cell[1]} urgency is {matrix[cell[0]][cell[1]]}, more urgent "
            f"than {worse[0]} with {worse[1]}, which is {matrix[worse[0]][worse[1]]}",
        )
