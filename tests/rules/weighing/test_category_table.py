"""What the shipped tables make of the tests and errors of the tools data teams use."""

import pytest

from rules.category import Category
from tests.rules.weighing.category_tables import alert, ask, rows

TESTS, TEXTS = list(rows("tests.txt")), list(rows("texts.txt"))
UNEXPLAINED = {"assert_ledger_balances", "AirflowException: Bash command failed."}
"""What no table can know, so that the fallback is right."""


def test_there_are_rows_enough() -> None:
    assert len(TESTS) + len(TEXTS) >= 200
    assert {category for _, category, _ in TESTS + TEXTS} | {"adhoc_request"} == set(Category)


@pytest.mark.parametrize(("told", "category", "alternative"), TESTS, ids=lambda part: part[:50])
def test_a_test_has_the_category_of_its_name(told: str, category: str, alternative: str) -> None:
    packaged = told.startswith(("dbt_", "elementary."))
    namespace, _, name = told.rpartition(".") if packaged else ("", "", told)
    found = ask(alert(test=name, test_namespace=namespace))
    assert (found.category, found.alternative or "") == (category, alternative)
    assert ("fallback" in found.rule) == told.startswith(tuple(UNEXPLAINED))


@pytest.mark.parametrize(("told", "category", "alternative"), TEXTS, ids=lambda part: part[:50])
def test_an_error_has_the_category_of_its_text(told: str, category: str, alternative: str) -> None:
    found = ask(alert("daily.load failed", told, event="task_failed", task_id="load"))
    assert (found.category, found.alternative or "") == (category, alternative)
    assert ("fallback" in found.rule) == told.startswith(tuple(UNEXPLAINED))


@pytest.mark.parametrize(
    ("told", "confidence"),
    [
        ("Object 'X' does not exist or not authorized.", 0.65),
        ("AirflowTaskTimeout: Timeout, PID: 42", 0.6),
        ("invalid identifier 'X', then a syntax error", 0.6),
        ('relation "raw.orders" does not exist', 0.65),
        ("permission denied for table orders", 0.9),
        ("Numbers look wrong", 0.5),
    ],
)
def test_an_ambiguous_text_is_less_sure(told: str, confidence: float) -> None:
    assert ask(alert("x", told)).confidence == confidence


@pytest.mark.parametrize(
    ("name", "confidence"),
    [
        ("not_null", 0.9),
        ("expression_is_true", 0.5),
        ("sequential_values", 0.7),
        ("mutually_exclusive_ranges", 0.6),
        ("expect_column_max_to_be_between", 0.65),
        ("unique_dim_customers_id", 0.7),
        ("invalid_count(email) = 0", 0.7),
        ("assert_ledger_balances", 0.8),
    ],
)
def test_an_ambiguous_test_is_less_sure(name: str, confidence: float) -> None:
    assert ask(alert(test=name)).confidence == confidence


@pytest.mark.parametrize(
    ("labels", "category", "rule"),
    [
        ({"resource_type": "source", "dbt_status": "error"}, "freshness", "events.source_freshness"),
        ({"event": "deadline_missed", "dag_id": "d"}, "freshness", "events.deadline_missed"),
        ({"event": "import_error"}, "pipeline_failure", "events.import_error"),
        ({"state": "upstream_failed"}, "lineage", "events.upstream_failed"),
        ({"dbt_status": "skipped"}, "lineage", "events.skipped_by_upstream"),
        ({"event_type": "ASSET_TABLE_SCHEMA_CHANGE"}, "schema", "events.schema_change_event"),
        ({"event": "connection.schema_change"}, "schema", "events.schema_change"),
        ({"lifecycle_state": "DROP"}, "lineage", "events.dataset_removed"),
        ({"code": "PERMISSION_DENIED"}, "access", "events.grpc_permission"),
        ({"code": "quotaExceeded"}, "infrastructure_failure", "events.grpc_infrastructure"),
        ({"resource_type": "unit_test", "test": "adds_up"}, "data_test_failure", "events.unit_test"),
        ({"issue": "DATA-1", "issue_type": "Task"}, "adhoc_request", "events.ticket"),
        ({"issue": "DATA-1", "issue_type": "Task", "request_type": "Get access"}, "access",
         "events.access_ticket"),
        ({"resource_type": "model"}, "pipeline_failure", "fallback.dbt_node"),
        ({"task_id": "load", "dag_id": "d"}, "pipeline_failure", "fallback.task"),
        ({"alertname": "NodeDown"}, "infrastructure_failure", "fallback.monitor"),
        ({"alarm": "cpu"}, "infrastructure_failure", "fallback.cloud_alarm"),
        ({"policy": "cpu", "condition": "high"}, "infrastructure_failure", "fallback.cloud_policy"),
        ({"workflow": "build"}, "pipeline_failure", "fallback.workflow"),
        ({}, "pipeline_failure", "fallback.source"),
    ],
)  # fmt: skip
def test_an_event_has_its_category(labels: dict[str, str], category: str, rule: str) -> None:
    found = ask(alert(**labels))
    assert (found.category, found.rule) == (category, f"categories.{rule}")
