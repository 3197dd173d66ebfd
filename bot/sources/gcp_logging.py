"""Log entries of Google Cloud, pushed by Pub/Sub: a log sink's topic, subscribed by push."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.ports.inbox import Delivery
from bot.sources import gcp_monitoring
from bot.sources.google_token import OPTIONS, SCHEME
from bot.sources.json_body import JsonValue, inside, object_of, read_json, read_object, text_of
from bot.sources.kind import (
    Arrival,
    Parsed,
    Source,
    SourceKind,
    UnreadableError,
    key_by_body,
)
from bot.sources.text import clean, key_of, labels, line
from bot.sources.words import time_of
from rules.alert import Alert, AlertStatus, Severity

MESSAGE_ID_HEADER = "x-goog-pubsub-message-id"
"""Where Pub/Sub writes the id when the subscription unwraps its messages."""

Section = Mapping[str, JsonValue]

_SEVERITIES = {
    "DEBUG": Severity.INFO,
    "INFO": Severity.INFO,
    "NOTICE": Severity.INFO,
    "WARNING": Severity.WARNING,
    "ERROR": Severity.ERROR,
    "CRITICAL": Severity.CRITICAL,
    "ALERT": Severity.CRITICAL,
    "EMERGENCY": Severity.CRITICAL,
}
_CODES = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
# These name a run of the thing, or one of its copies, and the thing has another name.
_RUN_LABELS = {
    "dataflow_step": frozenset({"job_id"}),
    "k8s_container": frozenset({"pod_name"}),
    "cloud_run_revision": frozenset({"revision_name"}),
    "cloud_dataproc_cluster": frozenset({"cluster_uuid"}),
    "bigquery_dts_run": frozenset({"run_id"}),
    "build": frozenset({"build_id"}),
}
# Kubernetes names a pod by its workload, its revision or minute, and five letters of this set.
_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
_POD_ENDING = re.compile(rf"-(?:{_LETTERS}{{6,10}}-|\d{{8,10}}-)?{_LETTERS}{{5}}\Z")
# A Composer entry's own labels say which DAG and task of the environment it is about.
_THING_LABELS = ("workflow", "task-id")
_BIGQUERY_ERRORS = (
    ("protoPayload", "metadata", "jobChange", "job", "jobStatus", "errorResult"),
    (
        "protoPayload",
        "serviceData",
        "jobCompletedEvent",
        "job",
        "jobStatus",
        "error",
    ),
)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What the entry says went wrong: a gRPC code by name, or BigQuery's, and words."""

    code: str = ""
    message: str = ""


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the alert of a log entry, or of Cloud Monitoring's notification through Pub/Sub."""
    said = _message(read_object(delivery.body))
    if "incident" in said:
        return Parsed(alerts=(gcp_monitoring.alert_of(source, delivery, said),))
    if not any(said.get(name) for name in ("logName", "insertId", "resource")):
        raise UnreadableError("The Pub/Sub message holds no log entry.")
    return Parsed(alerts=(_alert(source, delivery, said),))


