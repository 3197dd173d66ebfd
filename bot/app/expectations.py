"""What is expected to run: from config.yaml, and from every data product with a schedule."""

from collections.abc import Iterator, Mapping
from datetime import date

from bot.app.holidays import Calendars, read_holidays
from bot.config.runs import ExpectedRunSpec
from bot.config.settings import Config
from rules.catalogue import Catalogue
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns

_NONE: frozenset[date] = frozenset()
_LABELS = {
    "airflow": "dag_id",
    "dbt_cloud": "job_id",
    "github": "workflow",
    "openlineage": "job",
}
"""By kind of source, the label that its pipelines stand in, by which the catalogue finds them."""


class Waiting:
    """Makes the expectations anew as the catalogue changes; `calendars` are read once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._calendars = read_holidays(config)[0]
        self.kinds = {spec.name: spec.kind for spec in config.sources}
        """The kind of each source, which tells what its word is worth."""
        self.runnable = frozenset(spec.source for spec in config.orchestrators)
        self._made: tuple[Catalogue, bool, ExpectedRuns] | None = None

    def on(self, catalogue: Catalogue, *, read: bool) -> ExpectedRuns:
        """Return what is expected; the same object as long as the catalogue is the same.

        `read` tells whether the catalogue's files have been read.
        """
        complete = read or not self._config.catalogue
        if self._made is None or self._made[0] is not catalogue or self._made[1] != complete:
            made = expected_runs(self._config, catalogue, self._calendars, complete=complete)
            self._made = catalogue, complete, made
        return self._made[2]


def expected_runs(
    config: Config, catalogue: Catalogue, calendars: Calendars, *, complete: bool = True
) -> ExpectedRuns:
    """Return everything that is expected; a product that config.yaml names has no clock of its own."""
    explicit = [_explicit(config, spec, catalogue, calendars) for spec in config.expected_runs]
    taken = {one.product for one in explicit if one.product}
    schedules = {
        one.id: Schedule(one.schedule, one.timezone, calendars.get(one.holidays, _NONE))
        for one in catalogue.products
        if one.schedule
    }
    of_products = _of_products(catalogue, schedules, taken)
    return ExpectedRuns([*explicit, *of_products], complete=complete, schedules=schedules)


def _explicit(
    config: Config, spec: ExpectedRunSpec, catalogue: Catalogue, calendars: Calendars
) -> Expectation:
    source = config.source(spec.source)
    product = catalogue.product(spec.product) if spec.product else None
    about = product.id if product else spec.product or ""
    labels = {"product": about} if about else {}
    if spec.heartbeat:
        labels["heartbeat"] = spec.heartbeat
    else:
        labels["pipeline"] = spec.runs
        if source and source.kind in _LABELS:
            labels[_LABELS[source.kind]] = spec.runs.rpartition("/")[2]
    return Expectation(
        name=spec.name,
        schedule=Schedule(spec.schedule, spec.timezone, calendars.get(spec.holidays or "", _NONE)),
        grace=spec.grace,
        source=spec.source,
        pipeline=spec.runs,
        product=about,
        labels={**labels, "expected_of": spec.source},
    )


def _of_products(
    catalogue: Catalogue, schedules: Mapping[str, Schedule], taken: set[str]
) -> Iterator[Expectation]:
    for product in catalogue.products:
        schedule = schedules.get(product.id)
        if schedule is None or product.grace is None or product.id in taken:
            continue
        yield Expectation(
            name=product.id,
            schedule=schedule,
            grace=product.grace,
            product=product.id,
            labels={"product": product.id},
        )
