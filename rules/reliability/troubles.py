"""What broke promises: incidents and due runs, as each product met them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rules.alert import Severity
from rules.catalogue import Catalogue
from rules.category import Category
from rules.expected_runs import ExpectedRuns, Occasion, Outcome
from rules.matching.matcher import matchable
from rules.run import Run, RunState
from rules.verifying.about import expectation_key, told_by

_MILD = frozenset({Severity.WARNING, Severity.INFO})


@dataclass(frozen=True, slots=True)
class PastAlert:
    """What an incident remembers of an alert about a product; `ended_at` is None while it fires."""

    product: str
    severity: Severity
    first_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIncident:
    """As much of an incident as tells which promises it broke.

    `product` and `asset` are what it put at stake, "" where nothing was; `about` is what the
    catalogue knew of it. Not `actionable` is what a rule or a person said nobody need act on.
    """

    number: int
    source: str
    dedup_key: str
    title: str
    severity: Severity
    category: Category | None
    labels: Mapping[str, str]
    product: str
    asset: str
    opened_at: datetime
    resolved_at: datetime | None = None
    alerts: tuple[PastAlert, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    actionable: bool = True

    @property
    def known(self) -> Mapping[str, str]:
        """Return what is known of it beside its labels, under the names that matchers use."""
        found = {
            **self.about,
            "category": self.category.value if self.category else "",
            "product": self.product,
            "asset": self.asset,
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An incident as one product met it; `ended_at` is None while it is open.

    `upstream`: the product was hit by what broke before it. `labels` are those that maintenance
    windows see.
    """

    product: str
    number: int
    category: Category | None
    began_at: datetime
    ended_at: datetime | None = None
    upstream: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    def open_at(self, when: datetime) -> bool:
        return self.began_at <= when and (self.ended_at is None or self.ended_at > when)


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run of a product that was due, and when it was seen to be good; None is never.

    `name` is that of its expectation, of which a product may have several.
    """

    product: str
    due_at: datetime
    good_at: datetime | None
    name: str = ""


def troubles_of(incident: PastIncident, catalogue: Catalogue) -> Iterator[Trouble]:
    """Yield an incident as each product met it: its own, and those hit by what it broke.

    A broken source is upstream of the product that reads it. Warnings break no promise, nor does
    what is not actionable, like a backfill that somebody watches.
    """
    if not incident.actionable:
        return
    asset = catalogue.asset(incident.asset)
    of_source = asset is not None and asset.kind == "source"
    own = incident.product if incident.severity not in _MILD else ""
    stretches = [(own, incident.opened_at, incident.resolved_at, of_source)]
    for alert in incident.alerts:
        if alert.severity not in _MILD and alert.product != own:
            upstream = of_source or alert.product != incident.product
            ended_at = alert.ended_at or incident.resolved_at
            stretches.append((alert.product, alert.first_at, ended_at, upstream))
    labels = matchable(incident)
    for product, began_at, ended_at, upstream in stretches:
        if product:
            yield Trouble(
                product=product,
                number=incident.number,
                category=incident.category,
                began_at=began_at,
                ended_at=ended_at,
                upstream=upstream,
                labels=labels,
            )


def due_runs(
    occasions: Iterable[Occasion],
    runs: Iterable[Run],
    catalogue: Catalogue,
    expected: ExpectedRuns,
    trials: Collection[str] = (),
) -> Iterator[DueRun]:
    """Yield what was due of products, and when it was seen to be good, but not in `trials`."""
    named: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.state is RunState.SUCCEEDED:
            named[run.run_id].append(run)
    for one in occasions:
        good_at = None
        if one.outcome is Outcome.SUCCEEDED:
            served = named.get(one.run_id, [])
            if len(served) > 1:  # Airflow names the runs of all DAGs alike that are due at once
                key = expectation_key(one.name)
                served = [run for run in served if key in told_by(run, catalogue, expected, trials)]
            good_at = min((run.ended_at for run in served if run.ended_at), default=one.seen_at)
        yield DueRun(one.product, one.due_at, good_at, one.name)
