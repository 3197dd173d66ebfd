"""Budgets of time and of days: what was promised, what is used, what is left, when to say so."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.budget import (
    BURN_RULES,
    Alarm,
    DeliveryRecord,
    FewEventRules,
    Objective,
    TimeBudget,
    alarm,
    allowed_share,
    burning,
    downtime,
    outcomes,
    time_within,
    unreachable,
)
from rules.hours import DAYS, Hours
from rules.sentence import plain
from rules.sla import FreshBy
from tests.rules.build import DAY, HOUR, MINUTE, NOW

MONTH = 30 * DAY
OFFICE = Hours(time(9), time(18), "Europe/Amsterdam", DAYS[:5])
WORKDAYS = FreshBy(time(9), "Europe/Amsterdam", DAYS[:5])
SLO_95 = Objective(95, 60)


def record(misses: tuple[int, ...], objective: Objective = SLO_95, due: int = 60) -> DeliveryRecord:
    """Build a record with misses so many due days ago, 0 for the newest."""
    return DeliveryRecord(objective, tuple(n not in misses for n in reversed(range(due))))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "days", "minutes"),
    [(99.9, 30, 43.2), (99.9, 28, 40.32), (99.9, 90, 129.6), (99, 30, 432), (100, 30, 0)],
)
def test_the_budget_of_an_availability(percent: float, days: int, minutes: float) -> None:
    assert TimeBudget(percent, days * DAY).allowed == timedelta(minutes=minutes)


def test_one_incident_against_the_budget() -> None:
    budget = TimeBudget(99.9, MONTH, 37 * MINUTE)
    assert round(100 * budget.used, 1) == 85.6
    assert budget.left == timedelta(minutes=6.2)


def test_one_outage_can_use_more_than_all() -> None:
    budget = TimeBudget(99.9, MONTH, 2 * HOUR)
    assert round(budget.achieved, 3) == 99.722
    assert round(100 * budget.used) == 278
    assert budget.left == timedelta(minutes=-76.8)


def test_lateness_in_minutes_of_the_consumers_day() -> None:
    day = time_within(OFFICE, at("2026-11-20T00:00"), at("2026-11-21T00:00"))
    assert day == 540 * MINUTE
    late = time_within(OFFICE, at("2026-11-20T08:00"), at("2026-11-20T09:30"))
    assert late == 90 * MINUTE
    assert round(TimeBudget(99, day, late).achieved, 1) == 83.3
    month = TimeBudget(99, 22 * day, late)
    assert month.total == 11_880 * MINUTE
    assert month.allowed == timedelta(minutes=118.8)
    assert round(100 * month.used, 1) == 75.8


def test_time_outside_of_the_consumers_hours_does_not_count() -> None:
    friday, monday = at("2026-11-20T16:00"), at("2026-11-23T09:00")
    assert time_within(OFFICE, friday, monday) == 2 * HOUR
    assert time_within(OFFICE, at("2026-11-21T00:00"), at("2026-11-22T00:00")) == timedelta(0)
    assert time_within(OFFICE, monday, friday) == timedelta(0)


def test_no_time_at_all_breaks_nothing() -> None:
    empty = TimeBudget(99.9, timedelta(0))
    assert (empty.achieved, empty.used, empty.left) == (100.0, 0.0, timedelta(0))
    assert TimeBudget(100, MONTH, MINUTE).used == float("inf")


def test_overlapping_outages_count_once() -> None:
    outages = [
        (NOW + 1 * HOUR, NOW + 3 * HOUR),
        (NOW + 2 * HOUR, NOW + 4 * HOUR),
        (NOW + 2 * HOUR, NOW + 3 * HOUR),
        (NOW - 5 * HOUR, NOW + 15 * MINUTE),
        (NOW + 9 * HOUR, NOW + 99 * HOUR),
    ]
    assert downtime(outages, NOW, NOW + 10 * HOUR) == 15 * MINUTE + 3 * HOUR + HOUR
    assert downtime([], NOW, NOW + DAY) == timedelta(0)


_hours = st.integers(0, 48).map(lambda n: NOW + n * HOUR)


@given(st.lists(st.tuples(_hours, _hours), max_size=8), _hours, _hours)
def test_downtime_is_what_counting_hours_gives(
    outages: list[tuple[datetime, datetime]], start: datetime, end: datetime
) -> None:
    down = [
        n
        for n in range(48)
        if start <= NOW + n * HOUR < end and any(a <= NOW + n * HOUR < b for a, b in outages)
    ]
    assert downtime(outages, start, end) == len(down) * HOUR


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_an_objective_is_a_percentage(percent: float) -> None:
    with pytest.raises(ValueError, match="above 0 % and at most 100 %"):
        allowed_share(percent)


# --- burn ----------------------------------------------------------------------------------


def test_burn_windows_of_a_month() -> None:
    allowed = float(allowed_share(99.9))
    seen = [
        (
            rule.threshold(MONTH),
            rule.within,
            rule.short,
            rule.alarm,
            rule.threshold(MONTH) * allowed,
        )
        for rule in BURN_RULES
    ]
    assert [row[1:4] for row in seen] == [
        (HOUR, 5 * MINUTE, Alarm.PAGE),
        (6 * HOUR, 30 * MINUTE, Alarm.PAGE),
        (3 * DAY, 6 * HOUR, Alarm.TICKET),
    ]
    assert [row[0] for row in seen] == pytest.approx([14.4, 6, 1])
    assert [row[4] for row in seen] == pytest.approx([0.0144, 0.006, 0.001])


@pytest.mark.parametrize(
    ("outages", "rule"),
    [
        ([(NOW - 2 * MINUTE, NOW)], BURN_RULES[0]),  # 3.3 % of the hour
        ([(NOW - 30 * MINUTE, NOW - 20 * MINUTE)], BURN_RULES[1]),  # out of the last five minutes
        ([(NOW - 50 * MINUTE, NOW - 40 * MINUTE)], BURN_RULES[2]),  # and of the last thirty
        ([(NOW - 8 * HOUR, NOW - 7 * HOUR)], None),  # long over
        ([(NOW - 50 * MINUTE, NOW - 50 * MINUTE + 10 * timedelta(seconds=1))], None),
        ([(NOW - 5 * HOUR, NOW - 5 * HOUR + 3 * MINUTE), (NOW - MINUTE / 2, NOW)], BURN_RULES[1]),
        ([(NOW - 2 * DAY, NOW - 2 * DAY + 5 * MINUTE), (NOW - 3 * HOUR, NOW - 3 * HOUR + MINUTE)],
         BURN_RULES[2]),
        ([], None),
    ],
)  # fmt: skip
def test_fast_burns_page_and_slow_ones_make_a_ticket(
    outages: list[tuple[datetime, datetime]], rule: object
) -> None:
    assert burning(99.9, MONTH, outages, NOW) == rule


# --- deliveries ----------------------------------------------------------------------------


def test_two_misses_in_sixty_due_days() -> None:
    two = record((10, 30))
    assert SLO_95.allowed_misses == 3
    assert two.misses == 2
    assert round(two.achieved, 2) == 96.67
    assert round(100 * two.used, 1) == 66.7
    assert round(100 * two.left, 1) == 33.3


def test_two_misses_in_five_burn_eight_times_too_fast() -> None:
    assert record((0, 3)).burn(5) == pytest.approx(8)
    assert record((0, 6)).burn(5) == pytest.approx(4)
    assert record((6, 7)).burn(5) == 0


def test_only_the_window_counts() -> None:
    assert record((60, 61), due=80).misses == 0
    assert record((59, 60), due=80).misses == 1


def test_nothing_due_yet_is_a_kept_promise() -> None:
    empty = DeliveryRecord(SLO_95)
    assert (empty.achieved, empty.used, empty.burn(5), alarm(empty)) == (100.0, 0.0, 0.0, None)


def test_one_miss_of_an_unreachable_objective_uses_it_all() -> None:
    thirty = DeliveryRecord(Objective(99, 30), (True,) * 29 + (False,))
    assert round(100 * thirty.used) == 333
    assert thirty.objective.allowed_misses == 0


@pytest.mark.parametrize(
    ("percent", "due", "said"),
    [
        (99, 30, "99% over 30 due days allows 0.3 misses; promise 95% or count over 100 days."),
        (99, 99, "99% over 99 due days allows 0.99 misses; promise 98% or count over 100 days."),
        (99, 100, None),
        (95, 19, "95% over 19 due days allows 0.95 misses; promise 90% or count over 20 days."),
        (95, 20, None),
        (
            99.9,
            60,
            "99.9% over 60 due days allows 0.06 misses; promise 98% or count over 1000 days.",
        ),
        (95, 1, "95% over 1 due days allows 0.05 misses; count over 20 days."),
        (100, 1000, "100% over 1000 due days allows 0 misses; promise 99.9%."),
        (100, 1, "100% over 1 due days allows 0 misses; promise less."),
    ],
)
def test_an_objective_out_of_reach_is_said_so(percent: float, due: int, said: str | None) -> None:
    sentence = unreachable(Objective(percent, due))
    if said is None:
        assert sentence is None
        return
    assert sentence is not None
    start = "This objective cannot be reached with one delivery a day: "
    assert sentence.render(plain) == start + said


@pytest.mark.parametrize(
    ("misses", "found", "rule", "said"),
    [
        ((), None, "", ""),
        ((3,), None, "", ""),  # already said when it was missed
        ((0,), Alarm.TICKET, "slo.miss", "Missed; 1 of 3 allowed misses are used."),
        ((0, 4), Alarm.PAGE, "slo.misses", "2 of the last 5 due days were missed."),
        ((0, 5), Alarm.PAGE, "slo.budget", "33 % of the budget is left, for 60 due days."),
        ((0, 20, 30, 40), Alarm.PAGE, "slo.budget", "0 % of the budget is left, for 60 due days."),
    ],
)
def test_few_events_have_rules_of_their_own(
    misses: tuple[int, ...], found: Alarm | None, rule: str, said: str
) -> None:
    told = alarm(record(misses))
    if found is None:
        assert told is None
        return
    assert told is not None
    assert (told[0], told[1].rule, told[1].sentence.render(plain)) == (found, rule, said)


def test_the_rules_for_few_events_are_data() -> None:
    lenient = FewEventRules(misses=3, of_last=10, left_below=0)
    told = alarm(record((0, 5)), lenient)
    assert told is not None
    assert told[0] is Alarm.TICKET


def test_a_delivery_counts_by_the_deadline_of_its_day() -> None:
    complete = {
        date(2026, 11, 16): at("2026-11-16T07:00"),
        date(2026, 11, 17): at("2026-11-17T08:00"),  # on the dot
        date(2026, 11, 18): at("2026-11-18T08:00:01"),
        # the 19th never came
        date(2026, 11, 21): at("2026-11-21T06:00"),  # a Saturday: not due
        date(2026, 11, 23): at("2026-11-23T02:00"),
    }
    days = (date(2026, 11, 16), date(2026, 11, 24))
    excused = frozenset({date(2026, 11, 20)})
    kept = outcomes(WORKDAYS, complete, days, now=NOW, excused=excused)
    assert kept == (True, True, False, False, True)


def test_what_may_still_come_in_time_is_not_missed() -> None:
    day = (date(2026, 11, 23), date(2026, 11, 24))
    deadline = at("2026-11-23T08:00")
    assert outcomes(WORKDAYS, {}, day, now=NOW) == ()
    assert outcomes(WORKDAYS, {}, day, now=deadline) == ()
    assert outcomes(WORKDAYS, {}, day, now=deadline + MINUTE) == (False,)


def test_what_came_this_instant_counts() -> None:
    day = (date(2026, 11, 23), date(2026, 11, 24))
    assert outcomes(WORKDAYS, {day[0]: NOW}, day, now=NOW) == (True,)


def test_thresholds_of_burn_are_inclusive() -> None:
    exact = [(NOW - timedelta(seconds=51.84), NOW)]  # 14.4 times a thousandth of an hour
    short = [(exact[0][0] + timedelta(milliseconds=1), NOW)]
    assert burning(99.9, MONTH, exact, NOW) == BURN_RULES[0]
    assert burning(99.9, MONTH, short, NOW) != BURN_RULES[0]


def test_a_budget_right_at_the_limit_is_not_below_it() -> None:
    half = DeliveryRecord(Objective(90, 20), (True,) * 19 + (False,))
    told = alarm(half, FewEventRules(left_below=50))
    assert told is not None
    assert told[0] is Alarm.TICKET
