"""What is wrong with who is on call: gaps, overlaps, one person twice, people who are away."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from operator import attrgetter

from rules.rotation import OnCall, Span
from rules.schedule.roster import Away, Shift

MOST = 100
"""How many overlaps or double bookings are told at once."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two shifts of a rotation that hold at once in [start, end)."""

    first: Shift
    second: Shift
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch [start, end) in which nobody has the role."""

    rotation: str
    role: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DoubleBooking:
    """One person in two roles at once in [start, end), of one rotation or of two."""

    person: str
    first: Span
    second: Span
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class AwayOnCall:
    """Somebody on call in [start, end) who is away then."""

    away: Away
    span: Span
    start: datetime
    end: datetime


def overlaps(shifts: Iterable[Shift]) -> Iterator[Overlap]:
    """Yield pairs of shifts of one rotation that hold at once, at most a hundred."""
    found = 0
    active: list[Shift] = []
    manned = (shift for shift in shifts if shift.people and shift.start < shift.end)
    for shift in sorted(manned, key=lambda shift: (shift.rotation, shift.start, shift.end)):
        active = [a for a in active if a.rotation == shift.rotation and a.end > shift.start]
        for other in active:
            if other.role == shift.role or set(other.people) & set(shift.people):
                yield Overlap(other, shift, shift.start, min(other.end, shift.end))
                found += 1
                if found >= MOST:
                    return
        active.append(shift)


def gaps(on_call: OnCall, start: datetime, end: datetime) -> list[Gap]:
    """Return every stretch of [start, end) in which a role that is meant to be had has nobody."""
    return [
        gap
        for rotation in on_call.rotations
        for role in on_call.roles(rotation)
        if on_call.expects(rotation, role)
        for gap in _gaps_of(on_call, rotation, role, (start, end))
    ]


def double_booked(on_call: OnCall, start: datetime, end: datetime) -> list[DoubleBooking]:
    """Return who has two roles at once in [start, end), in order of time, at most a hundred."""
    found: list[DoubleBooking] = []
    active: dict[str, list[Span]] = {}
    for span in _all_within(on_call, start, end):
        for person in span.people:
            held = [other for other in active.get(person, []) if other.end > span.start]
            active[person] = [*held, span]
            for other in held:
                begins, ends = max(span.start, start), min(span.end, other.end, end)
                found.append(DoubleBooking(person, other, span, begins, ends))
                if len(found) >= MOST:
                    return found
    return found


def away_but_on_call(
    on_call: OnCall, away: Iterable[Away], start: datetime, end: datetime
) -> list[AwayOnCall]:
    """Return who is on call in [start, end) though away, in order of time.

    Resolution takes people who are away off call unless an override names them. To find whom
    it took off, pass the answer of `schedule.without_away()`.
    """
    absences: dict[str, list[Away]] = {}
    for absence in away:
        absences.setdefault(absence.person, []).append(absence)
    found: list[AwayOnCall] = []
    for span in _all_within(on_call, start, end):
        for absence in (a for person in span.people for a in absences.get(person, [])):
            begins = max(span.start, absence.start, start)
            ends = min(span.end, absence.end, end)
            if begins < ends:
                found.append(AwayOnCall(absence, span, begins, ends))
    return found


def covers(stretches: Iterable[Shift | Span], start: datetime, end: datetime) -> bool:
    """Whether anybody has any role at any time in [start, end)."""
    return any(s.people and s.start < end and s.end > start for s in stretches)


def within(
    on_call: OnCall, rotation: str, role: str, start: datetime, end: datetime
) -> Iterator[Span]:
    """Yield a role's spans that touch [start, end), whole."""
    spans = on_call.spans(rotation, role)
    for n in range(bisect_right(spans, start, key=attrgetter("end")), len(spans)):
        if spans[n].start >= end:
            return
        yield spans[n]


def _all_within(on_call: OnCall, start: datetime, end: datetime) -> Iterator[Span]:
    slots = ((name, role) for name in on_call.rotations for role in on_call.roles(name))
    spans = (within(on_call, name, role, start, end) for name, role in slots)
    return merge(*spans, key=attrgetter("start"))


def _gaps_of(
    on_call: OnCall, rotation: str, role: str, window: tuple[datetime, datetime]
) -> Iterator[Gap]:
    covered, end = window
    for span in within(on_call, rotation, role, covered, end):
        if not span.people:
            continue
        if span.start > covered:
            yield Gap(rotation, role, covered, span.start)
        covered = max(covered, span.end)
    if covered < end:
        yield Gap(rotation, role, covered, end)
