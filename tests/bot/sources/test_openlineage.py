"""OpenLineage run events become alerts of jobs and of assertions on data."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sources.kind import Source, UnreadableError
from bot.sources.openlineage import delivery_key, parse
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery, payload

SOURCE = Source(name="lineage", kind="openlineage")
FAIL = payload("openlineage/fail.json")
CHECKED = payload("openlineage/complete_with_assertions.json")
PARENT = "3f5e83fa-3480-44ff-99c5-ff943904e5e8"
RUN = "d46e465b-d358-4d32-83d4-df660ff614dd"


def alerts_of(body: bytes | object) -> tuple[Alert, ...]:
    return parse(SOURCE, delivery(body, source="lineage")).alerts


def event(body: bytes = FAIL, **changes: object) -> dict[str, Any]:
    return {**json.loads(body), **changes}


def test_a_failed_run_fires() -> None:
    (alert,) = alerts_of(FAIL)
    assert (alert.status, alert.severity) == (AlertStatus.FIRING, Severity.ERROR)
    assert alert.title == 'load_orders.load failed: relation "raw.orders" does not exist'
    assert "Traceback" in alert.description
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 55, tzinfo=UTC)
    assert alert.labels["owner"] == "team:finance-data"
    assert alert.labels["nominal_time"] == "2026-11-22T02:00:00Z"
    assert alert.labels["product"] == "finance_orders"
    assert alert.labels["run_id"] == RUN


def test_an_aborted_run_is_a_warning() -> None:
    (alert,) = alerts_of(payload("openlineage/abort.json"))
    assert (alert.status, alert.severity) == (AlertStatus.FIRING, Severity.WARNING)
    assert alert.title == "load_orders.load was aborted"


def test_a_complete_run_ends_what_another_run_began() -> None:
    (good,) = alerts_of(event(payload("openlineage/complete.json"), run={"runId": "other"}))
    (failed,) = alerts_of(FAIL)
    assert good.status is AlertStatus.RESOLVED
    assert good.dedup_key == failed.dedup_key


def test_the_parents_run_groups_and_else_the_own_one() -> None:
    (alert,) = alerts_of(FAIL)
    assert alert.group_key == PARENT
    (alone,) = alerts_of(event(run={"runId": RUN}))
    assert alone.group_key == RUN


@pytest.mark.parametrize("kind", ["START", "RUNNING", "OTHER", "", None, 7])
def test_other_events_tell_nothing(kind: object) -> None:
    assert alerts_of(event(eventType=kind)) == ()


def test_assertions_of_a_complete_run_fire_and_end() -> None:
    job, missing, rows, unique = alerts_of(CHECKED)
    assert job.status is AlertStatus.RESOLVED
    assert missing.status is AlertStatus.FIRING
    assert missing.severity is Severity.ERROR
    assert missing.title == "not_null on shop.public.orders.customer_id failed"
    assert missing.description == "Expected 0, actual 37."
    assert missing.labels["dataset"] == "shop.public.orders"
    assert missing.group_key == PARENT
    assert (rows.status, rows.severity) == (AlertStatus.FIRING, Severity.WARNING)
    assert rows.title == "row_count on shop.public.orders failed"
    assert unique.status is AlertStatus.RESOLVED


def test_an_assertion_that_passes_later_is_the_same_thing() -> None:
    later = event(CHECKED)
    for one in later["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]:
        one["success"] = True
    later["run"] = {"runId": "other"}
    later["job"]["name"] = "another.check"
    firing = {one.dedup_key for one in alerts_of(CHECKED) if one.status is AlertStatus.FIRING}
    ended = {one.dedup_key for one in alerts_of(later) if one.status is AlertStatus.RESOLVED}
    assert len(firing) == 2
    assert firing <= ended


def test_other_things_have_other_keys() -> None:
    def check(namespace: str, name: str, assertion: str, column: str) -> str:
        facet = {"assertions": [{"assertion": assertion, "success": False, "column": column}]}
        data: dict[str, object] = {
            "namespace": namespace,
            "name": name,
            "inputFacets": {"dataQualityAssertions": facet},
        }
        return alerts_of(event(eventType="RUNNING", inputs=[data]))[0].dedup_key

    def job(namespace: str, name: str) -> str:
        return alerts_of(event(job={"namespace": namespace, "name": name}))[0].dedup_key

    keys = [
        job("a", "b/c"),
        job("a/b", "c"),
        job("a", "b~sc"),
        job("a~", "sb/c"),
        check("n", "d", "unique", "id"),
        check("m", "d", "unique", "id"),
        check("n", "e", "unique", "id"),
        check("n", "d", "not_null", "id"),
        check("n", "d", "unique", "key"),
        check("n", "d", "unique", ""),
    ]
    assert len(set(keys)) == len(keys)


def test_assertions_without_a_name_differ_by_what_they_check() -> None:
    same = {"assertion": "custom_sql", "success": False}
    assertions = [{**same, "content": "a"}, {**same, "content": "b"}, {**same, "params": {"n": 1}}]
    facets = {"dataQualityAssertions": {"assertions": assertions}}
    data: dict[str, object] = {"namespace": "n", "name": "d", "inputFacets": facets}
    found = alerts_of(event(eventType="RUNNING", inputs=[data]))
    assert len({one.dedup_key for one in found}) == 3


def of_airflow(
    kind: str, *, index: int | None = None, tried: int = 1, trace: str = "Traceback\nKeyError: 'x'"
) -> dict[str, Any]:
    """Return an event of a task as Airflow's provider sends it; it has two retries."""
    body = event(eventType=kind)
    instance = {"pool": "default_pool", "try_number": tried, "map_index": index}
    body["run"]["facets"]["airflow"] = {"task": {"retries": 2}, "taskInstance": instance}
    body["run"]["facets"]["errorMessage"]["stackTrace"] = trace
    return body


