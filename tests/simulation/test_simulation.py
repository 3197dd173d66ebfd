"""A bounded part of the simulation: no invariant breaks, a seed repeats itself, the net holds."""

from collections.abc import Iterator

import pytest

from tests.simulation.__main__ import disk, judge
from tests.simulation.planted import PLANTED
from tests.simulation.storage import Disk

# a process that dies leaves its connections to the operating system
pytestmark = [
    pytest.mark.filterwarnings("ignore:The garbage collector is trying to clean up"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEEDS = range(4)
CAUGHT_BY: dict[str, int] = {
    "forgets to re-arm a wake-up": 0,
    "loses pages on the way to the outbox": 0,
    "never ends a grant": 0,
}
"""The seed that catches a planted fault soonest, for those that the suite tries."""


@pytest.fixture(scope="module")
def one_disk() -> Iterator[Disk]:
    with disk() as made:
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_a_life_breaks_no_invariant(one_disk: Disk, seed: int) -> None:
    assert judge(seed, one_disk).faults == []


def test_a_seed_lives_the_same_life_twice(one_disk: Disk) -> None:
    first, again = judge(3, one_disk), judge(3, one_disk)
    assert len(first.story) > 50
    assert first.story == again.story


@pytest.mark.parametrize("fault", sorted(CAUGHT_BY))
def test_a_planted_fault_is_caught(one_disk: Disk, fault: str) -> None:
    assert judge(CAUGHT_BY[fault], one_disk, PLANTED[fault]).faults
