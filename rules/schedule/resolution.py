"""A schedule to the spans that everybody reads: layers, then swaps, overrides, absences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter

from rules.people import People
from rules.rotation import OnCall, Span, in_order
from rules.schedule.absences import leave, move_up
from rules.schedule.changes import lay_overrides, overrides_of, substitute, swaps_of
from rules.schedule.roster import (
    ALWAYS,
    EXPLICIT,
    Away,
    Layer,
    Override,
    RotationPlan,
    Schedule,
    Shift,
    plans_of,
)
from rules.schedule.timeline import Piece, Timeline, clipped, fill_below, flatten
from rules.schedule.turns import expand, turns

_FURTHEST = timedelta(days=366)


def resolve(
    schedule: Schedule, start: datetime, end: datetime, *, whole: bool = False
) -> list[Span]:
    """Return who is on call in [start, end): spans that never overlap within a role.

    Spans are cut to [start, end); `whole` gives those at the edges their true start and end,
    which stay the same however the window moves. A span begins with each turn, and wherever
    its people or their source change. The past is answered by the version then in force.
    """
    spans: list[Span] = []
    for name, versions in _versions(schedule).items():
        begins, ends = _hull(schedule, versions, start, end) if whole else (start, end)
        for role, pieces in _resolve_versions(schedule, versions, begins, ends).items():
            spans += [
                Span(piece.start, piece.end, name, role, piece.people, piece.source)
                for piece in pieces
                if piece.people and piece.start < end and piece.end > start
            ]
    return sorted(spans, key=attrgetter("start", "end", "rotation", "role"))


def on_call(schedule: Schedule, start: datetime, end: datetime, *, whole: bool = False) -> OnCall:
    """Return the one answer for [start, end), with every role that the newest plans name."""
    newest = {name: versions[-1] for name, versions in _versions(schedule).items()}
    return OnCall(
        resolve(schedule, start, end, whole=whole),
        roles={name: roles_of(plan) for name, plan in newest.items()},
        fallbacks={name: plan.fallback for name, plan in newest.items()},
        known_until=end,
        gone={
            name: plan.valid_from
            for name, plan in newest.items()
            if plan.valid_from != ALWAYS and not roles_of(plan)
        },
    )


def resolve_shifts(
    shifts: Sequence[Shift],
    overrides: Iterable[Override] = (),
    *,
    people: People | None = None,
    zones: Mapping[str, str] | None = None,
) -> list[Span]:
    """Resolve shifts and overrides alone, over the whole time that they speak of."""
    schedule = Schedule(
        plans=plans_of(shifts, zones), overrides=tuple(overrides), people=people or People()
    )
    bounds = [*_bounds(schedule.overrides), *((shift.start, shift.end) for shift in shifts)]
    if not bounds:
        return []
    return resolve(schedule, min(min(b) for b in bounds), max(max(b) for b in bounds))


def plan_at(schedule: Schedule, rotation: str, at: datetime) -> RotationPlan | None:
    """Return the version of a rotation that was in force at an instant."""
    versions = _versions(schedule).get(rotation, [])
    return next((plan for plan in reversed(versions) if plan.valid_from <= at), None)


def versions_within(
    schedule: Schedule, rotation: str, start: datetime, end: datetime
) -> list[tuple[RotationPlan, datetime, datetime]]:
    """Return the versions in force for some of [start, end), each with the part it answers for."""
    return list(_in_force(_versions(schedule).get(rotation, []), start, end))


def roles_of(plan: RotationPlan) -> tuple[str, ...]:
    """Return the roles a plan names, in the order they are paged."""
    named = [layer.role for layer in plan.layers] + [shift.role for shift in plan.shifts]
    return in_order(named, plan.roles)


def timelines(
    schedule: Schedule, plan: RotationPlan, start: datetime, end: datetime
) -> dict[str, Timeline]:
    """Return every role of one version over [start, end), with pieces that nobody has left."""
    overrides = [o for o in overrides_of(schedule, plan) if o.starts_at < end]
    overrides = [o for o in overrides if o.ends_at > start]
    absences = (*plan.away, *schedule.away, *_away_elsewhere(schedule, plan, start, end))
    away = [a for a in absences if a.start < end and a.end > start]
    roles = in_order({*roles_of(plan), *(o.role for o in overrides)}, plan.roles)
    found: dict[str, Timeline] = {}
    for role in roles:
        pieces = _planned(schedule, plan, role, (start, end))
        laid = [o for o in overrides if o.role == role]
        substitute(pieces, swaps_of(schedule, plan.name, role), schedule.people)
        lay_overrides(pieces, laid, schedule.people, plan.zone)
        pieces[:] = clipped(pieces, start, end)
        leave(pieces, away, laid, schedule.people)
        found[role] = pieces
    if away and plan.stand_ins:
        move_up(found, plan.stand_ins)
    return found


def layered(
    plan: RotationPlan, role: str, start: datetime, end: datetime
) -> Iterator[tuple[Layer | None, Timeline]]:
    """Yield what each layer of a role says, the topmost first; None stands for the shifts."""
    shifts = [s for s in plan.shifts if s.role == role and s.start < end and s.end > start]
    ranked: list[tuple[int, int, Layer | None]] = [
        (layer.priority, number, layer)
        for number, layer in enumerate(plan.layers)
        if layer.role == role
    ]
    ranked.append((EXPLICIT, len(plan.layers), None))
    for _, _, layer in sorted(ranked, key=lambda rank: rank[:2], reverse=True):
        if layer is not None:
            yield layer, expand(layer, plan.holidays, start, end)
        elif shifts:
            manned = [s for s in shifts if s.people and s.start < s.end]
            yield None, clipped(flatten(manned), start, end)


def _planned(
    schedule: Schedule, plan: RotationPlan, role: str, window: tuple[datetime, datetime]
) -> Timeline:
    pieces: Timeline = []
    for _, below in layered(plan, role, *window):
        pieces = fill_below(pieces, known_only(schedule, below))
    return pieces


def _away_elsewhere(
    schedule: Schedule, plan: RotationPlan, start: datetime, end: datetime
) -> Iterator[Away]:
    """Yield absences of those who swapped into this rotation: others know of them."""
    takers = {swap.taker for swap in schedule.swaps if swap.rotation == plan.name}
    for name, versions in _versions(schedule).items() if takers else ():
        if name == plan.name:
            continue
        for other, begins, ends in _in_force(versions, start, end):
            for one in other.away:
                if one.person in takers:
                    yield replace(one, start=max(one.start, begins), end=min(one.end, ends))


def known_only(schedule: Schedule, pieces: Timeline) -> Timeline:
    """Leave out people nobody knows, and pieces of nobody else."""
    known = schedule.known
    if known is None:
        return pieces
    kept = ((piece, tuple(p for p in piece.people if p in known)) for piece in pieces)
    return [piece._replace(people=people) for piece, people in kept if people]


def _versions(schedule: Schedule) -> dict[str, list[RotationPlan]]:
    """Return each rotation's plans, oldest first; overrides alone make one, too."""
    found: dict[str, list[RotationPlan]] = {}
    for plan in sorted(schedule.plans, key=attrgetter("valid_from")):
        found.setdefault(plan.name, []).append(plan)
    for override in schedule.overrides:
        found.setdefault(override.rotation, [RotationPlan(name=override.rotation)])
    return found


