"""Learns from what the store remembers: what repairs take, and how promises stand."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from rules.catalogue import Catalogue, Product
from rules.environment import environment_of
from rules.expected_runs import Occasion
from rules.reliability.slo import Reliability, has_objective, look_back, reliability
from rules.reliability.troubles import DueRun, PastIncident, Trouble, due_runs, troubles_of
from rules.rulebook import RuleBook
from rules.run import BACKFILL, Run
from rules.weighing.history import RUN, History, LearningRules, Repair, learn, percentile

_Runs = Mapping[str, Sequence[timedelta]]


class Past(Protocol):
    """What the store remembers; every method raises NotStoredError when it is away."""

    async def watched_since(self) -> datetime | None: ...
    async def repairs(self, since: datetime) -> Sequence[Repair]: ...
    async def incidents(self, since: datetime) -> Sequence[PastIncident]: ...
    async def runs(self, since: datetime) -> Sequence[Run]: ...
    async def occasions(self, since: datetime) -> Sequence[Occasion]: ...


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of the past; `reliability` is by product, of those with an objective."""

    history: History = field(default_factory=History)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Read:
    since: datetime
    repairs: Sequence[Repair] = ()
    runs: Sequence[Run] = ()
    incidents: Sequence[PastIncident] = ()
    occasions: Sequence[Occasion] = ()


async def learn_from(past: Past, book: RuleBook, now: datetime) -> Learnt:
    """Read the past and reckon, in a thread; raises NotStoredError."""
    rules = book.priority_rules.learning
    products = [one for one in book.catalogue.products if has_objective(one)]
    back = max(map(look_back, products), default=timedelta(0))
    started = await past.watched_since() or now
    read = _Read(
        since=started,
        repairs=await past.repairs(now - rules.over),
        runs=await past.runs(now - max(rules.over, back)),
        incidents=await past.incidents(now - back) if products else (),
        occasions=await past.occasions(now - back) if products else (),
    )
    return await asyncio.to_thread(_reckoned, read, products, book, now)


def run_times(
    runs: Iterable[Run], catalogue: Catalogue, trials: Collection[str] = (), *, at_least: int = 1
) -> _Runs:
    """Return how long the runs of each product took: those of its slowest pipeline.

    One with fewer than `at_least` runs is not the slowest: a few teach nothing.
    """
    spans: dict[tuple[str, str], list[timedelta]] = defaultdict(list)
    products: dict[tuple[str, str], str] = {}
    for run in runs:
        if run.kind == BACKFILL or run.started_at is None or run.ended_at is None:
            continue
        if environment_of(run.labels) in trials:
            continue
        thing = (run.source, run.pipeline)
        spans[thing].append(run.ended_at - run.started_at)
        if not products.get(thing):  # not each of them tells: a callback does, a listener does not
            about = catalogue.find(run.labels)
            products[thing] = about.product.id if about and about.product else ""
    slowest: dict[str, Sequence[timedelta]] = {}
    for thing, took in spans.items():
        if len(took) < at_least or not (product := products[thing]):
            continue
        before = slowest.get(product)
        if before is None or percentile(took, RUN) > percentile(before, RUN):
            slowest[product] = took
    return slowest


def _reckoned(read: _Read, products: Sequence[Product], book: RuleBook, now: datetime) -> Learnt:
    rules: LearningRules = book.priority_rules.learning
    recent = [run for run in read.runs if run.ended_at and run.ended_at >= now - rules.over]
    trials = book.priority_rules.impact.trials
    history = learn(
        read.repairs, run_times(recent, book.catalogue, trials, at_least=rules.at_least), rules
    )
    troubles: dict[str, list[Trouble]] = defaultdict(list)
    for incident in read.incidents:
        if environment_of(incident.labels) in trials:
            continue  # nobody was promised anything there
        for trouble in troubles_of(incident, book.catalogue):
            troubles[trouble.product].append(trouble)
    due: dict[str, list[DueRun]] = defaultdict(list)
    for one in due_runs(read.occasions, read.runs, book.catalogue, book.expected, trials):
        due[one.product].append(one)
    stands = {
        product.id: reliability(
            product,
            troubles[product.id],
            due[product.id],
            windows=book.windows,
            since=read.since,
            now=now,
        )
        for product in products
    }
    return Learnt(history, stands)
