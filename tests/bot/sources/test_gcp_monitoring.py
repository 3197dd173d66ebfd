"""Cloud Monitoring's incidents become alerts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sources.gcp_monitoring import delivery_key, parse
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery, payload

SOURCE = Source(name="gcp", kind="gcp_monitoring")
OPEN = payload("gcp_monitoring/open.json")
CLOSED = payload("gcp_monitoring/closed.json")
TEST = payload("gcp_monitoring/test.json")


def alert_of(body: bytes | object) -> Alert:
    (alert,) = parse(SOURCE, delivery(body, source="gcp")).alerts
    return alert


def changed(body: bytes, **incident: object) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(body)
    whole["incident"].update(incident)
    return whole


def test_an_open_incident_fires() -> None:
    alert = alert_of(OPEN)
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.CRITICAL
    assert alert.title == "Orders arrive late: Backlog over 50k (orders-to-warehouse)"
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 51, tzinfo=UTC)
    assert "Observed 81242, threshold 50000." in alert.description
    assert "The loader is behind." in alert.description
    assert alert.url.startswith("https://console.cloud.google.com/monitoring/")
    assert alert.group_key == ""


def test_the_policys_labels_become_labels_and_name_the_product() -> None:
    found = alert_of(OPEN).labels
    assert found["data_product"] == found["product"] == "finance_orders"
    assert found["team"] == "finance-data"
    assert found["subscription_id"] == "orders-to-warehouse"
    assert found["policy"] == "Orders arrive late"


def test_closing_ends_the_same_thing() -> None:
    alert = alert_of(CLOSED)
    assert alert.status is AlertStatus.RESOLVED
    assert alert.dedup_key == alert_of(OPEN).dedup_key == "shop-monitoring/0.opqiw61fsv7p"
    assert alert.occurred_at == datetime(2026, 11, 23, 3, 12, tzinfo=UTC)


def test_other_incidents_and_projects_are_other_things() -> None:
    keys = {
        alert_of(changed(OPEN, **one)).dedup_key
        for one in (
            {},
            {"incident_id": "0.other"},
            {"scoping_project_id": "other"},
            {"incident_id": ""},
            {"incident_id": "", "policy_name": "Other"},
            {"incident_id": "", "resource": {"labels": {"subscription_id": "other"}}},
        )
    }
    assert len(keys) == 6


def test_a_test_notification_is_a_remark() -> None:
    alert = alert_of(TEST)
    assert (alert.status, alert.severity) == (AlertStatus.INFO, Severity.INFO)
    assert alert.title == "Cloud Monitoring sent a test notification"
    assert "Test documentation" in alert.description


def test_a_subject_written_for_people_is_the_title() -> None:
    said = {"content": "Look at it.", "mime_type": "text/markdown", "subject": "Orders are late"}
    assert alert_of(changed(OPEN, documentation=said)).title == "Orders are late"


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Warning", Severity.WARNING),
        ("Error", Severity.ERROR),
        ("No severity", Severity.UNKNOWN),
        (None, Severity.UNKNOWN),
    ],
)
def test_severities(word: str | None, severity: Severity) -> None:
    assert alert_of(changed(OPEN, severity=word)).severity is severity


@pytest.mark.parametrize("body", [b"", b"[]", {}, {"incident": None}, {"incident": {"state": 1}}])
def test_what_has_no_incident_is_unreadable(body: bytes | object) -> None:
    with pytest.raises(UnreadableError):
        alert_of(body)


def test_a_notification_sent_again_has_the_same_key() -> None:
    later = RECEIVED + timedelta(hours=2)
    first = delivery_key(arrival(SOURCE, OPEN))
    assert delivery_key(arrival(SOURCE, OPEN, at=later)) == first
    assert delivery_key(arrival(SOURCE, CLOSED)) != first


def test_every_test_notification_counts() -> None:
    later = RECEIVED + timedelta(hours=2)
    first = delivery_key(arrival(SOURCE, TEST))
    assert delivery_key(arrival(SOURCE, TEST, at=later)) != first
    assert delivery_key(arrival(SOURCE, TEST)) == first
