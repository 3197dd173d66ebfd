"""`watchbill catalogue slo`, and what `watchbill check` says of objectives."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.store.opening import open_store
from rules.category import Category
from rules.expected_runs import Occasion, Outcome
from rules.incident import Stakes, State
from rules.priority import Impact, Urgency
from rules.run import Run, RunState
from tests.bot.cli.test_catalogue import run
from tests.bot.store.samples import incident

CONFIG = """
database: sqlite:///{folder}/watchbill.db
slack: {{mode: local}}
people: [{{name: Ana Ruiz, email: ana@example.com}}]
rotations: {{data-platform: {{}}}}
roster: roster.csv
fallback: [ana@example.com]
catalogue: [catalogue.yaml]
"""
CATALOGUE = """
products:
  - id: orders
    name: Daily orders
    owner: ana@example.com
    promises:
      fresh_by: {at: "00:30", objective: 95%, over: 60 due days}
      availability: {objective: 99.5%, over: 28d}
  - id: strict
    promises:
      fresh_by:
        at: "09:00"
        objective: 99%
        over: 30 due days
  - id: loose
    promises: {fresh_by: "09:00"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "roster.csv").write_text("Start,Person\n2026-11-16,Ana Ruiz\n")
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    return tmp_path / "config.yaml"


async def _live_through(url: str) -> None:
    """Be late two and five days ago, and be watched for thirty days."""
    clock = SystemClock()
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    stakes = Stakes(
        name="Daily orders", impact=Impact.MODERATE, urgency=Urgency.HIGH, product="orders"
    )
    store = await open_store(url, clock)
    async with store.store.begin() as transaction:
        transaction.save(incident(1, midnight - timedelta(days=30)))
        for number, days in ((2, 5), (3, 2)):
            began = midnight - timedelta(days=days)
            late = incident(
                number,
                began,
                product="orders",
                stakes=stakes,
                category=Category.PIPELINE_FAILURE,
                state=State.RESOLVED,
                resolved_at=began + timedelta(hours=2),
            )
            transaction.save(late)
    await store.close()


@pytest.fixture
def lived(config: Path) -> Path:
    asyncio.run(_live_through(f"sqlite:///{config.parent}/watchbill.db"))
    return config


def test_what_was_achieved_used_and_left_is_said(lived: Path) -> None:
    status, said = run("catalogue", "slo", "orders", "-c", str(lived))
    assert status == 0
    assert "Daily orders (orders)" in said
    assert "due days; promised 95% over 60." in said
    assert "2 of 3 allowed misses used (67% of the budget), 1 left." in said
    assert "The last 5 due days used the budget" in said
    assert "Available: 100% over 28 d; promised 99.5%" in said
    assert "█" in said


def test_all_products_with_an_objective_are_shown_the_worst_first(lived: Path) -> None:
    status, said = run("catalogue", "slo", "-c", str(lived))
    assert status == 0
    assert said.index("(orders)") < said.index("(strict)")
    assert "(loose)" not in said
    assert "99% over 30 due days allows 0.3 misses; promise 95% or count over 100 days." in said


def test_the_same_as_json(lived: Path) -> None:
    status, said = run("catalogue", "slo", "orders", "--json", "-c", str(lived))
    assert status == 0
    (product,) = json.loads(said)["products"]
    in_time: dict[str, Any] = product["in_time"]
    assert (in_time["misses"], in_time["allowed_misses"], in_time["left_misses"]) == (2, 3, 1)
    assert in_time["counted_due_days"] in {29, 30, 31}
    assert [d["incidents"] for d in in_time["days"] if d["outcome"] == "missed"] == [[2], [3]]
    assert product["quality"] is None
    assert product["availability"]["allowed_seconds"] == 12_096


async def _run_late(url: str) -> None:
    """Let a run of the product end after the deadline, another DAG's of the same name in time."""
    clock = SystemClock()
    day = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    due = day + timedelta(minutes=10)
    store = await open_store(url, clock)
    async with store.store.begin() as transaction:
        transaction.save(incident(1, day - timedelta(days=30)))
        done = Occasion(
            name="orders", due_at=due, outcome=Outcome.SUCCEEDED, product="orders",
            seen_at=due, run_id="scheduled__1",
        )  # fmt: skip
        transaction.record_occasion(done)
        for dag, took in (("orders", timedelta(hours=3)), ("users", timedelta(minutes=3))):
            ran = Run(
                source="airflow", pipeline=dag, run_id=done.run_id, state=RunState.SUCCEEDED,
                started_at=due, ended_at=due + took, labels={"dag_id": dag},
            )  # fmt: skip
            transaction.record_run(ran)
    await store.close()


def test_a_run_that_ended_late_is_told_from_another_dags_of_the_same_name(config: Path) -> None:
    (config.parent / "catalogue.yaml").write_text(
        "products:\n"
        "  - id: orders\n"
        "    schedule: 10 0 * * *\n"
        "    assets: [{dag: orders}]\n"
        '    promises: {fresh_by: {at: "00:30", objective: 95%, over: 60 due days}}\n'
    )
    asyncio.run(_run_late(f"sqlite:///{config.parent}/watchbill.db"))
    status, said = run("catalogue", "slo", "orders", "--json", "-c", str(config))
    assert status == 0
    (product,) = json.loads(said)["products"]
    assert product["in_time"]["misses"] == 1


@pytest.mark.parametrize(
    ("product", "said"),
    [
        ("loose", "loose has no objective. Write one, like"),
        ("oders", 'The catalogue has no product "oders"; did you mean'),
    ],
)
def test_what_cannot_be_shown_says_what_to_do(lived: Path, product: str, said: str) -> None:
    status, shown = run("catalogue", "slo", product, "-c", str(lived))
    assert status == 1
    assert said in " ".join(shown.split())


def test_without_a_database_it_says_which_command_makes_one(config: Path) -> None:
    status, said = run("catalogue", "slo", "-c", str(config))
    assert status == 1
    assert "watchbill serve" in " ".join(said.split())


def test_check_warns_of_an_objective_out_of_reach_at_its_place(config: Path) -> None:
    status, said = run("check", "-c", str(config))
    assert status == 0
    assert (
        f"{config.parent / 'catalogue.yaml'}:13: warning: This objective cannot be reached with "
        "one delivery a day: 99% over 30 due days allows 0.3 misses; promise 95% or count over "
        "100 days."
    ) in said


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("fresh_by: {at: '09:00', objective: most}", '"most" is no percentage; write it like 95%'),
        ("fresh_by: {at: '09:00', objective: 0}", "`objective` must be more than 0"),
        ("fresh_by: {at: '09:00', over: 60}", "`over` counts for an `objective`"),
        ("fresh_by: {at: '09:00', objective: 95, over: months}", "counts no days"),
        ("quality: {objective: 99}", "`quality` counts due days; give `fresh_by` as well"),
    ],
)
def test_check_refuses_objectives_it_cannot_read(config: Path, written: str, fault: str) -> None:
    text = f"products:\n  - id: a\n    promises: {{{written}}}\n"
    (config.parent / "catalogue.yaml").write_text(text)
    status, said = run("check", "-c", str(config))
    assert status == 1
    assert fault in said