def _in_force(
    versions: Sequence[RotationPlan], start: datetime, end: datetime
) -> Iterator[tuple[RotationPlan, datetime, datetime]]:
    """Yield each version that answers for some of [start, end), with the part it answers for."""
    until = [*(plan.valid_from for plan in versions[1:]), end][: len(versions)]
    for plan, ends in zip(versions, until, strict=True):
        begins, ends = max(start, plan.valid_from), min(end, ends)
        if begins < ends:
            yield plan, begins, ends


def _resolve_versions(
    schedule: Schedule, versions: Sequence[RotationPlan], start: datetime, end: datetime
) -> dict[str, Timeline]:
    found: dict[str, Timeline] = {}
    for plan, begins, ends in _in_force(versions, start, end):
        for role, pieces in timelines(schedule, plan, begins, ends).items():
            before = found.setdefault(role, [])
            if before and pieces and _goes_on(before[-1], pieces[0]):
                pieces[0] = pieces[0]._replace(start=before.pop().start)
            before += pieces
    return found


def _goes_on(before: Piece, after: Piece) -> bool:
    """Whether a new version of the roster left a span as it was."""
    return before.end == after.start and before.people == after.people


def _hull(
    schedule: Schedule, versions: Sequence[RotationPlan], start: datetime, end: datetime
) -> tuple[datetime, datetime]:
    """Return [start, end) widened to whole turns, shifts and overrides, by two years at the most.

    What lasts longer is cut where a year begins: a day later it is the same stretch.
    """
    first = _new_year(max(start - _FURTHEST, ALWAYS + _FURTHEST))
    last = _new_year(end + 2 * _FURTHEST)
    for _ in range(len(versions) + 1):
        known = start, end
        for plan, begins, ends in _in_force(versions, start, end):
            for low, high in _touching(schedule, plan, begins, ends):
                start, end = max(first, min(start, low)), min(last, max(end, high))
        if known == (start, end):
            break
    return start, end


def _new_year(at: datetime) -> datetime:
    return at.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def _touching(
    schedule: Schedule, plan: RotationPlan, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield what the edges of [start, end) may cut, whole."""
    tick = timedelta.resolution
    for layer in plan.layers:
        for edge in (start, end - tick):
            yield from ((begins, ends) for _, begins, ends in turns(layer, edge, edge + tick))
    laid = _bounds(overrides_of(schedule, plan))
    for begins, ends in (*laid, *((shift.start, shift.end) for shift in plan.shifts)):
        if begins < end and ends > start:
            yield begins, ends


def _bounds(overrides: Iterable[Override]) -> list[tuple[datetime, datetime]]:
    return [(o.starts_at, o.ends_at) for o in overrides if o.starts_at < o.ends_at]
