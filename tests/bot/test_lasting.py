"""What a start makes lasts, and takes nothing along that is not asked for."""

import gc
import sys
from collections.abc import Iterator

import pytest

from bot.lasting import lasting, without


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)
    gc.freeze()  # the tests that were collected before


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


def test_a_package_is_not_to_be_found_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with pytest.raises(ModuleNotFoundError), without("wave"):
        import wave
    import wave

    assert wave.__file__


def test_one_that_is_loaded_stays() -> None:
    with without("gc"):
        import gc as again
    assert again is gc
    assert sys.modules["gc"] is gc
