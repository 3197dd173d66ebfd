"""Intervals of data: which one labels tell of, and whether several cover another."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from rules.verification import Interval

_ENDS = (
    ("data_interval_start", "data_interval_end"),
    ("event_time_start", "event_time_end"),
    ("logical_date", "logical_date"),
)
_MOST = 100


def interval_of(labels: Mapping[str, str]) -> Interval | None:
    """Return the interval of data that a run loads, None where its labels tell none."""
    for first, last in _ENDS:
        start, end = instant_of(labels.get(first, "")), instant_of(labels.get(last, ""))
        if start is not None and end is not None and start <= end:
            return start, end
    return None


def wider(old: Interval | None, new: Interval | None) -> Interval | None:
    """Return the shortest interval that holds both."""
    if old is None or new is None:
        return old or new
    return min(old[0], new[0]), max(old[1], new[1])


def with_part(old: tuple[Interval, ...], new: Interval | None) -> tuple[Interval, ...]:
    """Return the stretches with one more; none once there are too many to tell apart."""
    found = joined((*old, new)) if new else old
    return found if len(found) < _MOST else ()


def joined(parts: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the same stretches in order, those that touch as one; at most a hundred."""
    found: list[Interval] = []
    for start, end in sorted(parts):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return tuple(found[:_MOST])


def covers(parts: Iterable[Interval], whole: Interval) -> bool:
    """Tell whether the parts together leave nothing of the whole out."""
    return any(start <= whole[0] and whole[1] <= end for start, end in joined(parts))


def is_before(one: Interval, other: Interval) -> bool:
    """Tell whether an interval is over when the other one begins."""
    return one[1] <= other[0] and one != other


def instant_of(written: str) -> datetime | None:
    """Return the instant that a label tells, of UTC where it names no zone; None for none."""
    try:
        at = datetime.fromisoformat(written)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # the calendar ends at both ends
        return None
