"""The webhooks of a Sentry integration: issues, issue alerts and metric alerts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, inside, list_of, object_of, read_object, text_of
from bot.sources.kind import Arrival, Parsed, Source, SourceKind, UnreadableError, key_by_body
from bot.sources.run import run_of
from bot.sources.scheme import Attempt, Scheme, Verdict, by_hmac, has, is_fresh, stale
from bot.sources.words import severity_of, time_of
from rules.alert import Alert, AlertStatus, Severity

RESOURCE, REQUEST_ID, TIMESTAMP = "sentry-hook-resource", "request-id", "sentry-hook-timestamp"
SIGNATURE = "Sentry-Hook-Signature"

_ISSUE_ACTIONS = {
    "created": (AlertStatus.FIRING, ""),
    "unresolved": (AlertStatus.FIRING, "Back again: "),
    "resolved": (AlertStatus.RESOLVED, "Resolved: "),
    "assigned": (AlertStatus.INFO, "Assigned: "),
    "archived": (AlertStatus.INFO, "Archived: "),
    "ignored": (AlertStatus.INFO, "Archived: "),
}
_METRIC_ACTIONS = {
    "critical": (AlertStatus.FIRING, Severity.CRITICAL),
    "warning": (AlertStatus.FIRING, Severity.WARNING),
    "open": (AlertStatus.FIRING, Severity.UNKNOWN),
    "resolved": (AlertStatus.RESOLVED, Severity.INFO),
    "closed": (AlertStatus.RESOLVED, Severity.INFO),
}
_SILENT = frozenset({"installation", "comment", "seer"})
_NO_ACTION = "The action is none that is known."

Fields = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Hook:
    source: Source
    delivery: Delivery
    action: str
    data: Fields

    def alert(
        self,
        dedup_key: str,
        state: tuple[AlertStatus, Severity],
        title: str,
        *,
        at: JsonValue,
        said: Mapping[str, str],
        description: str = "",
        url: str = "",
    ) -> Alert:
        status, severity = state
        received = self.delivery.received_at
        return Alert(
            source=self.source.name,
            dedup_key=text.key(dedup_key),
            group_key=run_of(said),
            status=status,
            severity=severity if status is AlertStatus.FIRING else Severity.INFO,
            title=text.line(title),
            description=text.clean(description),
            occurred_at=time_of(at, zone=self.source.timezone, otherwise=received),
            labels=text.labels({name: value for name, value in said.items() if value}),
            url=text.link(url),
        )


def parse(source: Source, delivery: Delivery) -> Parsed:
    body = read_object(delivery.body)
    data = object_of(body.get("data"))
    hook = _Hook(source, delivery, text_of(body.get("action")).lower(), data)
    if isinstance(data.get("metric_alert"), dict):
        return Parsed(alerts=(_metric_alert(hook),))
    if isinstance(data.get("event"), dict):
        return Parsed(alerts=(_event(hook, object_of(data["event"])),))
    if isinstance(data.get("error"), dict):
        return Parsed(alerts=(_event(hook, object_of(data["error"]), AlertStatus.INFO),))
    if isinstance(data.get("issue"), dict):
        return Parsed(alerts=(_issue(hook, object_of(data["issue"])),))
    resource = delivery.headers.get(RESOURCE, "").lower()
    if resource in _SILENT or isinstance(data.get("installation"), dict):
        return Parsed()
    raise UnreadableError(
        "It is no webhook of a Sentry integration; use an internal integration, not the plugin.",
        text.line(resource, 80),
    )


def _event(hook: _Hook, event: Fields, status: AlertStatus = AlertStatus.FIRING) -> Alert:
    issue = text_of(event.get("issue_id"))
    if not issue:
        raise UnreadableError("The event names no issue.")
    said = dict(_tags(event.get("tags"))) | dict(_settings(hook.data))
    said |= {
        "issue_id": issue,
        "level": text_of(event.get("level")),
        "environment": text_of(event.get("environment")) or said.get("environment", ""),
        "project": text_of(event.get("project_name") or event.get("project")),
        "culprit": text_of(event.get("culprit")),
        "rule": text_of(hook.data.get("triggered_rule")),
    }
    return hook.alert(
        _of_issue(issue),
        (status, severity_of(text_of(event.get("level")))),
        _title_of(event) or f"Sentry issue {issue}",
        at=event.get("datetime") or event.get("timestamp"),
        said=said,
        description=text_of(event.get("message") or inside(event, "metadata", "value")),
        url=text_of(event.get("web_url")),
    )


def _issue(hook: _Hook, issue: Fields) -> Alert:
    named = text_of(issue.get("id"))
    if not named:
        raise UnreadableError("The issue has no id.")
    if hook.action not in _ISSUE_ACTIONS:
        raise UnreadableError(_NO_ACTION, f"issue.{text.line(hook.action, 80)}")
    status, prefix = _ISSUE_ACTIONS[hook.action]
    said = {
        "issue_id": named,
        "issue": text_of(issue.get("shortId")),
        "level": text_of(issue.get("level")),
        "project": text_of(inside(issue, "project", "slug")),
        "culprit": text_of(issue.get("culprit")),
        "substatus": text_of(issue.get("substatus")),
        "assigned_to": text_of(inside(issue, "assignedTo", "name")),
        "in_next_release": text_of(inside(issue, "statusDetails", "inNextRelease")),
    }
    return hook.alert(
        _of_issue(named),
        (status, severity_of(text_of(issue.get("level")))),
        prefix + (_title_of(issue) or f"Sentry issue {named}"),
        at=issue.get("lastSeen") if status is AlertStatus.FIRING else None,
        said=said,
        description=text_of(inside(issue, "metadata", "value")),
        url=text_of(issue.get("web_url") or issue.get("permalink")),
    )


def _metric_alert(hook: _Hook) -> Alert:
    found = object_of(hook.data["metric_alert"])
    rule = object_of(found.get("alert_rule"))
    # The alert's own id is another one every time the rule fires.
    named = text_of(rule.get("id")) or text_of(found.get("id"))
    if not named:
        raise UnreadableError("The metric alert has no id.")
    if hook.action not in _METRIC_ACTIONS:
        raise UnreadableError(_NO_ACTION, f"metric_alert.{text.line(hook.action, 80)}")
    status, severity = _METRIC_ACTIONS[hook.action]
    title = text_of(hook.data.get("description_title") or found.get("title") or rule.get("name"))
    ended = status is AlertStatus.RESOLVED
    return hook.alert(
        f"metric:{named}",
        (status, severity),
        title or f"Sentry metric alert {named}",
        at=found.get("date_closed") if ended else found.get("date_started"),
        said={
            "rule": text_of(rule.get("name")),
            "environment": text_of(rule.get("environment")),
            "project": ",".join(text_of(one) for one in list_of(found.get("projects"))[:10]),
            "query": text_of(rule.get("query")),
            **dict(_settings(hook.data)),
        },
        description=text_of(hook.data.get("description_text")),
        url=text_of(hook.data.get("web_url")),
    )


def _of_issue(named: str) -> str:
    return f"issue:{named}"


def _title_of(found: Fields) -> str:
    return text.line(text_of(found.get("title") or inside(found, "metadata", "title")))


def _tags(value: JsonValue) -> Iterator[tuple[str, str]]:
    """Read [["a", "b"]] and [{"key": "a", "value": "b"}]."""
    for tag in list_of(value)[: text.LABELS]:
        if isinstance(tag, list) and len(tag) == 2:
            yield text_of(tag[0]), text_of(tag[1])
        elif isinstance(tag, dict):
            yield text_of(tag.get("key")), text_of(tag.get("value"))


def _settings(data: Fields) -> Iterator[tuple[str, str]]:
    """Read what was filled into the integration's form in the alert rule."""
    for kind in ("issue_alert", "metric_alert"):
        for one in list_of(inside(data, kind, "settings"))[: text.LABELS]:
            yield text_of(object_of(one).get("name")), text_of(object_of(one).get("value"))


def delivery_key(arrival: Arrival) -> str:
    named = arrival.headers.get(REQUEST_ID)
    return f"request:{named}" if named else key_by_body(arrival)


def _authenticate(attempt: Attempt) -> Verdict:
    verdict = _SIGNED(attempt)
    if verdict.accepted and not is_fresh(attempt.headers.get(TIMESTAMP, ""), attempt.now):
        return stale("Sentry-Hook-Timestamp")
    return verdict


_SIGNED = by_hmac(SIGNATURE)

KIND = SourceKind(
    name="sentry",
    parse=parse,
    delivery_key=delivery_key,
    headers=frozenset({RESOURCE, REQUEST_ID}),
    scheme=Scheme(claims=has(SIGNATURE.lower()), authenticate=_authenticate),
)
