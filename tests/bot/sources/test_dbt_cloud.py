"""The events of one dbt Cloud job are one thing, and those of one run one group."""

import json
from datetime import UTC, datetime

import pytest

from bot.sources.kind import UnreadableError
from bot.sources.options import read_options
from bot.sources.registry import KINDS
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import payload
from tests.fakes.vendors import alert_of, alerts_of


def changed(name: str, **fields: object) -> dict[str, object]:
    body = json.loads(payload(f"dbt_cloud/{name}.json"))
    body["data"] |= fields
    return body


def test_a_failed_run_is_a_broken_job() -> None:
    alert = alert_of("dbt_cloud", "completed_with_error")
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.title == "dbt Cloud: Daily finance (dbt build) failed (Finance, Production)"
    assert alert.description == "Database Error in model orders"
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 57, 31, tzinfo=UTC)
    assert alert.labels["run_id"] == "12345"
    assert alert.labels["job_id"] == "123"
    assert alert.labels["environment"] == "Production"
    assert alert.url == ""


def test_errored_and_completed_of_a_run_are_told_as_one() -> None:
    early, late = alert_of("dbt_cloud", "errored"), alert_of("dbt_cloud", "completed_with_error")
    assert early.status is late.status is AlertStatus.FIRING
    assert early.dedup_key == late.dedup_key
    assert early.group_key == late.group_key == "1/123/12345"
    assert early.description == ""


def test_a_later_run_that_succeeds_recovers_the_job() -> None:
    broken, whole = (
        alert_of("dbt_cloud", "completed_with_error"),
        alert_of("dbt_cloud", "completed"),
    )
    assert whole.status is AlertStatus.RESOLVED
    assert whole.dedup_key == broken.dedup_key
    assert whole.group_key != broken.group_key
    assert whole.labels["run_id"] == "12346"


@pytest.mark.parametrize(
    ("name", "words"), [("started", "has started"), ("cancelled", "was cancelled")]
)
def test_a_start_and_a_cancelled_run_are_remarks(name: str, words: str) -> None:
    alert = alert_of("dbt_cloud", name)
    assert alert.status is AlertStatus.INFO
    assert words in alert.title


def test_another_job_or_account_is_another_thing() -> None:
    here = alert_of("dbt_cloud", "errored")
    assert alert_of("dbt_cloud", changed("errored", jobId="124")).dedup_key != here.dedup_key
    elsewhere = changed("errored") | {"accountId": 2}
    assert alert_of("dbt_cloud", elsewhere).dedup_key != here.dedup_key


def test_numbers_may_come_as_numbers() -> None:
    as_numbers = changed("completed", jobId=123, runId=12346, runStatusCode=10)
    assert alert_of("dbt_cloud", as_numbers) == alert_of("dbt_cloud", "completed")


def test_the_code_counts_before_the_word() -> None:
    body = changed("completed", runStatusCode="20", runStatus="Terminé")
    assert alert_of("dbt_cloud", body).status is AlertStatus.FIRING


def test_the_word_counts_where_there_is_no_code() -> None:
    alert = alert_of("dbt_cloud", changed("completed", runStatusCode=None))
    assert alert.status is AlertStatus.RESOLVED
    unknown = changed("errored", runStatusCode=None, runStatus=None)
    assert alert_of("dbt_cloud", unknown).status is AlertStatus.FIRING


@pytest.mark.parametrize(
    "body",
    [
        {},
        changed("errored", jobId=None),
        changed("errored") | {"eventType": "job.run.paused"},
        changed("completed", runStatusCode="77", runStatus="Odd"),
    ],
)
def test_what_is_not_understood_is_said(body: object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of("dbt_cloud", body)


def test_the_run_is_linked_where_the_address_is_known() -> None:
    options, faults = read_options(
        KINDS["dbt_cloud"].options, {"address": "https://cloud.getdbt.com/"}
    )
    assert faults == []
    alert = alert_of("dbt_cloud", "errored", options=options)
    assert alert.url == "https://cloud.getdbt.com/deploy/1/projects/65/runs/12345"
    odd = changed("errored", runId="../../x")
    assert alert_of("dbt_cloud", odd, options=options).url == ""


@pytest.mark.parametrize("address", ["cloud.getdbt.com", "javascript:x", 3, ""])
def test_an_address_that_is_none_is_a_fault(address: object) -> None:
    _, faults = read_options(KINDS["dbt_cloud"].options, {"address": address})
    assert faults == ["`address`: write it like https://cloud.getdbt.com"]
