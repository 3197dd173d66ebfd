"""Medians and 90th percentiles, against what the words mean."""

import random
from datetime import timedelta

import pytest

from rules.issues.measures import Measures
from rules.issues.typical import NAMES, Typical, typical

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11, 100, 137])
def test_so_many_are_at_most_that_long_and_it_happened(count: int) -> None:
    chance = random.Random(count)
    made = [
        Measures(**{n: chance.choice((None, chance.randrange(99) * MINUTE)) for n in NAMES})
        for _ in range(count)
    ]
    found = typical(made)
    assert found.of == count
    for name in NAMES:
        known = [span for one in made if (span := getattr(one, name)) is not None]
        if not known:
            assert name not in found.spreads
            continue
        spread = found.spreads[name]
        assert spread.known == len(known)
        for span, share in ((spread.median, 0.5), (spread.p90, 0.9)):
            assert span in known
            assert sum(one <= span for one in known) >= share * len(known)
            assert sum(one < span for one in known) < share * len(known)


def test_of_nothing_nothing_is_typical() -> None:
    assert typical([]) == Typical(of=0)
    assert typical([Measures(ttd=MINUTE)]).spreads.keys() == {"ttd"}
