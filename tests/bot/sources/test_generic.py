"""Any JSON, form or text becomes alerts, by a mapping or by good guesses."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from bot.sources.generic import delivery_key, handshake, parse
from bot.sources.kind import Answer, Source, UnreadableError
from bot.sources.words import time_of
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery, payload

FORM = "application/x-www-form-urlencoded"


def alerts_of(
    body: object, mapping: dict[str, Any] | None = None, *, content_type: str = "application/json"
) -> tuple[Alert, ...]:
    source = Source(name="tool", kind="generic", mapping=mapping or {})
    return parse(source, delivery(body, content_type=content_type)).alerts


def alert_of(
    body: object, mapping: dict[str, Any] | None = None, *, content_type: str = "application/json"
) -> Alert:
    (alert,) = alerts_of(body, mapping, content_type=content_type)
    return alert


def test_common_fields_need_no_mapping() -> None:
    alert = alert_of(payload("generic/plain_shape.json"))
    assert alert == Alert(
        source="tool",
        dedup_key="export-nightly",
        status=AlertStatus.FIRING,
        title="Nightly export did not finish",
        occurred_at=datetime(2026, 11, 23, 2, 59, 30, tzinfo=UTC),
        severity=Severity.ERROR,
        description="Stopped after 3 of 12 files.",
        labels={
            "team": "finance",
            "env": "prod",
            "tags": "batch",
            "attempt": "4",
            "host.name": "worker-3",
            "host.zone": "b",
        },
        url="https://jobs.example/export-nightly",
    )


def test_a_mapping_says_what_is_what() -> None:
    alert = alert_of(
        payload("generic/ci.json"),
        {
            "title": "{event.name} failed",
            "key": "{event.id}",
            "group": "{event.run}",
            "status": "{state}",
            "severity": "{level}",
            "labels": {"team": "{team.slug}", "kind": "ci"},
            "link": "{links.0.href}",
            "occurred_at": "{finished}",
            "firing": ["red"],
            "resolved": ["green"],
        },
    )
    assert alert.title == "Load of table orders failed"
    assert alert.dedup_key == "load/orders"
    assert alert.group_key == "8841"
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.labels == {
        "team": "commerce",
        "kind": "ci",
        "team.slug": "commerce",
        "links.0.rel": "self",
    }
    assert alert.url == "https://ci.example/runs/8841"
    assert alert.occurred_at == datetime.fromtimestamp(1795402740, UTC)


def test_a_list_inside_the_body_gives_one_alert_an_entry() -> None:
    failed, passed = alerts_of(
        payload("generic/checks.json"),
        {
            "alerts": "data.checks",
            "title": "Check failed: {check}",
            "key": "{$.env}/{check}",
            "status": "{outcome}",
        },
    )
    assert (failed.dedup_key, failed.status) == ("prod/row count of orders", AlertStatus.FIRING)
    assert (passed.dedup_key, passed.status) == ("prod/row count of refunds", AlertStatus.RESOLVED)
    assert failed.labels["table"] == "orders"


def test_a_top_level_list_and_a_list_called_alerts_are_entries() -> None:
    entries = [{"title": "a"}, {"title": "b"}]
    assert [alert.title for alert in alerts_of(entries)] == ["a", "b"]
    assert [alert.title for alert in alerts_of({"alerts": entries})] == ["a", "b"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("firing", AlertStatus.FIRING),
        ("PROBLEM", AlertStatus.FIRING),
        ("Timed Out", AlertStatus.FIRING),
        ("words nobody knows", AlertStatus.FIRING),
        ("", AlertStatus.FIRING),
        (" Recovered ", AlertStatus.RESOLVED),
        ("success", AlertStatus.RESOLVED),
        ("OK", AlertStatus.RESOLVED),
        ("info", AlertStatus.INFO),
        ("Running", AlertStatus.INFO),
        ("started", AlertStatus.INFO),
        ("pending", AlertStatus.INFO),
        ("Acknowledged", AlertStatus.INFO),
        ("cancelled", AlertStatus.INFO),
        ("skipped", AlertStatus.INFO),
    ],
)
def test_common_words_for_the_status(word: str, status: AlertStatus) -> None:
    assert alert_of({"title": "x", "status": word}).status is status


def test_words_of_the_mapping_win() -> None:
    mapping = {"status": "{ok}", "resolved": ["true"], "firing": ["false", "done"]}
    assert alert_of({"title": "x", "ok": True}, mapping).status is AlertStatus.RESOLVED
    assert alert_of({"title": "x", "ok": False}, mapping).status is AlertStatus.FIRING
    assert alert_of({"title": "x", "ok": "Done"}, mapping).status is AlertStatus.FIRING


def test_without_a_key_the_title_is_the_thing_whenever_it_broke() -> None:
    first = alert_of({"title": "Load of 2026-11-22 failed at 03:00", "timestamp": 1795402740})
    second = alert_of({"title": "Load of 2026-11-23 failed at 03:01", "timestamp": 1795489140})
    other = alert_of({"title": "Export of 2026-11-23 failed at 03:01"})
    assert first.dedup_key == second.dedup_key
    assert first.dedup_key != other.dedup_key


def test_a_form_is_read() -> None:
    body = urlencode({"title": "Disk full", "state": "down"})
    assert alert_of(body, content_type=FORM).title == "Disk full"


def test_json_sent_as_a_form_is_read() -> None:
    assert alert_of({"title": "Disk full"}, content_type=FORM).title == "Disk full"
    wrapped = urlencode({"payload": '{"title": "Disk full", "id": 7}'})
    assert alert_of(wrapped, content_type=FORM).dedup_key == "7"


def test_plain_text_is_a_title_and_the_rest() -> None:
    alert = alert_of("Backup failed\nNo space on device\n", content_type="text/plain")
    assert (alert.title, alert.description) == ("Backup failed", "No space on device")
    for content_type in [FORM, ""]:
        assert alert_of("Backup failed", content_type=content_type).title == "Backup failed"


def test_times_without_an_offset_are_in_the_sources_zone() -> None:
    source = Source(name="tool", kind="generic", timezone=ZoneInfo("Europe/Berlin"))
    body = {"title": "x", "time": "2026-11-23 03:30:00"}
    (alert,) = parse(source, delivery(body)).alerts
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "time",
    ["soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", 1e300, float("inf"), -1, {}],
)
def test_a_time_nobody_can_mean_is_the_time_of_receipt(time: object) -> None:
    assert alert_of({"title": "x", "time": time}).occurred_at == RECEIVED


def test_an_endless_number_is_no_time_and_no_hang() -> None:
    body = '{"title": "x", "time": 1e999}'
    (alert,) = parse(Source(name="tool", kind="generic"), delivery(body)).alerts
    assert alert.occurred_at == RECEIVED
    assert time_of(float("-inf"), zone=UTC, otherwise=RECEIVED) == RECEIVED
    assert time_of(float("nan"), zone=UTC, otherwise=RECEIVED) == RECEIVED


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"foo": 1}, "application/json"),
        ([], "application/json"),
        ("null", "application/json"),
        ("3", "application/json"),
        ("{'title': 'x'}", "application/json"),
        ("{broken", "text/plain"),
        ("<a/>", "application/xml"),
        ("", "text/plain"),
        ("", FORM),
        ("&".join(f"a{n}=1" for n in range(1_001)), FORM),
    ],
)
def test_what_has_no_title_or_no_shape_is_unreadable(body: object, content_type: str) -> None:
    with pytest.raises(UnreadableError):
        alerts_of(body, content_type=content_type)


def test_one_entry_without_a_title_spares_the_others() -> None:
    good, bad = alerts_of([{"title": "x"}, 5])
    assert not good.unreadable
    assert bad.unreadable


def test_a_path_to_no_list_is_said() -> None:
    with pytest.raises(UnreadableError, match="mapping: alerts"):
        alerts_of({"title": "x"}, {"alerts": "data.items"})


def test_a_wrong_mapping_is_said() -> None:
    with pytest.raises(UnreadableError, match="did you mean 'title'"):
        alerts_of({"title": "x"}, {"titel": "{x}"})


def test_a_link_that_is_no_web_address_is_left_out() -> None:
    assert alert_of({"title": "x", "url": "javascript:alert(1)"}).url == ""
    assert alert_of({"title": "x", "url": "https://e.example/a|<b>"}).url == ""


def test_the_senders_own_id_names_the_delivery() -> None:
    source = Source(name="tool", kind="generic")
    one = arrival(source, {"a": 1}, headers={"x-github-delivery": "7"})
    other = arrival(
        source, {"a": 2}, headers={"x-github-delivery": "7"}, at=RECEIVED + timedelta(days=1)
    )
    assert delivery_key(one) == delivery_key(other)


def test_the_same_body_counts_again_after_a_while() -> None:
    source = Source(name="tool", kind="generic")
    first = delivery_key(arrival(source, {"a": 1}))
    assert delivery_key(arrival(source, {"a": 1}, at=RECEIVED + timedelta(seconds=5))) == first
    assert delivery_key(arrival(source, {"a": 1}, at=RECEIVED + timedelta(seconds=15))) != first
    assert delivery_key(arrival(source, {"a": 2})) != first


def test_a_challenge_is_answered() -> None:
    source = Source(name="tool", kind="generic")
    challenge = {"type": "url_verification", "challenge": "abc"}
    assert handshake(arrival(source, challenge)) == Answer(body="abc")
    assert handshake(arrival(source, {"title": "url_verification"})) is None
    assert handshake(arrival(source, b'{"url_verification')) is None


def workflow(conclusion: str | None, status: str = "completed") -> dict[str, Any]:
    run = {"id": 7, "workflow_id": 3, "name": "Nightly load", "html_url": "https://ci.example/7"}
    return {
        "action": "completed",
        "workflow_run": {**run, "status": status, "conclusion": conclusion},
        "repository": {"full_name": "acme/etl"},
    }


def test_a_workflow_of_a_forge_reads_well_and_ends() -> None:
    failed, passed = alert_of(workflow("failure")), alert_of(workflow("success"))
    assert failed.title == "Nightly load: failure"
    assert failed.url == "https://ci.example/7"
    assert failed.labels["repository.full_name"] == "acme/etl"
    assert (failed.status, passed.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert failed.dedup_key == passed.dedup_key == "3"
    assert alert_of(workflow(None, "in_progress")).status is AlertStatus.INFO


@pytest.mark.parametrize(
    ("body", "title", "status", "severity"),
    [
        (
            {"action": "triggered", "data": {"event": {"title": "KeyError: x", "level": "fatal"}}},
            "KeyError: x", AlertStatus.FIRING, Severity.CRITICAL,
        ),
        (
            {"action": "resolved", "data": {"issue": {"title": "KeyError", "status": "resolved"}}},
            "KeyError", AlertStatus.RESOLVED, Severity.UNKNOWN,
        ),
        (
            {"event": {"event_type": "incident.resolved",
                       "data": {"id": "P1", "title": "Kafka lag", "status": "resolved"}}},
            "Kafka lag", AlertStatus.RESOLVED, Severity.UNKNOWN,
        ),
        (
            {"data": {"essentials": {"alertRule": "adf", "severity": "Sev1",
                                     "monitorCondition": "Fired"}}},
            "adf: Fired", AlertStatus.FIRING, Severity.CRITICAL,
        ),
        (
            {"incident": {"summary": "Slots above 90%", "state": "closed", "severity": "Warning"}},
            "Slots above 90%", AlertStatus.RESOLVED, Severity.WARNING,
        ),
        (
            {"job": {"name": "nightly"}, "event_type": "jobs.on_failure"},
            "nightly", AlertStatus.FIRING, Severity.UNKNOWN,
        ),
        (
            {"attachments": [{"fallback": "Job failed", "text": "orders died"}]},
            "Job failed", AlertStatus.FIRING, Severity.UNKNOWN,
        ),
    ],
)  # fmt: skip
def test_shapes_of_known_tools_need_no_mapping(
    body: dict[str, Any], title: str, status: AlertStatus, severity: Severity
) -> None:
    alert = alert_of(body)
    assert (alert.title, alert.status, alert.severity) == (title, status, severity)


@pytest.mark.parametrize("action", ["resolved", "closed", "completed", "success"])
def test_the_name_of_an_event_alone_ends_nothing(action: str) -> None:
    assert alert_of({"title": "x", "action": action, "type": action}).status is AlertStatus.FIRING


def test_a_title_of_the_mapping_stays_as_it_is() -> None:
    assert alert_of({"name": "x", "status": "failed"}).title == "x: failed"
    assert alert_of({"name": "x failed", "status": "failed"}).title == "x failed"
    assert alert_of({"name": "x", "status": "failed"}, {"title": "{name}"}).title == "x"


def test_without_a_key_the_title_and_the_place_name_the_thing() -> None:
    one, two = (alert_of({"title": "Backup failed", "host": host}) for host in ("db1", "db2"))
    again = alert_of({"title": "Backup failed", "host": "db1", "attempt": 2, "status": "ok"})
    assert one.dedup_key == again.dedup_key
    assert one.dedup_key != two.dedup_key