def test_a_mapped_task_that_completes_does_not_end_what_another_index_began() -> None:
    (bad,) = alerts_of(of_airflow("FAIL", index=3, tried=3))
    (other,) = alerts_of(of_airflow("COMPLETE", index=4))
    (good,) = alerts_of(of_airflow("COMPLETE", index=3))
    assert bad.title.startswith("load_orders.load[3] failed")
    assert other.dedup_key != bad.dedup_key == good.dedup_key
    # one copy is no run of the whole task, and proves nothing of another copy
    assert parse(SOURCE, delivery(of_airflow("COMPLETE", index=4))).runs == ()
    assert parse(SOURCE, delivery(of_airflow("COMPLETE"))).runs
    (plain,) = alerts_of(of_airflow("FAIL", tried=3))
    assert plain.dedup_key == alerts_of(FAIL)[0].dedup_key


@pytest.mark.parametrize(
    ("tried", "trace", "status"),
    [
        (1, "Traceback\nKeyError: 'x'", AlertStatus.INFO),
        (2, "Traceback\nKeyError: 'x'", AlertStatus.INFO),
        (3, "Traceback\nKeyError: 'x'", AlertStatus.FIRING),
        (1, "airflow.exceptions.AirflowFailException: no", AlertStatus.FIRING),
        (1, "airflow.exceptions.AirflowSensorTimeout: no file", AlertStatus.FIRING),
        (1, "", AlertStatus.FIRING),
    ],
)
def test_a_task_that_airflow_will_try_again_wakes_nobody(
    tried: int, trace: str, status: AlertStatus
) -> None:
    parsed = parse(SOURCE, delivery(of_airflow("FAIL", tried=tried, trace=trace)))
    (alert,) = parsed.alerts
    assert alert.status is status
    assert ("will be tried again" in alert.title) is (status is AlertStatus.INFO)
    assert bool(parsed.runs) is (status is AlertStatus.FIRING)


def test_tests_that_the_run_reports() -> None:
    tests = [
        {"name": "rows", "status": "fail", "severity": "warn", "expected": "1", "actual": "0"},
        {"name": "keys", "status": "pass"},
        {"name": "late", "status": "skip"},
    ]
    body = event(eventType="COMPLETE")
    body["run"]["facets"] = {"test": {"tests": tests}}
    _, rows, keys = alerts_of(body)
    assert (rows.status, rows.severity) == (AlertStatus.FIRING, Severity.WARNING)
    assert rows.title == "rows in load_orders.load failed"
    assert keys.status is AlertStatus.RESOLVED


def test_events_about_a_job_or_a_dataset_alone_tell_nothing() -> None:
    about = {"eventTime": "2026-11-23T02:00:00Z", "producer": "p"}
    assert alerts_of({**about, "job": {"namespace": "n", "name": "j"}}) == ()
    assert alerts_of({**about, "dataset": {"namespace": "n", "name": "d"}}) == ()


def test_a_list_of_events_is_read() -> None:
    good, bad = alerts_of([json.loads(FAIL), {"eventType": "FAIL"}])
    assert good.status is AlertStatus.FIRING
    assert bad.unreadable


@pytest.mark.parametrize(
    "body", [b"", b"[]", {}, [{}], {"eventType": "FAIL", "run": {}}, event(job={}), event(run=None)]
)
def test_what_is_no_event_is_unreadable(body: bytes | object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of(body)


def test_an_event_sent_again_has_the_same_key() -> None:
    later = RECEIVED + timedelta(hours=3)
    first = delivery_key(arrival(SOURCE, FAIL))
    assert delivery_key(arrival(SOURCE, FAIL, at=later)) == first
    assert delivery_key(arrival(SOURCE, event(eventType="COMPLETE"))) != first
