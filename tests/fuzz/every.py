"""Every target by name."""

from collections.abc import Mapping, Sequence
from functools import cache

from tests.fuzz import documents, rosters, sources, words
from tests.fuzz.target import Target


@cache
def targets() -> Mapping[str, Target]:
    found = [one for room in (sources, documents, rosters, words) for one in room.targets()]
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


@cache
def samples(name: str) -> Sequence[bytes]:
    """Return what a target's reader usually reads."""
    return targets()[name].seeds()
