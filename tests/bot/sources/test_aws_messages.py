"""Events of EventBridge name their things, so that good news of one end no trouble of another."""

import json
from typing import Any

import pytest

from bot.sources.kind import Source
from bot.sources.sns import parse
from rules.alert import Alert, AlertStatus
from tests.fakes.deliveries import delivery, payload

SOURCE = Source(name="aws", kind="sns")
FAILED = payload("sns/glue_failed.json")

STEP, CLUSTER = "EMR Step Status Change", "EMR Cluster State Change"
QUALITY = "Data Quality Evaluation Results Available"
STATEMENT, ATHENA = "Redshift Data Statement Status Change", "Athena Query State Change"
SERVERLESS, DMS = "EMR Serverless Job Run State Change", "DMS Replication Task State Change"


def alert_of(body: object) -> Alert:
    (alert,) = parse(SOURCE, delivery(body, source="aws")).alerts
    return alert


def event(kind: str, *resources: str, **detail: Any) -> dict[str, Any]:
    """Return an envelope with an event of EventBridge."""
    envelope: dict[str, Any] = json.loads(FAILED)
    told = {"detail-type": kind, "detail": detail, "resources": resources}
    envelope["Message"] = json.dumps({**json.loads(envelope["Message"]), **told})
    return envelope


def test_a_good_step_of_a_cluster_does_not_end_what_another_step_began() -> None:
    bad = alert_of(event(STEP, clusterId="j-1", stepId="s-1", name="load orders", state="FAILED"))
    other = alert_of(event(STEP, clusterId="j-1", stepId="s-2", name="ship", state="COMPLETED"))
    good = alert_of(
        event(STEP, clusterId="j-1", stepId="s-3", name="load orders", state="COMPLETED")
    )
    assert bad.title == "load orders failed"
    assert other.dedup_key != bad.dedup_key == good.dedup_key
    assert good.status is AlertStatus.RESOLVED


