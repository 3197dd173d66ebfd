"""Hours by person and kind, shares, and how even they are."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.rotation import OnCall, Span
from rules.schedule.fairness import Calendar, Kind, evenness, loads, shares
from rules.schedule.resolution import on_call
from rules.schedule.roster import Schedule
from tests.rules.schedule.schedules import layer, plan, utc

HOUR = timedelta(hours=1)
BERLIN = Calendar(zone="Europe/Berlin")


def spans(start: str, end: str, *people: str, role: str = "primary") -> OnCall:
    return OnCall([Span(utc(start), utc(end), "data", role, people, "row 1")])


def hours_by_kind(found: OnCall, person: str, calendar: Calendar) -> dict[str, float]:
    everything = (utc("2026-01-01T00:00Z"), utc("2027-12-31T00:00Z"))
    load = loads(found, *everything, calendars={"data": calendar})[person]
    return {kind.value: spent / HOUR for kind, spent in load.time.items() if spent}


def test_a_week_is_split_by_local_nights_weekends_and_holidays() -> None:
    week = spans("2026-11-16T08:00Z", "2026-11-23T08:00Z", "ana")
    assert hours_by_kind(week, "ana", BERLIN) == {
        # Monday to Friday 06:00-22:00, without Monday 06:00-09:00, with the Monday after.
        "weekday": 5 * 16.0,
        "night": 5 * 8.0,
        "weekend": 48.0,
    }
    free = Calendar(zone="Europe/Berlin", holidays=frozenset({date(2026, 11, 18)}))
    assert hours_by_kind(week, "ana", free) == {
        "weekday": 4 * 16.0,
        "night": 4 * 8.0,
        "weekend": 48.0,
        "holiday": 24.0,
    }


def test_the_night_of_the_clock_change_has_nine_hours() -> None:
    night = spans("2026-10-24T20:00Z", "2026-10-25T05:00Z", "ana")
    load = loads(
        night, utc("2026-10-01T00:00Z"), utc("2026-11-01T00:00Z"), calendars={"data": BERLIN}
    )
    assert load["ana"].hours == 9
    assert load["ana"].nights == {date(2026, 10, 24)}
    assert load["ana"].weekends == {date(2026, 10, 24)}


def test_nights_and_weekends_are_counted_once_however_often_they_are_touched() -> None:
    found = OnCall(
        Span(utc(a), utc(b), "data", "primary", ("ana",), "row")
        for a, b in [
            ("2026-11-20T22:30Z", "2026-11-20T23:00Z"),
            ("2026-11-21T01:00Z", "2026-11-21T02:00Z"),
            ("2026-11-22T10:00Z", "2026-11-22T11:00Z"),
        ]
    )
    load = loads(found, utc("2026-11-01T00:00Z"), utc("2026-12-01T00:00Z"))["ana"]
    assert (load.nights, load.weekends) == ({date(2026, 11, 20)}, {date(2026, 11, 21)})
    assert (load.turns, load.hours) == (3, 2.5)


def test_bad_hours_weigh_more_and_only_the_asked_roles_and_time_count() -> None:
    schedule = Schedule(plans=(plan(layer("ana", "bo"), layer("cy", role="shadow")),))
    start, end = utc("2026-11-16T09:00Z"), utc("2026-12-14T09:00Z")
    found = loads(on_call(schedule, start, end), start, end, roles={"primary"})
    assert found.keys() == {"ana", "bo"}
    assert found["ana"].hours == found["bo"].hours == 2 * 168
    assert (found["ana"].turns, len(found["ana"].weekends)) == (2, 2)
    assert found["ana"].weighted() == 2 * (80 + 1.5 * 40 + 2 * 48)
    part = loads(on_call(schedule, start, end), start, start + 12 * HOUR)
    assert {person: load.hours for person, load in part.items()} == {"ana": 12, "cy": 12}


def test_shares_are_of_the_whole_and_fair_by_availability() -> None:
    assert shares({"ana": 30, "bo": 10}, {"bo": 0.5, "cy": 0.5}) == {
        "ana": (0.75, 0.5),
        "bo": (0.25, 0.25),
        "cy": (0.0, 0.25),
    }
    assert shares({"ana": 0}) == {"ana": (0.0, 1.0)}
    assert shares({}, {"ana": 0}) == {"ana": (0.0, 0.0)}


@pytest.mark.parametrize(
    ("carried", "index"), [([5, 5, 5], 1.0), ([9, 0, 0], 1 / 3), ([], 1.0), ([0, 0], 1.0)]
)
def test_evenness_is_one_when_all_carry_the_same(carried: list[float], index: float) -> None:
    assert evenness(carried) == pytest.approx(index)


@given(
    st.integers(0, 9000),
    st.integers(1, 3000),
    st.sampled_from(("Europe/Berlin", "Australia/Lord_Howe")),
)
def test_no_minute_is_lost_or_counted_twice(start: int, length: int, zone: str) -> None:
    begins = utc("2026-09-20T00:00Z") + timedelta(minutes=15 * start)
    ends = begins + timedelta(minutes=15 * length)
    found = OnCall([Span(begins, ends, "data", "primary", ("ana", "bo"), "row")])
    both = loads(found, begins - HOUR, ends + HOUR, calendars={"data": Calendar(zone=zone)})
    assert sum(both["ana"].time.values(), timedelta(0)) == ends - begins
    assert both["ana"].time == both["bo"].time
    assert set(both["ana"].time) == set(Kind)
