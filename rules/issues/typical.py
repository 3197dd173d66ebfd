"""How long incidents of a kind typically take: the median and the 90th percentile of each measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rules.issues.measures import Measures

NAMES = ("ttd", "tta", "ttm", "ttr", "ttv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of the `known` durations, half are at most `median` long, and nine of ten at most `p90`."""

    median: timedelta
    p90: timedelta
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Typical:
    """The spread of each measure by its name, without those nobody knows; `of` so many incidents."""

    of: int
    spreads: Mapping[str, Spread] = field(default_factory=dict)


def typical(measured: Sequence[Measures]) -> Typical:
    """Take the spreads by nearest rank, so that each is a duration that happened."""
    spreads = {}
    for name in NAMES:
        spans: list[timedelta] = sorted(
            span for one in measured if (span := getattr(one, name)) is not None
        )
        if spans:
            spreads[name] = Spread(median=_at(spans, 50), p90=_at(spans, 90), known=len(spans))
    return Typical(of=len(measured), spreads=spreads)


def _at(spans: Sequence[timedelta], percent: int) -> timedelta:
    return spans[-(-percent * len(spans) // 100) - 1]