def test_a_cluster_for_a_night_is_named_by_its_name() -> None:
    ended = {"code": "ALL_STEPS_COMPLETED", "message": "Steps completed"}
    bad = alert_of(event(CLUSTER, clusterId="j-1", name="nightly", state="TERMINATED_WITH_ERRORS"))
    good = alert_of(
        event(
            CLUSTER,
            clusterId="j-2",
            name="nightly",
            state="TERMINATED",
            stateChangeReason=json.dumps(ended),
        )
    )
    by_hand = alert_of(
        event(
            CLUSTER,
            clusterId="j-3",
            name="nightly",
            state="TERMINATED",
            stateChangeReason='{"code":"USER_REQUEST"}',
        )
    )
    assert (bad.status, good.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert bad.dedup_key == good.dedup_key
    assert by_hand.status is AlertStatus.INFO


def test_each_tables_data_quality_is_a_thing_of_its_own() -> None:
    def checked(table: str, state: str, failed: int) -> Alert:
        context = {"databaseName": "shop", "tableName": table, "runId": "dqrun-1"}
        counts = {"rulesSucceeded": 5 - failed, "rulesFailed": failed, "rulesSkipped": 0}
        return alert_of(
            event(QUALITY, context=context, rulesetNames=["daily"], state=state, **counts)
        )

    bad, other, good = (
        checked("orders", "FAILED", 3),
        checked("ads", "SUCCEEDED", 0),
        checked("orders", "SUCCEEDED", 0),
    )
    assert bad.title == "shop.orders failed: 3 of 5 rules"
    assert bad.group_key == "dqrun-1"
    assert (bad.labels["test"], bad.labels["tableName"]) == ("daily", "orders")
    assert other.dedup_key != bad.dedup_key == good.dedup_key
    assert (bad.status, good.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert checked("orders", "SUCCEEDED", 1).status is AlertStatus.FIRING


def test_a_statement_of_redshift_ends_only_its_own_name() -> None:
    where = "arn:aws:redshift:eu-west-1:123456789012:cluster:dwh"
    bad = alert_of(event(STATEMENT, where, statementName="load", statementId="1", state="FAILED"))
    good = alert_of(
        event(STATEMENT, where, statementName="load", statementId="2", state="FINISHED")
    )
    other = alert_of(event(STATEMENT, where, statementName="x", statementId="3", state="FINISHED"))
    unnamed = alert_of(event(STATEMENT, where, statementId="4", state="FINISHED"))
    assert (bad.status, good.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert bad.title == "load failed"
    assert other.dedup_key != bad.dedup_key == good.dedup_key
    assert unnamed.status is AlertStatus.INFO


def test_a_failed_query_of_athena_fires_and_no_other_query_ends_it() -> None:
    error = {"errorMessage": "TABLE_NOT_FOUND: line 1:15"}
    query = {"workgroupName": "etl", "previousState": "RUNNING", "versionId": "0"}
    bad = alert_of(
        event(ATHENA, **query, currentState="FAILED", queryExecutionId="q-1", athenaError=error)
    )
    good = alert_of(event(ATHENA, **query, currentState="SUCCEEDED", queryExecutionId="q-2"))
    assert bad.status is AlertStatus.FIRING
    assert bad.title == "etl failed: TABLE_NOT_FOUND: line 1:15"
    assert bad.labels["run_id"] == "q-1"
    assert good.status is AlertStatus.INFO


def test_a_serverless_job_is_named_by_its_application_and_name() -> None:
    job = {"applicationId": "00f1", "previousState": "RUNNING"}
    bad = alert_of(event(SERVERLESS, **job, jobRunName="load", jobRunId="1", state="FAILED"))
    good = alert_of(event(SERVERLESS, **job, jobRunName="load", jobRunId="2", state="SUCCESS"))
    other = alert_of(event(SERVERLESS, **job, jobRunName="ship", jobRunId="3", state="SUCCESS"))
    assert other.dedup_key != bad.dedup_key == good.dedup_key
    assert good.status is AlertStatus.RESOLVED


def test_a_replication_that_failed_fires_and_one_that_has_finished_does_not() -> None:
    where = "arn:aws:dms:eu-west-1:123456789012:task:ABC"
    said = {"type": "ReplicationTask", "category": "StateChange", "detailMessage": "It broke."}
    bad = alert_of(event(DMS, where, eventType="REPLICATION_TASK_FAILED", **said))
    done = alert_of(event(DMS, where, eventType="REPLICATION_TASK_STOPPED", **said))
    assert (bad.status, done.status) == (AlertStatus.FIRING, AlertStatus.INFO)
    assert bad.title == "ABC failed: It broke."


def test_a_state_under_another_name_is_read() -> None:
    detail = {"TrainingJobName": "churn", "TrainingJobStatus": "Failed", "FailureReason": "OOM"}
    alert = alert_of(
        event("SageMaker Training Job State Change", "arn:x:training-job/churn", **detail)
    )
    assert alert.status is AlertStatus.FIRING
    assert alert.title == "churn failed: OOM"


def test_good_news_of_nothing_that_has_a_name_end_nothing() -> None:
    assert alert_of(event("Some State Change", state="SUCCEEDED")).status is AlertStatus.INFO
    assert alert_of(event("Some State Change", state="FAILED")).status is AlertStatus.FIRING


def test_the_children_of_an_array_job_are_apart_and_of_one_run() -> None:
    def child(index: int | None, run: str, status: str) -> Alert:
        array = {"arrayProperties": {"size": 9} if index is None else {"index": index}}
        return alert_of(
            event("Batch Job State Change", jobName="load", jobId=run, status=status, **array)
        )

    bad, other = child(3, "9f1c:3", "FAILED"), child(4, "9f1c:4", "SUCCEEDED")
    whole, again = child(None, "9f1c", "FAILED"), child(3, "77aa:3", "SUCCEEDED")
    assert bad.title == "load[3] failed"
    assert len({bad.dedup_key, other.dedup_key, whole.dedup_key}) == 3
    assert bad.dedup_key == again.dedup_key
    assert bad.group_key == other.group_key == whole.group_key == "9f1c"
    assert again.group_key == "77aa"


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("Scaling activity initiated by (deployment ecs-svc/9223370)", AlertStatus.INFO),
        ("Task failed ELB health checks in (target-group x)", AlertStatus.FIRING),
        ("Essential container in task exited", AlertStatus.FIRING),
    ],
)
def test_a_task_that_a_deployment_replaces_wakes_nobody(reason: str, status: AlertStatus) -> None:
    detail = {"group": "service:api", "lastStatus": "STOPPED", "stoppedReason": reason}
    alert = alert_of(event("ECS Task State Change", containers=[{"exitCode": 143}], **detail))
    assert alert.status is status
