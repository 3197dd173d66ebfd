"""A heartbeat says that a job ran, or that it failed."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot.sources import registry
from bot.sources.heartbeat import NAME_HEADER, STATUS_HEADER
from bot.sources.kind import Source
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery

SOURCE = Source(name="cron", kind="generic")
NIGHTLY: Mapping[str, str] = {NAME_HEADER: "nightly-load"}
FAILED: Mapping[str, str] = {**NIGHTLY, STATUS_HEADER: "fail"}


def alert_of(body: bytes | object = b"", headers: Mapping[str, str] = NIGHTLY) -> Alert:
    (alert,) = registry.read(SOURCE, delivery(body, source="cron", headers=headers)).alerts
    return alert


def test_an_empty_heartbeat_says_that_all_is_well() -> None:
    alert = alert_of()
    assert alert.status is AlertStatus.RESOLVED
    assert alert.severity is Severity.INFO
    assert alert.title == "nightly-load ran well"
    assert alert.dedup_key == "heartbeat:nightly-load"
    assert alert.occurred_at == RECEIVED
    assert alert.labels == {"heartbeat": "nightly-load"}


def test_a_failure_and_its_end_are_one_thing() -> None:
    alert = alert_of(b"", FAILED)
    assert (alert.status, alert.severity) == (AlertStatus.FIRING, Severity.ERROR)
    assert alert.title == "nightly-load failed"
    assert alert.dedup_key == alert_of().dedup_key
    assert alert_of(b"", {NAME_HEADER: "other"}).dedup_key != alert.dedup_key


def test_the_body_may_say_it_with_a_message_and_a_product() -> None:
    alert = alert_of({"status": "fail", "message": "disk full\nat /data", "product": "orders"})
    assert alert.status is AlertStatus.FIRING
    assert alert.title == "nightly-load failed: disk full"
    assert alert.description == "disk full\nat /data"
    assert alert.labels["product"] == "orders"


def test_what_a_job_pipes_in_is_its_message() -> None:
    alert = alert_of(b"Traceback\nKeyError: 'amount'\n", FAILED)
    assert alert.title == "nightly-load failed: Traceback"
    assert "KeyError" in alert.description


def test_the_address_is_stronger_than_the_body() -> None:
    assert alert_of({"status": "ok"}, FAILED).status is AlertStatus.FIRING


@pytest.mark.parametrize(
    "body",
    [
        {"status": "what"},
        {"status": None},
        {"status": ["fail"]},
        {"message": {"a": 1}},
        b"[" * 5_000,
        b"{oops",
        b"\xff\x00",
        b"1",
        {"message": "x" * 100_000, "product": "<!channel>\u202e" * 2_000},
        json.dumps({"message": "\ud800"}),
    ],
)
def test_anything_may_be_the_body(body: bytes | object) -> None:
    alert = alert_of(body)
    assert not alert.unreadable
    assert alert.status is AlertStatus.RESOLVED
    assert len(alert.title) <= 300
    assert len(alert.labels.get("product", "")) <= 1_024


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
def test_every_kind_of_source_takes_them(kind: str) -> None:
    source = Source(name="any", kind=kind)
    (alert,) = registry.read(source, delivery(b"", source="any", headers=FAILED)).alerts
    assert alert.dedup_key == "heartbeat:nightly-load"
    assert registry.handshake(arrival(source, b"", headers=FAILED)) is None


def test_a_quick_repeat_is_one_delivery_and_the_next_run_is_another() -> None:
    first = registry.delivery_key(arrival(SOURCE, b"", headers=NIGHTLY))
    again = arrival(SOURCE, b"", headers=NIGHTLY, at=RECEIVED + timedelta(seconds=3))
    later = arrival(SOURCE, b"", headers=NIGHTLY, at=RECEIVED + timedelta(minutes=1))
    assert registry.delivery_key(again) == first
    assert registry.delivery_key(later) != first
    assert registry.delivery_key(arrival(SOURCE, b"", headers=FAILED)) != first
    assert registry.delivery_key(arrival(SOURCE, b"", headers={NAME_HEADER: "other"})) != first
    assert registry.delivery_key(arrival(SOURCE, b"")) != first