def _message(body: Section) -> Section:
    message = body.get("message")
    if not isinstance(message, dict):
        # The subscription unwraps: the body is the entry itself.
        if "logName" in body or "incident" in body:
            return body
        raise UnreadableError("It is not a Pub/Sub push message.")
    data = message.get("data")
    if not isinstance(data, str) or not data:
        raise UnreadableError("The Pub/Sub message has no data.")
    try:
        raw = base64.b64decode(data.encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError("The data of the Pub/Sub message is not base64.") from error
    return read_object(raw)


def _alert(source: Source, delivery: Delivery, entry: Section) -> Alert:
    fault = _fault(entry)
    severity = _severity(entry, fault)
    remark = severity is Severity.INFO
    return Alert(
        source=source.name,
        dedup_key=_dedup_key(entry, fault),
        status=AlertStatus.INFO if remark else AlertStatus.FIRING,
        title=_title(entry, fault),
        occurred_at=time_of(
            entry.get("timestamp"), zone=source.timezone, otherwise=delivery.received_at
        ),
        severity=severity,
        description=clean(fault.message),
        labels=labels(_labels(entry, fault)),
    )


def _severity(entry: Section, fault: _Fault) -> Severity:
    said = _SEVERITIES.get(text_of(entry.get("severity")).upper(), Severity.UNKNOWN)
    # Audit entries of failed calls are written as notices.
    return Severity.ERROR if fault.code and said is Severity.INFO else said


def _fault(entry: Section) -> _Fault:
    for path in _BIGQUERY_ERRORS:
        if found := object_of(inside(entry, *path)):
            return _Fault(_code(found.get("code")), text_of(found.get("message")))
    status = object_of(inside(entry, "protoPayload", "status"))
    code = _code(status.get("code"))
    if code or status.get("message"):
        return _Fault(code, text_of(status.get("message")))
    payload = object_of(entry.get("jsonPayload"))
    code = _code(payload.get("code") or payload.get("errorCode") or payload.get("error_code"))
    told = text_of(payload.get("message") or payload.get("error") or payload.get("msg"))
    if payload.get("kind") == "Event" and (reason := text_of(payload.get("reason"))):
        told = f"{reason}: {told}" if told else reason
    return _Fault(code, told or text_of(entry.get("textPayload")) or text_of(payload or None))


def _code(value: JsonValue) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if value == 0:
            return ""
        return _CODES[value] if 0 < value < len(_CODES) else str(value)
    return text_of(value)


def _log_name(entry: Section) -> str:
    return text_of(entry.get("logName")).rsplit("/", 1)[-1].replace("%2F", "/")


def _principal(entry: Section) -> str:
    return text_of(inside(entry, "protoPayload", "authenticationInfo", "principalEmail"))


def _dedup_key(entry: Section, fault: _Fault) -> str:
    kind = text_of(inside(entry, "resource", "type"))
    given = object_of(inside(entry, "resource", "labels"))
    runs = _RUN_LABELS.get(kind, frozenset()) if len(given) > 1 else frozenset()
    parts = [kind]
    for name in sorted(given):
        if name not in runs:
            said = text_of(given[name])
            parts += [name, _POD_ENDING.sub("", said) if name == "pod_name" else said]
    own = object_of(entry.get("labels"))
    parts += [text_of(own.get(name)) for name in _THING_LABELS]
    return key_of(*parts, _log_name(entry), _principal(entry), fault.code)


def _title(entry: Section, fault: _Fault) -> str:
    given = object_of(inside(entry, "resource", "labels"))
    own = object_of(entry.get("labels"))
    dag = ".".join(said for name in _THING_LABELS if (said := text_of(own.get(name))))
    named = next((said for name in _TELLING if (said := text_of(given.get(name)))), "")
    where = dag or named or text_of(inside(entry, "resource", "type")) or _log_name(entry)
    method = text_of(inside(entry, "protoPayload", "methodName")).rsplit(".", 1)[-1]
    first = line(fault.message.strip().partition("\n")[0][:2_000])
    what = ": ".join(one for one in (method, fault.code, first) if one) or "log entry"
    return line(f"{where}: {what}")


_TELLING = (
    "job_name",
    "dataset_id",
    "subscription_id",
    "function_name",
    "service_name",
    "environment_name",
    "container_name",
    "pod_name",
    "node_name",
    "database_id",
    "bucket_name",
    "instance_id",
    "project_id",
)


def _labels(entry: Section, fault: _Fault) -> Iterator[tuple[str, str]]:
    """Yield the facts first: of two labels of one name the first stays."""
    own = object_of(entry.get("labels"))
    product = own.get("data_product") or inside(entry, "resource", "labels", "data_product")
    found: dict[str, JsonValue] = {
        "product": product,
        "resource_type": inside(entry, "resource", "type"),
        "log": _log_name(entry),
        "code": fault.code,
        "principal": _principal(entry),
        "service": inside(entry, "protoPayload", "serviceName"),
        "method": inside(entry, "protoPayload", "methodName"),
        "resource_name": inside(entry, "protoPayload", "resourceName"),
        "log_severity": entry.get("severity"),
        "insert_id": entry.get("insertId"),
        "trace": entry.get("trace"),
    }
    for more in (object_of(inside(entry, "resource", "labels")), own):
        for name, value in more.items():
            found.setdefault(name, value)
    yield from ((name, said) for name, value in found.items() if (said := text_of(value)))


def delivery_key(arrival: Arrival) -> str:
    """Return the message's id, which stays the same when Pub/Sub delivers it again."""
    if named := arrival.headers.get(MESSAGE_ID_HEADER):
        return f"message:{named}"
    try:
        message = object_of(object_of(read_json(arrival.body)).get("message"))
    except UnreadableError:
        return key_by_body(arrival)
    named = text_of(message.get("messageId") or message.get("message_id"))
    return f"message:{named}" if named else key_by_body(arrival)


KIND = SourceKind(
    name="gcp_logging",
    parse=parse,
    delivery_key=delivery_key,
    headers=frozenset({MESSAGE_ID_HEADER}),
    scheme=SCHEME,
    options=OPTIONS,
)
