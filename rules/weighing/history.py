"""How long repairs have taken here: what is learnt of past incidents and runs, and when it counts."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil, floor
from typing import TypeVar

from rules.category import Category
from rules.decision import Reason
from rules.sentence import Sentence, Value, duration_text, say
from rules.sla import Effort

K = TypeVar("K", bound=Hashable)
_NOTHING = timedelta(0)
_MINUTE = timedelta(minutes=1)
REPAIR, RUN = 75, 90
"""Percentiles: a repair may be planned for as most of them went, a run must have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRules:
    """Nothing is learnt from fewer than `at_least` of the last `over`, and never above `at_most`."""

    over: timedelta = timedelta(days=90)
    at_least: int = 8
    at_most: timedelta = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Learnt:
    """`takes` is the percentile of `of` durations, in whole minutes, rounded up."""

    takes: timedelta
    percentile: int
    of: int

    def __str__(self) -> str:
        return f"p{self.percentile} of {self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """An incident that was repaired: when somebody was paged for it, took it, and ended it."""

    rotation: str
    category: Category | None
    acked_at: datetime
    resolved_at: datetime
    paged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is known of repairs: by rotation, by category, and of runs by product."""

    respond: Mapping[str, Learnt] = field(default_factory=dict)
    fix: Mapping[Category, Learnt] = field(default_factory=dict)
    run: Mapping[str, Learnt] = field(default_factory=dict)


def percentile(durations: Sequence[timedelta], percent: int) -> timedelta:
    """Return the percentile of at least one duration, between neighbours where it falls so."""
    ranked = sorted(durations)
    at = (len(ranked) - 1) * percent / 100
    low, high = ranked[floor(at)], ranked[ceil(at)]
    return low + (high - low) * (at - floor(at))


def learnt(durations: Iterable[timedelta], percent: int, rules: LearningRules) -> Learnt | None:
    """Learn from durations; None while there are too few that make sense."""
    known = [one for one in durations if one >= _NOTHING]
    if len(known) < max(1, rules.at_least):
        return None
    found = min(percentile(known, percent), rules.at_most)
    return Learnt(-(-found // _MINUTE) * _MINUTE, percent, len(known))


def learn(
    repairs: Iterable[Repair], runs: Mapping[str, Sequence[timedelta]], rules: LearningRules
) -> History:
    """Learn from the repairs and runs of the last `rules.over`; `runs` is by product."""
    respond: dict[str, list[timedelta]] = defaultdict(list)
    fix: dict[Category, list[timedelta]] = defaultdict(list)
    for one in repairs:
        if one.paged_at is not None:
            respond[one.rotation].append(one.acked_at - one.paged_at)
        if one.category is not None:
            fix[one.category].append(one.resolved_at - one.acked_at)
    return History(
        _each(respond, REPAIR, rules), _each(fix, REPAIR, rules), _each(runs, RUN, rules)
    )


def expected_effort(
    history: History,
    usual: Effort,
    *,
    rotation: str,
    category: Category | None,
    product: str = "",
    run_takes: timedelta | None = None,
) -> tuple[Effort, Reason]:
    """Return what a repair will need, by what is learnt, else by what is written down.

    `run_takes` is what the product itself says of its runs.
    """
    fix = history.fix.get(category) if category else None
    parts = (
        ("respond", history.respond.get(rotation), usual.respond),
        ("fix", fix, usual.fix),
        ("run", history.run.get(product), usual.run if run_takes is None else run_takes),
    )
    takes = {name: known.takes if known else default for name, known, default in parts}
    effort = Effort(**takes)
    told = ((name, takes[name], known) for name, known, _ in parts)
    return effort, Reason("repair_effort", _told(effort, told))


def _each(
    durations: Mapping[K, Sequence[timedelta]], percent: int, rules: LearningRules
) -> dict[K, Learnt]:
    found = {key: learnt(values, percent, rules) for key, values in durations.items()}
    return {key: one for key, one in found.items() if one is not None}


def _told(effort: Effort, parts: Iterable[tuple[str, timedelta, Learnt | None]]) -> Sentence:
    """Say what a repair takes, part by part, and from what each part is known."""
    clauses: list[str] = []
    values: dict[str, Value] = {"total": effort.total}
    for name, takes, known in parts:
        if not takes and known is None:
            continue
        values[name] = duration_text(takes)
        values[f"{name}_of"] = f" ({known})" if known else ""
        clauses.append(f"{{{name}}} to {name}{{{name}_of}}")
    if not clauses:
        return say("A repair is taken to need no time.")
    return say("A repair takes {total}: " + ", ".join(clauses) + ".", **values)
