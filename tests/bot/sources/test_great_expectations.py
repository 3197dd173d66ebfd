"""What the Great Expectations action sends becomes alerts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sources.great_expectations import KIND, parse
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import arrival, delivery, payload

SOURCE = Source(name="gx", kind="great_expectations")
FAILED = payload("great_expectations/failed.json")
PASSED = payload("great_expectations/passed.json")


def alerts_of(body: bytes | object) -> tuple[Alert, ...]:
    return parse(SOURCE, delivery(body, source="gx")).alerts


def one_result(**changes: Any) -> dict[str, Any]:
    """Return a body with its first result alone, changed."""
    whole: dict[str, Any] = json.loads(FAILED)
    result = whole["validation"]["results"][0]
    config = {**result["expectation_config"], **changes.pop("config", {})}
    whole["validation"]["results"] = [{**result, "expectation_config": config, **changes}]
    return whole


def test_a_failed_expectation_fires() -> None:
    alert = alerts_of(FAILED)[0]
    assert (alert.status, alert.severity) == (AlertStatus.FIRING, Severity.CRITICAL)
    assert alert.title == (
        "expect_column_values_to_not_be_null on orders.customer_id failed: "
        "37 of 1,200 values (3.08 %)"
    )
    assert alert.description == "Ask the shop team."
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 40, 10, 794857, tzinfo=UTC)
    assert alert.labels["product"] == "orders"
    assert alert.labels["asset"] == "orders"
    assert alert.labels["team"] == "shop"
    assert "evaluation" not in alert.labels


def test_the_checkpoints_run_groups_them() -> None:
    assert {one.group_key for one in alerts_of(FAILED)} == {
        "orders_daily/2026-11-23T02:40:10.794857+00:00"
    }


def test_a_table_tells_what_was_observed_and_expected() -> None:
    alert = next(one for one in alerts_of(FAILED) if "row_count" in one.title)
    assert alert.title == "expect_table_row_count_to_be_between on orders failed: observed 1200"
    assert alert.description == "Expected: min_value 5000, max_value 90000."
    assert alert.labels["product"] == "finance_orders"


def test_what_raised_could_not_be_evaluated() -> None:
    alert = next(one for one in alerts_of(FAILED) if "region" in one.dedup_key)
    assert (alert.status, alert.severity) == (AlertStatus.FIRING, Severity.ERROR)
    assert alert.labels["evaluation"] == "error"
    assert "could not be evaluated: Error: The column" in alert.title


def test_an_exception_under_a_metrics_name_is_found() -> None:
    info = {"MetricConfigurationID(x)": {"raised_exception": True, "exception_message": "gone"}}
    (alert,) = alerts_of(one_result(exception_info=info))
    assert alert.labels["evaluation"] == "error"
    assert alert.title.endswith("could not be evaluated: gone")
    calm = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    (alert,) = alerts_of(one_result(exception_info=calm))
    assert "evaluation" not in alert.labels


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("warning", Severity.WARNING),
        ("info", Severity.INFO),
        (None, Severity.UNKNOWN),
    ],
)
def test_severities(word: str | None, severity: Severity) -> None:
    (alert,) = alerts_of(one_result(config={"severity": word}))
    assert alert.severity is severity


def test_passing_ends_every_thing_that_fired() -> None:
    passed = alerts_of(PASSED)
    assert {one.status for one in passed} == {AlertStatus.RESOLVED}
    assert {one.dedup_key for one in passed} == {one.dedup_key for one in alerts_of(FAILED)}


def test_things_are_told_apart() -> None:
    alerts = alerts_of(FAILED)
    assert len({one.dedup_key for one in alerts}) == len(alerts) == 7
    keys = {alerts[0].dedup_key}
    for path, value in (
        (("validation", "suite_name"), "other"),
        (("validation", "meta", "active_batch_definition", "datasource_name"), "other"),
        (("validation", "meta", "active_batch_definition", "data_asset_name"), "other"),
    ):
        whole = one_result()
        inner = whole
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value
        keys.add(alerts_of(whole)[0].dedup_key)
    keys.add(alerts_of(one_result(config={"type": "other"}))[0].dedup_key)
    keys.add(alerts_of(one_result(config={"kwargs": {"column": "other"}}))[0].dedup_key)
    pair = {"column_A": "customer_id", "column_B": "id"}
    keys.add(alerts_of(one_result(config={"kwargs": pair}))[0].dedup_key)
    assert len(keys) == 7


def test_a_changed_limit_and_batch_are_the_same_thing() -> None:
    before, after = (
        alerts_of(
            one_result(config={"kwargs": {"column": "a", "min_value": n, "batch_id": str(n)}})
        )
        for n in (1, 2)
    )
    assert before[0].dedup_key == after[0].dedup_key


def test_two_of_one_type_on_one_column_differ_by_their_arguments() -> None:
    amounts = [one for one in alerts_of(FAILED) if one.labels.get("column") == "amount"]
    assert len({one.dedup_key for one in amounts}) == 2
    assert "on orders.amount (min_value 0.0) failed" in amounts[0].title
    whole = json.loads(FAILED)
    results = whole["validation"]["results"]
    whole["validation"]["results"] = [
        {**one, "alike": None}
        for one in results
        if one["expectation_config"]["kwargs"].get("column") == "amount"
    ]
    unmarked = alerts_of(whole)
    assert {one.dedup_key for one in unmarked} == {one.dedup_key for one in amounts}


def test_a_bare_validation_is_read_too() -> None:
    bare = json.loads(FAILED)["validation"]
    keys = {one.dedup_key for one in alerts_of(bare)}
    assert keys == {one.dedup_key for one in alerts_of(FAILED)}


@pytest.mark.parametrize(
    "body", [b"", b"[]", {}, {"validation": {}}, {"results": 1}, {"results": [1, {}]}]
)
def test_what_is_no_validation_is_unreadable(body: bytes | object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of(body)


def test_a_suite_without_expectations_tells_nothing() -> None:
    assert alerts_of({"results": [], "suite_name": "s"}) == ()


def test_a_body_sent_again_has_the_same_key() -> None:
    assert KIND.delivery_key(arrival(SOURCE, FAILED)) == KIND.delivery_key(arrival(SOURCE, FAILED))
    assert KIND.delivery_key(arrival(SOURCE, FAILED)) != KIND.delivery_key(arrival(SOURCE, PASSED))
