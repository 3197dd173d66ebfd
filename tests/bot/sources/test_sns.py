"""CloudWatch alarms, EventBridge events and plain words through SNS become alerts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sources.kind import Source, UnreadableError
from bot.sources.sns import delivery_key, parse
from bot.sources.sns_signature import CONFIRMED_NOTE
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery, payload

SOURCE = Source(name="aws", kind="sns")
ALARM = payload("sns/alarm.json")
CONFIRMATION = payload("sns/subscription_confirmation.json")


def alert_of(body: bytes | object, **headers: str) -> Alert:
    (alert,) = parse(SOURCE, delivery(body, source="aws", headers=headers)).alerts
    return alert


def said(body: bytes, **changes: object) -> dict[str, Any]:
    """Return an envelope whose message is changed."""
    envelope: dict[str, Any] = json.loads(body)
    envelope["Message"] = json.dumps({**json.loads(envelope["Message"]), **changes})
    return envelope


def detailed(body: bytes, **changes: object) -> dict[str, Any]:
    detail = json.loads(json.loads(body)["Message"])["detail"]
    return said(body, detail={**detail, **changes})


def test_an_alarm_fires() -> None:
    alert = alert_of(ALARM)
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.UNKNOWN
    assert alert.title == "orders-age-too-old is in alarm"
    assert "Threshold Crossed: 3 out of the last 3" in alert.description
    assert alert.occurred_at == datetime(2026, 11, 23, 2, 58, 0, 912_000, tzinfo=UTC)
    assert alert.labels["topic"] == "data-alarms"
    assert alert.labels["Table"] == "orders"
    assert "evaluation" not in alert.labels
    assert alert.group_key == ""


def test_ok_ends_the_same_thing_and_says_when_it_is_no_evidence() -> None:
    alert = alert_of(payload("sns/ok.json"))
    assert alert.status is AlertStatus.RESOLVED
    assert alert.dedup_key == alert_of(ALARM).dedup_key
    assert alert.labels["missing_data"] == "notBreaching"
    assert "OK because no data came" in alert.description


@pytest.mark.parametrize(
    ("treated", "warned"),
    [
        ("notBreaching", True),
        ("- TreatMissingData:                    notBreaching", True),
        ("missing", False),
        ("breaching", False),
        ("", False),
    ],
)
def test_how_missing_data_is_treated_is_told(treated: str, warned: bool) -> None:
    body = said(payload("sns/ok.json"), NewStateReason="r", Trigger={"TreatMissingData": treated})
    alert = alert_of(body)
    assert ("may also mean that no data came" in alert.description) is warned


def test_too_little_data_is_not_a_failure_of_the_data() -> None:
    alert = alert_of(payload("sns/insufficient_data.json"))
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.WARNING
    assert alert.labels["evaluation"] == "error"
    assert alert.title == "orders-age-too-old could not be evaluated: too little data"
    assert alert.dedup_key == alert_of(ALARM).dedup_key


def test_an_alarm_through_eventbridge_is_the_same_thing() -> None:
    arn = json.loads(json.loads(ALARM)["Message"])["AlarmArn"]
    event = {
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "time": "2026-11-23T02:58:00Z",
        "resources": [arn],
        "detail": {"alarmName": "orders-age-too-old", "state": {"value": "ALARM", "reason": "r"}},
    }
    envelope = {**json.loads(ALARM), "Message": json.dumps(event)}
    assert alert_of(envelope).dedup_key == alert_of(ALARM).dedup_key


def test_a_glue_job_fails_and_recovers_as_one_thing_in_two_runs() -> None:
    failed = alert_of(payload("sns/glue_failed.json"))
    good = alert_of(payload("sns/glue_succeeded.json"))
    assert (failed.status, good.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert failed.severity is Severity.ERROR
    assert failed.dedup_key == good.dedup_key
    assert failed.group_key == failed.labels["run_id"] == "jr_abcdef0123456789"
    assert good.group_key == "jr_ffff0123456789"
    assert failed.title.startswith("load-orders failed: JobRun:jr_abcdef0123456789 failed: S3")


def test_a_step_function_is_named_by_its_machine() -> None:
    alert = alert_of(payload("sns/step_functions_timed_out.json"))
    assert alert.status is AlertStatus.FIRING
    assert alert.title == "nightly timed out"
    assert alert.group_key == "run-7"
    other = detailed(payload("sns/step_functions_timed_out.json"), name="run-8", status="SUCCEEDED")
    assert alert_of(other).dedup_key == alert.dedup_key
    assert alert_of(other).status is AlertStatus.RESOLVED


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("RUNNING", AlertStatus.INFO),
        ("TIMEOUT", AlertStatus.FIRING),
        ("STOPPED", AlertStatus.FIRING),
        ("SUCCEEDED", AlertStatus.RESOLVED),
        ("", AlertStatus.INFO),
    ],
)
def test_states_of_jobs(state: str, status: AlertStatus) -> None:
    assert alert_of(detailed(payload("sns/glue_failed.json"), state=state)).status is status


@pytest.mark.parametrize(
    ("state", "codes", "status"),
    [
        ("RUNNING", [None], AlertStatus.INFO),
        ("STOPPED", [0, 0], AlertStatus.RESOLVED),
        ("STOPPED", [0, 137], AlertStatus.FIRING),
        ("STOPPED", [None], AlertStatus.FIRING),
    ],
)
def test_a_stopped_container_is_judged_by_its_exit(
    state: str, codes: list[int | None], status: AlertStatus
) -> None:
    detail = {
        "group": "family:loader",
        "lastStatus": state,
        "containers": [{"exitCode": code} for code in codes],
    }
    alert = alert_of(said(payload("sns/glue_failed.json"), source="aws.ecs", detail=detail))
    assert alert.status is status


def test_other_things_have_other_keys() -> None:
    glue = payload("sns/glue_failed.json")
    bodies: list[object] = [
        json.loads(ALARM),
        said(ALARM, AlarmArn="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:other"),
        json.loads(glue),
        detailed(glue, jobName="other"),
        said(glue, account="210987654321"),
        said(glue, region="us-east-1"),
        {**json.loads(ALARM), "Message": "words", "Subject": "a"},
        {**json.loads(ALARM), "Message": "words", "Subject": "b"},
        {**json.loads(ALARM), "Message": "words", "Subject": "a", "TopicArn": "arn:x:other"},
        json.loads(CONFIRMATION),
    ]
    assert len({alert_of(body).dedup_key for body in bodies}) == len(bodies)


def test_plain_words_are_an_alert() -> None:
    alert = alert_of(payload("sns/version_1_text.json"))
    assert alert.status is AlertStatus.FIRING
    assert alert.title == "Load of orders failed"
    assert alert.description.endswith("The bucket is empty — nothing to read.")


def test_the_same_words_at_another_time_are_the_same_thing() -> None:
    words = "Glue job load failed at {}. See the console."
    one, other, else_ = (
        alert_of({**json.loads(ALARM), "Message": said, "Subject": None}).dedup_key
        for said in (
            words.format("2026-11-22T02:57:59Z"),
            words.format("2026-11-23T03:01:00Z"),
            "Glue job ship failed at 2026-11-23T03:01:00Z. See the console.",
        )
    )
    assert one == other != else_


def test_a_subscription_that_was_confirmed_ends_what_a_failed_one_began() -> None:
    failed = alert_of(CONFIRMATION, **{CONFIRMED_NOTE: "it answered 403"})
    good = alert_of(CONFIRMATION, **{CONFIRMED_NOTE: "yes"})
    assert (failed.status, good.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert failed.dedup_key == good.dedup_key
    assert "it answered 403" in failed.description
    assert "Request confirmation" in failed.description


def test_an_unsubscribed_topic_is_told() -> None:
    alert = alert_of({**json.loads(CONFIRMATION), "Type": "UnsubscribeConfirmation"})
    assert alert.status is AlertStatus.FIRING
    assert alert.title == "SNS topic data-alarms no longer sends here: the subscription was removed"


@pytest.mark.parametrize("body", [b"", b"words", {}, {"Type": "Notification"}, []])
def test_what_is_not_snss_is_unreadable(body: bytes | object) -> None:
    with pytest.raises(UnreadableError):
        alert_of(body)


def test_a_message_sent_again_has_the_same_key() -> None:
    later = RECEIVED + timedelta(hours=1)
    first = delivery_key(arrival(SOURCE, ALARM))
    assert delivery_key(arrival(SOURCE, ALARM, at=later)) == first
    assert delivery_key(arrival(SOURCE, payload("sns/ok.json"))) != first
