"""The clock of one expected run: what a run serves, what is missed, and what a change does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alert import AlertStatus
from rules.cron import Schedule
from rules.expected_runs import (
    MOST_OCCASIONS,
    Expectation,
    ExpectedRuns,
    Outcome,
    Standing,
    adapt,
    begin,
    judge,
    observe,
    retire,
)
from rules.run import BACKFILL, Run, RunState

DAILY = Expectation(name="shop", schedule=Schedule("0 5 * * *"), source="a", pipeline="p")
FREQUENT = replace(DAILY, schedule=Schedule("*/5 * * * *"))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIVE = datetime(2026, 11, 23, 5, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def run(at: datetime, **more: object) -> Run:
    usual = Run(source="a", pipeline="p", run_id="r", state=RunState.STARTED, started_at=at)
    return replace(usual, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "moment", "occasion"),
    [
        (DAILY, FIVE, FIVE),
        (DAILY, FIVE - 5 * MINUTE, FIVE),
        (DAILY, FIVE - 6 * MINUTE, FIVE - DAY),
        (DAILY, FIVE + 23 * 60 * MINUTE, FIVE),
        (FREQUENT, FIVE + 3 * MINUTE, FIVE),
        (FREQUENT, FIVE + 4.6 * MINUTE, FIVE + 5 * MINUTE),
    ],
)
def test_the_occasion_a_run_is_for(one: Expectation, moment: datetime, occasion: datetime) -> None:
    assert one.occasion_of(moment) == occasion


def test_counting_begins_with_the_next_occasion() -> None:
    standing = begin(DAILY, NOON)
    assert (standing.due_at, standing.look_at) == (FIVE, FIVE + DAILY.grace)


def test_before_the_deadline_nothing_is_judged() -> None:
    standing = begin(DAILY, NOON)
    judged = judge(standing, DAILY, FIVE + DAILY.grace - timedelta(seconds=1))
    assert (judged.standing, judged.occasions, judged.alert) == (standing, (), None)


def test_the_words_say_when_and_since_when() -> None:
    one = replace(DAILY, schedule=Schedule("0 5 * * *", "Europe/Berlin"), labels={"dag_id": "x"})
    standing = replace(begin(one, NOON), seen_at=FIVE - DAY)
    alert = judge(standing, one, FIVE).alert
    assert alert is not None
    assert alert.title == "shop was due at 05:00 and has not started"
    assert "on 2026-11-22 at 06:00 (Europe/Berlin)" in alert.description
    assert (alert.status, alert.labels["dag_id"]) == (AlertStatus.FIRING, "x")
    never = judge(begin(one, NOON), one, FIVE + 3 * DAY).alert
    assert never is not None
    assert "4 occasions in a row" in never.title
    assert "No run of it has ever been seen" in never.description


def test_a_long_absence_keeps_the_newest_occasions() -> None:
    judged = judge(begin(FREQUENT, NOON), FREQUENT, NOON + 30 * DAY)
    assert len(judged.occasions) == MOST_OCCASIONS
    assert judged.standing.missed == 30 * 288 - 3
    assert judged.occasions[-1].due_at == judged.standing.missed_at


def test_one_run_serves_every_occasion_whose_grace_it_is_in() -> None:
    standing = begin(FREQUENT, FIVE)
    judged = observe(standing, FREQUENT, run(FIVE + 15 * MINUTE), FIVE + 15 * MINUTE)
    assert judged is not None
    assert [one.outcome for one in judged.occasions] == [Outcome.STARTED] * 3
    late = observe(standing, FREQUENT, run(FIVE + 25 * MINUTE), FIVE + 25 * MINUTE)
    assert late is not None
    assert [one.outcome for one in late.occasions] == [Outcome.MISSED, *[Outcome.STARTED] * 4]


def test_what_is_told_late_started_in_time() -> None:
    missed = judge(begin(DAILY, NOON), DAILY, FIVE + DAILY.grace).standing
    told = run(FIVE + MINUTE, state=RunState.SUCCEEDED, ended_at=FIVE + 60 * MINUTE)
    judged = observe(missed, DAILY, told, FIVE + 60 * MINUTE)
    assert judged is not None
    assert judged.alert is not None
    assert judged.alert.title == "shop started in time, and its source told of it late"
    assert judged.standing.missed_at is None
    assert judged.amended[0].seen_at == FIVE + MINUTE


@pytest.mark.parametrize(("late", "told"), [(52, "52 s"), (61, "1 min"), (3_725, "1 h 2 min")])
def test_how_late_it_started_is_told(late: int, told: str) -> None:
    hasty = replace(DAILY, grace=timedelta(seconds=25))
    missed = judge(begin(hasty, NOON), hasty, FIVE + hasty.grace).standing
    judged = observe(missed, hasty, run(FIVE + timedelta(seconds=late)), FIVE + timedelta(hours=2))
    assert judged is not None
    assert judged.alert is not None
    assert judged.alert.title == f"shop started {told} late"


def test_a_run_of_the_future_is_no_run_of_the_future() -> None:
    judged = observe(begin(DAILY, NOON), DAILY, run(NOON + 3 * DAY), NOON)
    assert judged is not None
    assert judged.standing.due_at == FIVE


def test_a_backfill_serves_nothing() -> None:
    assert observe(begin(DAILY, NOON), DAILY, run(FIVE, kind=BACKFILL), FIVE) is None


@pytest.mark.parametrize(
    ("changed", "due_at"),
    [
        (DAILY, FIVE),
        (replace(DAILY, grace=30 * MINUTE), FIVE),
        (replace(DAILY, schedule=Schedule("0 * * * *")), FIVE),
        (replace(DAILY, schedule=Schedule("0 6 * * *")), FIVE + 60 * MINUTE),
    ],
)
def test_a_change_within_the_grace(changed: Expectation, due_at: datetime) -> None:
    judged = adapt(begin(DAILY, NOON), changed, FIVE + 10 * MINUTE)
    assert judged.standing.due_at == due_at
    assert judged.standing.look_at == due_at + changed.grace
    assert judged.standing.rule == changed.rule


def test_a_change_does_not_ask_again_for_what_has_started() -> None:
    standing = replace(begin(DAILY, NOON), seen_at=FIVE + 58 * MINUTE, due_at=FIVE + DAY)
    later = replace(DAILY, schedule=Schedule("0 6 * * *"))
    judged = adapt(standing, later, FIVE + 59 * MINUTE)
    assert judged.standing.due_at == FIVE + DAY + 60 * MINUTE


def test_what_is_gone_ends_and_what_is_back_soon_goes_on() -> None:
    missed = judge(begin(DAILY, NOON), DAILY, FIVE + DAILY.grace).standing
    gone = retire(missed, FIVE + 20 * MINUTE)
    assert gone.alert is not None
    assert gone.alert.status is AlertStatus.RESOLVED
    assert gone.standing.look_at is None
    back = adapt(gone.standing, DAILY, FIVE + 30 * MINUTE).standing
    assert (back.due_at, back.retired_at) == (FIVE + DAY, None)
    much_later = adapt(gone.standing, DAILY, FIVE + 9 * DAY).standing
    assert much_later.due_at == FIVE + 10 * DAY


def test_of_two_with_one_name_the_first_stays() -> None:
    other = replace(DAILY, pipeline="q")
    found = ExpectedRuns([DAILY, other])
    assert list(found) == [DAILY]
    assert found.of_pipeline("a", "q") == ()


STEPS = st.lists(
    st.tuples(st.integers(1, 3_000), st.sampled_from(["look", "run", "old run"])), max_size=40
)


@given(st.sampled_from([DAILY, FREQUENT]), STEPS)
def test_every_occasion_is_decided_once_and_at_most_one_alert_is_open(
    one: Expectation, steps: list[tuple[int, str]]
) -> None:
    now, standing, firing = NOON, begin(one, NOON), False
    decided: list[datetime] = []
    for minutes, what in steps:
        now += minutes * MINUTE
        if what == "look":
            judged = judge(standing, one, now)
            assert judged.standing.look_at is not None
            assert judged.standing.look_at > now
        else:
            began = now if what == "run" else now - 30 * MINUTE
            found = observe(standing, one, run(began), now)
            assert found is not None
            judged = found
        decided += [occasion.due_at for occasion in judged.occasions]
        if judged.alert:
            assert firing or judged.alert.status is AlertStatus.FIRING
            firing = judged.alert.status is AlertStatus.FIRING
        standing = judged.standing
        assert firing is (standing.missed_at is not None)
    assert decided == sorted(set(decided))
    begun: Standing = begin(one, NOON)
    if decided and len(decided) < MOST_OCCASIONS:
        assert begun.due_at == decided[0]
