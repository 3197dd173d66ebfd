"""The outgoing webhooks of Opsgenie, and of Jira Service Management's operations, its heir."""

from collections.abc import Iterator, Mapping

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, list_of, object_of, read_object, text_of
from bot.sources.kind import Arrival, Parsed, Source, SourceKind, UnreadableError, key_by_body
from bot.sources.run import run_of
from bot.sources.words import severity_of, time_of
from rules.alert import Alert, AlertStatus, Severity

_STATUSES = {
    "create": AlertStatus.FIRING,
    "close": AlertStatus.RESOLVED,
    "delete": AlertStatus.RESOLVED,
}
_FIELDS = {
    "alert_id": "alertId",
    "tiny_id": "tinyId",
    "entity": "entity",
    "alert_source": "source",
    "priority": "priority",
    "team": "team",
    "owner": "owner",
}

Fields = Mapping[str, JsonValue]


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the one alert; any action but create, close and delete is a remark on it."""
    body = read_object(delivery.body)
    found = object_of(body.get("alert"))
    named, action = _named(found), text_of(body.get("action"))
    if not named or not action:
        raise UnreadableError("It names no alert and no action; it is not Opsgenie's webhook.")
    status = _STATUSES.get(action.lower(), AlertStatus.INFO)
    firing = status is AlertStatus.FIRING
    said = dict(_labels(found, action))
    message = text.line(text_of(found.get("message"))) or f"Opsgenie alert {text.line(named, 80)}"
    return Parsed(
        alerts=(
            Alert(
                source=source.name,
                dedup_key=text.key(named),
                group_key=run_of(said),
                status=status,
                severity=severity_of(text_of(found.get("priority"))) if firing else Severity.INFO,
                title=message if firing else text.line(f"{_spoken(action, body)}: {message}"),
                description=text.clean(
                    text_of(found.get("description")) or text_of(found.get("note"))
                ),
                occurred_at=time_of(
                    found.get("createdAt" if firing else "updatedAt"),
                    zone=source.timezone,
                    otherwise=delivery.received_at,
                ),
                labels=text.labels(said),
            ),
        )
    )


def _named(found: Fields) -> str:
    # The alias names the thing and comes back with it; the id is another one for every alert.
    return text_of(found.get("alias")) or text_of(found.get("alertId"))


def _spoken(action: str, body: Fields) -> str:
    by = text_of(object_of(body.get("alert")).get("username"))
    return f"{action} by {by}" if by else action


def _labels(found: Fields, action: str) -> Iterator[tuple[str, str]]:
    details = ((name, text_of(value)) for name, value in object_of(found.get("details")).items())
    yield from ((name, value) for name, value in details if value)
    bare: list[str] = []
    for tag in list_of(found.get("tags"))[: text.LABELS]:
        name, mark, value = text_of(tag).partition(":")
        if mark and name.strip() and value.strip() and not value.startswith("//"):
            yield name.strip(), value.strip()
        elif name:
            bare.append(text_of(tag))
    own = {name: text_of(found.get(field)) for name, field in _FIELDS.items()}
    own |= {"tags": ", ".join(bare), "action": action}
    yield from ((name, value) for name, value in own.items() if value)


def delivery_key(arrival: Arrival) -> str:
    """Name the delivery by the alert, what was done and when the alert last changed."""
    try:
        body = read_object(arrival.body)
    except UnreadableError:
        return key_by_body(arrival)
    found = object_of(body.get("alert"))
    parts = [text_of(found.get("alertId")), text_of(body.get("action"))]
    parts.append(text_of(found.get("updatedAt")))
    return ":".join(parts) if all(parts) else key_by_body(arrival)


KIND = SourceKind(name="opsgenie", parse=parse, delivery_key=delivery_key)
