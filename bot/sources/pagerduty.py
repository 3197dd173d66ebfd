"""PagerDuty's webhooks, version 3: what happens to an incident there."""

from collections.abc import Mapping

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, inside, list_of, object_of, read_object, text_of
from bot.sources.kind import Arrival, Parsed, Source, SourceKind, UnreadableError, key_by_body
from bot.sources.scheme import Scheme, by_hmac, has
from bot.sources.words import severity_of, time_of
from rules.alert import Alert, AlertStatus, Severity

SIGNATURE = "X-PagerDuty-Signature"
WEBHOOK_ID = "x-webhook-id"

_STATUSES = {
    "incident.triggered": AlertStatus.FIRING,
    "incident.reopened": AlertStatus.FIRING,
    "incident.resolved": AlertStatus.RESOLVED,
}
_URGENCIES = {"high": Severity.ERROR, "low": Severity.WARNING}

Fields = Mapping[str, JsonValue]


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the incident's alert; pings and news of services have nothing to tell."""
    event = object_of(read_object(delivery.body).get("event"))
    kind = text_of(event.get("event_type")).lower()
    if not kind:
        raise UnreadableError("It is not a version 3 webhook of PagerDuty.")
    if not kind.startswith("incident."):
        return Parsed()
    data = object_of(event.get("data"))
    # A note or a status update only refers to its incident.
    incident = object_of(data.get("incident")) or data
    named = text_of(incident.get("id"))
    if not named:
        raise UnreadableError("The event names no incident.")
    status = _STATUSES.get(kind, AlertStatus.INFO)
    return Parsed(
        alerts=(
            Alert(
                source=source.name,
                dedup_key=_dedup_key(incident, named),
                group_key=text.key(f"incident:{named}"),
                status=status,
                severity=_severity(incident) if status is AlertStatus.FIRING else Severity.INFO,
                title=_title(kind, status, event, incident),
                description=text.clean(
                    text_of(data.get("content") or data.get("message") or incident.get("body"))
                ),
                occurred_at=time_of(
                    event.get("occurred_at"),
                    zone=source.timezone,
                    otherwise=delivery.received_at,
                ),
                labels=text.labels(_labels(kind, incident)),
                url=text.link(text_of(incident.get("html_url"))),
            ),
        )
    )


def _dedup_key(incident: Fields, named: str) -> str:
    key, service = text_of(incident.get("incident_key")), inside(incident, "service", "id")
    return text.key(f"{text_of(service)}/{key}" if key else f"incident:{named}")


def _severity(incident: Fields) -> Severity:
    priority = severity_of(text_of(inside(incident, "priority", "summary")))
    if priority is not Severity.UNKNOWN:
        return priority
    return _URGENCIES.get(text_of(incident.get("urgency")).lower(), Severity.UNKNOWN)


def _title(kind: str, status: AlertStatus, event: Fields, incident: Fields) -> str:
    title = text_of(incident.get("title") or incident.get("summary"))
    title = title or f"PagerDuty incident {text_of(incident.get('id'))}"
    if status is not AlertStatus.INFO:
        return text.line(title)
    by = text_of(inside(event, "agent", "summary"))
    done = kind.removeprefix("incident.").replace("_", " ").replace(".", " ")
    return text.line(f"PagerDuty: {done}{f' by {by}' if by else ''}: {title}")


def _labels(kind: str, incident: Fields) -> dict[str, str]:
    people = list_of(incident.get("assignees"))[:20]
    assignees = (text_of(object_of(one).get("summary")) for one in people)
    found = {
        "event": kind,
        "incident_id": text_of(incident.get("id")),
        "number": text_of(incident.get("number")),
        "service": text_of(inside(incident, "service", "summary")),
        "priority": text_of(inside(incident, "priority", "summary")),
        "urgency": text_of(incident.get("urgency")),
        "escalation_policy": text_of(inside(incident, "escalation_policy", "summary")),
        "assignees": ", ".join(one for one in assignees if one),
    }
    return {name: value for name, value in found.items() if value}


def delivery_key(arrival: Arrival) -> str:
    """Return the event's own id, which is signed and which its retries share."""
    try:
        named = text_of(inside(read_object(arrival.body), "event", "id"))
    except UnreadableError:
        named = ""
    named = named or arrival.headers.get(WEBHOOK_ID, "")
    return f"event:{named}" if named else key_by_body(arrival)


KIND = SourceKind(
    name="pagerduty",
    parse=parse,
    delivery_key=delivery_key,
    headers=frozenset({WEBHOOK_ID}),
    scheme=Scheme(claims=has(SIGNATURE.lower()), authenticate=by_hmac(SIGNATURE, prefix="v1=")),
)
