"""What OpenLineage events tell of lineage: jobs, datasets, owners, other names, and changes."""

import json
from typing import Any

import pytest

from bot.sources.kind import Source
from bot.sources.openlineage import parse
from bot.sources.openlineage_facts import MOST_DATASETS, MOST_FACTS
from rules.seen_lineage import LONGEST_ID, SeenAsset, SeenLineage
from tests.fakes.deliveries import delivery, payload

SOURCE = Source(name="lineage", kind="openlineage")
COMPLETE = payload("openlineage/complete.json")
HOST = "postgres://warehouse:5432"


def told(body: object) -> tuple[SeenLineage, ...]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse(SOURCE, delivery(raw, source="lineage")).lineage


def table(name: str = "shop.main.orders", namespace: str = HOST, **facets: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets}


def event(**changes: Any) -> dict[str, Any]:
    usual = {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-23T02:10:00Z",
        "run": {"runId": "run", "facets": {}},
        "job": {"namespace": "spark", "name": "load"},
        "inputs": [],
        "outputs": [table()],
    }
    return usual | changes


def output(**facets: Any) -> SeenAsset:
    (seen,) = told(event(outputs=[table(**facets)]))
    (asset,) = seen.outputs
    return asset


def test_a_recorded_run() -> None:
    (seen,) = told(COMPLETE)
    assert seen.job is not None
    assert seen.parent is not None
    assert (seen.job.id, seen.job.kind) == ("job:airflow-prod/load_orders.load", "task")
    assert seen.job.owners == ("team:finance-data",)
    assert (seen.parent.id, seen.parent.kind) == ("job:airflow-prod/load_orders", "dag")
    edges = list(seen.edges())
    assert (seen.parent.id, seen.job.id) in edges
    assert len(edges) == 1 + len(seen.inputs) + len(seen.outputs)


@pytest.mark.parametrize("kind", ["FAIL", "ABORT", "OTHER", "", "nonsense"])
def test_runs_that_did_not_go_well_tell_nothing(kind: str) -> None:
    assert told(event(eventType=kind)) == ()


def test_events_without_a_run_tell_of_jobs_and_datasets() -> None:
    designed = {k: v for k, v in event(inputs=[table("shop.raw.orders")]).items() if k != "run"}
    (seen,) = told(designed)
    assert len(list(seen.edges())) == 2
    owners = {"owners": [{"name": "user:ana"}]}
    (about,) = told({"eventTime": "2026-11-23T02:00:00Z", "dataset": table(ownership=owners)})
    assert about.job is None
    assert about.outputs[0].owners == ("user:ana",)


def test_what_a_dataset_says_of_itself() -> None:
    found = output(
        ownership={"owners": [{"name": "user:ana"}, {"name": "team:shop"}]},
        tags={"tags": [{"key": "tier", "value": "1"}, {"key": "pii", "value": "true"}]},
        documentation={"description": "Every\norder."},
        symlinks={"identifiers": [{"namespace": "hive://m", "name": "db.orders", "type": "TABLE"}]},
    )
    assert found == SeenAsset(
        id="dataset:postgres://warehouse:5432/shop.main.orders",
        name="shop.main.orders",
        relation="shop.main.orders",
        owners=("user:ana", "team:shop"),
        tags=("tier:1", "pii"),
        documentation="Every order.",
        also=("dataset:hive://m/db.orders",),
    )


def test_a_path_is_a_table_when_it_is_also_called_one() -> None:
    links = {"identifiers": [{"namespace": "hive://m", "name": "db.orders", "type": "TABLE"}]}
    (seen,) = told(event(outputs=[table("lake/orders", "s3://bucket", symlinks=links)]))
    assert seen.outputs[0].relation == "db.orders"


@pytest.mark.parametrize(
    ("integration", "said", "kind"),
    [
        ("AIRFLOW", "DAG", "dag"),
        ("AIRFLOW", "TASK", "task"),
        ("TABLEAU", "WORKBOOK", "exposure"),
        ("LOOKER", "", "exposure"),
        ("CUSTOM", "Dashboard", "exposure"),
        ("SPARK", "RDD_JOB", ""),
        ("", "", ""),
    ],
)
def test_kinds_of_jobs(integration: str, said: str, kind: str) -> None:
    facets = {"jobType": {"integration": integration, "jobType": said}}
    (seen,) = told(event(job={"namespace": "n", "name": "j", "facets": facets}))
    assert seen.job is not None
    assert seen.job.kind == kind


def test_dropped_and_renamed_datasets() -> None:
    dropped = table(lifecycleStateChange={"lifecycleStateChange": "DROP"})
    (seen,) = told(event(outputs=[dropped]))
    assert seen.gone == ("dataset:postgres://warehouse:5432/shop.main.orders",)
    assert seen.outputs == ()
    (started,) = told(event(eventType="START", outputs=[dropped]))
    assert (started.gone, len(started.outputs)) == ((), 1)
    before = {"namespace": HOST, "name": "shop.main.old"}
    change = {"lifecycleStateChange": "RENAME", "previousIdentifier": before}
    (renamed,) = told(event(outputs=[table(lifecycleStateChange=change)]))
    assert renamed.renamed == (
        (
            "dataset:postgres://warehouse:5432/shop.main.old",
            "dataset:postgres://warehouse:5432/shop.main.orders",
        ),
    )


def test_what_a_job_reads_and_writes_is_its_output() -> None:
    (seen,) = told(event(inputs=[table()]))
    assert list(seen.edges()) == [("job:spark/load", seen.outputs[0].id)]


def test_much_is_bounded() -> None:
    many = [table(f"a.b.t{n}") for n in range(3 * MOST_DATASETS)]
    (seen,) = told(event(inputs=many, outputs=many))
    assert (len(seen.inputs), len(seen.outputs)) == (MOST_DATASETS, MOST_DATASETS)
    several = told([event(inputs=many, outputs=many) for _ in range(20)])
    assert sum(len(one.assets) for one in several) <= MOST_FACTS
    wordy = {"owners": [{"name": f"user:{'x' * 500}{n}"} for n in range(500)]}
    assert sum(map(len, output(ownership=wordy).owners)) <= 1_000


@pytest.mark.parametrize("name", ["", "x" * (LONGEST_ID + 1), None, 7, ["a"], {"a": "b"}])
def test_odd_names_do_no_harm(name: object) -> None:
    body = event(outputs=[{"namespace": HOST, "name": name}, None, 7, table()])
    (seen,) = told(body)
    assert seen.outputs[-1].name == "shop.main.orders"
    assert all(len(one.id) <= LONGEST_ID for one in seen.assets)


@pytest.mark.parametrize("where", ["job", "inputs", "outputs", "run"])
@pytest.mark.parametrize("what", [None, 7, "x", [], [[]], {"facets": 7}, {"facets": {"tags": 1}}])
def test_odd_shapes_do_no_harm(where: str, what: object) -> None:
    two = [event(), event(**{where: what})]
    assert told(two)[0] == told(event())[0]
