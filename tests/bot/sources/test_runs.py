"""Which runs the sources tell of: what ran, which attempt, how it went."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.sources import (
    cloudevents,
    dbt,
    dbt_cloud,
    generic,
    github,
    heartbeat,
    openlineage,
    registry,
    text,
)
from bot.sources.dbt_artifacts import documents
from bot.sources.kind import Source
from rules.alert import AlertStatus
from rules.run import MANUAL, SCHEDULED, Run, RunState, merged
from tests.fakes.deliveries import RECEIVED, delivery, payload

TOLD = {"pipeline": "nightly", "id": 7, "state": "success", "ended_at": "2026-01-01T05:00:00Z"}


def test_a_heartbeat_is_a_run() -> None:
    source = Source(name="cron", kind="generic")
    for said, state in ((None, RunState.SUCCEEDED), ("fail", RunState.FAILED)):
        headers = {heartbeat.NAME_HEADER: "load"}
        if said:
            headers[heartbeat.STATUS_HEADER] = said
        (run,) = heartbeat.parse(source, delivery(b"", headers=headers)).runs
        assert (run.pipeline, run.state, run.began_at) == ("heartbeat:load", state, RECEIVED)


def test_a_run_that_was_cancelled_is_a_remark_and_no_end() -> None:
    source = Source(name="tool", kind="generic")
    (alert,) = generic.parse(source, delivery({"run": {**TOLD, "state": "cancelled"}})).alerts
    assert (alert.status, alert.title) == (AlertStatus.INFO, "nightly was cancelled")


@pytest.mark.parametrize(
    ("more", "state", "attempt"),
    [
        ({}, RunState.SUCCEEDED, 1),
        ({"state": "running", "attempt": "3"}, RunState.STARTED, 3),
        ({"state": "FAILED", "attempt": -1}, RunState.FAILED, 1),
        ({"state": "killed", "attempt": 10**9}, RunState.FAILED, 1),
        ({"state": "cancelled"}, RunState.CANCELLED, 1),
        ({"state": "Skipped"}, RunState.CANCELLED, 1),
    ],
)
def test_a_run_object_of_any_json(more: dict[str, object], state: RunState, attempt: int) -> None:
    source = Source(name="tool", kind="generic")
    parsed = generic.parse(source, delivery({"run": {**TOLD, **more}}))
    (run,) = parsed.runs
    assert (run.pipeline, run.run_id, run.state, run.attempt) == ("nightly", "7", state, attempt)
    expected = {
        RunState.FAILED: [AlertStatus.FIRING],
        RunState.SUCCEEDED: [AlertStatus.RESOLVED],
        RunState.CANCELLED: [AlertStatus.INFO],
        RunState.STARTED: [],
    }
    assert [one.status for one in parsed.alerts] == expected[state]


@pytest.mark.parametrize(
    ("run", "entry", "environment"),
    [
        ({"environment": "Dev"}, {}, "Dev"),
        ({}, {"env": "staging"}, "staging"),
        ({"environment": "prod"}, {"environment": "dev"}, "prod"),
        ({}, {"env": 7}, "7"),
        ({}, {}, None),
    ],
)
def test_a_run_object_tells_where_it_ran(
    run: dict[str, object], entry: dict[str, object], environment: str | None
) -> None:
    source = Source(name="tool", kind="generic")
    parsed = generic.parse(source, delivery({**entry, "run": {**TOLD, **run}}))
    assert [one.labels.get("environment") for one in parsed.runs] == [environment]


def test_a_titled_body_goes_by_its_own_status_if_it_has_one() -> None:
    source = Source(name="tool", kind="generic")
    told = {"title": "Nightly load", "run": TOLD}
    (alert,) = generic.parse(source, delivery(told)).alerts
    assert (alert.title, alert.status) == ("Nightly load", AlertStatus.RESOLVED)
    (alert,) = generic.parse(source, delivery({**told, "status": "firing"})).alerts
    assert alert.status is AlertStatus.FIRING


@pytest.mark.parametrize("run", [{}, {"pipeline": "x"}, {**TOLD, "state": "blue"}, "text", [1]])
def test_what_tells_no_run_is_read_as_before(run: object) -> None:
    source = Source(name="tool", kind="generic")
    parsed = generic.parse(source, delivery({"title": "It broke", "run": run}))
    assert parsed.runs == ()
    assert parsed.alerts[0].status is AlertStatus.FIRING


def test_cloudevents_carry_the_same_object() -> None:
    event = {"id": "1", "source": "/x", "type": "load.completed", "specversion": "1.0"}
    source = Source(name="ce", kind="cloudevents")
    (run,) = cloudevents.parse(source, delivery({**event, "data": {"run": TOLD}})).runs
    assert (run.source, run.pipeline) == ("ce", "nightly")


def test_a_dbt_command_is_one_run_about_all_it_worked_on() -> None:
    document = {
        "metadata": {
            "invocation_id": "abc",
            "generated_at": "2026-01-01T05:10:00Z",
            "invocation_started_at": "2026-01-01T05:00:00Z",
        },
        "args": {"which": "build", "target": "prod"},
        "results": [
            {"unique_id": "model.shop.a", "status": "success"},
            {"unique_id": "test.shop.b.1", "status": "warn"},
            {"unique_id": "model.shop.c", "status": "skipped"},
        ],
    }
    (run,) = dbt.parse(Source(name="dbt", kind="dbt"), delivery(document)).runs
    assert (run.pipeline, run.run_id) == ("shop/prod/build", "abc")
    assert run.state is RunState.SUCCEEDED
    assert run.assets == ("model.shop.a", "test.shop.b.1")
    assert run.started_at
    assert run.ended_at
    assert run.ended_at - run.started_at == timedelta(minutes=10)
    document["results"][0]["status"] = "error"  # type: ignore[index]
    (run,) = dbt.parse(Source(name="dbt", kind="dbt"), delivery(document)).runs
    assert run.state is RunState.FAILED


@pytest.mark.parametrize(
    ("took", "began"),
    [(600.5, "04:59:59.5"), (0, "05:10:00"), (-1, ""), (True, ""), ("9", ""), (10**12, "")],
)
def test_an_older_dbt_tells_how_long_a_command_took(
    tmp_path: Path, took: object, began: str
) -> None:
    artifact = {
        "metadata": {"invocation_id": "abc", "generated_at": "2026-01-01T05:10:00Z"},
        "args": {"which": "build"},
        "elapsed_time": took,
        "results": [{"unique_id": "model.shop.a", "status": "success"}],
    }
    file = tmp_path / "run_results.json"
    file.write_text(json.dumps(artifact))
    for document in (artifact, *documents(file)):
        (run,) = dbt.parse(Source(name="dbt", kind="dbt"), delivery(document)).runs
        at = f"2026-01-01T{began}+00:00" if began else ""
        assert run.started_at == (datetime.fromisoformat(at) if at else None)


@pytest.mark.parametrize(
    ("event", "code", "state"),
    [
        ("job.run.started", "3", RunState.STARTED),
        ("job.run.completed", "10", RunState.SUCCEEDED),
        ("job.run.errored", "20", RunState.FAILED),
        ("job.run.errored", "30", RunState.CANCELLED),
    ],
)
def test_a_job_of_dbt_cloud(event: str, code: str, state: RunState) -> None:
    data = {"jobId": "1", "runId": "2", "runStatusCode": code, "runReason": "scheduled"}
    body = {"accountId": "9", "eventType": event, "timestamp": "2026-01-01T05:00:00Z", "data": data}
    (run,) = dbt_cloud.parse(Source(name="dbt", kind="dbt_cloud"), delivery(body)).runs
    assert (run.pipeline, run.run_id, run.state, run.kind) == ("1", "2", state, SCHEDULED)
    assert run.began_at is not None


@pytest.mark.parametrize(
    ("action", "conclusion", "state"),
    [
        ("requested", None, RunState.STARTED),
        ("completed", "success", RunState.SUCCEEDED),
        ("completed", "failure", RunState.FAILED),
        ("completed", "cancelled", RunState.CANCELLED),
        ("completed", "action_required", RunState.CANCELLED),
    ],
)
def test_a_workflow_of_github(action: str, conclusion: str | None, state: RunState) -> None:
    workflow = {
        "id": 5,
        "workflow_id": 8,
        "path": ".github/workflows/nightly.yml",
        "head_branch": "main",
        "run_attempt": 2,
        "event": "workflow_dispatch",
        "status": "completed" if conclusion else "queued",
        "conclusion": conclusion,
        "run_started_at": "2026-01-01T05:00:00Z",
    }
    body = {"action": action, "workflow_run": workflow, "repository": {"full_name": "shop/etl"}}
    parsed = github.parse(Source(name="gh", kind="github"), delivery(body))
    (run,) = parsed.runs
    assert (run.pipeline, run.attempt) == ("shop/etl/nightly.yml@main", 2)
    assert (run.state, run.kind) == (state, MANUAL)
    assert len(parsed.alerts) == (action == "completed")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("START", RunState.STARTED),
        ("COMPLETE", RunState.SUCCEEDED),
        ("FAIL", RunState.FAILED),
        ("ABORT", RunState.FAILED),
        ("RUNNING", None),
    ],
)
def test_a_job_of_openlineage(kind: str, state: RunState | None) -> None:
    event = {
        "eventType": kind,
        "eventTime": "2026-01-01T05:00:00Z",
        "run": {"runId": "r"},
        "job": {"namespace": "spark", "name": "load"},
    }
    runs = openlineage.parse(Source(name="ol", kind="openlineage"), delivery(event)).runs
    assert [(one.pipeline, one.state) for one in runs] == ([("spark/load", state)] if state else [])


def test_facts_join_in_any_order() -> None:
    start = Run(source="a", pipeline="b", run_id="c", state=RunState.STARTED, started_at=RECEIVED)
    end = Run(source="a", pipeline="b", run_id="c", state=RunState.FAILED, ended_at=RECEIVED)
    for joined in (merged(start, end), merged(end, start)):
        assert (joined.state, joined.started_at, joined.ended_at) == (
            RunState.FAILED,
            RECEIVED,
            RECEIVED,
        )


def test_the_body_stays_a_body() -> None:
    """A JSON text of the `run` object, not an object, is no run."""
    source = Source(name="tool", kind="generic")
    parsed = generic.parse(source, delivery({"title": "x", "run": json.dumps(TOLD)}))
    assert parsed.runs == ()


@pytest.mark.parametrize("said", ["x" * 5_000, "a\x00b\ud800"])
def test_the_kind_of_a_run_is_a_short_word(said: str) -> None:
    event = json.loads(payload("airflow/dag_run_succeeded_3_orders_callback.json"))
    event["dag_run"]["run_type"] = said
    hook = json.loads(payload("github/success.json"))
    hook["workflow_run"]["event"] = said
    for kind, body in (("airflow", event), ("github", hook)):
        (run,) = registry.read(Source(name="tool", kind=kind), delivery(body)).runs
        assert run.kind == text.line(run.kind, 64)
        assert 0 < len(run.kind) <= 64


def test_an_id_that_no_manifest_has_is_not_kept_with_a_run() -> None:
    results = json.loads(payload("dbt/run_results.json"))
    known = next(one["unique_id"] for one in results["results"][1:] if one["status"] != "skipped")
    results["results"][0]["unique_id"] = "model.shop." + "x" * 900_000
    (run,) = registry.read(Source(name="tool", kind="dbt"), delivery(results)).runs
    assert known in run.assets
    assert all(len(one) <= 500 for one in run.assets)
