"""What one alert takes to be understood: category, weight and route, among many rules.

`python -m tests.bench.classification` measures it alone.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bot.catalogue.manifest import Manifest
from bot.catalogue.manifest_worker import import_manifest
from rules.alert import Alert, AlertStatus, Severity
from rules.catalogue import Catalogue, Product, Promises
from rules.claims import AssetPattern
from rules.classify import categorised, facts_of
from rules.documents.rulebook_parts import Draft, Surroundings, assemble
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import fit, parse
from rules.lineage import Lineage
from rules.matching.matcher import parse_matchers
from rules.people import People
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.silence import Silence, mute
from rules.sla import FreshBy
from tests.bench.rounds import Run
from tests.bench.table import Figure, promised, rendered
from tests.bot.catalogue.synthetic import Size, write_manifest

PRODUCTS = 10_000
FEW, MORE, MANY = 10, 100, 1_000
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PACKS = Path(__file__).parents[2] / "rules/packs"


def main() -> None:
    sys.stdout.write("\n".join(rendered(figures(quick="--quick" in sys.argv))) + "\n")


def measure(run: Run) -> list[Figure]:
    return figures(quick=run.quick)


def gates(_run: Run) -> list[Figure]:
    return figures(quick=True)


def figures(*, quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="watchbill-bench-") as made:
        size = Size(tests=0, padding=10)
        manifest = import_manifest(write_manifest(Path(made) / "manifest.json", size))
    catalogue = Catalogue(_products(), manifest.assets, manifest.tests)
    world = _World(catalogue, Lineage(catalogue, manifest.children), manifest)
    alerts = world.alerts(1_000 if quick else 3_000)
    books = {count: world.book(count) for count in (FEW, MORE, MANY)}
    cold = _each(alerts, lambda alert: _understood(alert, books[FEW]))
    taken = {count: list[float]() for count in books}
    for _ in range(3 if quick else 7):
        for count, book in books.items():  # in turns, so that what slows one slows all
            taken[count].append(_each(alerts, lambda alert, book=book: _understood(alert, book)))  # type: ignore[misc]
    return [
        Figure("classification: products", PRODUCTS),
        Figure("classification: first alert of each asset", cold * 1e6, "us"),
        *_figures(taken),
    ]


def _figures(taken: dict[int, list[float]]) -> Iterator[Figure]:
    for count, times in taken.items():
        name = f"classification: {count:,} rules of each kind"
        figure = Figure(name, min(times) * 1e6, "us", note="best of the rounds")
        yield promised("classification", figure)
    ratio = median(many / few for many, few in zip(taken[MANY], taken[FEW], strict=True))
    figure = Figure(f"classification: {MANY:,} rules against {FEW}", ratio, "x")
    yield promised("classification flat", figure)


def _understood(alert: Alert, book: RuleBook) -> str:
    """Do all that is done to know what an alert is, how urgent, and who answers for it."""
    alert = categorised(alert, book)
    known = facts_of(alert, book, NOW)
    mute(book.silences, book.windows, known, NOW)
    return book.route(known).name


def _each(alerts: Sequence[Alert], work: Callable[[Alert], object]) -> float:
    """Return processor seconds an alert: other processes of the machine do not count."""
    began = time.thread_time()
    for alert in alerts:
        work(alert)
    return (time.thread_time() - began) / len(alerts)


def _products() -> Iterator[Product]:
    for at in range(PRODUCTS):
        yield Product(
            id=f"p{at}",
            name=f"Product {at}",
            owner=f"owner{at % 300}@example.com",
            team=f"team{at % 300}",
            tier=at % 4 + 1,
            promises=Promises(fresh_by=FreshBy((NOW + timedelta(minutes=at % 600)).time(), "UTC")),
            assets=(AssetPattern("dag", f"dag{at}_*"), AssetPattern("model", f"m_{at:05}")),
        )


@dataclass
class _World:
    catalogue: Catalogue
    lineage: Lineage
    manifest: Manifest

    def alerts(self, count: int) -> list[Alert]:
        """Return alerts of models, of DAGs that products claim, and of nothing known."""
        models = [one.name for one in self.manifest.assets if one.kind == "model"]
        return [_alert(at, models[at * 7 % len(models)]) for at in range(count)]

    def book(self, count: int) -> RuleBook:
        """Return a rulebook with so many rules of each kind, none of them for most alerts."""
        texts = [path.read_text(encoding="utf-8") for path in sorted(PACKS.glob("*.yaml"))]
        drafts = [_draft(text) for text in [*texts, *_rules(count)]]
        people = Surroundings(people=People([]), alerts_channel="data-alerts")
        silences = [_silence(at) for at in range(count)]
        book = assemble(drafts, people).rulebook(on_call=OnCall(), silences=silences)
        return replace(book, catalogue=self.catalogue, lineage=self.lineage)


def _draft(text: str) -> Draft:
    document, _ = parse(text, "bench.yaml")
    assert document is not None
    spec, faults = fit(document, RulebookSpec)
    assert spec is not None, faults
    return Draft(document, spec)


def _rules(count: int) -> Iterator[str]:
    """Yield documents of routes, windows and rules, each kind asking in five ways."""
    ways = (
        "match: {{team: team_{at}, severity: critical}}",
        "match: {{dag_id: 'dag_{at}_*'}}",
        "match: {{product: [x_{at}, y_{at}], env: {{not: dev}}}}",
        "match: 'title=~\"job {at} .*\"'",
        "when: 'alert.product == \"z_{at}\" && labels.rows > {at}'",
    )
    asked = [ways[at % len(ways)].format(at=at) for at in range(count)]
    routes = [f"- {{name: r{at}, {one}}}" for at, one in enumerate(asked)]
    windows = [
        f"- {{name: w{at}, {one}, from: 2026-11-22T00:00Z, to: 2026-11-24T00:00Z}}"
        for at, one in enumerate(asked)
    ]
    own = [f"  - {{name: c{at}, {one}, category: volume}}" for at, one in enumerate(asked)]
    by_match = [one if one.startswith("match") else f"match: {{team: q_{at}}}"
                for at, one in enumerate(asked)]  # fmt: skip
    impacts = [f"- {{name: i{at}, {one}, impact: minor}}" for at, one in enumerate(by_match)]
    quiet = [f"- {{name: n{at}, {one}}}" for at, one in enumerate(by_match)]
    yield "routes:\n" + "\n".join(routes)
    yield "maintenance_windows:\n" + "\n".join(windows)
    yield "categories:\n  rules:\n" + "\n".join(own)
    yield "impact_rules:\n" + "\n".join(impacts)
    yield "not_actionable:\n" + "\n".join(quiet)


def _silence(at: int) -> Silence:
    matchers, _ = parse_matchers(f"product=s_{at} env in [prod, staging]")
    return Silence(f"s{at}", matchers, NOW, NOW + timedelta(days=1), "ana", "deploy")


def _alert(at: int, model: str) -> Alert:
    about = (
        {"model": model, "test": f"not_null_{model}_id", "env": "prod", "rows": str(at)},
        {"dag_id": f"dag{at}_load", "task_id": "extract", "env": "prod", "run_id": f"r{at}"},
        {"product": f"p{at}", "team": "finance", "rows": str(at)},
        {"service": "warehouse", "instance": f"host-{at}"},
    )[at % 4]
    return Alert(
        source="airflow",
        dedup_key=f"thing-{at}",
        status=AlertStatus.FIRING,
        severity=(Severity.ERROR, Severity.CRITICAL, Severity.UNKNOWN)[at % 3],
        title=f"job {at + 5_000} of {model} failed",
        description="Task exited with return code 1 after 3 retries: connection refused. " * 3,
        labels=about,
        occurred_at=NOW,
    )


if __name__ == "__main__":
    main()
