"""Rows of a roster and people's overrides, resolved to the spans that everybody reads."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from zoneinfo import ZoneInfo

from rules.people import People
from rules.rotation import OnCall, Span

LOOK_AHEAD = timedelta(days=14)
_MOST_OVERLAPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody takes a role for a while, [starts_at, ends_at); laid over the roster's rows."""

    id: str
    rotation: str
    role: str
    person: str
    starts_at: datetime
    ends_at: datetime
    by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """One stretch of a role as the roster has it, [start, end) in UTC.

    `people` are keys; empty when the roster says on purpose that nobody is. `source` is the
    row in words ("row 14"), `cell` the address of the people.
    """

    rotation: str
    role: str
    start: datetime
    end: datetime
    people: tuple[str, ...]
    source: str = ""
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rows of a rotation that hold at once in [start, end)."""

    first: RosterRow
    second: RosterRow
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch [start, end) in which nobody has the role."""

    rotation: str
    role: str
    start: datetime
    end: datetime


def resolve(
    rows: Sequence[RosterRow],
    overrides: Iterable[Override] = (),
    *,
    people: People | None = None,
    zones: Mapping[str, str] | None = None,
) -> list[Span]:
    """Resolve rows and overrides to spans that never overlap within a role.

    Overlapping rows of a role put everybody on call, ordered by start, end, row. Overrides lie
    on top in the order they were made; each sets its role for its time. `people` and `zones`
    (by rotation) only serve the words of each span's source.
    """
    by_slot: dict[tuple[str, str], list[RosterRow]] = {}
    for row in rows:
        if row.people and row.start < row.end:
            by_slot.setdefault((row.rotation, row.role), []).append(row)
    resolved = {slot: _flatten(slot_rows) for slot, slot_rows in by_slot.items()}
    names = people or People()
    for override in sorted(overrides, key=lambda o: (o.created_at, o.id)):
        if override.starts_at < override.ends_at:
            source = override_source(override, names, (zones or {}).get(override.rotation, "UTC"))
            _lay_over(resolved.setdefault((override.rotation, override.role), []), override, source)
    spans = [span for own in resolved.values() for span in own]
    return sorted(spans, key=attrgetter("start", "end", "rotation", "role"))


def override_source(override: Override, people: People, zone: str) -> str:
    """Say who made it and when: "override by Bo, 10:07", with the date unless it began that day."""
    made, starts = (t.astimezone(ZoneInfo(zone)) for t in (override.created_at, override.starts_at))
    when = f"{made:%H:%M}" if made.date() == starts.date() else f"{made:%Y-%m-%d %H:%M}"
    return f"override by {people.by_key(override.by).name}, {when}"


def _flatten(rows: list[RosterRow]) -> list[Span]:
    ordered = sorted(rows, key=lambda row: (row.start, row.end))
    bounds = sorted({row.start for row in rows} | {row.end for row in rows})
    spans: list[Span] = []
    active: list[RosterRow] = []
    upcoming = 0
    for start, end in pairwise(bounds):
        active = [row for row in active if row.end > start]
        while upcoming < len(ordered) and ordered[upcoming].start <= start:
            active.append(ordered[upcoming])
            upcoming += 1
        if active:
            spans.append(_together(active, start, end))
    return spans


def _together(rows: list[RosterRow], start: datetime, end: datetime) -> Span:
    if len(rows) == 1:
        return Span(start, end, rows[0].rotation, rows[0].role, rows[0].people, rows[0].source)
    people = tuple(dict.fromkeys(person for row in rows for person in row.people))
    source = " and ".join(dict.fromkeys(row.source for row in rows))
    return Span(start, end, rows[0].rotation, rows[0].role, people, source)


def _lay_over(spans: list[Span], override: Override, source: str) -> None:
    low = bisect_right(spans, override.starts_at, key=lambda span: span.end)
    high = bisect_left(spans, override.ends_at, key=lambda span: span.start)
    slot = (override.rotation, override.role)
    pieces = [Span(override.starts_at, override.ends_at, *slot, (override.person,), source)]
    hidden = spans[low:high]
    if hidden and hidden[0].start < override.starts_at:
        first = hidden[0]
        pieces.insert(0, Span(first.start, override.starts_at, *slot, first.people, first.source))
    if hidden and hidden[-1].end > override.ends_at:
        last = hidden[-1]
        pieces.append(Span(override.ends_at, last.end, *slot, last.people, last.source))
    spans[low:high] = pieces


def overlaps(rows: Iterable[RosterRow]) -> Iterator[Overlap]:
    """Yield pairs of rows of one rotation that hold at once, at most a hundred."""
    found = 0
    active: list[RosterRow] = []
    manned = (row for row in rows if row.people and row.start < row.end)
    for row in sorted(manned, key=lambda row: (row.rotation, row.start, row.end)):
        active = [a for a in active if a.rotation == row.rotation and a.end > row.start]
        for other in active:
            if other.role == row.role or set(other.people) & set(row.people):
                yield Overlap(other, row, row.start, min(other.end, row.end))
                found += 1
                if found >= _MOST_OVERLAPS:
                    return
        active.append(row)


def gaps(on_call: OnCall, start: datetime, end: datetime) -> list[Gap]:
    """Return every stretch of [start, end) in which a known role has nobody, by rotation, role."""
    return [
        gap
        for rotation in on_call.rotations
        for role in on_call.roles(rotation)
        for gap in _gaps_of(on_call, rotation, role, (start, end))
    ]


def _gaps_of(
    on_call: OnCall, rotation: str, role: str, window: tuple[datetime, datetime]
) -> Iterator[Gap]:
    covered, end = window
    for span in on_call.spans(rotation, role):
        if span.start >= end:
            break
        if span.start > covered:
            yield Gap(rotation, role, covered, span.start)
        covered = max(covered, span.end) if span.people else covered
    if covered < end:
        yield Gap(rotation, role, covered, end)


def covers(rows: Iterable[RosterRow], start: datetime, end: datetime) -> bool:
    """Whether anybody has any role at any time in [start, end)."""
    return any(row.people and row.start < end and row.end > start for row in rows)
