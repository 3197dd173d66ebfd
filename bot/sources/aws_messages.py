"""What CloudWatch alarms and EventBridge events say, wherever they come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.sources.json_body import JsonValue, inside, list_of, object_of, text_of
from bot.sources.words import severity_of, status_of
from rules.alert import AlertStatus, Severity

NOT_EVALUATED = "INSUFFICIENT_DATA"

Section = Mapping[str, JsonValue]

# What names the thing in an event's details, and what names its run; the first that is there.
_THINGS = (
    "jobName",
    "stateMachineArn",
    "crawlerName",
    "group",
    "clusterArn",
    "clusterId",
    "pipeline",
    "project-name",
    "functionName",
    "jobQueue",
    "name",
)
_ATHENA = "Athena Query State Change"
_DATA_QUALITY = "Data Quality Evaluation Results Available"
_CLUSTER = "EMR Cluster State Change"
_REPLICATION = "DMS Replication Task State Change"
# These are named by several details together; the last one is what a person calls it.
_NAMED_BY = {
    _ATHENA: ("workgroupName",),
    _CLUSTER: ("name",),
    "EMR Step Status Change": ("clusterId", "name"),
    "EMR Serverless Job Run State Change": ("applicationId", "jobRunName"),
    "Redshift Data Statement Status Change": ("clusterId", "statementName"),
}
_RUNS = (
    "jobRunId",
    "executionArn",
    "execution-id",
    "build-id",
    "taskArn",
    "runId",
    "jobId",
    "stepId",
    "statementId",
    "queryExecutionId",
)
_STATES = ("state", "status", "jobStatus", "lastStatus", "build-status", "currentState")
_WORDS = (
    "message",
    "statusReason",
    "stoppedReason",
    "cause",
    "error",
    "errorMessage",
    "detailMessage",
    "FailureReason",
)
_FAILED = frozenset({"aborted", "stopped", "terminated_with_errors", "faulted"})
_ALARM_EVENT = "CloudWatch Alarm State Change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message before it is an alert; `thing` are the parts of its key."""

    thing: tuple[str, ...]
    status: AlertStatus
    title: str
    severity: Severity = Severity.UNKNOWN
    run: str = ""
    description: str = ""
    at: JsonValue = None
    labels: Mapping[str, JsonValue] = field(default_factory=dict)


def read_aws(message: Section) -> Said | None:
    """Return what a message says, or None when it is neither an alarm nor an event."""
    if "AlarmName" in message and "NewStateValue" in message:
        return _alarm(message)
    if "detail-type" in message:
        if text_of(message.get("detail-type")) == _ALARM_EVENT:
            return _alarm(_as_alarm(message))
        return _event(message)
    return None


def _last(arn: str) -> str:
    return arn.rsplit(":", 1)[-1].rsplit("/", 1)[-1].strip()


def _alarm(alarm: Section) -> Said:
    name, state = text_of(alarm.get("AlarmName")), text_of(alarm.get("NewStateValue"))
    trigger = object_of(alarm.get("Trigger"))
    missing = _missing_data(trigger)
    labels: dict[str, JsonValue] = {
        "alarm": name,
        "account": alarm.get("AWSAccountId"),
        "region": alarm.get("Region"),
        "namespace": trigger.get("Namespace"),
        "metric": trigger.get("MetricName"),
        "missing_data": missing,
        "evaluation": "error" if state == NOT_EVALUATED else "",
        **_dimensions(trigger),
    }
    reason, about = text_of(alarm.get("NewStateReason")), text_of(alarm.get("AlarmDescription"))
    verb = {"OK": "is OK again", NOT_EVALUATED: "could not be evaluated: too little data"}
    return Said(
        thing=("alarm", text_of(alarm.get("AlarmArn")) or name),
        status=AlertStatus.RESOLVED if state == "OK" else AlertStatus.FIRING,
        title=f"{name} {verb.get(state, 'is in alarm')}",
        severity=Severity.WARNING if state == NOT_EVALUATED else Severity.UNKNOWN,
        description="\n".join(
            one for one in (about, reason, _caution(state, missing, reason)) if one
        ),
        at=alarm.get("StateChangeTime"),
        labels=labels,
    )


def _caution(state: str, missing: str, reason: str) -> str:
    """Say when OK is no evidence that anything is well."""
    if state != "OK" or missing.lower() != "notbreaching":
        return ""
    if "no datapoints" in reason.lower():
        return "It is OK because no data came, and missing data counts as good here: check it."
    return "Missing data counts as good for this alarm, so OK may also mean that no data came."


def _missing_data(trigger: Section) -> str:
    # Alarms have it as "- TreatMissingData:      notBreaching".
    return text_of(trigger.get("TreatMissingData"))[:100].rpartition(":")[2].strip()


def _dimensions(trigger: Section) -> dict[str, JsonValue]:
    pairs = [object_of(one) for one in list_of(trigger.get("Dimensions"))[:60]]
    return {text_of(one.get("name")): one.get("value") for one in pairs if one.get("name")}


def _as_alarm(event: Section) -> Section:
    """Return an alarm's event in the shape of an alarm's own message."""
    detail = object_of(event.get("detail"))
    resources = list_of(event.get("resources"))
    return {
        "AlarmName": detail.get("alarmName"),
        "AlarmDescription": inside(detail, "configuration", "description"),
        "NewStateValue": inside(detail, "state", "value"),
        "NewStateReason": inside(detail, "state", "reason"),
        "StateChangeTime": event.get("time"),
        "AWSAccountId": event.get("account"),
        "Region": event.get("region"),
        "AlarmArn": resources[0] if resources else "",
    }


