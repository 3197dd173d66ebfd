"""Reminders, corrections, gaps and double bookings: what is told, and that it is told once."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.hours import Hours
from rules.rotation import OnCall, Span
from rules.schedule.reminders import (
    Notice,
    NoticeKind,
    beliefs,
    corrections,
    double_warnings,
    gap_warnings,
    nobody_warnings,
    quiet_until,
    reminders,
    turns,
)
from tests.rules.build import ANA, BO, CY, DAY, HOUR, MINUTE, NOW

WEEK = 7 * DAY
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def span(start: datetime, end: datetime, *people: str, role: str = "primary") -> Span:
    return Span(start, end, "data", role, people)


def nobody_is_quiet(_person: str) -> Hours | None:
    return None


def berlin_nights(_person: str) -> Hours | None:
    return Hours(time(22), time(8), "Europe/Berlin")


def due(on_call: OnCall, now: datetime, told: list[Notice], quiet=nobody_is_quiet) -> list[Notice]:
    made = list(reminders(turns(on_call, now), told, now, quiet=quiet).notices)
    told += [replace(one, told_at=now) for one in made]
    return made


WEEKS = OnCall(
    [
        span(MONDAY - WEEK, MONDAY, CY),
        span(MONDAY, MONDAY + WEEK, ANA),
        span(MONDAY + WEEK, MONDAY + 2 * WEEK, BO),
    ]
)


def played(
    on_call: OnCall, start: datetime, end: datetime, step: timedelta, quiet=nobody_is_quiet
) -> list[tuple[datetime, str]]:
    told: list[Notice] = []
    said = []
    while start <= end:
        said += [(start, one.person) for one in due(on_call, start, told, quiet)]
        start += step
    return said


def test_a_shift_is_announced_a_week_a_day_and_an_hour_before() -> None:
    said = played(WEEKS, MONDAY - 8 * DAY, MONDAY + HOUR, 10 * MINUTE)
    assert [at for at, person in said if person == ANA] == [
        MONDAY - WEEK,
        MONDAY - DAY,
        MONDAY - HOUR,
    ]
    assert [at for at, person in said if person == BO] == [MONDAY]


def test_looking_twice_tells_once() -> None:
    told: list[Notice] = []
    assert len(due(WEEKS, MONDAY - DAY, told)) == 1
    assert due(WEEKS, MONDAY - DAY + MINUTE, told) == []


def test_touching_spans_of_one_person_are_one_shift() -> None:
    split = OnCall(
        [
            span(MONDAY, MONDAY + DAY, ANA),
            span(MONDAY + DAY, MONDAY + 2 * DAY, ANA, BO),
            span(MONDAY + 2 * DAY, MONDAY + 3 * DAY, ANA),
        ]
    )
    told: list[Notice] = []
    (notice,) = due(split, MONDAY - HOUR, told)
    assert (notice.start, notice.end) == (MONDAY, MONDAY + 3 * DAY)
    assert [n.person for n in due(split, MONDAY, told)] == [BO]


def test_a_cover_in_the_middle_is_a_pause_of_one_shift() -> None:
    noon = MONDAY + 2 * DAY + 3 * HOUR
    covered = OnCall(
        [
            span(MONDAY, noon, ANA),
            span(noon, noon + 2 * HOUR, BO),
            span(noon + 2 * HOUR, MONDAY + WEEK, ANA),
        ]
    )
    told: list[Notice] = []
    (notice,) = due(covered, MONDAY - WEEK, told)
    assert notice.end == MONDAY + WEEK
    said = played(covered, MONDAY, MONDAY + WEEK, 10 * MINUTE)
    assert [at for at, person in said if person == ANA] == [noon + HOUR]


def test_a_long_downtime_skips_what_is_too_late() -> None:
    told: list[Notice] = []
    assert due(WEEKS, MONDAY - 6 * DAY, told) == []
    assert len(due(WEEKS, MONDAY - DAY + 5 * HOUR, told)) == 1
    assert due(WEEKS, MONDAY - 30 * MINUTE, told) == []
    assert len(due(WEEKS, MONDAY - 50 * MINUTE, told)) == 1


def test_quiet_hours_put_it_off_to_the_morning() -> None:
    seven = MONDAY.replace(hour=6)
    early = OnCall([span(seven, seven + 8 * HOUR, ANA)])
    said = played(early, seven - 8 * DAY, seven, 10 * MINUTE, berlin_nights)
    morning = seven + HOUR
    assert [at for at, _ in said] == [
        morning - WEEK,
        morning - DAY,
        seven - 9 * HOUR - 10 * MINUTE,
    ], "the hour before is at night: it is said the evening before"


@pytest.mark.parametrize(("opens", "closes"), [(time(0), time(0)), (time(0), time(23, 50))])
def test_quiet_hours_of_nearly_all_day_leave_the_last_reminder(opens: time, closes: time) -> None:
    hours = Hours(opens, closes, "UTC")
    told = [n for n in due(WEEKS, MONDAY - HOUR, [], lambda _person: hours) if n.person == ANA]
    assert [notice.start for notice in told] == [MONDAY]


def test_quiet_hours_are_those_of_the_person_across_a_clock_change() -> None:
    """Berlin leaves summer time on 25 October: its morning comes an hour later in UTC."""
    monday = datetime(2026, 10, 26, 6, 30, tzinfo=UTC)
    said = played(
        OnCall([span(monday, monday + DAY, ANA)]),
        monday - 2 * DAY, monday, 10 * MINUTE, berlin_nights,
    )  # fmt: skip
    assert said[0][0] == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)


def test_the_plan_says_when_to_look_again() -> None:
    plan = reminders(turns(WEEKS, MONDAY - 2 * DAY), [], MONDAY - 2 * DAY, quiet=nobody_is_quiet)
    assert plan.again == MONDAY - DAY


def corrected(
    on_call: OnCall, now: datetime, told: list[Notice], quiet=nobody_is_quiet
) -> list[Notice]:
    made = list(corrections(turns(on_call, now), told, now, quiet=quiet))
    told += [replace(one, told_at=now) for one in made]
    return made


def test_who_was_told_of_a_shift_hears_that_it_moved() -> None:
    told: list[Notice] = []
    due(WEEKS, MONDAY - WEEK, told)
    moved = OnCall([span(MONDAY + HOUR, MONDAY + WEEK, ANA)])
    (notice,) = corrected(moved, MONDAY - 5 * DAY, told)
    assert (notice.kind, notice.person) == (NoticeKind.MOVED, ANA)
    assert (notice.was, notice.start) == (MONDAY, MONDAY + HOUR)
    assert corrected(moved, MONDAY - 5 * DAY + MINUTE, told) == []
    assert beliefs(told)["data", "primary", ANA] == {MONDAY + HOUR: MONDAY + WEEK}
    assert len(due(moved, MONDAY - DAY + HOUR, told)) == 1


def test_who_was_told_of_a_shift_hears_that_it_is_off_and_on_again() -> None:
    told: list[Notice] = []
    due(WEEKS, MONDAY - DAY, told)
    other = OnCall([span(MONDAY, MONDAY + WEEK, BO)])
    (notice,) = corrected(other, MONDAY - DAY + HOUR, told)
    assert (notice.kind, notice.was) == (NoticeKind.CANCELLED, MONDAY)
    assert corrected(other, MONDAY - DAY + 2 * HOUR, told) == []
    assert [n.person for n in due(WEEKS, MONDAY - DAY + 3 * HOUR, told)] == [ANA]
    assert beliefs(told)["data", "primary", ANA] == {MONDAY: MONDAY + WEEK}


def test_an_earlier_end_is_a_correction_and_a_cover_in_the_middle_is_none() -> None:
    told: list[Notice] = []
    due(WEEKS, MONDAY - WEEK, told)
    covered = OnCall(
        [
            span(MONDAY, MONDAY + DAY, ANA),
            span(MONDAY + DAY, MONDAY + DAY + HOUR, BO),
            span(MONDAY + DAY + HOUR, MONDAY + WEEK, ANA),
        ]
    )
    assert corrected(covered, MONDAY - 6 * DAY, told) == []
    shorter = OnCall([span(MONDAY, MONDAY + 3 * DAY, ANA)])
    (notice,) = corrected(shorter, MONDAY - 6 * DAY, told)
    assert (notice.kind, notice.start, notice.end) == (NoticeKind.MOVED, MONDAY, MONDAY + 3 * DAY)
    assert due(shorter, MONDAY - 6 * DAY - 23 * HOUR, told) == [], "it is no new shift"


def test_nobody_is_corrected_who_was_told_nothing_or_whose_shift_began() -> None:
    told: list[Notice] = []
    other = OnCall([span(MONDAY, MONDAY + WEEK, BO)])
    assert corrected(other, MONDAY - DAY, told) == []
    due(WEEKS, MONDAY - HOUR, told)
    assert corrected(other, MONDAY + HOUR, told) == []


def test_a_correction_waits_for_the_morning_unless_that_is_too_late() -> None:
    told: list[Notice] = []
    due(WEEKS, MONDAY - WEEK, told)
    other = OnCall([span(MONDAY, MONDAY + WEEK, BO)])
    night = MONDAY - 2 * DAY - 10 * HOUR
    assert corrected(other, night, list(told), berlin_nights) == []
    assert len(corrected(other, night + 8 * HOUR, list(told), berlin_nights)) == 1
    early = [replace(one, start=MONDAY - 3 * HOUR) for one in told]
    assert len(corrected(other, MONDAY - 8 * HOUR, early, berlin_nights)) == 1


def test_a_gap_is_one_however_it_is_looked_at() -> None:
    holed = OnCall([span(NOW - DAY, NOW + HOUR, ANA), span(NOW + 5 * HOUR, NOW + 40 * DAY, BO)])
    ahead, running = (list(gap_warnings(holed, now)) for now in (NOW, NOW + 2 * HOUR))
    assert [(g.start, g.end) for g in ahead] == [(NOW + HOUR, NOW + 5 * HOUR)]
    assert [g.key for g in ahead] == [g.key for g in running]
    assert list(gap_warnings(holed, NOW + 5 * HOUR)) == [], "what is past is nobody's business"


def test_a_roster_that_ends_is_one_gap_day_after_day() -> None:
    ends = OnCall([span(NOW - DAY, NOW + 10 * DAY, ANA)])
    keys = {g.key for day in range(20) for g in gap_warnings(ends, NOW + day * DAY)}
    assert len(keys) == 1


def test_a_roster_without_any_shift_is_told_of_once_a_day() -> None:
    nobody = OnCall([])
    assert list(gap_warnings(nobody, NOW)) == [], "no role is known that could be empty"
    midnight = NOW.replace(hour=0, minute=0)
    told = [n for hour in range(47) for n in nobody_warnings(nobody, midnight + hour * HOUR)]
    assert {n.kind for n in told} == {NoticeKind.NOBODY}
    assert len(told) == 47
    assert len({n.key for n in told}) == 2
    assert list(nobody_warnings(WEEKS, NOW)) == []


def test_one_person_in_two_roles_is_told_once() -> None:
    twice = OnCall(
        [span(NOW, NOW + DAY, ANA), span(NOW + HOUR, NOW + 9 * HOUR, ANA, role="secondary")]
    )
    seen = [n for hour in range(10) for n in double_warnings(twice, NOW + hour * HOUR)]
    assert {n.key for n in seen} == {seen[0].key}
    assert seen[0].person == ANA
    assert seen[0].role == "primary of data and secondary of data"
    assert list(double_warnings(twice, NOW + 9 * HOUR)) == []


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), min_size=1, max_size=8),
    st.sampled_from([7, 20, 60, 180]),
)
def test_no_shift_is_announced_twice_for_one_stage_or_after_it_began(
    stretches: list[tuple[int, int]], minutes: int
) -> None:
    spans, free = [], NOW
    for wait, length in stretches:
        start = free + wait * HOUR
        free = start + length * HOUR
        spans.append(span(start, free, ANA))
    told: list[Notice] = []
    on_call, now = OnCall(spans), NOW - 8 * DAY
    while now < NOW + 4 * DAY:
        for notice in due(on_call, now, told):
            assert notice.start > now
        now += minutes * MINUTE
    keys = [notice.key for notice in told]
    assert len(keys) == len(set(keys))
    assert not corrected(on_call, now, told)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - given UTC below
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.sampled_from([(22, 8), (0, 6), (9, 17), (3, 2)]),
)
def test_quiet_hours_are_the_hours_of_every_day(
    when: datetime, zone: str, limits: tuple[int, int]
) -> None:
    hours = Hours(time(limits[0]), time(limits[1]), zone)
    at = when.replace(tzinfo=UTC)
    assert quiet_until(hours, at) == hours.closes_after(at)


def test_planning_for_twenty_rotations_takes_no_noticeable_time() -> None:
    """Twice a minute, in the loop that also answers Slack."""
    days = OnCall(
        Span(NOW + n * DAY, NOW + (n + 1) * DAY, f"r{r}", role, ((ANA, BO, CY)[n % 3],))
        for r in range(20)
        for role in ("primary", "secondary", "shadow")
        for n in range(-40, 400)
    )
    began = thread_time()
    plan = reminders(turns(days, NOW), [], NOW, quiet=berlin_nights)
    assert thread_time() - began < 1
    assert plan.again is not None
