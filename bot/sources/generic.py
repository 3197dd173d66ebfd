"""Any tool that can send JSON, a form or a line of text; a mapping says what is what."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, decode, read_json, text_of
from bot.sources.kind import (
    Answer,
    Arrival,
    Parsed,
    Source,
    SourceKind,
    UnreadableError,
    digest,
    key_by_body,
)
from bot.sources.mapping import FieldMap, read_mapping
from bot.sources.run_facts import alert_of, told_run
from bot.sources.template import Rendered, look_up
from bot.sources.unreadable import MOST_ALERTS, alerts_from, too_many, unreadable
from bot.sources.words import PROGRESS, severity_of, status_of, time_of
from rules.alert import Alert, AlertStatus, Severity
from rules.run import Run

FORM_FIELDS = 1_000
LABEL_PAIRS = 1_000
NO_TITLE = "Nothing in it looks like a title; name one under `mapping: title:` of the source."

_BAD = frozenset({Severity.CRITICAL, Severity.ERROR, Severity.WARNING})
_NAMES = frozenset({"name", "job_name", "alertRule"})
_PIPELINES = ("dag_id", "pipeline", "job_name", "job", "workflow")
_PLACES = (
    "host", "hostname", "instance", "service", "environment", "env",
    *_PIPELINES, "task_id", "dataset", "table",
)  # fmt: skip
_NOBODY_ELSES = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|[0-9a-fA-F]{16}")
_DELIVERY_IDS = ("x-github-delivery", "x-webhook-id", "webhook-id", "svix-id", "ce-id")
# "[Recovered] CPU", "[P1] [Triggered on {host:web-1}] CPU", "[FIRING:2] CPU".
_STATE = re.compile(
    r"(?:\[P\d\]\s*)?\[(?:re-)?([a-z ]{2,12}?)( on \{[^}\]]*\})?(?::\d+)?\]", re.IGNORECASE
)


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return an alert an entry; entries without a title become unreadable alerts."""
    try:
        fields = read_mapping(source.mapping)
    except ValueError as error:
        raise UnreadableError("The source's mapping is wrong.", str(error)) from error
    root = _value(delivery)
    if told := _told_runs(source, delivery, fields, root):
        return told
    reader = _EntryReader(source, delivery, fields, root)
    alerts = alerts_from(delivery, _entries(root, fields.alerts), reader.alert)
    if not alerts:
        raise UnreadableError("The list of alerts is empty.")
    if all(alert.unreadable for alert in alerts):
        # A list that nobody has named may be beside the point.
        if fields.alerts or (whole := reader.alert(root)).unreadable:
            raise UnreadableError(NO_TITLE)
        return Parsed(alerts=(whole,))
    return Parsed(alerts=alerts)


def _told_runs(
    source: Source, delivery: Delivery, fields: FieldMap, root: JsonValue
) -> Parsed | None:
    """Read entries with a `run` object; those without a title of their own speak of it alone.

    None when no entry has one.
    """
    entries = _entries(root, fields.alerts)
    if not any(isinstance(entry, dict) and "run" in entry for entry in entries[:MOST_ALERTS]):
        return None
    alerts: list[Alert] = []
    runs: list[Run] = []
    reader = _EntryReader(source, delivery, fields, root)
    for entry in entries[:MOST_ALERTS]:
        body = entry if isinstance(entry, dict) else {}
        run = told_run(source, delivery, body)
        alert = reader.alert(entry)
        if run is not None:
            runs.append(run)
            if alert.unreadable or not {"status", "state"} & body.keys():
                title = "" if alert.unreadable else alert.title
                alerts += [one] if (one := alert_of(run, delivery, title)) else []
                continue
        alerts.append(alert)
    if len(entries) > MOST_ALERTS:
        alerts.append(too_many(delivery, len(entries) - MOST_ALERTS))
    return Parsed(alerts=tuple(alerts), runs=tuple(runs)) if runs else None


