"""Who has one role over time: disjoint pieces in order, laid over each other and edited."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from rules.schedule.roster import Shift


class Reason(NamedTuple):
    """One thing that made an answer what it is, and the cell that says so."""

    text: str
    where: str = ""


class Mark(StrEnum):
    """What absences did to a piece: everybody left it, or people of another role moved up."""

    NONE = ""
    EMPTIED = "emptied"
    FILLED = "filled"


class Piece(NamedTuple):
    """A stretch [start, end) with the people who have the role in it, and why."""

    start: datetime
    end: datetime
    people: tuple[str, ...]
    source: str
    why: tuple[Reason, ...] = ()
    mark: Mark = Mark.NONE


Timeline = list[Piece]
"""Pieces that never overlap, in order of time."""


def flatten(shifts: Sequence[Shift]) -> Timeline:
    """Put everybody of overlapping shifts on call, ordered by start, then end, then row."""
    ordered = sorted(shifts, key=lambda shift: (shift.start, shift.end))
    bounds = sorted({shift.start for shift in shifts} | {shift.end for shift in shifts})
    pieces: Timeline = []
    active: list[Shift] = []
    upcoming = 0
    for start, end in pairwise(bounds):
        active = [shift for shift in active if shift.end > start]
        while upcoming < len(ordered) and ordered[upcoming].start <= start:
            active.append(ordered[upcoming])
            upcoming += 1
        if active:
            pieces.append(_together(active, start, end))
    return pieces


def _together(shifts: list[Shift], start: datetime, end: datetime) -> Piece:
    people = tuple(dict.fromkeys(person for shift in shifts for person in shift.people))
    source = " and ".join(dict.fromkeys(shift.source for shift in shifts))
    return Piece(start, end, people, source, tuple(Reason(s.source, s.where) for s in shifts))


def fill_below(top: Timeline, bottom: Timeline) -> Timeline:
    """Let `bottom` show through where `top` has nothing."""
    if not top or not bottom:
        return top or bottom
    found: Timeline = []
    at = 0
    for piece in bottom:
        start = piece.start
        while at < len(top) and top[at].end <= start:
            found.append(top[at])
            at += 1
        while at < len(top) and top[at].start < piece.end:
            above = top[at]
            if start < above.start:
                found.append(piece._replace(start=start, end=above.start))
            start = max(start, above.end)
            if above.end > piece.end:
                break
            found.append(above)
            at += 1
        if start < piece.end:
            found.append(piece._replace(start=start))
    return found + top[at:]


def clipped(pieces: Timeline, start: datetime, end: datetime) -> Timeline:
    return [
        piece
        if start <= piece.start and piece.end <= end
        else piece._replace(start=max(piece.start, start), end=min(piece.end, end))
        for piece in pieces
        if piece.start < end and piece.end > start
    ]


def edit(
    pieces: Timeline,
    start: datetime,
    end: datetime,
    change: Callable[[Piece], Piece],
    *,
    gaps: bool = False,
) -> None:
    """Change the pieces within [start, end) in place; with `gaps`, stretches without one too.

    Pieces that `change` leaves as they are stay whole.
    """
    low, high = _hit(pieces, start, end)
    found: Timeline = []
    for piece in _with_gaps(pieces[low:high], start, end) if gaps else pieces[low:high]:
        inside = piece._replace(start=max(piece.start, start), end=min(piece.end, end))
        changed = change(inside)
        if changed == inside:
            found.append(piece)
        else:
            found += _around(piece, changed)
    pieces[low:high] = [piece for piece in found if piece.why]


def lay_over(pieces: Timeline, piece: Piece) -> None:
    """Put a piece in the place of whatever there is in its time."""
    low, high = _hit(pieces, piece.start, piece.end)
    if low == high:
        pieces.insert(low, piece)
        return
    first, last = pieces[low], pieces[high - 1]
    before = [first._replace(end=piece.start)] if first.start < piece.start else []
    after = [last._replace(start=piece.end)] if last.end > piece.end else []
    pieces[low:high] = [*before, piece, *after]


def _hit(pieces: Timeline, start: datetime, end: datetime) -> tuple[int, int]:
    low = bisect_right(pieces, start, key=_end)
    return low, bisect_left(pieces, end, lo=low, key=_start)


def _around(whole: Piece, part: Piece) -> Timeline:
    before = [whole._replace(end=part.start)] if whole.start < part.start else []
    after = [whole._replace(start=part.end)] if whole.end > part.end else []
    return [*before, part, *after]


def _with_gaps(pieces: Timeline, start: datetime, end: datetime) -> Timeline:
    """Return the pieces with one of nobody, for no reason, in each gap of [start, end)."""
    found: Timeline = []
    for piece in pieces:
        if start < piece.start:
            found.append(Piece(start, piece.start, (), ""))
        found.append(piece)
        start = piece.end
    return [*found, Piece(start, end, (), "")] if start < end else found


def _start(piece: Piece) -> datetime:
    return piece.start


def _end(piece: Piece) -> datetime:
    return piece.end
