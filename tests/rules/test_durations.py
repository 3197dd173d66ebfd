"""Durations, read and written."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("3d", 259_200),
        ("1h30m", 5400),
        (" 1H 30M ", 5400),
        ("0s", 0),
    ],
)
def test_durations_are_read(written: str, seconds: int) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "5", "m", "5 minutes", "-5m", "1.5h", "30m1h", "5m5m", "5w", "٣d x", "9999999d"]
)
def test_anything_else_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 5m, 2h or 3d"):
        parse_duration(written)


def test_a_duration_of_centuries_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration("999999d")


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(days=1, hours=2), "1d2h"),
        (timedelta(minutes=-5), "-5m"),
    ],
)
def test_durations_are_written_in_their_largest_units(duration: timedelta, written: str) -> None:
    assert format_duration(duration) == written


@given(st.integers(min_value=0, max_value=10**8))
def test_what_is_written_is_read_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