def _value(delivery: Delivery) -> JsonValue:
    kind = delivery.content_type.partition(";")[0].strip().lower()
    start = delivery.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if kind == "application/x-www-form-urlencoded" and start not in {b"{", b"["}:
        return _form(delivery.body)
    if kind and not kind.startswith("text/"):
        return read_json(delivery.body)
    try:
        return read_json(delivery.body)
    except UnreadableError:
        if start in {b"{", b"["} or not delivery.body.strip():
            raise
    return _lines(decode(delivery.body))


def _form(body: bytes) -> JsonValue:
    try:
        pairs = parse_qsl(decode(body), keep_blank_values=True, max_num_fields=FORM_FIELDS)
    except ValueError as error:
        raise UnreadableError(f"The form has more than {FORM_FIELDS} fields.") from error
    fields = dict(pairs)
    # Several tools send one field that holds their JSON.
    if set(fields) == {"payload"}:
        return read_json(fields["payload"].encode("utf-8", "surrogatepass"))
    if not fields:
        raise UnreadableError("The body is empty.")
    if len(pairs) == 1 and not pairs[0][1]:
        return _lines(pairs[0][0])
    return fields


def _lines(said: str) -> JsonValue:
    first, _, rest = said.strip().partition("\n")
    return {"title": first, "description": rest.strip()}


def _entries(root: JsonValue, steps: tuple[str, ...]) -> Sequence[JsonValue]:
    if steps:
        found = look_up(root, steps)
        if not isinstance(found, list):
            raise UnreadableError("The path under `mapping: alerts:` leads to no list.")
        return found
    if isinstance(root, list):
        return root
    inner = root.get("alerts") if isinstance(root, dict) else None
    if isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
        return inner
    return [root]


class _EntryReader:
    """Reads the entries of one delivery."""

    def __init__(
        self, source: Source, delivery: Delivery, fields: FieldMap, root: JsonValue
    ) -> None:
        self._source = source
        self._delivery = delivery
        self._fields = fields
        self._root = root

    def alert(self, entry: JsonValue) -> Alert:
        value = _lines(entry) if isinstance(entry, str) else entry
        rendered = {
            name: one.render(value, self._root) for name, one in self._fields.fields.items()
        }
        said = {name: one.text.strip() for name, one in rendered.items()}
        title = text.line(said["title"])
        if not isinstance(value, dict) or not title:
            return unreadable(self._delivery, NO_TITLE)
        word, bare = _state_of(said["title"])
        status = self._status(said["status"] or word, said["severity"])
        if "title" not in self._source.mapping and _only_a_name(rendered["title"].used):
            title = text.line(_with_word(said["title"], said["status"]))
        used = {place for one in rendered.values() for place in one.used}
        description = text.clean(said["description"])
        return Alert(
            source=self._source.name,
            dedup_key=text.key(said["key"]) or _key_of_title(bare, value),
            status=status,
            title=title,
            occurred_at=time_of(
                said["occurred_at"],
                zone=self._source.timezone,
                otherwise=self._delivery.received_at,
            ),
            group_key=text.key(self._group(rendered["group"], value)),
            severity=_severity(said["severity"], said["status"], status),
            description="" if description == title else description,
            labels=text.labels(self._labels(value, used)),
            url=text.link(said["link"]),
        )

    def _status(self, word: str, severity: str) -> AlertStatus:
        plain = word.lower()[:64]
        status = self._fields.words.get(plain) or status_of(word) or AlertStatus.FIRING
        runs = (
            status is AlertStatus.INFO and plain in PROGRESS and "info" not in self._source.mapping
        )
        # A job that runs is bad news all the same, when it takes too long.
        return AlertStatus.FIRING if runs and severity_of(severity) in _BAD else status

    def _group(self, group: Rendered, value: Mapping[str, JsonValue]) -> str:
        """Return the group; a run's id that others may have, too, counts within its pipeline."""
        said = group.text.strip()
        mapped = "group" in self._source.mapping or group.used != ("run_id",)
        if mapped or _NOBODY_ELSES.search(said[:500]):
            return said
        pipeline = next((one for name in _PIPELINES if (one := text_of(value.get(name)))), "")
        return f"{pipeline}/{said}" if pipeline else said

    def _labels(self, value: Mapping[str, JsonValue], used: set[str]) -> Iterator[tuple[str, str]]:
        for name, one in self._fields.labels.items():
            if said := one.render(value, self._root).text.strip():
                yield name, said
        yield from _tags(value.get("labels"))
        yield from _tags(value.get("tags"))
        rest = {name: one for name, one in value.items() if name not in {"labels", "tags"}}
        for count, (name, said) in enumerate(_flat(rest)):
            if count >= LABEL_PAIRS:
                return
            if name not in used and said:
                yield name, said


