"""What is tried out, or only looked at, reaches no reader: it serves no clock and proves no fix."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.catalogue import Asset, Catalogue, Product
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns, Outcome
from rules.run import Run, RunState
from rules.verification import Verdict
from tests.stories.conftest import Tell
from tests.stories.fixes import FRIDAY, over, shifts, verdict, waits
from tests.stories.story import rulebook

MODEL, TEST, RAW = "model.shop.orders", "test.shop.unique_orders.1a", "source.shop.raw.orders"
DUE = datetime(2026, 11, 23, 5, tzinfo=UTC)
CATALOGUE = Catalogue(
    [Product(id="shop", name="Shop")],
    [
        Asset(id=MODEL, name="orders", kind="model", product="shop"),
        Asset(id=RAW, name="raw.orders", kind="source", product="shop"),
        Asset(id="dag:shop", name="shop", kind="dag", product="shop"),
    ],
    {TEST: MODEL},
)
CLOCK = Expectation(name="shop", schedule=Schedule("0 5 * * *"), product="shop")


def build(target: str, *nodes: str, began: datetime = DUE) -> Run:
    return Run(
        source="dbt",
        pipeline=f"shop/{target}/build",
        run_id=f"{target}-{began:%d%H%M}",
        state=RunState.SUCCEEDED,
        started_at=began,
        ended_at=began + timedelta(minutes=2),
        labels={"project": "shop", "target": target},
        assets=nodes,
    )


DAG = replace(build("", began=DUE), source="airflow", pipeline="shop", assets=())


@pytest.mark.parametrize(
    ("run", "served"),
    [
        (build("prod", MODEL, TEST), True),
        (build("ci", MODEL, TEST), False),
        (build("Dev", MODEL), False),
        (build("prod", TEST), False),
        (build("prod", RAW), False),
        (replace(DAG, labels={"dag_id": "shop", "instance": "airflow"}), True),
        (replace(DAG, labels={"dag_id": "shop", "instance": "staging"}), False),
        (replace(DAG, labels={"dag_id": "shop", "env": "test"}), False),
    ],
)
async def test_only_what_loads_it_for_its_readers_serves_a_products_clock(
    tell: Tell, run: Run, served: bool
) -> None:
    story = tell(rulebook(on_call=shifts(), catalogue=CATALOGUE, expected=ExpectedRuns([CLOCK])))
    story.clock.set(DUE - timedelta(hours=1))
    await story.settle()
    await story.until(DUE + timedelta(minutes=4))
    await story.hears(runs=[run])
    await story.until(DUE + timedelta(minutes=15))
    story.pages(*([] if served else ["ana"]))
    found = await story.store.reader.occasions("shop", DUE)
    assert [one.outcome for one in found] == [Outcome.SUCCEEDED if served else Outcome.MISSED]


async def test_a_pipeline_that_was_asked_for_by_name_is_served_wherever_it_runs(tell: Tell) -> None:
    named = replace(CLOCK, product="", source="dbt", pipeline="shop/ci/build")
    story = tell(rulebook(on_call=shifts(), catalogue=CATALOGUE, expected=ExpectedRuns([named])))
    story.clock.set(DUE - timedelta(hours=1))
    await story.settle()
    await story.until(DUE + timedelta(minutes=4))
    await story.hears(runs=[build("ci", MODEL)])
    await story.until(DUE + timedelta(minutes=15))
    story.pages()


@pytest.mark.parametrize(
    ("broke_in", "ran_in", "proved"),
    [("prod", "ci", False), ("", "ci", False), ("ci", "ci", True), ("prod", "production", True)],
)
async def test_a_trial_proves_the_fix_of_what_broke_in_it_alone(
    tell: Tell, broke_in: str, ran_in: str, proved: bool
) -> None:
    story = tell(replace(waits(), catalogue=CATALOGUE))
    story.clock.set(FRIDAY)
    about = {"unique_id": MODEL, "target": broke_in} if broke_in else {"unique_id": MODEL}
    await story.fires("orders", source="dbt", labels=about)
    await story.does("ana", "acked")
    await story.does("ana", "resolved")
    await story.after(minutes=5)
    ran = build(ran_in, MODEL, began=story.clock.now())
    await over(story, story.clock.now(), source="another-dbt", pipeline=ran.pipeline, run_id=ran.run_id, labels=ran.labels, assets=ran.assets, kind="")  # fmt: skip
    assert await verdict(story) is (Verdict.PASSED if proved else Verdict.PENDING)
