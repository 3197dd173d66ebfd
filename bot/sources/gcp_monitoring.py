"""Google Cloud Monitoring's webhook (version 1.2): incidents of alerting policies."""

from collections.abc import Iterator, Mapping

from bot.ports.inbox import Delivery
from bot.sources.json_body import JsonValue, inside, object_of, read_json, read_object, text_of
from bot.sources.kind import (
    Arrival,
    Parsed,
    Source,
    SourceKind,
    UnreadableError,
    digest,
    key_by_body,
)
from bot.sources.text import clean, key, labels, line, link
from bot.sources.words import severity_of, time_of
from rules.alert import Alert, AlertStatus, Severity

TEST = "test"
_NO_INCIDENT = (
    "There is no incident in it; choose a webhook notification channel of Cloud Monitoring."
)

Section = Mapping[str, JsonValue]


def parse(source: Source, delivery: Delivery) -> Parsed:
    body = read_object(delivery.body)
    return Parsed(alerts=(alert_of(source, delivery, body),))


def alert_of(source: Source, delivery: Delivery, body: Section) -> Alert:
    """Return the alert of a notification's body; the Pub/Sub channel sends the same one."""
    incident = object_of(body.get("incident"))
    if not any(incident.get(name) for name in ("incident_id", "policy_name", "condition_name")):
        raise UnreadableError(_NO_INCIDENT)
    status = _status(body, incident)
    when = incident.get("ended_at" if status is AlertStatus.RESOLVED else "started_at")
    return Alert(
        source=source.name,
        dedup_key=_dedup_key(incident),
        status=status,
        title=_title(incident, status),
        occurred_at=time_of(when, zone=source.timezone, otherwise=delivery.received_at),
        severity=Severity.INFO if status is AlertStatus.INFO else _severity(incident),
        description=clean(_description(incident)),
        labels=labels(_labels(incident)),
        url=link(text_of(incident.get("url"))),
    )


def _status(body: Section, incident: Section) -> AlertStatus:
    if text_of(body.get("version")).lower() == TEST:
        return AlertStatus.INFO
    closed = text_of(incident.get("state")).lower() == "closed"
    return AlertStatus.RESOLVED if closed else AlertStatus.FIRING


def _severity(incident: Section) -> Severity:
    return severity_of(text_of(incident.get("severity")))


def _project(incident: Section) -> str:
    return text_of(incident.get("scoping_project_id") or incident.get("scoping_project_number"))


def _dedup_key(incident: Section) -> str:
    if named := text_of(incident.get("incident_id")):
        return key(f"{_project(incident)}/{named}")
    resource = digest(text_of(incident.get("resource")))
    names = (text_of(incident.get(name)) for name in ("policy_name", "condition_name"))
    return key("/".join((_project(incident), *names, resource)))


def _title(incident: Section, status: AlertStatus) -> str:
    if status is AlertStatus.INFO:
        return "Cloud Monitoring sent a test notification"
    if subject := line(text_of(inside(incident, "documentation", "subject"))):
        return subject
    policy, condition = (text_of(incident.get(name)) for name in ("policy_name", "condition_name"))
    what = f"{policy}: {condition}" if policy and condition != policy else policy or condition
    where = text_of(incident.get("resource_display_name") or incident.get("resource_name"))
    return line(f"{what} ({where})" if where else what) or "Incident of Cloud Monitoring"


def _description(incident: Section) -> str:
    said = incident.get("documentation")
    # The test notification has a plain string where the others have an object.
    told = said if isinstance(said, str) else text_of(object_of(said).get("content"))
    observed, limit = (
        text_of(incident.get(name)) for name in ("observed_value", "threshold_value")
    )
    numbers = f"Observed {observed}, threshold {limit}." if observed and limit else ""
    return "\n".join(one for one in (text_of(incident.get("summary")), numbers, told) if one)


def _labels(incident: Section) -> Iterator[tuple[str, str]]:
    """Yield what routes match first: of two labels of one name the first stays."""
    chosen = object_of(incident.get("policy_user_labels"))
    if product := text_of(chosen.get("data_product")):
        yield "product", product
    found: dict[str, JsonValue] = dict(chosen)
    facts = {
        "project": _project(incident),
        "policy": incident.get("policy_name"),
        "condition": incident.get("condition_name"),
        "resource_type": inside(incident, "resource", "type"),
        "metric": inside(incident, "metric", "type"),
        "incident_id": incident.get("incident_id"),
    }
    for more in (
        facts,
        object_of(inside(incident, "resource", "labels")),
        object_of(inside(incident, "metric", "labels")),
    ):
        for name, value in more.items():
            found.setdefault(name, value)
    yield from ((name, said) for name, value in found.items() if (said := text_of(value)))


def delivery_key(arrival: Arrival) -> str:
    """Name the notification by its incident and state, which Google repeats until it is taken."""
    try:
        body = object_of(read_json(arrival.body))
    except UnreadableError:
        return key_by_body(arrival)
    incident = object_of(body.get("incident"))
    named = text_of(incident.get("incident_id"))
    # Every test notification has the same incident.
    if not named or text_of(body.get("version")).lower() == TEST:
        return key_by_body(arrival)
    return digest(_project(incident), named, text_of(incident.get("state")).lower())


KIND = SourceKind(name="gcp_monitoring", parse=parse, delivery_key=delivery_key)
