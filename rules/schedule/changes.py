"""What people change about the planned rotation: approved swaps, then overrides on top."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rules.people import People
from rules.schedule.roster import Override, OverrideKind, RotationPlan, Schedule, Swap
from rules.schedule.timeline import Piece, Reason, Timeline, edit, lay_over


def overrides_of(schedule: Schedule, plan: RotationPlan) -> list[Override]:
    """Return a rotation's overrides in the order they were made, those that can have effect."""
    own = [
        o
        for o in (*schedule.overrides, *plan.overrides)
        if o.rotation == plan.name and o.starts_at < o.ends_at and _known(schedule, o.person)
    ]
    return sorted(own, key=lambda o: (o.created_at, o.id))


def swaps_of(schedule: Schedule, rotation: str, role: str) -> list[Swap]:
    """Return a role's approved swaps in the order they were approved."""
    own = [
        (swap.approved_at, swap.id, swap)
        for swap in schedule.swaps
        if (swap.rotation, swap.role) == (rotation, role)
        and swap.approved_at is not None
        and swap.starts_at < swap.ends_at
        and _known(schedule, swap.taker)
    ]
    return [swap for _, _, swap in sorted(own, key=lambda entry: entry[:2])]


def substitute(pieces: Timeline, swaps: Sequence[Swap], people: People) -> None:
    """Put the taker in the giver's place within each swap's time."""
    for swap in swaps:
        source = f"swap: {_name(people, swap.taker)} for {_name(people, swap.giver)}"
        reason = Reason(source, swap.where)

        def swapped(piece: Piece, swap: Swap = swap, reason: Reason = reason) -> Piece:
            if swap.giver not in piece.people:
                return piece
            return _now(piece, _instead(piece.people, swap.giver, swap.taker), reason)

        edit(pieces, swap.starts_at, swap.ends_at, swapped)


def lay_overrides(
    pieces: Timeline, overrides: Sequence[Override], people: People, zone: str
) -> None:
    """Lay overrides of one role over its pieces, in the order given."""
    for override in overrides:
        reason = Reason(override_source(override, people, zone), override.where)
        start, end = override.starts_at, override.ends_at
        if override.kind is OverrideKind.COVER:
            lay_over(pieces, Piece(start, end, (override.person,), reason.text, (reason,)))
            continue

        def changed(piece: Piece, override: Override = override, reason: Reason = reason) -> Piece:
            return _changed(piece, override, reason)

        edit(pieces, start, end, changed, gaps=override.kind is OverrideKind.ADD)


def override_source(override: Override, people: People, zone: str) -> str:
    """Say who made it and when: "override by Bo, 10:07", with the date unless it began that day."""
    made, starts = (t.astimezone(ZoneInfo(zone)) for t in (override.created_at, override.starts_at))
    when = f"{made:%H:%M}" if made.date() == starts.date() else f"{made:%Y-%m-%d %H:%M}"
    if not override.by:
        return f"override in {override.where}" if override.where else f"override, {when}"
    return f"override by {_name(people, override.by)}, {when}"


def _changed(piece: Piece, override: Override, reason: Reason) -> Piece:
    who = override.person
    match override.kind:
        case OverrideKind.REPLACE if override.instead_of in piece.people:
            return _now(piece, _instead(piece.people, override.instead_of, who), reason)
        case OverrideKind.ADD if who not in piece.people:
            source = f"{piece.source} and {reason.text}" if piece.people else reason.text
            added = _now(piece, (*piece.people, who), reason)
            return added._replace(source=source)
        case OverrideKind.REMOVE if who in piece.people:
            return _now(piece, tuple(p for p in piece.people if p != who), reason)
        case _:
            return piece


def _now(piece: Piece, people: tuple[str, ...], reason: Reason) -> Piece:
    return piece._replace(people=people, source=reason.text, why=(*piece.why, reason))


def _instead(people: Sequence[str], leaves: str, comes: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(comes if person == leaves else person for person in people))


def _known(schedule: Schedule, person: str) -> bool:
    return schedule.known is None or person in schedule.known


def _name(people: People, key: str) -> str:
    return people.by_key(key).name
