"""Jira's webhooks about the requests of a service desk: asked, changed, done."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, inside, list_of, object_of, read_object, text_of
from bot.sources.kind import Arrival, Parsed, Source, SourceKind, UnreadableError, key_by_body
from bot.sources.options import Option, words
from bot.sources.scheme import Scheme, by_hmac, has
from bot.sources.words import severity_of, time_of
from rules.alert import Alert, AlertStatus, Severity

SIGNATURE = "X-Hub-Signature"
IDENTIFIER = "x-atlassian-webhook-identifier"
ACCESS, ADHOC = "access", "adhoc_request"

_CREATED, _UPDATED, _DELETED = "jira:issue_created", "jira:issue_updated", "jira:issue_deleted"
_TELLING = {
    ACCESS: re.compile(r"\b(access|permissions?|grant|credentials?|log ?in|account)\b"),
    ADHOC: re.compile(r"\b(ad[ -]?hoc|report|extract|export|query|question|analysis)\b"),
}
_PROBLEM = re.compile(r"\b(problem|bug|incident|issue|outage|broken|wrong|error|fail\w*)\b")
_OPTIONS = {"access_request_types": ACCESS, "adhoc_request_types": ADHOC}

Fields = Mapping[str, JsonValue]


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the issue's alert; news of anything but issues has nothing to tell."""
    body = read_object(delivery.body)
    event = text_of(body.get("webhookEvent")).lower()
    issue = object_of(body.get("issue"))
    named = text_of(issue.get("id")) or text_of(issue.get("key"))
    if not named:
        if event and not event.startswith("jira:issue"):
            return Parsed()
        raise UnreadableError("It names no issue; it is not a webhook of Jira.")
    fields = object_of(issue.get("fields"))
    status = _status(event, body, fields)
    firing = status is AlertStatus.FIRING
    return Parsed(
        alerts=(
            Alert(
                source=source.name,
                dedup_key=text.key(f"issue:{named}"),
                status=status,
                severity=severity_of(_name(fields, "priority")) if firing else Severity.INFO,
                title=_title(status, event, body, issue),
                description=text.clean(_prose(fields.get("description"))),
                occurred_at=time_of(
                    body.get("timestamp"), zone=source.timezone, otherwise=delivery.received_at
                ),
                labels=text.labels(_labels(source, event, issue, fields)),
                url=_link(issue),
            ),
        )
    )


def _status(event: str, body: Fields, fields: Fields) -> AlertStatus:
    category = text_of(inside(fields, "status", "statusCategory", "key")).lower()
    if event == _DELETED or (category == "done" and event in {_CREATED, _UPDATED}):
        return AlertStatus.RESOLVED
    if event == _CREATED or (event == _UPDATED and _was_reopened(body)):
        return AlertStatus.FIRING
    return AlertStatus.INFO


def _was_reopened(body: Fields) -> bool:
    if text_of(body.get("issue_event_type_name")).lower() == "issue_reopened":
        return True
    return any(
        text_of(change.get("field")).lower() == "resolution" and change.get("from")
        and not change.get("to")
        for change in _changes(body)
    )  # fmt: skip


def _changes(body: Fields) -> list[Fields]:
    return [object_of(one) for one in list_of(inside(body, "changelog", "items"))[:50]]


def _title(status: AlertStatus, event: str, body: Fields, issue: Fields) -> str:
    key = text_of(issue.get("key")) or text_of(issue.get("id"))
    title = f"{key}: {_line_of(issue)}"
    if status is not AlertStatus.INFO:
        return text.line(title)
    by = text_of(inside(body, "user", "displayName"))
    changed = ", ".join(
        f"{text_of(one.get('field'))} → {text_of(one.get('toString')) or 'none'}"
        for one in _changes(body)[:3]
        if one.get("field")
    )
    what = changed or event.removeprefix("jira:").replace("_", " ") or "news"
    return text.line(f"{what}{f' by {by}' if by else ''}: {title}")


def _line_of(issue: Fields) -> str:
    return text_of(inside(issue, "fields", "summary")) or "a request without a summary"


def _name(fields: Fields, field: str) -> str:
    return text_of(inside(fields, field, "name"))


def _prose(value: JsonValue) -> str:
    """Read plain text and the document format that Jira's cloud writes."""
    if not isinstance(value, dict):
        return text_of(value)
    said: list[str] = []
    waiting: list[JsonValue] = [value]
    while waiting and len(said) < 1_000:
        node = object_of(waiting.pop())
        if isinstance(node.get("text"), str):
            said.append(text_of(node["text"]))
        waiting.extend(reversed(list_of(node.get("content"))))
    return " ".join(said)


def _request_type(fields: Fields) -> str:
    # The field has another number on every site, but always this shape.
    for value in fields.values():
        if isinstance(value, dict) and isinstance(value.get("requestType"), dict):
            return text_of(inside(value, "requestType", "name"))
    return ""


def _category(source: Source, request_type: str) -> str:
    folded = request_type.casefold()
    for option, category in _OPTIONS.items():
        named = source.options.get(option)
        if isinstance(named, tuple) and folded in {str(one).casefold() for one in named}:
            return category
    if _PROBLEM.search(folded[:200]):
        return ""
    return next((name for name, words in _TELLING.items() if words.search(folded[:200])), "")


def _labels(source: Source, event: str, issue: Fields, fields: Fields) -> dict[str, str]:
    request_type = _request_type(fields)
    found = {
        "issue": text_of(issue.get("key")),
        "event": event,
        "project": text_of(inside(fields, "project", "key")),
        "issue_type": _name(fields, "issuetype"),
        "request_type": request_type,
        "category": _category(source, request_type or _name(fields, "issuetype")),
        "priority": _name(fields, "priority"),
        "status": _name(fields, "status"),
        "reporter": text_of(inside(fields, "reporter", "displayName")),
        "assignee": text_of(inside(fields, "assignee", "displayName")),
        "labels": ", ".join(text_of(one) for one in list_of(fields.get("labels"))[:20]),
    }
    return {name: value for name, value in found.items() if value}


def _link(issue: Fields) -> str:
    """Return where people read the issue; the body only has its address in the API."""
    api, key = text.link(text_of(issue.get("self"))), text_of(issue.get("key"))
    base, mark, _ = api.partition("/rest/api/")
    if not (mark and urlsplit(base).netloc and re.fullmatch(r"[A-Za-z0-9_]+-\d+", key)):
        return ""
    return text.link(f"{base}/browse/{key}")


def delivery_key(arrival: Arrival) -> str:
    """Return Jira's own name of the delivery, which its retries share."""
    named = arrival.headers.get(IDENTIFIER)
    return f"webhook:{named}" if named else key_by_body(arrival)


KIND = SourceKind(
    name="jira_service_management",
    parse=parse,
    delivery_key=delivery_key,
    headers=frozenset({IDENTIFIER}),
    scheme=Scheme(claims=has(SIGNATURE.lower()), authenticate=by_hmac(SIGNATURE, prefix="sha256=")),
    options={
        "access_request_types": Option("Request types that ask for access, by their names.", words),
        "adhoc_request_types": Option(
            "Request types that ask for a figure, a report or the like, by their names.", words
        ),
    },
)
