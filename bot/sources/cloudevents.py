"""CloudEvents 1.0 over HTTP: in headers, as one JSON document, or as a batch of them."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from bot.ports.inbox import Delivery
from bot.sources.json_body import JsonValue, decode, list_of, object_of, read_json, text_of
from bot.sources.kind import (
    Arrival,
    Parsed,
    Source,
    SourceKind,
    UnreadableError,
    digest,
    key_by_body,
)
from bot.sources.run_facts import told_run
from bot.sources.text import clean, key_of, labels, line, link
from bot.sources.unreadable import MOST_ALERTS, alerts_from, unreadable
from bot.sources.words import severity_of, status_of, time_of
from rules.alert import Alert, AlertStatus, Severity
from rules.run import Run

STRUCTURED, BATCH = "application/cloudevents", "application/cloudevents-batch"
_ATTRIBUTES = ("id", "source", "type", "specversion", "subject", "time", "dataschema")
# Extensions that are read when an event stands in headers; a document may have any.
_EXTENSIONS = ("severity", "status", "dataproduct", "traceparent", "partitionkey")
HEADERS = frozenset(f"ce-{name}" for name in (*_ATTRIBUTES, *_EXTENSIONS))
_NO_EVENT = "It is not a CloudEvent: `id`, `source`, `type` and `specversion` are needed."
_FIRING = frozenset(
    [
        "failed",
        "failure",
        "fail",
        "error",
        "errored",
        "fired",
        "firing",
        "triggered",
        "broken",
        "breached",
        "crashed",
        "aborted",
        "timeout",
        "missed",
        "degraded",
        "alarm",
        "critical",
        "unhealthy",
    ]
)
_RESOLVED = frozenset(
    [
        "resolved",
        "recovered",
        "succeeded",
        "success",
        "completed",
        "passed",
        "fixed",
        "cleared",
        "ok",
        "healthy",
    ]
)
_VERSION = re.compile(r"v\d+(?:[a-z]+\d+)?", re.IGNORECASE)
_LAST_WORD = re.compile(r"(?P<family>.*?)(?P<word>[A-Z]?[a-z]+|[A-Z]+)\Z", re.DOTALL)
_STATUS_NAMES = ("status", "state", "result", "outcome", "conclusion")
_TITLES = ("title", "summary", "message", "description", "error", "reason")
_TYPE_LENGTH = 500

Section = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Event:
    """An event's attributes, extensions among them, and what it carries."""

    attributes: Section
    data: JsonValue

    def text(self, name: str) -> str:
        return text_of(self.attributes.get(name))

    @property
    def is_one(self) -> bool:
        return all(self.text(name) for name in ("id", "source", "type", "specversion"))

    @property
    def body(self) -> Section:
        return object_of(self.data)


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return an alert an event; an entry of a batch that is none becomes an unreadable alert."""

    def alert(entry: JsonValue) -> Alert:
        event = entry if isinstance(entry, _Event) else _structured(object_of(entry))
        if not event.is_one:
            return unreadable(delivery, _NO_EVENT)
        return _alert(source, delivery, event)

    entries = _entries(delivery)
    alerts = alerts_from(delivery, entries, alert)
    if len(alerts) == 1 and alerts[0].unreadable:
        raise UnreadableError(_NO_EVENT)
    return Parsed(alerts=alerts, runs=tuple(_runs(source, delivery, entries)))


def _runs(source: Source, delivery: Delivery, entries: Sequence[JsonValue]) -> Iterator[Run]:
    """Yield the runs that events tell of in a `run` object of their data."""
    for entry in entries[:MOST_ALERTS]:
        event = entry if isinstance(entry, _Event) else _structured(object_of(entry))
        if event.is_one and (run := told_run(source, delivery, event.body)):
            yield run


def _entries(delivery: Delivery) -> Sequence[JsonValue]:
    if "ce-id" in delivery.headers and not delivery.content_type.lower().startswith(STRUCTURED):
        return [_binary(delivery.headers, delivery.body)]
    body = read_json(delivery.body)
    return body if isinstance(body, list) else [body]


def _binary(headers: Mapping[str, str], body: bytes) -> _Event:
    attributes = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    try:
        data = read_json(body) if body.strip() else None
    except UnreadableError:
        data = decode(body)
    return _Event(attributes, data)


def _structured(document: Section) -> _Event:
    attributes = {
        name: value for name, value in document.items() if name not in {"data", "data_base64"}
    }
    data = document.get("data")
    encoded = document.get("data_base64")
    if isinstance(encoded, str):
        try:
            data = read_json(base64.b64decode(encoded.encode(), validate=True))
        except (binascii.Error, ValueError, UnreadableError):
            data = None
    return _Event(attributes, data)


def _alert(source: Source, delivery: Delivery, event: _Event) -> Alert:
    family, by_type = _read_type(event.text("type"))
    status = _said_status(event) or by_type or AlertStatus.INFO
    if status is AlertStatus.INFO and by_type is AlertStatus.FIRING:
        # No word of the data makes a failure a remark.
        status = by_type
    word = text_of(event.body.get("severity")) or event.text("severity")
    severity = severity_of(word)
    if severity is Severity.UNKNOWN and status is AlertStatus.INFO:
        severity = Severity.INFO
    return Alert(
        source=source.name,
        dedup_key=key_of(event.text("source"), event.text("subject"), family),
        status=status,
        title=_title(event),
        occurred_at=time_of(
            event.text("time"), zone=source.timezone, otherwise=delivery.received_at
        ),
        severity=severity,
        description=clean(_description(event)),
        labels=labels(_labels(event)),
        url=link(text_of(event.body.get("url") or event.body.get("link"))),
    )


def _read_type(kind: str) -> tuple[str, AlertStatus | None]:
    """Split `org.example.load.failed.v1` into what it is about and how that is."""
    parts = kind[:_TYPE_LENGTH].split(".")
    if len(parts) > 1 and _VERSION.fullmatch(parts[-1]):
        parts.pop()
    whole = ".".join(parts)
    found = _LAST_WORD.fullmatch(whole)
    word = found["word"].lower() if found else ""
    if found is None or word not in _FIRING | _RESOLVED:
        return f"{whole}{kind[_TYPE_LENGTH:]}", None
    status = AlertStatus.FIRING if word in _FIRING else AlertStatus.RESOLVED
    return found["family"].rstrip("._-"), status


def _said_status(event: _Event) -> AlertStatus | None:
    """Read what the data says: `run.completed` may carry a failure."""
    for name in _STATUS_NAMES:
        said = event.body.get(name)
        if isinstance(said, str) and (status := status_of(said)):
            return status
    return status_of(event.text("status"))


def _title(event: _Event) -> str:
    for name in _TITLES:
        said = event.body.get(name)
        if isinstance(said, str) and (title := line(said.strip().partition("\n")[0][:2_000])):
            return title
    about = event.text("subject") or event.text("source")
    return line(f"{event.text('type')} ({about})") or "CloudEvent"


def _description(event: _Event) -> str:
    if isinstance(event.data, str):
        return event.data
    said = event.body.get("description") or event.body.get("message")
    return said if isinstance(said, str) else ""


def _labels(event: _Event) -> Iterator[tuple[str, str]]:
    """Yield the event's own attributes first: of two labels of one name the first stays."""
    product = event.body.get("data_product") or event.attributes.get("dataproduct")
    found: dict[str, JsonValue] = {"product": product, **event.attributes}
    for name, value in event.body.items():
        if not isinstance(value, dict | list) and name not in _TITLES:
            found.setdefault(name, value)
    yield from ((name, said) for name, one in found.items() if (said := text_of(one)))


def delivery_key(arrival: Arrival) -> str:
    """Return source and id, which together name an event for ever; a batch has all of theirs."""
    try:
        delivery = Delivery(
            id="",
            source=arrival.source.name,
            key="",
            body=arrival.body,
            content_type=arrival.content_type,
            headers=arrival.headers,
            received_at=arrival.at,
        )
        entries = list_of(_entries(delivery))
    except UnreadableError:
        return key_by_body(arrival)
    events = [one if isinstance(one, _Event) else _structured(object_of(one)) for one in entries]
    if not events or not all(one.is_one for one in events):
        return key_by_body(arrival)
    return digest(*(one.text(name) for one in events for name in ("source", "id")))


KIND = SourceKind(
    name="cloudevents",
    parse=parse,
    delivery_key=delivery_key,
    headers=HEADERS,
    asked_first=True,
)
