"""PagerDuty's incidents: triggered, resolved, and what people do in between."""

import json

import pytest

from bot.sources.kind import UnreadableError
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import payload
from tests.fakes.vendors import alert_of, alerts_of


def changed(name: str, kind: str = "", **fields: object) -> dict[str, object]:
    body = json.loads(payload(f"pagerduty/{name}.json"))
    body["event"]["data"] |= fields
    if kind:
        body["event"]["event_type"] = kind
    return body


def test_a_triggered_incident_fires() -> None:
    alert = alert_of("pagerduty", "triggered")
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.CRITICAL
    assert alert.title == "Warehouse queue is full"
    assert alert.labels["service"] == "Warehouse"
    assert alert.labels["assignees"] == "Ana"
    assert alert.url == "https://acme.pagerduty.com/incidents/PGR0VU2"


def test_resolving_it_recovers_it() -> None:
    broken, whole = alert_of("pagerduty", "triggered"), alert_of("pagerduty", "resolved")
    assert whole.status is AlertStatus.RESOLVED
    assert whole.dedup_key == broken.dedup_key


def test_the_same_key_of_two_services_is_two_things() -> None:
    other = changed("triggered", service={"id": "POTHER1"})
    assert alert_of("pagerduty", other).dedup_key != alert_of("pagerduty", "triggered").dedup_key


def test_without_a_key_the_incident_is_the_thing() -> None:
    one = alert_of("pagerduty", changed("triggered", incident_key=None))
    other = alert_of("pagerduty", changed("triggered", incident_key=None, id="P2"))
    assert one.dedup_key != other.dedup_key
    assert alert_of("pagerduty", changed("resolved", incident_key=None)).dedup_key == one.dedup_key


def test_a_note_finds_its_incident_by_the_group() -> None:
    note, broken = alert_of("pagerduty", "annotated"), alert_of("pagerduty", "triggered")
    assert note.status is AlertStatus.INFO
    assert note.group_key == broken.group_key == "incident:PGR0VU2"
    assert note.title == "PagerDuty: annotated by Ana: Warehouse queue is full"
    assert note.description == "Restarting the loader."


@pytest.mark.parametrize(
    "kind",
    [
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.escalated",
        "incident.reassigned",
        "incident.priority_updated",
        "incident.responder.added",
        "incident.something_new",
    ],
)
def test_what_people_do_with_it_is_a_remark(kind: str) -> None:
    assert alert_of("pagerduty", changed("triggered", kind)).status is AlertStatus.INFO


def test_a_reopened_incident_fires() -> None:
    assert alert_of("pagerduty", changed("triggered", "incident.reopened")).status is (
        AlertStatus.FIRING
    )


@pytest.mark.parametrize(
    ("urgency", "meant"),
    [("high", Severity.ERROR), ("low", Severity.WARNING), (None, Severity.UNKNOWN)],
)
def test_without_a_priority_the_urgency_counts(urgency: str | None, meant: Severity) -> None:
    body = changed("triggered", priority=None, urgency=urgency)
    assert alert_of("pagerduty", body).severity is meant


def test_pings_and_news_of_services_have_nothing_to_tell() -> None:
    assert alerts_of("pagerduty", "ping") == ()
    assert alerts_of("pagerduty", changed("triggered", "service.updated")) == ()


@pytest.mark.parametrize(
    "body",
    [{}, {"messages": [{"event": "incident.trigger"}]}, {"event": {"event_type": "incident.x"}}],
)
def test_another_shape_is_said(body: object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of("pagerduty", body)
