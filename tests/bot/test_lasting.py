"""What a start makes lasts: the collector looks at it seldom, then never again."""

import gc
from collections.abc import Iterator

import pytest

from bot.lasting import lasting


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)
    gc.unfreeze()


def test_the_collector_looks_seldom_meanwhile_and_as_usual_afterwards() -> None:
    gc.set_threshold(700, 10, 10)
    with lasting():
        assert gc.isenabled()
        assert gc.get_threshold()[0] > 10_000
    assert gc.get_threshold() == (700, 10, 10)


def test_what_was_made_is_never_looked_at_again() -> None:
    gc.unfreeze()
    with lasting():
        made = [[number] for number in range(1000)]
    assert gc.get_freeze_count() >= len(made)
    assert not any(one is made for one in gc.get_objects())


def test_a_start_that_fails_leaves_the_collector_as_it_was() -> None:
    gc.set_threshold(700, 10, 10)
    with pytest.raises(ValueError, match="no such file"), lasting():
        raise ValueError("no such file")
    assert gc.get_threshold() == (700, 10, 10)
