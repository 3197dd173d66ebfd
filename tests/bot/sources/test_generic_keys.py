"""What names a thing and its run where a body without a mapping has no key, and what its title tells."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sources.generic import parse
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import delivery, payload


def alert_of(body: object, mapping: dict[str, Any] | None = None) -> Alert:
    source = Source(name="tool", kind="generic", mapping=mapping or {})
    (alert,) = parse(source, delivery(body)).alerts
    return alert


@pytest.mark.parametrize(
    ("transition", "status"),
    [
        ("Triggered", AlertStatus.FIRING),
        ("Re-Triggered", AlertStatus.FIRING),
        ("Renotify", AlertStatus.FIRING),
        ("No Data", AlertStatus.FIRING),
        ("Re-No Data", AlertStatus.FIRING),
        ("Warn", AlertStatus.FIRING),
        ("Recovered", AlertStatus.RESOLVED),
    ],
)
def test_datadog_needs_no_mapping(transition: str, status: AlertStatus) -> None:
    alert = alert_of({**json.loads(payload("generic/datadog.json")), "status": transition})
    assert (alert.status, alert.severity) == (status, Severity.ERROR)
    assert alert.dedup_key == "31415926 table:orders"
    assert alert.labels == {"env": "prod", "table": "orders", "team": "shop", "tags": "monitor"}
    assert alert.occurred_at == datetime.fromtimestamp(1795402740, UTC)


@pytest.mark.parametrize(
    ("firing", "resolved"),
    [
        ("[Triggered] CPU is high", "[Recovered] CPU is high"),
        ("[Triggered on {host:web-1}] CPU is high", "[Recovered on {host:web-1}] CPU is high"),
        ("[P1] [Re-Triggered] CPU is high", "[P1] [Recovered] CPU is high"),
        ("[FIRING:2] CPU is high", "[RESOLVED] CPU is high"),
        ("[No Data] CPU is high", "[OK] CPU is high"),
    ],
)
def test_a_title_may_begin_with_its_state(firing: str, resolved: str) -> None:
    bad, good = alert_of({"title": firing}), alert_of({"title": resolved})
    assert (bad.status, good.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert (bad.title, good.title) == (firing, resolved)
    assert bad.dedup_key == good.dedup_key


@pytest.mark.parametrize(
    "title",
    ["[Team A] export failed", "[test] export failed", "Export failed [ok]", "[ok export failed"],
)
def test_other_brackets_of_a_title_tell_no_state(title: str) -> None:
    assert alert_of({"title": title}).status is AlertStatus.FIRING
    assert alert_of({"title": title}).dedup_key != alert_of({"title": "export failed"}).dedup_key


def test_a_state_that_is_told_is_stronger_than_the_titles() -> None:
    assert alert_of({"title": "[OK] disk", "status": "failed"}).status is AlertStatus.FIRING
    one, other = (f"[Triggered on {{host:web-{n}}}] CPU is high" for n in (1, 2))
    assert alert_of({"title": one}).dedup_key != alert_of({"title": other}).dedup_key


@pytest.mark.parametrize("name", ["dag_id", "pipeline", "job_name", "job", "workflow"])
@pytest.mark.parametrize("run", [17, "scheduled__2026-11-23T00:00:00+00:00"])
def test_runs_of_two_pipelines_may_have_one_id_and_are_two_groups(name: str, run: object) -> None:
    one, again, other = (
        alert_of({"title": "Load failed", name: pipeline, "run_id": run, "n": n}).group_key
        for n, pipeline in enumerate(["orders", "orders", "ads"])
    )
    assert one == again == f"orders/{run}"
    assert other == f"ads/{run}"


def test_a_run_id_that_nobody_else_has_groups_by_itself() -> None:
    run = "d46e465b-d358-4d32-83d4-df660ff614dd"
    keys = {alert_of({"title": "x", "job": job, "run_id": run}).group_key for job in ("a", "b")}
    assert keys == {run}
    assert alert_of({"title": "x", "run_id": 17}).group_key == "17"
    mapped = alert_of({"title": "x", "job": "a", "run_id": 17}, {"group": "{run_id}"})
    assert mapped.group_key == "17"


@pytest.mark.parametrize("name", ["dag_id", "task_id", "pipeline", "job", "table"])
def test_without_a_key_the_pipeline_or_table_names_the_thing(name: str) -> None:
    one, other = (alert_of({"title": "Load failed", name: said}) for said in ("orders", "ads"))
    again = alert_of({"title": "Load failed", name: "orders", "run": 7, "status": "ok"})
    assert one.dedup_key == again.dedup_key
    assert one.dedup_key != other.dedup_key


def test_a_list_without_titles_is_told_by_the_whole() -> None:
    """Grafana's notification, sent to the wrong kind of source, still says what broke and ends."""
    bad, good = (alert_of(payload(f"grafana/{name}.json")) for name in ("firing", "resolved"))
    assert (bad.title, bad.status) == ("[FIRING:1] Rows per hour", AlertStatus.FIRING)
    assert good.status is AlertStatus.RESOLVED
    assert bad.dedup_key == good.dedup_key
    with pytest.raises(UnreadableError):
        alert_of({"alerts": [{"a": 1}]})
    with pytest.raises(UnreadableError):
        alert_of({"title": "x", "alerts": [{"a": 1}]}, {"alerts": "alerts"})


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"status": "running"}, AlertStatus.INFO),
        ({"status": "running", "level": "info"}, AlertStatus.INFO),
        ({"status": "running", "severity": "critical"}, AlertStatus.FIRING),
        ({"state": "Started", "priority": "P2"}, AlertStatus.FIRING),
        ({"status": "acknowledged", "severity": "critical"}, AlertStatus.INFO),
        ({"status": "test", "severity": "critical"}, AlertStatus.INFO),
    ],
)
def test_a_job_that_runs_is_a_remark_unless_it_is_called_bad(
    said: dict[str, str], status: AlertStatus
) -> None:
    assert alert_of({"title": "Load orders has run for 3 hours", **said}).status is status


@pytest.mark.parametrize("meaning", ["info", "resolved"])
def test_what_the_mapping_says_of_a_running_job_counts(meaning: str) -> None:
    body = {"title": "Load", "status": "running", "severity": "critical"}
    assert alert_of(body, {meaning: ["running"]}).status is AlertStatus(meaning)
