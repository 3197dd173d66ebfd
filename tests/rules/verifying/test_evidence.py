"""Which run proves which fix: of the right place, of the very check, and never a monitor's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from rules.alert import Alert, AlertStatus, Severity
from rules.catalogue import Asset, Catalogue, Product
from rules.grouping import open_incident
from rules.incident import Incident
from rules.run import BACKFILL, MANUAL, SCHEDULED, Run, RunState
from rules.sentence import plain
from rules.verifying.evidence import Evidence, Finding, Judged, concerns, judged, of_run
from rules.verifying.expecting import claimed
from rules.verifying.settings import VerifyingRules
from tests.rules.build import NOW, make_book

MODEL, TEST = "model.shop.orders", "test.shop.unique_orders_id.1a2b"
KINDS = {"dbt": "dbt", "airflow": "airflow", "gx": "great_expectations", "prom": "alertmanager"}
BOOK = make_book(
    catalogue=Catalogue(
        [Product(id="shop", name="Shop")],
        [
            Asset(id=MODEL, name="orders", kind="model", product="shop", relation="db.main.orders"),
            Asset(id="dag:shop", name="shop", kind="dag", product="shop"),
        ],
        {TEST: MODEL},
    ),
    verifying=VerifyingRules(kinds=KINDS),
)


def pending(source: str, **labels: str) -> Incident:
    alert = Alert(
        source=source,
        dedup_key="k",
        status=AlertStatus.FIRING,
        title="it broke",
        severity=Severity.ERROR,
        occurred_at=NOW,
        labels=labels,
    )
    at = open_incident(alert, BOOK, incident_id="i", number=1, now=NOW)
    found = BOOK.catalogue.find(labels)
    at = at.but(asset=found.asset.id if found and found.asset else "")
    return at.but(verification=claimed(at, "ana", BOOK, NOW))


def told(
    *nodes: str, well: bool = True, labels: Mapping[str, str] | None = None, source: str = "dbt"
) -> Evidence:
    run = Run(
        source=source,
        pipeline="p",
        run_id="r",
        state=RunState.SUCCEEDED if well else RunState.FAILED,
        started_at=NOW + timedelta(minutes=5),
        ended_at=NOW + timedelta(minutes=9),
        labels=labels or {},
        assets=nodes,
    )
    return of_run(run)


def said(found: Judged) -> str:
    return found.why.render(plain)


@pytest.mark.parametrize(
    ("source", "ours", "theirs"),
    [
        ("dbt", {"unique_id": MODEL, "target": "prod"}, {"target": "ci"}),
        ("dbt", {"unique_id": MODEL, "environment": "prod"}, {"environment": "staging"}),
        ("airflow", {"dag_id": "shop", "instance": "airflow"}, {"instance": "staging"}),
    ],
)
@pytest.mark.parametrize("well", [True, False])
def test_a_run_of_another_environment_tells_nothing(
    source: str, ours: Mapping[str, str], theirs: Mapping[str, str], well: bool
) -> None:
    at = pending(source, **ours)
    nodes = (MODEL,) if source == "dbt" else ()
    assert not concerns(at, told(*nodes, well=well, labels={**ours, **theirs}, source=source))
    same = {name: one.title() for name, one in ours.items() if name in theirs}
    assert concerns(at, told(*nodes, labels={**ours, **same}, source=source))
    elsewhere = told(*nodes, labels={**ours, **theirs}, source="other")
    assert concerns(at, elsewhere), "each source has its own words"
    there = next(iter(theirs.values()))
    assert not concerns(at, elsewhere, {there}), "but nobody reads what is tried out"
    assert concerns(pending(source, **{**ours, **theirs}), elsewhere, {there}), (
        "unless it broke there"
    )
    assert concerns(at, told(*nodes, source=source)), "a run that does not tell where"


@pytest.mark.parametrize(
    ("nodes", "labels", "may"),
    [
        ((), {"dag_id": "hourly"}, False),
        ((), {"dag_id": "shop"}, True),
        ((), {"dag_id": "shop", "instance": "b"}, True),
        (("task:shop.load",), {"dag_id": "hourly"}, True),
        (("task:hourly.load",), {"dag_id": "hourly"}, False),
        ((), {"job_namespace": "n", "job": "j"}, True),
        ((), {}, True),
    ],
)
def test_a_run_of_another_pipeline_concerns_it_where_it_held_the_part_that_failed(
    nodes: tuple[str, ...], labels: Mapping[str, str], may: bool
) -> None:
    at = pending("airflow", dag_id="shop", task_id="load")
    assert concerns(at, told(*nodes, labels=labels, source="airflow")) is may


def test_the_host_that_a_monitor_watches_is_no_environment() -> None:
    at = pending("dbt", unique_id=MODEL, instance="warehouse-1")
    assert concerns(at, told(MODEL, labels={"instance": "airflow"}))


@pytest.mark.parametrize(
    ("nodes", "finding", "words"),
    [
        ((MODEL,), Finding.NOTHING, "did not check it again"),
        ((MODEL, TEST), Finding.PROVES, ""),
        ((TEST,), Finding.PROVES, ""),
        (("model.shop.users",), Finding.NOTHING, "left out"),
        ((), Finding.UNTOLD, "does not tell whether it was checked again"),
    ],
)
def test_a_test_is_proved_by_the_test_and_not_by_the_load(
    nodes: tuple[str, ...], finding: Finding, words: str
) -> None:
    at = pending("dbt", unique_id=TEST, test="unique", model="orders")
    found = judged(at, told(*nodes))
    assert found.finding is finding
    assert words in said(found)


def test_an_expectation_on_a_table_is_not_proved_by_loading_the_table() -> None:
    at = pending("gx", table="db.main.orders", test="expect_column_values_to_not_be_null")
    assert at.asset == MODEL
    assert judged(at, told(MODEL)).finding is Finding.NOTHING
    own = replace(told(), about_it=True)
    assert judged(at, own).finding is Finding.PROVES


def of_day(day: int) -> dict[str, str]:
    start, end = f"2026-11-{day:02}", f"2026-11-{day + 1:02}"
    return {"dag_id": "shop", "data_interval_start": start, "data_interval_end": end}


@pytest.mark.parametrize(
    ("kind", "labels", "finding"),
    [
        (BACKFILL, of_day(3), Finding.NOTHING),
        (BACKFILL, of_day(22), Finding.PROVES),
        (BACKFILL, {"dag_id": "shop"}, Finding.PROVES),
        (SCHEDULED, of_day(23), Finding.PROVES),
        (SCHEDULED, of_day(22), Finding.PROVES),
        (SCHEDULED, of_day(21), Finding.NOTHING),  # caught up on
        (SCHEDULED, {**of_day(15), "cleared": "true"}, Finding.NOTHING),
        (MANUAL, {"dag_id": "shop", "logical_date": "2026-11-23T09:00:00"}, Finding.PROVES),
        (MANUAL, {"dag_id": "shop", "logical_date": "2026-11-21T09:00:00"}, Finding.NOTHING),
        (MANUAL, {"dag_id": "shop"}, Finding.PROVES),
    ],
)
def test_a_run_of_another_interval_tells_nothing_of_the_one_that_failed(
    kind: str, labels: Mapping[str, str], finding: Finding
) -> None:
    at = pending("airflow", **of_day(22))
    ran = replace(told(labels=labels, source="airflow"), kind=kind)
    assert judged(at, ran).finding is finding


@pytest.mark.parametrize("well", [True, False])
def test_what_only_its_source_can_prove_is_not_judged_by_a_run(well: bool) -> None:
    at = pending("prom", table="db.main.orders", alertname="Lag")
    assert not concerns(at, told(MODEL, well=well))
    own = replace(told(), about_it=True)
    assert concerns(at, own)
    assert judged(at, own).finding is Finding.PROVES
