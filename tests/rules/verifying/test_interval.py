"""Intervals of data: which labels tell one, and what covers it."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.verification import Interval
from rules.verifying.interval import covers, interval_of, joined, wider, with_part


def day(start: int, end: int) -> Interval:
    return datetime(2026, 11, start, tzinfo=UTC), datetime(2026, 11, end, tzinfo=UTC)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"data_interval_start": "2026-11-01", "data_interval_end": "2026-11-02"}, day(1, 2)),
        ({"event_time_start": "2026-11-01", "event_time_end": "2026-11-03"}, day(1, 3)),
        ({"logical_date": "2026-11-01T01:00:00+01:00"}, day(1, 1)),
        ({"data_interval_start": "2026-11-02", "data_interval_end": "2026-11-01"}, None),
        ({"data_interval_start": "soon", "data_interval_end": "<!here>"}, None),
        ({"data_interval_start": "2026-11-01"}, None),
        ({"logical_date": "0001-01-01T00:00:00+14:00"}, None),
        ({"logical_date": "9999-12-31T23:59:59-12:00"}, None),
        ({}, None),
    ],
)
def test_labels_tell_an_interval(labels: dict[str, str], found: Interval | None) -> None:
    assert interval_of(labels) == found


def test_parts_that_touch_are_one() -> None:
    assert joined([day(3, 4), day(1, 2), day(2, 3), day(8, 9)]) == (day(1, 4), day(8, 9))


@pytest.mark.parametrize(
    ("parts", "whole", "all_of_it"),
    [
        ([day(1, 3)], day(1, 3), True),
        ([day(1, 2), day(2, 3)], day(1, 3), True),
        ([day(1, 2), day(3, 4)], day(1, 4), False),
        ([day(2, 4)], day(1, 3), False),
        ([day(1, 3)], day(2, 2), True),
        ([], day(1, 1), False),
    ],
)
def test_parts_cover_a_whole(parts: list[Interval], whole: Interval, all_of_it: bool) -> None:
    assert covers(parts, whole) is all_of_it


def test_the_wider_holds_both() -> None:
    assert wider(day(1, 2), day(3, 4)) == day(1, 4)
    assert wider(None, day(3, 4)) == wider(day(3, 4), None) == day(3, 4)
    assert wider(None, None) is None


def test_stretches_are_told_apart_while_they_are_few() -> None:
    apart, first = timedelta(days=2), day(1, 1)[0]
    parts: tuple[Interval, ...] = ()
    for n in range(99):
        parts = with_part(parts, (first + n * apart, first + n * apart))
    assert len(parts) == 99
    assert with_part(parts, None) == parts
    assert with_part(parts, parts[7]) == parts
    assert with_part(parts, (first - apart, first - apart)) == ()
