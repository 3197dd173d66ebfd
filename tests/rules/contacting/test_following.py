"""What follows an attempt that failed."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.contacting.following import (
    Fate,
    StepStanding,
    after_failure,
    is_past_slack,
    is_trouble,
    passed_at,
)
from rules.contacting.method import Method

METHODS = (Method.SLACK, Method.EMAIL, Method.VOICE)
AHEAD, TRIED, WENT, FAILED, OFF = (
    Fate.AHEAD, Fate.TRIED, Fate.DELIVERED, Fate.FAILED, Fate.CALLED_OFF
)  # fmt: skip


def standings(*fates: Fate) -> list[StepStanding]:
    return [
        StepStanding(step, method, fate)
        for step, (method, fate) in enumerate(zip(METHODS, fates, strict=True))
    ]


@pytest.mark.parametrize(
    ("fates", "failed", "hastened", "lost"),
    [
        ((FAILED, AHEAD, AHEAD), 0, 1, False),
        ((WENT, FAILED, AHEAD), 1, 2, False),
        ((WENT, AHEAD, FAILED), 2, 1, False),
        ((FAILED, FAILED, FAILED), 2, None, True),
        ((WENT, FAILED, FAILED), 2, None, False),
        ((TRIED, FAILED, FAILED), 2, None, False),
        ((OFF, FAILED, OFF), 1, None, False),
        ((FAILED, OFF, OFF), 0, None, False),
    ],
)
def test_the_next_method_goes_at_once_and_the_end_is_told(
    fates: tuple[Fate, ...], failed: int, hastened: int | None, lost: bool
) -> None:
    found = after_failure(standings(*fates), failed, for_good=True)
    assert (found.hasten.step if found.hasten else None, found.lost) == (hastened, lost)


@pytest.mark.parametrize(
    ("fates", "failed", "hastened"),
    [
        ((TRIED, AHEAD, AHEAD), 0, 1),
        ((TRIED, WENT, AHEAD), 0, None),
        ((TRIED, TRIED, AHEAD), 0, None),
        ((TRIED, TRIED, AHEAD), 1, 2),
        ((TRIED, WENT, WENT), 0, None),
        ((OFF, TRIED, AHEAD), 1, None),
    ],
)
def test_trouble_brings_only_the_very_next_method_forward(
    fates: tuple[Fate, ...], failed: int, hastened: int | None
) -> None:
    found = after_failure(standings(*fates), failed, for_good=False)
    assert (found.hasten.step if found.hasten else None, found.lost) == (hastened, False)


def test_a_page_without_further_steps_is_lost_when_slack_gives_up() -> None:
    alone = [StepStanding(0, Method.SLACK, FAILED)]
    assert after_failure(alone, 0, for_good=True).lost


@pytest.mark.parametrize(
    ("method", "tries", "wait", "trouble"),
    [
        (Method.SLACK, 1, None, True),
        (Method.EMAIL, 1, None, False),
        (Method.EMAIL, 2, None, True),
        (Method.SLACK, 1, 5, False),
        (Method.SLACK, 1, 30, True),
        (Method.NTFY, 9, 5, False),
    ],
)
def test_slack_is_not_waited_for_and_others_are_tried_twice(
    method: Method, tries: int, wait: float | None, trouble: bool
) -> None:
    told = None if wait is None else timedelta(seconds=wait)
    assert is_trouble(method, tries, told_to_wait=told) is trouble


@pytest.mark.parametrize(
    ("due", "opens", "passed"),
    [
        (0, 40, 0),
        (-60, 40, 0),
        (20, 40, 20),
        (-10, 6, 0),
        (0, 15, None),
        (-10, 5, None),
        (-60, 3, None),
        (30, 40, None),
        (60, 40, None),
    ],
)
def test_a_shut_service_is_passed_when_its_step_is_due_unless_it_opens_soon(
    due: int, opens: int, passed: int | None
) -> None:
    now = datetime(2026, 3, 4, 3, tzinfo=UTC)
    found = passed_at(now + timedelta(seconds=due), now + timedelta(seconds=opens), now)
    assert found == (None if passed is None else now + timedelta(seconds=passed))


@pytest.mark.parametrize(
    ("seconds", "fails", "passed"),
    [(3, True, False), (4, True, True), (15, False, False), (16, False, True)],
)
def test_slack_is_passed_when_it_fails_and_when_it_asks_for_a_long_wait(
    seconds: int, *, fails: bool, passed: bool
) -> None:
    assert is_past_slack(timedelta(seconds=seconds), fails=fails) is passed
