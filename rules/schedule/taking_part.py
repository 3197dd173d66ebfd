"""Who takes part in a rotation: on whom it counts, for how long, and where they are."""

from datetime import datetime

from rules.schedule.resolution import versions_within
from rules.schedule.roster import RotationPlan, Schedule

Stretch = tuple[datetime, datetime]


def takers_of(plan: RotationPlan) -> dict[str, set[str]]:
    """Return who takes turns by a version, by role: those in its orders, else those in its rows."""
    found: dict[str, set[str]] = {}
    for layer in plan.layers:
        found.setdefault(layer.role, set()).update(p for turn in layer.order for p in turn)
    in_rows: dict[str, set[str]] = {}
    for shift in plan.shifts:
        in_rows.setdefault(shift.role, set()).update(shift.people)
    return in_rows | found


def taking_part(schedule: Schedule, start: datetime, end: datetime) -> dict[str, list[Stretch]]:
    """Return by person when the rotation counts on them, in order and apart.

    Rows come and go while people stay: who stands in some is there as long as there are any.
    """
    found: dict[str, list[Stretch]] = {}
    for name in dict.fromkeys(plan.name for plan in schedule.plans):
        versions = versions_within(schedule, name, start, end)
        in_rows: dict[str, set[str]] = {}
        for plan, _, _ in versions:
            layered = {layer.role for layer in plan.layers}
            for shift in (one for one in plan.shifts if one.role not in layered):
                in_rows.setdefault(shift.role, set()).update(shift.people)
        for plan, begins, ends in versions:
            layered = {layer.role for layer in plan.layers}
            takers = takers_of(plan)
            for role, people in takers.items():
                for person in people if role in layered else in_rows[role]:
                    found.setdefault(person, []).append((begins, ends))
    return {person: _joined(stretches) for person, stretches in found.items()}


def homes_of(schedule: Schedule, start: datetime, end: datetime) -> dict[str, str]:
    """Return by whose clocks people have their turns, where those are of one zone."""
    zones: dict[str, set[str]] = {}
    for name in dict.fromkeys(plan.name for plan in schedule.plans):
        for plan, _, _ in versions_within(schedule, name, start, end):
            for layer in plan.layers:
                for person in (person for turn in layer.order for person in turn):
                    zones.setdefault(person, set()).add(layer.zone)
            for person in (person for shift in plan.shifts for person in shift.people):
                zones.setdefault(person, set()).add(plan.zone)
    return {person: own.pop() for person, own in zones.items() if len(own) == 1}


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for begins, ends in sorted(stretches):
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((begins, ends))
    return joined
