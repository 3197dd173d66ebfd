"""Who is away leaves the roles they have, and others move up to fill them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from rules.people import People
from rules.schedule.roster import Away, Override
from rules.schedule.timeline import Mark, Piece, Reason, Timeline, clipped, edit, lay_over

Stretch = tuple[datetime, datetime]


def leave(
    pieces: Timeline, away: Iterable[Away], overrides: Sequence[Override], people: People
) -> None:
    """Drop people from a role while they are away, unless an override of then names them."""
    for absence in away:
        named = [
            (override.starts_at, override.ends_at)
            for override in overrides
            if override.person == absence.person
        ]
        reason = Reason(f"{people.by_key(absence.person).name} is away", absence.where)
        for start, end in _without((absence.start, absence.end), named):

            def left(piece: Piece, who: str = absence.person, reason: Reason = reason) -> Piece:
                return _left(piece, who, reason)

            edit(pieces, start, end, left)


def move_up(roles: dict[str, Timeline], stand_ins: Mapping[str, str]) -> None:
    """Give each role that absences emptied the people of its stand-in role, who leave theirs.

    A stand-in role that has nobody passes the question on to its own; one that others have
    moved up to is left alone.
    """
    for start, end in _emptied(roles):
        bounds = {start, end}
        for pieces in roles.values():
            for piece in clipped(pieces, start, end):
                bounds |= {piece.start, piece.end}
        moved: dict[str, Timeline] = {role: [] for role in roles}
        for begins, ends in pairwise(sorted(bounds)):
            for role, piece in _moved(roles, stand_ins, begins, ends).items():
                moved[role].append(piece)
        for role, found in moved.items():
            for piece in _without_new_seams(found, roles[role]):
                lay_over(roles[role], piece)


def _left(piece: Piece, who: str, reason: Reason) -> Piece:
    if who not in piece.people:
        return piece
    stay = tuple(person for person in piece.people if person != who)
    mark = piece.mark if stay else Mark.EMPTIED
    return piece._replace(people=stay, why=(*piece.why, reason), mark=mark)


def _without(whole: Stretch, parts: Iterable[Stretch]) -> list[Stretch]:
    """Return what is left of a stretch when others are taken out of it."""
    left: list[Stretch] = []
    start, end = whole
    for begins, ends in sorted(parts):
        if begins > start:
            left.append((start, min(begins, end)))
        start = max(start, ends)
    left.append((start, end))
    return [(begins, ends) for begins, ends in left if begins < ends]


def _emptied(roles: Mapping[str, Timeline]) -> list[Stretch]:
    holes = sorted(
        (piece.start, piece.end)
        for pieces in roles.values()
        for piece in pieces
        if piece.mark is Mark.EMPTIED
    )
    joined: list[Stretch] = []
    for start, end in holes:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _moved(
    roles: Mapping[str, Timeline], stand_ins: Mapping[str, str], start: datetime, end: datetime
) -> dict[str, Piece]:
    """Return what changes when people move up, in a stretch where nothing else does."""
    before = {
        role: piece for role, pieces in roles.items() for piece in clipped(pieces, start, end)
    }
    now = dict(before)
    waiting = [role for role, piece in now.items() if piece.mark is Mark.EMPTIED]
    while waiting:
        role = waiting.pop(0)
        donor = _donor(role, now, stand_ins)
        if donor:
            given = now[donor]
            up = Reason(f"moved up from {donor} ({given.source})")
            now[role] = now[role]._replace(
                people=given.people, source=up.text, why=(*now[role].why, up), mark=Mark.FILLED
            )
            gone = Reason(f"moved up to {role}")
            now[donor] = given._replace(people=(), why=(*given.why, gone), mark=Mark.EMPTIED)
            waiting.insert(0, donor)
    return {role: piece for role, piece in now.items() if piece != before[role]}


def _donor(role: str, now: Mapping[str, Piece], stand_ins: Mapping[str, str]) -> str:
    seen = {role}
    donor = stand_ins.get(role, "")
    while donor and donor not in seen:
        seen.add(donor)
        if donor in now and now[donor].people and now[donor].mark is not Mark.FILLED:
            return donor
        donor = stand_ins.get(donor, "")
    return ""


def _without_new_seams(found: Timeline, before: Timeline) -> Timeline:
    """Join like pieces that meet where the role itself had no boundary."""
    seams = {piece.start for piece in before}
    joined: Timeline = []
    for piece in found:
        last = joined[-1] if joined else None
        if last and last.end == piece.start not in seams and last[2:] == piece[2:]:
            joined[-1] = last._replace(end=piece.end)
        else:
            joined.append(piece)
    return joined
