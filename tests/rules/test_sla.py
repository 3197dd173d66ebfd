"""Promises fall due on local days; a fault grows more urgent as its deadline nears."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from whenever import ZonedDateTime

from rules.hours import DAYS, Hours
from rules.priority import Urgency
from rules.sentence import plain
from rules.sla import (
    Availability,
    Effort,
    FreshBy,
    MaxAge,
    TimeToDetect,
    TimeToRepair,
    UrgencyThresholds,
    deadline_at_stake,
    due_days,
    last_responsible_moment,
    next_change,
    next_change_of_wrong_data,
    next_deadline,
    slack,
    urgency,
    wrong_data_deadline,
)
from tests.rules.build import DAY, HOUR, MINUTE

AMSTERDAM = "Europe/Amsterdam"
ZONES = (AMSTERDAM, "America/New_York", "Australia/Lord_Howe")
WORKDAYS = FreshBy(time(9), AMSTERDAM, DAYS[:5])
THRESHOLDS = UrgencyThresholds()
EFFORT = Effort(respond=10 * MINUTE, fix=30 * MINUTE, run=55 * MINUTE)
ORDER = list(Urgency)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DEADLINE = at("2026-11-20T08:00")


def said(deadline: datetime | None, now: datetime, effort: Effort = EFFORT) -> str:
    return urgency(deadline, now, effort)[1].sentence.render(plain)


# --- when promises fall due ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "deadline"),
    [
        ("2026-11-20T05:21", "2026-11-20T08:00"),
        ("2026-11-20T08:00", "2026-11-20T08:00"),  # complete at the deadline is in time
        ("2026-11-20T08:00:01", "2026-11-23T08:00"),  # Friday, then Monday
        ("2026-07-14T05:00", "2026-07-14T07:00"),  # an hour earlier in summer
        ("2026-10-23T12:00", "2026-10-26T08:00"),  # clocks go back on the Sunday between
        ("2027-03-26T12:00", "2027-03-29T07:00"),  # and forward on this one
    ],
)
def test_a_local_deadline_is_computed_per_business_day(now: str, deadline: str) -> None:
    assert next_deadline(WORKDAYS, at(now)) == at(deadline)


def test_today_is_the_day_of_the_zone() -> None:
    early = FreshBy(time(1), "Australia/Lord_Howe", ("mon",))
    assert next_deadline(early, at("2026-11-22T13:30")) == at("2026-11-22T14:00")
    late = FreshBy(time(23, 30), "America/New_York", ("sun",))
    assert next_deadline(late, at("2026-11-23T03:00")) == at("2026-11-23T04:30")


def test_holidays_are_not_due() -> None:
    christmas = FreshBy(
        time(9), AMSTERDAM, DAYS[:5], frozenset({date(2026, 12, 25), date(2026, 12, 28)})
    )
    assert next_deadline(christmas, at("2026-12-24T09:00")) == at("2026-12-29T08:00")
    assert christmas.deadline_on(date(2026, 12, 25)) is None
    assert due_days(christmas, date(2026, 12, 23), date(2026, 12, 30)) == (
        date(2026, 12, 23),
        date(2026, 12, 24),
        date(2026, 12, 29),
    )


def test_a_promise_without_due_days_is_never_due() -> None:
    assert next_deadline(FreshBy(time(9), "UTC", ()), DEADLINE) is None


def test_due_days_are_half_open() -> None:
    assert due_days(WORKDAYS, date(2026, 11, 2), date(2026, 12, 2))[-1] == date(2026, 12, 1)
    assert len(due_days(WORKDAYS, date(2026, 11, 2), date(2026, 12, 2))) == 22
    assert due_days(WORKDAYS, date(2026, 11, 2), date(2026, 11, 2)) == ()
    assert due_days(WORKDAYS, date(2026, 11, 3), date(2026, 11, 2)) == ()


def test_what_is_late_stays_at_stake() -> None:
    thursday, monday = date(2026, 11, 19), at("2026-11-23T05:00")
    assert deadline_at_stake(WORKDAYS, at("2026-11-20T09:00"), settled=thursday) == DEADLINE
    assert deadline_at_stake(WORKDAYS, monday, settled=thursday) == DEADLINE
    assert deadline_at_stake(WORKDAYS, monday, settled=date(2026, 11, 20)) == at("2026-11-23T08:00")
    assert deadline_at_stake(WORKDAYS, monday, settled=None) == at("2026-11-23T08:00")


def test_promises_of_a_span_count_from_when_it_began() -> None:
    began = at("2026-11-20T05:00")
    assert next_deadline(MaxAge(6 * HOUR), DEADLINE, since=began) == at("2026-11-20T11:00")
    assert next_deadline(TimeToDetect(HOUR), DEADLINE, since=began) == at("2026-11-20T06:00")
    assert next_deadline(TimeToRepair(4 * HOUR), DEADLINE, since=began) == at("2026-11-20T09:00")
    assert next_deadline(MaxAge(HOUR), DEADLINE) is None
    assert next_deadline(Availability(99.9), DEADLINE, since=began) is None


@given(
    day=st.dates(date(2025, 1, 1), date(2035, 12, 31)),
    clock=st.times().map(lambda t: t.replace(microsecond=0)),
    zone=st.sampled_from(ZONES),
)
@example(date(2027, 3, 28), time(2, 30), AMSTERDAM)
@example(date(2026, 10, 25), time(2, 30), AMSTERDAM)
@example(date(2027, 3, 14), time(2, 30), "America/New_York")
@example(date(2026, 11, 1), time(1, 30), "America/New_York")
@example(date(2027, 10, 3), time(2, 15), "Australia/Lord_Howe")
@example(date(2027, 4, 4), time(1, 45), "Australia/Lord_Howe")
def test_a_second_opinion_on_deadlines_agrees(day: date, clock: time, zone: str) -> None:
    theirs = ZonedDateTime(
        day.year,
        day.month,
        day.day,
        clock.hour,
        clock.minute,
        clock.second,
        tz=zone,
        disambiguation="compatible",
    )
    promise = FreshBy(clock, zone)
    expected = datetime.fromtimestamp(theirs.timestamp(), UTC)
    assert promise.deadline_on(day) == expected
    assert next_deadline(promise, expected) == expected
    assert next_deadline(promise, expected - 22 * HOUR) == expected


@given(
    now=st.integers(0, 4 * 365 * 1440).map(lambda m: at("2025-01-01T00:00") + m * MINUTE),
    clock=st.times(),
    zone=st.sampled_from(ZONES),
    days=st.sets(st.sampled_from(DAYS), min_size=1).map(tuple),
    off=st.sets(st.integers(0, 20), max_size=10),
)
def test_the_next_deadline_is_the_first_of_all_that_lie_ahead(
    now: datetime, clock: time, zone: str, days: tuple[str, ...], off: set[int]
) -> None:
    promise = FreshBy(clock, zone, days, frozenset(now.date() + n * DAY for n in off))
    around = due_days(promise, now.date() - 2 * DAY, now.date() + 100 * DAY)
    ahead = [d for d in map(promise.deadline_on, around) if d is not None and d >= now]
    assert next_deadline(promise, now) == min(ahead)


# --- how urgent that is --------------------------------------------------------------------


def test_the_worked_example_to_the_minute() -> None:
    assert EFFORT.total == 95 * MINUTE
    assert slack(DEADLINE, at("2026-11-20T05:21"), EFFORT) == 64 * MINUTE
    expected = [
        ("05:21", Urgency.MEDIUM, "05:25"),
        ("05:24", Urgency.MEDIUM, "05:25"),
        ("05:25", Urgency.HIGH, "06:25"),
        ("06:24", Urgency.HIGH, "06:25"),
        ("06:25", Urgency.CRITICAL, None),
        ("08:00", Urgency.CRITICAL, None),
        ("23:00", Urgency.CRITICAL, None),
        ("02:24", Urgency.LOW, "02:25"),
        ("02:25", Urgency.MEDIUM, "05:25"),
    ]
    for clock, found, change in expected:
        now = at(f"2026-11-20T{clock}")
        assert urgency(DEADLINE, now, EFFORT)[0] == found, clock
        changes = next_change(DEADLINE, EFFORT, THRESHOLDS, now)
        assert changes == (at(f"2026-11-20T{change}") if change else None), clock
    assert last_responsible_moment(DEADLINE, EFFORT, 30 * MINUTE) == at("2026-11-20T05:55")


def test_the_reason_says_what_it_was_reckoned_from() -> None:
    assert said(DEADLINE, at("2026-11-20T05:21")) == (
        "Medium: 1 h 4 min to spare before 2026-11-20 08:00 UTC, as a repair takes 1 h 35 min."
    )
    assert said(DEADLINE, at("2026-11-20T07:00")) == (
        "Critical: a repair takes 1 h 35 min, and the deadline, 2026-11-20 08:00 UTC, is 1 h away."
    )
    assert said(DEADLINE, at("2026-11-20T06:25")).startswith("Critical: a repair takes 1 h 35 min,")
    assert said(DEADLINE, DEADLINE) == "Critical: the deadline, 2026-11-20 08:00 UTC, has passed."
    assert said(None, DEADLINE) == "Low: no deadline is at stake."
    assert urgency(DEADLINE, DEADLINE, EFFORT)[1].rule == "urgency.critical"


def test_without_a_deadline_nothing_presses_and_nothing_changes() -> None:
    assert urgency(None, DEADLINE, EFFORT)[0] is Urgency.LOW
    assert next_change(None, EFFORT, THRESHOLDS, DEADLINE) is None


def test_thresholds_are_data() -> None:
    patient = UrgencyThresholds(high=10 * MINUTE, medium=20 * MINUTE)
    now = at("2026-11-20T05:21")
    assert urgency(DEADLINE, now, EFFORT, patient)[0] is Urgency.LOW
    assert next_change(DEADLINE, EFFORT, patient, now) == at("2026-11-20T06:05")


def test_equal_thresholds_skip_a_level() -> None:
    steep = UrgencyThresholds(high=HOUR, medium=HOUR)
    assert steep.of(HOUR) is Urgency.HIGH
    assert steep.of(HOUR + timedelta.resolution) is Urgency.LOW


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="must grow"):
        UrgencyThresholds(high=5 * HOUR)
    with pytest.raises(ValueError, match="negative"):
        Effort(fix=-MINUTE)


_minutes = st.integers(0, 4 * 60).map(lambda m: m * MINUTE)
_efforts = st.builds(Effort, respond=_minutes, fix=_minutes, run=_minutes)
_thresholds = (
    st.lists(st.integers(-60, 600), min_size=3, max_size=3)
    .map(sorted)
    .map(lambda m: UrgencyThresholds(m[0] * MINUTE, m[1] * MINUTE, m[2] * MINUTE))
)
_nows = st.integers(-1500, 300).map(lambda m: DEADLINE + m * MINUTE)


@given(now=_nows, later=_minutes, effort=_efforts, thresholds=_thresholds)
def test_urgency_never_falls_while_the_deadline_stands(
    now: datetime, later: timedelta, effort: Effort, thresholds: UrgencyThresholds
) -> None:
    before = urgency(DEADLINE, now, effort, thresholds)[0]
    after = urgency(DEADLINE, now + later, effort, thresholds)[0]
    assert ORDER.index(after) <= ORDER.index(before)


@settings(max_examples=50)
@given(now=_nows, effort=_efforts, thresholds=_thresholds)
def test_the_next_change_is_the_first_minute_that_differs(
    now: datetime, effort: Effort, thresholds: UrgencyThresholds
) -> None:
    def found(when: datetime) -> Urgency:
        return urgency(DEADLINE, when, effort, thresholds)[0]

    seen = (now + n * MINUTE for n in range(1, 2200))
    brute = next((when for when in seen if found(when) != found(now)), None)
    told = next_change(DEADLINE, effort, thresholds, now)
    if told is None:
        assert brute is None
        return
    assert told == brute
    assert found(told - timedelta.resolution) == found(now)


# --- wrong data that is already published --------------------------------------------------

OFFICE = Hours(time(9), time(18), AMSTERDAM, DAYS[:5])


def test_wrong_data_is_due_when_somebody_reads_it() -> None:
    reading, night, friday = at("2026-11-19T10:00"), at("2026-11-19T22:00"), at("2026-11-20T17:00")
    assert wrong_data_deadline(OFFICE, reading) == reading
    assert wrong_data_deadline(OFFICE, night) == DEADLINE
    assert wrong_data_deadline(OFFICE, friday) == at("2026-11-23T08:00")
    assert wrong_data_deadline(None, night) == night


def test_urgency_of_wrong_data_rises_to_the_window_and_falls_after_it() -> None:
    changes = [at("2026-11-20T01:00")]
    for _ in range(5):
        change = next_change_of_wrong_data(OFFICE, EFFORT, THRESHOLDS, changes[-1])
        assert change is not None
        changes.append(change)
    assert changes[1:] == [
        at("2026-11-20T02:25"),  # medium
        at("2026-11-20T05:25"),  # high
        at("2026-11-20T06:25"),  # critical, and so it stays while people read
        at("2026-11-20T17:00"),  # they went home for the weekend: low
        at("2026-11-23T02:25"),
    ]


def test_urgency_of_wrong_data_that_is_always_read_stays() -> None:
    always = Hours(time(0), time(0), "UTC")
    assert next_change_of_wrong_data(None, EFFORT, THRESHOLDS, DEADLINE) is None
    assert next_change_of_wrong_data(always, EFFORT, THRESHOLDS, DEADLINE) is None


@settings(max_examples=50)
@given(
    now=st.integers(0, 14 * 1440).map(lambda m: at("2026-10-19T00:00") + m * MINUTE),
    effort=_efforts,
    thresholds=_thresholds,
)
def test_the_next_change_of_wrong_data_is_the_first_minute_that_differs(
    now: datetime, effort: Effort, thresholds: UrgencyThresholds
) -> None:
    def found(when: datetime) -> Urgency:
        return urgency(wrong_data_deadline(OFFICE, when), when, effort, thresholds)[0]

    told = next_change_of_wrong_data(OFFICE, effort, thresholds, now)
    until = now + 8 * DAY if told is None else told
    before = found(now)
    for n in range(0, int((until - now) / MINUTE), 11):
        assert found(now + n * MINUTE) == before
    if told is not None:
        assert found(told) != before
        assert found(told - MINUTE) == before
