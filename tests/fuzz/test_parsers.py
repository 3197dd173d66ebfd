"""Whatever comes, every reader answers as it promises: it raises nothing else, and it ends."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.every import samples, targets
from tests.fuzz.hostile import HOSTILE_BYTES, HOSTILE_TEXTS
from tests.fuzz.mutation import mutate

NAMES = sorted(targets())


@pytest.mark.parametrize("name", NAMES)
def test_samples_and_pieces_are_read(name: str) -> None:
    target = targets()[name]
    for data in samples(name):
        target.attack(data)
    for text in HOSTILE_TEXTS:
        target.attack(text.encode("utf-8", "surrogatepass"))
    for data in HOSTILE_BYTES:
        target.attack(data)


@pytest.mark.parametrize("name", NAMES)
@given(sample=st.integers(0, 10_000), seed=st.integers(0, 2**32), edits=st.integers(1, 8))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_was_made_hostile_is_read(name: str, sample: int, seed: int, edits: int) -> None:
    known = samples(name)
    data = mutate(known[sample % len(known)], random.Random(seed), edits, known)
    targets()[name].attack(data)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read(name: str, data: bytes) -> None:
    targets()[name].attack(data)
