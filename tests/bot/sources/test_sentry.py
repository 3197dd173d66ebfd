"""Sentry's issues and metric alerts become alerts, and join the run their tags name."""

import json
from datetime import UTC, datetime

import pytest

from bot.sources.kind import UnreadableError
from bot.sources.run import run_of
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import payload
from tests.fakes.vendors import alert_of, alerts_of

ISSUE_NAMES = ("event_alert", "issue_created", "issue_resolved", "issue_unresolved")


def changed(name: str, *path: str, value: object) -> dict[str, object]:
    body = json.loads(payload(f"sentry/{name}.json"))
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return body


def test_an_issue_alert_joins_the_run_that_its_tags_name() -> None:
    alert = alert_of("sentry", "event_alert")
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.title == "KeyError: 'order_id'"
    assert alert.group_key == "daily_orders/scheduled__2026-11-23T00:00:00+00:00"
    assert alert.labels["dag_id"] == "daily_orders"
    assert alert.labels["product"] == "finance_orders"
    assert alert.labels["rule"] == "New failure in the ETL"
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 55, 0, 250000, tzinfo=UTC)
    assert alert.url.startswith("https://acme.sentry.io/issues/1170820242/")


def test_two_issues_of_a_run_share_its_group_and_no_key() -> None:
    other = alert_of("sentry", changed("event_alert", "data", "event", "issue_id", value="7"))
    alert = alert_of("sentry", "event_alert")
    assert other.group_key == alert.group_key
    assert other.dedup_key != alert.dedup_key


def test_tags_may_be_objects() -> None:
    tags = [{"key": "dag_id", "value": "d"}, {"key": "run_id", "value": "r"}, 3, ["x"]]
    body = changed("event_alert", "data", "event", "tags", value=tags)
    assert alert_of("sentry", body).group_key == "d/r"


def test_an_issue_is_one_thing_whatever_tells_of_it() -> None:
    assert {alert_of("sentry", name).dedup_key for name in ISSUE_NAMES} == {"issue:1170820242"}


@pytest.mark.parametrize(
    ("name", "status", "title"),
    [
        ("issue_created", AlertStatus.FIRING, "KeyError: 'order_id'"),
        ("issue_unresolved", AlertStatus.FIRING, "Back again: KeyError: 'order_id'"),
        ("issue_resolved", AlertStatus.RESOLVED, "Resolved: KeyError: 'order_id'"),
        ("issue_archived", AlertStatus.INFO, "Archived: KeyError: 'order_id'"),
    ],
)
def test_the_action_on_an_issue_is_its_status(name: str, status: AlertStatus, title: str) -> None:
    alert = alert_of("sentry", name)
    assert (alert.status, alert.title) == (status, title)
    assert alert.labels["project"] == "etl"


def test_an_assigned_issue_is_a_remark() -> None:
    assert alert_of("sentry", changed("issue_created", "action", value="assigned")).status is (
        AlertStatus.INFO
    )


def test_a_metric_alert_recovers_by_its_rule() -> None:
    broken, whole = alert_of("sentry", "metric_critical"), alert_of("sentry", "metric_resolved")
    assert broken.status is AlertStatus.FIRING
    assert broken.severity is Severity.CRITICAL
    assert whole.status is AlertStatus.RESOLVED
    assert broken.dedup_key == whole.dedup_key == "metric:7"
    assert whole.occurred_at == datetime(2026, 11, 23, 2, 59, tzinfo=UTC)
    again = changed("metric_critical", "data", "metric_alert", "id", value="92")
    assert alert_of("sentry", again).dedup_key == broken.dedup_key
    other = changed("metric_critical", "data", "metric_alert", "alert_rule", value={"id": "8"})
    assert alert_of("sentry", other).dedup_key != broken.dedup_key


def test_a_metric_alert_and_an_issue_of_one_number_are_two_things() -> None:
    issue = changed("issue_created", "data", "issue", "id", value="7")
    assert alert_of("sentry", issue).dedup_key != alert_of("sentry", "metric_critical").dedup_key


def test_warnings_are_warnings() -> None:
    body = changed("metric_critical", "action", value="warning")
    assert alert_of("sentry", body).severity is Severity.WARNING


def test_an_installation_has_nothing_to_tell() -> None:
    assert alerts_of("sentry", "installation_created") == ()


def test_a_mere_error_is_a_remark() -> None:
    event = json.loads(payload("sentry/event_alert.json"))["data"]["event"]
    alert = alert_of("sentry", {"action": "created", "data": {"error": event}})
    assert alert.status is AlertStatus.INFO


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "created", "data": {}},
        changed("issue_created", "action", value="exploded"),
        changed("issue_created", "data", "issue", "id", value=None),
        changed("metric_critical", "action", value="odd"),
        changed("metric_critical", "data", "metric_alert", value={}),
        changed("event_alert", "data", "event", "issue_id", value=None),
    ],
)
def test_what_is_not_understood_is_said(body: object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of("sentry", body)


def test_a_run_needs_both_its_labels() -> None:
    assert run_of({"dag_id": "d", "run_id": "r"}) == "d/r"
    assert run_of({"dag_id": "d", "dag_run_id": "r"}) == "d/r"
    assert run_of({"dag_id": "d"}) == run_of({"run_id": "r"}) == run_of({}) == ""
