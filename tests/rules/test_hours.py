"""Local hours as instants, on the days when clocks change and on those when they do not."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from whenever import ZonedDateTime

from rules.hours import DAYS, Hours, local_text, next_local, to_instant
from tests.rules.build import NOW

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "instant"),
    [
        # Clocks skip 02:00-03:00: the offset from before the gap is taken.
        ("Europe/Berlin", date(2027, 3, 28), time(2, 30), "2027-03-28T01:30"),
        ("America/New_York", date(2027, 3, 14), time(2, 30), "2027-03-14T07:30"),
        # Lord Howe skips half an hour, 02:00-02:30.
        ("Australia/Lord_Howe", date(2027, 10, 3), time(2, 15), "2027-10-02T15:45"),
        # A time that happens twice is the first one.
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),
        ("Australia/Lord_Howe", date(2027, 4, 4), time(1, 45), "2027-04-03T14:45"),
        # And around them nothing is odd.
        ("Europe/Berlin", date(2027, 3, 28), time(9), "2027-03-28T07:00"),
        ("Europe/Berlin", date(2027, 3, 27), time(9), "2027-03-27T08:00"),
    ],
)
def test_a_local_time_is_one_instant(zone: str, day: date, clock: time, instant: str) -> None:
    assert to_instant(day, clock, zone) == at(instant)


@given(
    day=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    clock=st.times().map(lambda t: t.replace(microsecond=0)),
    zone=st.sampled_from(ZONES),
)
@example(date(2027, 3, 28), time(2, 30), "Europe/Berlin")
@example(date(2027, 10, 3), time(2, 15), "Australia/Lord_Howe")
@example(date(2026, 11, 1), time(1, 30), "America/New_York")
def test_a_second_opinion_on_local_times_agrees(day: date, clock: time, zone: str) -> None:
    when = datetime.combine(day, clock)
    theirs = ZonedDateTime(
        when.year,
        when.month,
        when.day,
        when.hour,
        when.minute,
        when.second,
        tz=zone,
        disambiguation="compatible",
    )
    assert to_instant(day, clock, zone).timestamp() == theirs.timestamp()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2027-03-27T06:00", "2027-03-27T08:00"),
        ("2027-03-27T08:00", "2027-03-28T07:00"),  # the night of the change is an hour shorter
        ("2026-10-24T07:00", "2026-10-25T08:00"),
    ],
)
def test_nine_in_the_morning_is_the_next_nine_in_the_morning(now: str, expected: str) -> None:
    assert next_local(at(now), time(9), "Europe/Berlin") == at(expected)


def berlin(opens: int, closes: int, *days: str) -> Hours:
    return Hours(time(opens), time(closes % 24), "Europe/Berlin", days or DAYS)


def test_hours_are_half_open() -> None:
    office = berlin(9, 17)
    assert not office.hold(at("2026-11-23T07:59:59"))
    assert office.hold(at("2026-11-23T08:00"))
    assert office.hold(at("2026-11-23T15:59:59"))
    assert not office.hold(at("2026-11-23T16:00"))
    assert office.closes_after(at("2026-11-23T08:00")) == at("2026-11-23T16:00")
    assert office.closes_after(at("2026-11-23T16:00")) is None


def test_a_window_across_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    night = berlin(22, 6, "fri")
    assert night.hold(at("2026-11-27T23:00"))
    assert night.hold(at("2026-11-28T04:59:59"))
    assert not night.hold(at("2026-11-28T05:00"))
    assert not night.hold(at("2026-11-27T03:00"))
    assert night.closes_after(at("2026-11-28T03:00")) == at("2026-11-28T05:00")


def test_closing_when_it_opens_is_a_whole_day() -> None:
    monday = berlin(0, 24, "mon")
    assert monday.hold(at("2026-11-22T23:00"))
    assert monday.closes_after(at("2026-11-22T23:00")) == at("2026-11-23T23:00")
    assert not monday.hold(at("2026-11-23T23:00"))


def test_hours_that_are_closed_open_next_on_one_of_their_days() -> None:
    office = Hours(time(9), time(17), "Europe/Berlin", ("mon", "tue", "wed", "thu", "fri"))
    assert office.opens_after(at("2026-11-27T16:00")) == at("2026-11-30T08:00")
    assert office.opens_after(at("2026-11-30T10:00")) == at("2026-11-30T10:00")


def test_a_window_is_longer_on_the_night_clocks_go_back() -> None:
    night = berlin(22, 6)
    length = {
        day: to_instant(date(2026, 10, day + 1), time(6), "Europe/Berlin")
        - to_instant(date(2026, 10, day), time(22), "Europe/Berlin")
        for day in (23, 24)
    }
    assert length == {23: timedelta(hours=8), 24: timedelta(hours=9)}
    assert night.hold(at("2026-10-25T04:30"))


@pytest.mark.parametrize(
    ("zone", "opens", "closes", "eve", "next_one"),
    [
        ("Europe/Berlin", time(2), time(3), "2027-03-27T20:00", "2027-04-04T00:00"),
        ("America/New_York", time(2), time(3), "2027-03-13T20:00", "2027-03-21T06:00"),
        ("Australia/Lord_Howe", time(2), time(2, 30), "2027-10-01T20:00", "2027-10-09T15:00"),
    ],
)
def test_a_weekly_window_that_clocks_skip_opens_a_week_later(
    zone: str, opens: time, closes: time, eve: str, next_one: str
) -> None:
    skipped = Hours(opens, closes, zone, ("sun",))
    assert skipped.opens_after(at(eve)) == at(next_one)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "Sun 2026-10-25 02:30 CET"),
        ("America/Los_Angeles", "Sat 2026-10-24 18:30 PDT"),
        ("America/Sao_Paulo", "Sat 2026-10-24 22:30 UTC-03"),
        ("Asia/Kathmandu", "Sun 2026-10-25 07:15 UTC+0545"),
        ("UTC", "Sun 2026-10-25 01:30 UTC"),
    ],
)
def test_an_instant_is_shown_as_the_clocks_of_its_zone_do(zone: str, shown: str) -> None:
    assert local_text(at("2026-10-25T01:30"), zone) == shown


@given(
    now=st.integers(0, 3 * 365 * 86_400).map(lambda s: NOW + timedelta(seconds=s)),
    opens=st.times(),
    closes=st.times(),
    zone=st.sampled_from(ZONES),
    days=st.sets(st.sampled_from(DAYS), min_size=1).map(lambda s: tuple(sorted(s))),
)
def test_hours_open_hold_and_close_in_that_order(
    now: datetime, opens: time, closes: time, zone: str, days: tuple[str, ...]
) -> None:
    hours = Hours(opens, closes, zone, days)
    start = hours.opens_after(now)
    assert start >= now
    assert hours.hold(start)
    end = hours.closes_after(start)
    assert end is not None
    assert end > start
    assert hours.hold(now) is (start == now)
    assert hours.hold(end - timedelta(microseconds=1))
