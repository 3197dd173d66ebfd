"""Log entries in Pub/Sub messages become alerts."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sources.gcp_logging import MESSAGE_ID_HEADER, delivery_key, parse
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery, payload

SOURCE = Source(name="gcp", kind="gcp_logging")
BIGQUERY = payload("gcp_logging/bigquery_quota.json")
COMPOSER = payload("gcp_logging/composer_task.json")
DATAFLOW = payload("gcp_logging/dataflow_job.json")


def alert_of(body: bytes | object) -> Alert:
    (alert,) = parse(SOURCE, delivery(body, source="gcp")).alerts
    return alert


def entry_of(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(body)["message"]["data"]))
    return found


def pushed(entry: object, message_id: str = "1") -> dict[str, Any]:
    data = base64.b64encode(json.dumps(entry).encode()).decode()
    return {"message": {"data": data, "messageId": message_id}, "subscription": "s"}


def test_a_failed_bigquery_job() -> None:
    alert = alert_of(BIGQUERY)
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.title.startswith("shop-prod: InsertJob: RESOURCE_EXHAUSTED: Quota exceeded")
    assert alert.labels["principal"] == "loader@shop-prod.iam.gserviceaccount.com"
    assert alert.labels["log"] == "cloudaudit.googleapis.com/data_access"
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 58, 3, 512007, tzinfo=UTC)
    assert alert.group_key == ""


def test_a_composer_task_is_named_by_its_dag() -> None:
    alert = alert_of(COMPOSER)
    assert alert.title == "load_orders.load: Task failed with exception"
    assert "KeyError" in alert.description
    assert alert.labels["workflow"] == "load_orders"


@pytest.mark.parametrize(
    ("body", "section", "run"),
    [
        (DATAFLOW, ("resource", "labels"), {"job_id": "2026-11-23_another"}),
        (COMPOSER, ("labels",), {"execution-date": "2026-11-23", "try-number": "3"}),
    ],
)
def test_another_run_is_the_same_thing(
    body: bytes, section: tuple[str, ...], run: dict[str, str]
) -> None:
    entry = entry_of(body)
    inner = entry
    for name in section:
        inner = inner[name]
    inner.update(run)
    entry.update(insertId="other", timestamp="2026-11-24T02:00:00Z")
    assert alert_of(pushed(entry)).dedup_key == alert_of(body).dedup_key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("resource", "labels", "project_id"), "other"),
        (("resource", "type"), "bigquery_dataset"),
        (("protoPayload", "authenticationInfo", "principalEmail"), "ana@example.com"),
        (("protoPayload", "metadata", "jobChange", "job", "jobStatus", "errorResult", "code"), 7),
        (("logName",), "projects/shop-prod/logs/other"),
    ],
)
def test_another_resource_principal_log_or_code_is_another_thing(
    path: tuple[str, ...], value: object
) -> None:
    entry = entry_of(BIGQUERY)
    inner = entry
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    assert alert_of(pushed(entry)).dedup_key != alert_of(BIGQUERY).dedup_key


def of_pod(pod: str, **payload: object) -> dict[str, Any]:
    """Return what the cluster tells of a pod, as its events are logged."""
    where = {"project_id": "shop-prod", "cluster_name": "c", "namespace_name": "etl"}
    return pushed(
        {
            "logName": "projects/shop-prod/logs/events",
            "severity": "WARNING",
            "resource": {"type": "k8s_pod", "labels": {**where, "pod_name": pod}},
            "jsonPayload": {
                "kind": "Event",
                "reason": "BackOff",
                "message": "Back-off restarting failed container",
                **payload,
            },
        }
    )


@pytest.mark.parametrize(
    ("pods", "workload"),
    [
        (("api-7d4b9c6f5d-x2x9z", "api-7d4b9c6f5d-qk4vp", "api-6c8d9f7b54-bbzzt"), "api"),
        (("load-29383200-bcdfg", "load-29384640-f9k2m"), "load"),
        (("agent-x7k2p", "agent-9bq4d"), "agent"),
        (("kafka-0",), "kafka-0"),
        (("kafka-1",), "kafka-1"),
        (("load-orders",), "load-orders"),
    ],
)
def test_the_pods_of_a_workload_are_one_thing_and_the_title_names_it(
    pods: tuple[str, ...], workload: str
) -> None:
    alerts = [alert_of(of_pod(pod)) for pod in pods]
    assert len({alert.dedup_key for alert in alerts}) == 1
    assert workload in alerts[0].dedup_key.split("/")
    assert alerts[0].title == f"{pods[0]}: BackOff: Back-off restarting failed container"


@pytest.mark.parametrize(
    ("kind", "thing", "run"),
    [
        ("bigquery_dts_run", "config_id", "run_id"),
        ("build", "build_trigger_id", "build_id"),
    ],
)
def test_a_run_of_a_transfer_or_build_is_no_thing(kind: str, thing: str, run: str) -> None:
    def key(name: str, number: str) -> str:
        told = {"project_id": "p", thing: name, run: number}
        return alert_of(
            pushed({"logName": "l", "resource": {"type": kind, "labels": told}})
        ).dedup_key

    assert key("a", "1") == key("a", "2") != key("b", "1")


def test_things_are_told_apart_whatever_their_names_hold() -> None:
    keys = [
        alert_of(
            pushed({"logName": "l", "resource": {"type": "t", "labels": {"a": one, "b": other}}})
        ).dedup_key
        for one, other in (("x/b", "y"), ("x", "b/y"))
    ]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("word", "severity", "status"),
    [
        ("DEFAULT", Severity.UNKNOWN, AlertStatus.FIRING),
        (None, Severity.UNKNOWN, AlertStatus.FIRING),
        ("DEBUG", Severity.INFO, AlertStatus.INFO),
        ("NOTICE", Severity.INFO, AlertStatus.INFO),
        ("WARNING", Severity.WARNING, AlertStatus.FIRING),
        ("ERROR", Severity.ERROR, AlertStatus.FIRING),
        ("CRITICAL", Severity.CRITICAL, AlertStatus.FIRING),
        ("EMERGENCY", Severity.CRITICAL, AlertStatus.FIRING),
    ],
)
def test_severities(word: str | None, severity: Severity, status: AlertStatus) -> None:
    alert = alert_of(pushed({**entry_of(DATAFLOW), "severity": word}))
    assert (alert.severity, alert.status) == (severity, status)


def test_a_failed_call_that_is_written_as_a_notice_is_an_error() -> None:
    alert = alert_of(pushed({**entry_of(BIGQUERY), "severity": "NOTICE"}))
    assert (alert.severity, alert.status) == (Severity.ERROR, AlertStatus.FIRING)


def test_monitorings_own_pubsub_channel_is_read_too() -> None:
    incident = json.loads(payload("gcp_monitoring/open.json"))
    alert = alert_of(pushed(incident))
    assert alert.dedup_key == "shop-monitoring/0.opqiw61fsv7p"


def test_a_subscription_that_unwraps_is_read_too() -> None:
    entry = entry_of(COMPOSER)
    assert alert_of(entry).dedup_key == alert_of(COMPOSER).dedup_key
    came = arrival(SOURCE, entry, headers={MESSAGE_ID_HEADER: "77"})
    assert delivery_key(came) == "message:77"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        {},
        {"message": 1},
        {"message": {"data": "%%%"}},
        {"message": {"data": ""}},
        {"message": {"attributes": {"a": "b"}}},
        {"message": {"data": base64.b64encode(b"text").decode()}},
        pushed([]),
        pushed({"other": 1}),
    ],
)
def test_what_holds_no_log_entry_is_unreadable(body: bytes | object) -> None:
    with pytest.raises(UnreadableError):
        alert_of(body)


def test_a_message_delivered_again_has_the_same_key() -> None:
    again = {**json.loads(BIGQUERY), "deliveryAttempt": 4}
    later = RECEIVED + timedelta(hours=3)
    first = delivery_key(arrival(SOURCE, BIGQUERY))
    assert delivery_key(arrival(SOURCE, again, at=later)) == first
    assert delivery_key(arrival(SOURCE, pushed(entry_of(BIGQUERY), "2"))) != first
