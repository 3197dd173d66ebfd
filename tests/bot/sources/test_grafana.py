"""Grafana's notifications: what fires, and what could not even be evaluated."""

import json

import pytest

from bot.sources.kind import UnreadableError
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import payload
from tests.fakes.vendors import alert_of, alerts_of


def changed(name: str, **fields: object) -> dict[str, object]:
    body = json.loads(payload(f"grafana/{name}.json"))
    body["alerts"][0] |= fields
    return body


def test_a_rule_fires_and_recovers_under_one_key() -> None:
    broken, whole = alert_of("grafana", "firing"), alert_of("grafana", "resolved")
    assert broken.status is AlertStatus.FIRING
    assert broken.severity is Severity.CRITICAL
    assert broken.title == "orders gets 12 rows an hour, 900 are usual"
    assert broken.labels["runbook_url"] == "https://runbooks.example/rows"
    assert "evaluation" not in broken.labels
    assert whole.status is AlertStatus.RESOLVED
    assert whole.dedup_key == broken.dedup_key == "7:5f9c1f7c2b7f0f0e"
    assert whole.group_key == broken.group_key


def test_another_organisation_is_another_thing() -> None:
    other = changed("firing") | {"orgId": 8}
    assert alert_of("grafana", other).dedup_key != alert_of("grafana", "firing").dedup_key


def test_a_query_that_fails_is_not_a_failed_check() -> None:
    alert = alert_of("grafana", "datasource_error")
    assert alert.status is AlertStatus.FIRING
    assert alert.labels["evaluation"] == "error"
    assert alert.labels["rulename"] == "Rows per hour"
    assert alert.severity is Severity.WARNING
    assert alert.title == "Rows per hour could not be evaluated: its query fails"
    assert alert.description.startswith("[sse.dataQueryError]")
    assert alert.dedup_key != alert_of("grafana", "firing").dedup_key


def test_its_severity_comes_from_its_labels_alone() -> None:
    labels = {"alertname": "DatasourceError", "rulename": "Rows per hour"}
    assert alert_of("grafana", changed("datasource_error", labels=labels)).severity is (
        Severity.UNKNOWN
    )


def test_no_data_is_not_a_failed_check_either() -> None:
    labels = {"alertname": "DatasourceNoData", "rulename": "Rows per hour"}
    alert = alert_of("grafana", changed("datasource_error", labels=labels, annotations={}))
    assert alert.labels["evaluation"] == "error"
    assert alert.title == "Rows per hour could not be evaluated: its query finds no data"


def test_the_reason_tells_where_a_rule_is_told_to_fire_without_data() -> None:
    alert = alert_of("grafana", "no_data_as_alerting")
    assert alert.labels["evaluation"] == "error"
    assert alert.labels["state_reason"] == "NoData"
    assert alert.labels["alertname"] == "Rows per hour"


def test_other_reasons_are_only_kept() -> None:
    notes = {"grafana_state_reason": "MissingSeries"}
    alert = alert_of("grafana", changed("resolved", annotations=notes))
    assert alert.status is AlertStatus.RESOLVED
    assert alert.labels["state_reason"] == "MissingSeries"
    assert "evaluation" not in alert.labels


def test_a_label_of_theirs_cannot_say_that_it_evaluated() -> None:
    labels = {"alertname": "DatasourceError", "evaluation": "fine"}
    alert = alert_of("grafana", changed("datasource_error", labels=labels))
    assert alert.labels["evaluation"] == "error"


@pytest.mark.parametrize("body", [{}, {"alerts": []}, {"alerts": [1]}, {"title": "custom"}])
def test_another_shape_is_said(body: object) -> None:
    with pytest.raises(UnreadableError, match="contact point"):
        alerts_of("grafana", body)


def test_one_bad_entry_spares_the_others() -> None:
    body = changed("firing")
    entries = body["alerts"]
    assert isinstance(entries, list)
    good, bad = alerts_of("grafana", body | {"alerts": [*entries, 3]})
    assert not good.unreadable
    assert bad.unreadable
