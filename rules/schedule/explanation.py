"""Why somebody is on call at an instant: each layer, shift and change that made it so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.hours import local_text
from rules.people import People
from rules.schedule.resolution import known_only, layered, plan_at, timelines
from rules.schedule.roster import ALWAYS, Layer, RotationPlan, Schedule
from rules.schedule.timeline import Reason, Timeline
from rules.schedule.turns import turn_at

_Levels = Sequence[tuple[Layer | None, Timeline]]


@dataclass(frozen=True, slots=True)
class Why:
    """Who has a role at an instant, and the reasons in the order in which they take effect.

    `people` is empty when nobody has it; the reasons then say what was asked in vain.
    """

    rotation: str
    role: str
    people: tuple[str, ...]
    source: str
    reasons: tuple[Reason, ...]


def explain(schedule: Schedule, rotation: str, at: datetime) -> list[Why]:
    """Return the reasons for every role of a rotation; none for a rotation nobody knows.

    The answer comes out of the same resolution as everybody's spans.
    """
    plan = plan_at(schedule, rotation, at)
    if plan is None:
        return []
    tick = at + timedelta.resolution
    version = _version(plan)
    found = []
    for role, pieces in timelines(schedule, plan, at, tick).items():
        levels = list(layered(plan, role, at, tick))
        planned = list(_planned(schedule, levels, at))
        changed = _changes(levels, pieces)
        people = pieces[0].people if pieces else ()
        source = pieces[0].source if people else ""
        found.append(Why(rotation, role, people, source, (*version, *planned, *changed)))
    return found


def why_text(why: Why, people: People) -> str:
    """Render for a terminal: who, then a line for each reason with its cell."""
    who = " and ".join(people.by_key(key).name for key in why.people) or "nobody"
    lines = [f"{why.rotation} {why.role}: {who}"]
    lines += [f"  {text}{f' ({where})' if where else ''}" for text, where in why.reasons]
    return "\n".join(lines)


def why_json(answers: Sequence[Why]) -> list[dict[str, Any]]:
    """Return the answers as JSON values."""
    return [
        {
            "rotation": why.rotation,
            "role": why.role,
            "people": list(why.people),
            "source": why.source,
            "reasons": [reason._asdict() for reason in why.reasons],
        }
        for why in answers
    ]


def _version(plan: RotationPlan) -> Iterator[Reason]:
    if plan.valid_from != ALWAYS:
        yield Reason(f"by the roster as of {local_text(plan.valid_from, plan.zone)}")


def _planned(schedule: Schedule, levels: _Levels, at: datetime) -> Iterator[Reason]:
    """Yield what each layer says, the topmost first, until one has somebody."""
    names = schedule.people
    decided = False
    for layer, pieces in levels:
        there = known_only(schedule, pieces)
        source = layer.source or "rotation" if layer else "shifts"
        where = layer.where if layer else ""
        if not there:
            if not decided:
                yield Reason(f"{source}: {_nobody(layer, pieces, at)}", where)
            continue
        who = " and ".join(names.by_key(key).name for key in there[0].people)
        if decided:
            yield Reason(f"{there[0].source}: {who}, hidden by what lies above", where)
            continue
        decided = True
        if layer is None:
            yield from (Reason(f"{text}: {who}", cell) for text, cell in there[0].why)
        else:
            yield Reason(f"{source}: {who}{_turn(layer, at)}", where)


def _nobody(layer: Layer | None, pieces: Timeline, at: datetime) -> str:
    if pieces:
        return "only people whom nobody knows"
    if layer is None:
        return "nobody at this time"
    if layer.effective_from and at < layer.effective_from:
        return f"not before {local_text(layer.effective_from, layer.zone)}"
    if layer.effective_until and at >= layer.effective_until:
        return f"ended {local_text(layer.effective_until, layer.zone)}"
    turn = turn_at(layer, at)
    if turn is None:
        return "has not begun"
    alone = not layer.windows and not layer.order[turn[0] % len(layer.order)]
    return "a turn of nobody" if alone else "outside its hours"


def _turn(layer: Layer, at: datetime) -> str:
    turn = turn_at(layer, at)
    if turn is None:
        return ""
    number, begins, ends = turn
    since, until = local_text(begins, layer.zone), local_text(ends, layer.zone)
    return f", turn {number + 1}, from {since} to {until}"


def _changes(levels: _Levels, pieces: Timeline) -> Iterator[Reason]:
    """Yield what swaps, overrides and absences did to the plan."""
    if not pieces:
        yield Reason("so nobody has it")
        return
    planned = {reason for _, below in levels for piece in below for reason in piece.why}
    yield from (reason for reason in pieces[0].why if reason not in planned)
    if not pieces[0].people:
        yield Reason("so nobody has it")
