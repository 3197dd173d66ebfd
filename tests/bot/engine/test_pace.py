"""How much one transaction decides: others wait no longer than a turn, one that fails is found."""

from datetime import timedelta

import pytest

from bot.engine.pace import MOST, TURN, Pace

QUICK = timedelta(milliseconds=1)


def of_cost(pace: Pace, each: timedelta, *, rounds: int = 20) -> list[timedelta]:
    """Decide full batches that cost so much for each; return how long each batch took."""
    took = []
    for _ in range(rounds):
        took.append(each * pace.batch)
        pace.went_well(pace.batch, took[-1])
    return took


def test_what_is_quick_is_decided_in_large_batches() -> None:
    pace = Pace()
    of_cost(pace, timedelta(microseconds=1))
    assert pace.batch == MOST


@pytest.mark.parametrize("each", [0.3, 0.7, 2, 4])
def test_who_waits_for_a_turn_waits_no_longer_than_twice_that(each: float) -> None:
    took = of_cost(Pace(), timedelta(milliseconds=each))
    assert max(took[6:]) <= 2 * TURN
    assert max(took[6:]) > TURN / 2, "nor is time wasted on many small commits"


def test_what_is_slow_each_by_itself_goes_on_one_at_a_time() -> None:
    pace = Pace()
    of_cost(pace, timedelta(seconds=1))
    assert pace.batch == 1


@pytest.mark.parametrize("others", [1, 2])
@pytest.mark.parametrize("commit", [40, 60, 150])
def test_what_a_commit_takes_is_no_reason_to_make_many_of_them(commit: int, others: int) -> None:
    """Whether one source floods, or several of which some come along with each batch."""

    def took(count: int) -> timedelta:
        return timedelta(milliseconds=commit) + count * timedelta(milliseconds=0.5)

    pace, decided, spent = Pace(), 0, timedelta(0)
    for _ in range(100):
        count = others * pace.batch
        pace.went_well(count, took(count))
        decided, spent = decided + count, spent + took(count)
    assert took(others * pace.batch) <= took(2) + 2 * TURN
    assert spent / decided < 4 * took(MOST) / MOST, "a flood would be one commit after another"


def test_looking_for_nothing_teaches_nothing() -> None:
    pace = Pace()
    pace.went_well(0, timedelta(seconds=1))
    assert pace.batch == MOST


def test_one_slow_delivery_slows_nothing_for_long() -> None:
    pace = Pace()
    pace.went_well(1, timedelta(seconds=1))
    assert pace.batch == 1
    of_cost(pace, timedelta(microseconds=1), rounds=8)
    assert pace.batch == MOST


def test_a_batch_that_is_not_full_teaches_nothing() -> None:
    pace = Pace()
    of_cost(pace, timedelta(milliseconds=4))
    before = pace.batch
    pace.went_well(before - 1, QUICK)
    assert pace.batch == before


def test_the_one_that_fails_is_alone_after_a_few_batches() -> None:
    pace, batches = Pace(), []
    while pace.batch > 1:
        pace.failed(150)
        batches.append(pace.batch)
    assert batches == [75, 37, 18, 9, 4, 2, 1]
    pace.found()
    assert pace.batch == MOST


def test_what_goes_well_after_a_failure_is_trusted_again_by_and_by() -> None:
    pace = Pace()
    pace.failed(8)
    sizes: list[int] = []
    while pace.narrows:
        sizes.append(pace.batch)
        pace.went_well(pace.batch, QUICK)
    assert sizes == [4, 8, 16, 32, 64, 128]


def test_a_failure_does_not_undo_what_is_known_of_the_time() -> None:
    pace = Pace()
    of_cost(pace, timedelta(milliseconds=4))
    quick = pace.batch
    pace.failed(2)
    pace.found()
    assert pace.batch == quick