def _first(detail: Section, names: tuple[str, ...]) -> str:
    return next((said for name in names if (said := text_of(detail.get(name)))), "")


def _event(event: Section) -> Said:
    kind = text_of(event.get("detail-type"))
    detail = _detail(event, kind)
    state, run = _state(detail), _first(detail, _RUNS)
    names = _names(event, detail, kind)
    thing = (*(text_of(event.get(name)) for name in ("source", "account", "region")), kind, *names)
    shown, words = _last(names[-1]), _first(detail, _WORDS)
    verb = state.lower().replace("_", " ")
    title = " ".join(one for one in (shown or kind, verb) if one)
    status = _status(state, detail)
    if status is AlertStatus.RESOLVED and (not shown or kind == _ATHENA):
        # Whose good news these are nobody says, so they end nothing.
        status = AlertStatus.INFO
    return Said(
        thing=("event", *thing),
        status=status,
        title=f"{title}: {words}" if words else title,
        severity=severity_of(text_of(detail.get("severity"))),
        run=_run(run),
        description=words,
        at=event.get("time"),
        labels=dict(_event_labels(event, detail, named=shown, run=run)),
    )


def _run(named: str) -> str:
    """Return a run's own name; a child of an array job belongs to its parent's run."""
    return _last(named) if named.startswith("arn:") else named.partition(":")[0]


def _detail(event: Section, kind: str) -> Section:
    """Return the details, with what stands deeper in them in the manner of the others."""
    detail = object_of(event.get("detail"))
    if kind == _ATHENA:
        return {"message": inside(detail, "athenaError", "errorMessage"), **detail}
    if kind == _REPLICATION:
        failed = text_of(detail.get("eventType")).endswith("_FAILED")
        return {**detail, "state": "failed" if failed else ""}
    if kind == _CLUSTER and text_of(detail.get("state")) == "TERMINATED":
        done = "ALL_STEPS_COMPLETED" in text_of(detail.get("stateChangeReason"))
        return {**detail, "state": "COMPLETED" if done else "TERMINATED"}
    if kind != _DATA_QUALITY:
        return detail
    good, bad = (detail.get(name) for name in ("rulesSucceeded", "rulesFailed"))
    rules = ",".join(text_of(one) for one in list_of(detail.get("rulesetNames"))[:10])
    found = {**object_of(detail.get("context")), **detail, "test": rules}
    if isinstance(bad, int) and bad > 0:
        total = bad + good if isinstance(good, int) else bad
        found |= {"state": "FAILED", "message": f"{bad} of {total} rules"}
    return found


def _names(event: Section, detail: Section, kind: str) -> tuple[str, ...]:
    """Return what names the thing, the telling name last; an empty one where nothing does."""
    if kind == _DATA_QUALITY:
        place = [text_of(detail.get(name)) for name in ("databaseName", "tableName")]
        job = [text_of(detail.get(name)) for name in ("jobName", "evaluationContext")]
        named = ".".join(one for one in (place if any(place) else job) if one)
        return text_of(detail.get("test")), named
    if kind in _NAMED_BY:
        return tuple(text_of(detail.get(name)) for name in _NAMED_BY[kind])
    resources = [text_of(one) for one in list_of(event.get("resources"))[:1]]
    named = _first(detail, _THINGS) or next(iter(resources), "")
    child = inside(detail, "arrayProperties", "index")
    return (f"{named}[{child}]" if named and isinstance(child, int) else named,)


def _state(detail: Section) -> str:
    if said := _first(detail, _STATES):
        return said
    others = (
        value
        for name, value in detail.items()
        if name.lower().endswith(("state", "status"))
        and not name.lower().startswith(("previous", "desired"))
    )
    return next((one for one in others if isinstance(one, str)), "")


def _status(state: str, detail: Section) -> AlertStatus:
    """Read a job's state; one that is neither good nor bad, like RUNNING, is a remark."""
    if containers := [object_of(one) for one in list_of(detail.get("containers"))]:
        return _status_of_task(state, detail, containers)
    if state.lower() in _FAILED:
        return AlertStatus.FIRING
    if state == "FINISHED":  # Redshift's word
        return AlertStatus.RESOLVED
    return status_of(state) or AlertStatus.INFO


def _status_of_task(state: str, detail: Section, containers: list[Section]) -> AlertStatus:
    """Read an ECS task: STOPPED is how every one ends, also a good one and a replaced one."""
    replaced = text_of(detail.get("stoppedReason")).startswith("Scaling activity initiated by")
    if state != "STOPPED" or replaced:
        return AlertStatus.INFO
    good = all(one.get("exitCode") == 0 for one in containers)
    return AlertStatus.RESOLVED if good else AlertStatus.FIRING


def _event_labels(
    event: Section, detail: Section, *, named: str, run: str
) -> Iterator[tuple[str, JsonValue]]:
    yield "event", event.get("detail-type")
    yield "service", event.get("source")
    yield "account", event.get("account")
    yield "region", event.get("region")
    yield "job", named
    yield "run_id", _run(run)
    for name, value in detail.items():
        if isinstance(value, str | int | float):
            yield name, value
