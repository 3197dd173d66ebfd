"""Alertmanager's and Grafana's notifications become alerts."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.sources.alert_group import delivery_key
from bot.sources.alertmanager import parse
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery, payload

SOURCE = Source(name="prom", kind="alertmanager")


def alerts_of(body: bytes | object) -> tuple[Alert, ...]:
    return parse(SOURCE, delivery(body, source="prom")).alerts


def test_each_entry_becomes_an_alert_with_its_own_status() -> None:
    firing, resolved = alerts_of(payload("alertmanager/firing_and_resolved.json"))

    assert firing.dedup_key == "c17bd7adee4c0b4a"
    assert firing.status is AlertStatus.FIRING
    assert firing.severity is Severity.CRITICAL
    assert firing.title == "Replica replica-2 is 14 minutes behind"
    assert firing.description.startswith("Reports read from the replica are older than promised.\n")
    assert firing.occurred_at == datetime(2026, 11, 23, 2, 51, 7, 412958, tzinfo=UTC)
    assert firing.url == "https://prometheus.example/graph?g0.expr=lag"
    assert firing.labels["runbook_url"] == "https://runbooks.example/replica-lag"
    assert firing.labels["team"] == "platform"

    assert resolved.status is AlertStatus.RESOLVED
    assert resolved.severity is Severity.CRITICAL
    assert resolved.occurred_at == datetime(2026, 11, 23, 2, 58, tzinfo=UTC)
    assert resolved.group_key == firing.group_key == '{}:{alertname="WarehouseReplicaLag"}'
    assert resolved.dedup_key != firing.dedup_key


def test_without_a_summary_the_title_tells_the_instances_apart() -> None:
    resolved = alerts_of(payload("alertmanager/firing_and_resolved.json"))[1]
    assert (
        resolved.title
        == "WarehouseReplicaLag (instance=replica-1:9187, job=postgres, cluster=eu-1)"
    )


def test_left_out_alerts_are_told() -> None:
    firing = alerts_of(payload("alertmanager/firing_and_resolved.json"))[0]
    assert firing.description.endswith("Alertmanager left 3 more alerts of this group out.")


def test_grafana_is_read_and_its_organisations_are_kept_apart() -> None:
    (alert,) = alerts_of(payload("alertmanager/grafana.json"))
    assert alert.dedup_key == "7:5f9c1f7c2b7f0f0e"
    assert alert.title == "Rows per hour (table=orders)"
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 55, tzinfo=UTC)
    assert alert.severity is Severity.UNKNOWN


def test_without_a_fingerprint_the_labels_are_the_key() -> None:
    one = {"status": "firing", "labels": {"alertname": "A", "host": "1"}}
    other = {"status": "firing", "labels": {"host": "1", "alertname": "A"}}
    third = {"status": "firing", "labels": {"alertname": "A", "host": "2"}}
    keys = [alert.dedup_key for alert in alerts_of({"alerts": [one, other, third]})]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]


@pytest.mark.parametrize(
    "body",
    [
        payload("alertmanager/custom_payload.json"),
        {"alerts": []},
        {"alerts": "many"},
        {"alerts": [1, None, {"labels": {}}]},
        [],
        b"",
    ],
)
def test_a_body_that_is_not_alertmanagers_is_unreadable(body: bytes | object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of(body)


def test_one_bad_entry_spares_the_others() -> None:
    good, bad = alerts_of({"alerts": [{"labels": {"alertname": "A"}}, {"labels": 3}]})
    assert good.status is AlertStatus.FIRING
    assert not good.unreadable
    assert bad.unreadable


def test_a_retry_has_the_same_key() -> None:
    body = payload("alertmanager/firing_and_resolved.json")
    retry = arrival(SOURCE, body, at=RECEIVED + timedelta(seconds=30))
    assert delivery_key(retry) == delivery_key(arrival(SOURCE, body))


def test_a_repeat_after_the_interval_counts() -> None:
    body = payload("alertmanager/firing_and_resolved.json")
    later = arrival(SOURCE, body, at=RECEIVED + timedelta(hours=4))
    assert delivery_key(later) != delivery_key(arrival(SOURCE, body))


def test_keys_stand_in_the_order_of_time_whatever_the_body_says() -> None:
    """Their index is filled at its end, not all over: that is most of what accepting costs."""
    keys = [
        delivery_key(arrival(SOURCE, f"{minute}".encode(), at=RECEIVED + timedelta(minutes=minute)))
        for minute in range(50)
    ]
    assert keys == sorted(keys)


@pytest.mark.parametrize("field", ["status", "startsAt", "fingerprint"])
def test_another_state_has_another_key(field: str) -> None:
    body = json.loads(payload("alertmanager/grafana.json"))
    first = delivery_key(arrival(SOURCE, body))
    body["alerts"][0][field] = "other"
    assert delivery_key(arrival(SOURCE, body)) != first


def test_of_too_many_alerts_those_that_fire_are_read() -> None:
    whole = [{"status": "resolved", "labels": {"alertname": f"A{n}"}} for n in range(1_000)]
    body = {"alerts": [*whole, {"status": "firing", "labels": {"alertname": "Down"}}]}
    first, *_, last = alerts_of(json.dumps(body).encode())
    assert (first.title, first.status) == ("Down", AlertStatus.FIRING)
    assert "It held 1 more." in last.description