def _state_of(title: str) -> tuple[str, str]:
    """Return the state that a title begins with, or nothing, and what the title is about."""
    found = _STATE.match(title)
    if found is None or status_of(found[1]) in {None, AlertStatus.INFO}:
        return "", title
    return found[1], (found[2] or "").strip() + title[found.end() :]


def _only_a_name(used: Sequence[str]) -> bool:
    return bool(used) and used[0].rpartition(".")[2] in _NAMES


def _with_word(name: str, word: str) -> str:
    """Add what happened: a name alone tells nobody what is wrong with it."""
    return name if not word or word.lower() in name.lower() else f"{name}: {word}"


def _severity(word: str, status_word: str, status: AlertStatus) -> Severity:
    severity = severity_of(word)
    if severity is Severity.UNKNOWN and status is AlertStatus.FIRING and not word:
        # "critical" as a state says both.
        severity = severity_of(status_word)
    return severity


def _key_of_title(title: str, value: Mapping[str, JsonValue]) -> str:
    # The time in a title tells runs apart, not things; the place tells things apart.
    places = [f"{name}={said}" for name in _PLACES if (said := text_of(value.get(name)))]
    return f"title:{digest(text.without_times(title), *places)}"


def _tags(value: JsonValue) -> Iterator[tuple[str, str]]:
    """Read {"a": "b"}, ["a:b", "c"], [{"name": "a", "value": "b"}] and "a:b, c"."""
    if isinstance(value, dict):
        yield from _flat(value)
        return
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list):
        return
    bare: list[str] = []
    for tag in listed[:LABEL_PAIRS]:
        if isinstance(tag, dict):
            name = text_of(tag.get("name") or tag.get("key"))
            yield name, text_of(tag.get("value"))
            continue
        name, mark, said = text_of(tag).strip().replace("=", ":", 1).partition(":")
        if mark and name.strip() and not said.startswith("//"):
            yield name.strip(), said.strip()
        elif name:
            bare.append(text_of(tag).strip())
    if bare:
        yield "tags", ", ".join(bare)


def _flat(value: JsonValue, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _flat(one, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for at, one in enumerate(value):
            yield from _flat(one, f"{prefix}.{at}")
    elif isinstance(value, list):
        yield prefix, ", ".join(text_of(one) for one in value)
    else:
        yield prefix, text_of(value)


def delivery_key(arrival: Arrival) -> str:
    """Return the sender's own id of the delivery if it has one."""
    for name in _DELIVERY_IDS:
        if value := arrival.headers.get(name):
            return f"{name}:{value}"
    return key_by_body(arrival)


def handshake(arrival: Arrival) -> Answer | None:
    """Answer tools that send a challenge before they send anything else."""
    if len(arrival.body) > 4_096 or b"url_verification" not in arrival.body:
        return None
    try:
        body = read_json(arrival.body)
    except UnreadableError:
        return None
    if not isinstance(body, dict) or body.get("type") != "url_verification":
        return None
    return Answer(body=text.line(text_of(body.get("challenge"))))


KIND = SourceKind(
    name="generic",
    parse=parse,
    delivery_key=delivery_key,
    handshake=handshake,
    headers=frozenset(_DELIVERY_IDS),
)
