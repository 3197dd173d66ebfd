"""Whose being on call opens an elevated group: theirs whom the roster itself names for it.

Anybody in the workspace can take a shift, and should; nobody may get the keys by doing so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from rules.rotation import OnCall
from rules.schedule.roster import RotationPlan

Named = frozenset[tuple[str, str]]
"""(rotation, person) as the roster's own rows say; overrides and swaps are not among them."""


def named(plans: Iterable[RotationPlan]) -> Named:
    """Return whom the rows of a roster name: turns, shifts, stand-ins and fallbacks."""
    return frozenset((plan.name, person) for plan in plans for person in _people(plan))


def _people(plan: RotationPlan) -> Iterator[str]:
    for layer in plan.layers:
        for people in layer.order:
            yield from people
    for shift in plan.shifts:
        yield from shift.people
    yield from plan.stand_ins.values()
    yield from plan.fallback


@lru_cache(maxsize=8)
def trusted(on_call: OnCall, named_people: Named | None) -> OnCall:
    """Return who is on call of those whom the roster names; all of them where it is None."""
    if named_people is None:
        return on_call
    return OnCall(
        (
            replace(
                span, people=tuple(p for p in span.people if (span.rotation, p) in named_people)
            )
            for span in on_call.all_spans()
        ),
        roles={rotation: on_call.roles(rotation) for rotation in on_call.ever},
        gone=on_call.gone,
    )
