"""CloudEvents in headers, as a document and in batches become alerts."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sources.cloudevents import delivery_key, parse
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery, payload

SOURCE = Source(name="events", kind="cloudevents")
FAILED = payload("cloudevents/failed.json")
STRUCTURED = "application/cloudevents+json; charset=utf-8"
HEADERS: Mapping[str, str] = {
    "ce-id": "a-1",
    "ce-source": "/pipelines/shop",
    "ce-type": "example.shop.pipeline.failed.v1",
    "ce-specversion": "1.0",
    "ce-subject": "load-orders",
    "ce-time": "2026-11-23T02:57:00Z",
}


def alerts_of(body: bytes | object, **how: Any) -> tuple[Alert, ...]:
    return parse(SOURCE, delivery(body, source="events", **how)).alerts


def alert_of(body: bytes | object, **how: Any) -> Alert:
    (alert,) = alerts_of(body, **how)
    return alert


def event(**changes: object) -> dict[str, Any]:
    whole = {**json.loads(FAILED), **changes}
    return {name: one for name, one in whole.items() if one is not None}


def test_a_document_fires() -> None:
    alert = alert_of(FAILED, content_type=STRUCTURED)
    assert (alert.status, alert.severity) == (AlertStatus.FIRING, Severity.ERROR)
    assert alert.title == "load-orders failed: disk full"
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 57, tzinfo=UTC)
    assert alert.url == "https://pipelines.example/runs/7"
    assert alert.labels["product"] == "finance_orders"
    assert alert.labels["type"] == "example.shop.pipeline.failed.v1"


def test_headers_say_the_same() -> None:
    data = json.loads(FAILED)["data"]
    alert = alert_of(data, headers=HEADERS)
    document = alert_of(FAILED, content_type=STRUCTURED)
    assert (alert.dedup_key, alert.title, alert.status) == (
        document.dedup_key,
        document.title,
        document.status,
    )


def test_headers_are_percent_decoded_and_the_body_may_be_anything() -> None:
    headers = {**HEADERS, "ce-subject": "Euro%20%E2%82%AC"}
    alert = alert_of(b"the disk is full\nat /data", headers=headers, content_type="text/plain")
    assert alert.labels["subject"] == "Euro €"
    assert alert.description == "the disk is full\nat /data"
    assert alert_of(b"", headers=headers).status is AlertStatus.FIRING


def test_a_success_ends_the_same_thing() -> None:
    good = alert_of(payload("cloudevents/succeeded.json"))
    assert good.status is AlertStatus.RESOLVED
    assert good.dedup_key == alert_of(FAILED).dedup_key


@pytest.mark.parametrize(
    ("type_", "data", "status"),
    [
        ("a.load.failed", {}, AlertStatus.FIRING),
        ("a.load.failed.v2", {}, AlertStatus.FIRING),
        ("a.load_failed", {}, AlertStatus.FIRING),
        ("A.B.LoadFailed", {}, AlertStatus.FIRING),
        ("a.alert.fired", {}, AlertStatus.FIRING),
        ("a.load.completed", {}, AlertStatus.RESOLVED),
        ("a.alert.resolved", {}, AlertStatus.RESOLVED),
        ("a.object.created", {}, AlertStatus.INFO),
        ("a.load.started", {"n": 1}, AlertStatus.INFO),
        ("a.unfailed", {}, AlertStatus.INFO),
        ("a.check.updated", {"status": "failed"}, AlertStatus.FIRING),
        ("a.check.updated", {"state": "OK"}, AlertStatus.RESOLVED),
        ("a.run.completed", {"status": "error"}, AlertStatus.FIRING),
        ("a.run.completed", {"status": "strange"}, AlertStatus.RESOLVED),
        ("a.run.completed", {"status": {"a": 1}}, AlertStatus.RESOLVED),
        ("a.load.failed", {"status": "queued"}, AlertStatus.FIRING),
        ("a.load.completed", {"status": "skipped"}, AlertStatus.INFO),
        ("failed", {}, AlertStatus.FIRING),
        ("v1", {}, AlertStatus.INFO),
        ("1.2", {}, AlertStatus.INFO),
    ],
)
def test_what_type_and_data_say(type_: str, data: object, status: AlertStatus) -> None:
    assert alert_of(event(type=type_, data=data)).status is status


def test_another_source_subject_or_family_is_another_thing() -> None:
    changes: list[dict[str, object]] = [
        {},
        {"source": "/other"},
        {"subject": "other"},
        {"subject": None},
        {"type": "example.other.failed"},
        {"source": "/pipelines", "subject": "shop/load-orders"},
    ]
    keys = {alert_of(event(**one)).dedup_key for one in changes}
    assert len(keys) == len(changes)


def test_data_in_base64() -> None:
    data = base64.b64encode(b'{"title": "Load failed", "severity": "critical"}').decode()
    alert = alert_of(event(data=None, data_base64=data))
    assert (alert.title, alert.severity) == ("Load failed", Severity.CRITICAL)
    assert alert_of(event(data=None, data_base64="%%")).status is AlertStatus.FIRING


def test_a_batch_is_read_and_a_bad_entry_spares_the_others() -> None:
    how = {"content_type": "application/cloudevents-batch+json"}
    first, second, bad = alerts_of(payload("cloudevents/batch.json"), **how)
    assert (first.status, second.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert first.dedup_key != second.dedup_key
    assert bad.unreadable


def test_an_empty_batch_tells_nothing() -> None:
    assert alerts_of(b"[]", content_type="application/cloudevents-batch+json") == ()


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
def test_what_is_no_event_is_unreadable(name: str) -> None:
    with pytest.raises(UnreadableError):
        alerts_of(event(**{name: None}))
    headers = {key: one for key, one in HEADERS.items() if key != f"ce-{name}"}
    with pytest.raises(UnreadableError):
        alerts_of(b"{}", headers=headers)


def test_source_and_id_name_the_delivery_in_any_form() -> None:
    later = RECEIVED + timedelta(days=2)
    document = delivery_key(arrival(SOURCE, FAILED))
    assert delivery_key(arrival(SOURCE, FAILED, at=later)) == document
    assert delivery_key(arrival(SOURCE, b"{}", headers=HEADERS)) == document
    assert delivery_key(arrival(SOURCE, event(id="a-2"))) != document
    assert delivery_key(arrival(SOURCE, event(source="/other"))) != document
    batch = delivery_key(arrival(SOURCE, [event(), event(id="a-2")]))
    assert batch != document
    assert delivery_key(arrival(SOURCE, [event(), event(id="a-2")], at=later)) == batch
