"""Opsgenie's alerts by their alias: created, closed, and what people do in between."""

import json

import pytest

from bot.sources.kind import UnreadableError
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import payload
from tests.fakes.vendors import alert_of, alerts_of


def changed(name: str, action: str = "", **fields: object) -> dict[str, object]:
    body = json.loads(payload(f"opsgenie/{name}.json"))
    body["alert"] |= fields
    return body | ({"action": action} if action else {})


def test_a_created_alert_fires() -> None:
    alert = alert_of("opsgenie", "create")
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.title == "orders is late"
    assert alert.description == "No rows since midnight."
    assert alert.labels["table"] == "orders"
    assert alert.labels["tags"] == "finance"
    assert alert.group_key == "daily_orders/scheduled__2026-11-23"


def test_closing_it_recovers_it_even_under_another_id() -> None:
    broken = alert_of("opsgenie", "create")
    whole = alert_of("opsgenie", changed("close", alertId="another"))
    assert whole.status is AlertStatus.RESOLVED
    assert whole.dedup_key == broken.dedup_key == "warehouse/orders/late"
    assert whole.title == "Close by ana@example.com: orders is late"


def test_without_an_alias_the_id_is_the_thing() -> None:
    one, other = changed("create", alias=""), changed("create", alias="", alertId="other")
    assert alert_of("opsgenie", one).dedup_key == "052652ac-5d1c-464a-812a-7dd18bbfba8c"
    assert alert_of("opsgenie", other).dedup_key == "other"


@pytest.mark.parametrize("priority", ["P1", "P3", "P5", "odd"])
def test_priority_is_severity(priority: str) -> None:
    meant = {"P1": Severity.CRITICAL, "P3": Severity.WARNING, "P5": Severity.INFO}
    alert = alert_of("opsgenie", changed("create", priority=priority))
    assert alert.severity is meant.get(priority, Severity.UNKNOWN)


@pytest.mark.parametrize(
    "action", ["Acknowledge", "UnAcknowledge", "AddNote", "EscalateNext", "Snooze", "SomethingNew"]
)
def test_what_people_do_with_it_is_a_remark(action: str) -> None:
    alert = alert_of("opsgenie", changed("create", action=action))
    assert alert.status is AlertStatus.INFO
    assert alert.title.startswith(action)


def test_a_deleted_alert_never_comes_back_to_be_closed() -> None:
    assert alert_of("opsgenie", changed("create", action="Delete")).status is AlertStatus.RESOLVED


@pytest.mark.parametrize(
    "body", [{}, {"action": "Create"}, {"action": "Create", "alert": {}}, {"alert": {"alias": "a"}}]
)
def test_another_shape_is_said(body: object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of("opsgenie", body)
