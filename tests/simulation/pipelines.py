"""Pipelines and their orchestrator: what is expected to run, what ran, and what is told of it."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.sources.kind import Source
from rules.catalogue import Asset, Catalogue, Product
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns
from rules.priority import Priority
from rules.rulebook import RuleBook
from rules.verifying.settings import VerifyingRules
from tests.simulation.team import QUICK, Pace

AIRFLOW = Source(name="airflow", kind="airflow")
SHOP, LEDGER, STOCK = "shop_daily", "ledger_load", "stock_sync"
"""The first is expected by its name, the second by its product, the third by nobody."""
DAGS = (SHOP, LEDGER, STOCK)
_ZONE = "Europe/Berlin"
_DUE = {SHOP: (1, 3), LEDGER: (2,)}
"""Minutes of a quick life at which they are due."""
_GRACE, _TAKES, _ASKS = timedelta(seconds=25), timedelta(seconds=30), timedelta(minutes=1)
_SLOWLY = 10


@dataclass(slots=True)
class Ran:
    """One run as it was. `nominal` is what it was scheduled for, where its orchestrator says so.

    `sent` and `heard` are when an event of it was first sent, and first answered 202.
    """

    dag: str
    run_id: str
    began: datetime
    nominal: datetime | None
    over: datetime | None = None
    well: bool = False
    sent: dict[str, datetime] = field(default_factory=dict)
    heard: dict[str, datetime] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    """Of the deliveries that were heard."""

    @property
    def moment(self) -> datetime:
        """Return the time by which it serves an occasion."""
        return self.nominal or self.began

    def body(self, event: str, at: datetime) -> bytes:
        """Return what the orchestrator's client sends of it."""
        times = {"start_date": self.began, "end_date": self.over, "run_after": self.nominal}
        told = {name: time.isoformat() for name, time in times.items() if time}
        kind = "scheduled" if self.nominal else "manual"
        found = {
            "event": event,
            "sent_at": at.isoformat(),
            "dag": {"dag_id": self.dag},
            "dag_run": {"run_id": self.run_id, "run_type": kind, **told},
        }
        if event.startswith("task_"):
            found["task"] = {"task_id": "load", "try_number": 1, "max_tries": 0}
        return json.dumps(found).encode()


def slowness(pace: Pace) -> int:
    return 1 if pace is QUICK else _SLOWLY


def with_pipelines(book: RuleBook, pace: Pace, start: datetime) -> RuleBook:
    """Return the rules with a small catalogue, and runs that are due soon after `start`."""
    slow = slowness(pace)
    grace, takes = slow * _GRACE, slow * _TAKES
    shop, ledger = (_schedule(start, [slow * n for n in _DUE[dag]]) for dag in (SHOP, LEDGER))
    product = Product(id="", name="", tier=1, run_takes=takes)
    products = (
        replace(product, id="shop", name="Shop", schedule=shop.cron, timezone=_ZONE),
        replace(product, id="ledger", name="Ledger"),
        replace(product, id="stock", name="Stock"),
    )
    assets = [
        Asset(id=f"dag:{dag}", name=dag, kind="dag", product=one.id)
        for dag, one in zip(DAGS, products, strict=True)
    ]
    expected = ExpectedRuns(
        [
            Expectation(name=SHOP, schedule=shop, grace=grace, source=AIRFLOW.name, pipeline=SHOP,
                        labels={"dag_id": SHOP}),
            Expectation(name="ledger", schedule=ledger, grace=grace, product="ledger",
                        labels={"product": "ledger"}),
        ]
    )  # fmt: skip
    return replace(
        book,
        catalogue=Catalogue(products, assets),
        expected=expected,
        verifying=VerifyingRules(
            run_takes=takes, ask_every=slow * _ASKS, kinds={AIRFLOW.name: AIRFLOW.kind}
        ),
        pages=frozenset(Priority),
    )


def dag_of(expected: Expectation) -> str:
    return expected.pipeline or LEDGER


def _schedule(start: datetime, minutes: list[int]) -> Schedule:
    at = sorted({(start + timedelta(minutes=n)).minute for n in minutes})
    return Schedule(f"{','.join(map(str, at))} * * * *", _ZONE)
