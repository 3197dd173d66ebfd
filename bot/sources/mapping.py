"""The `mapping:` of a generic source: which part of a body is which part of an alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from bot.sources.template import Template, path, template
from bot.sources.words import STATUS_WORDS
from rules.alert import AlertStatus

DEFAULTS = {
    "title": "{title|summary|message|text|name|subject|event.title|event.name|error"
    "|event.data.title|data.event.title|data.issue.title|data.title|issue.title"
    "|incident.title|incident.summary|alert.title|alert.name|data.essentials.alertRule"
    "|workflow_run.name|workflow_job.name|job.name|job_name|pipeline.name|msg|Subject"
    "|attachments.0.title|attachments.0.fallback|attachments.0.text}",
    "key": "{dedup_key|fingerprint|alert_id|key|id|event.data.id|data.event.issue_id"
    "|data.issue.id|issue.id|incident.incident_id|incident.id|data.essentials.alertId"
    "|workflow_run.workflow_id|issueId}",
    "status": "{status|state|event.status|event.state|event.data.status|conclusion"
    "|workflow_run.conclusion|workflow_run.status|workflow_job.conclusion|workflow_job.status"
    "|data.event.status|data.issue.status|issue.state|incident.state|incident.status"
    "|alert.status|data.essentials.monitorCondition|alert_transition}",
    "severity": "{severity|level|alert_type|priority|labels.severity|event.severity|event.level"
    "|data.event.level|data.issue.level|incident.severity|data.essentials.severity"
    "|event.data.urgency}",
    "link": "{url|link|html_url|href|permalink|web_url|event.url|event.web_url"
    "|event.data.html_url|data.event.web_url|data.issue.web_url|issue.html_url|incident.url"
    "|workflow_run.html_url|workflow_job.html_url|issueUrl|ruleUrl|run_url}",
    "group": "{group_key|group|run_id}",
    "description": "{description|details|body|message|text|msg|event.description|event.message"
    "|culprit|data.event.culprit|data.issue.culprit|data.essentials.description"
    "|event.data.description|issue.body|attachments.0.text}",
    "occurred_at": "{occurred_at|timestamp|time|created_at|starts_at|startsAt|ts|date"
    "|event.timestamp|event.occurred_at|data.event.datetime|workflow_run.updated_at"
    "|incident.started_at|data.essentials.firedDateTime|heartbeat.time|Timestamp}",
}
"""Where to look without a mapping: first what many tools share, then where known ones differ.

Words that only name an event (`action`, `type`) say too little to end an alert.
"""

_WORD_LISTS = {status.value: status for status in AlertStatus}
_NAMES = (*DEFAULTS, "labels", "alerts", *_WORD_LISTS)


@dataclass(frozen=True, slots=True)
class FieldMap:
    """A checked mapping: a template a field, extra labels, where the alerts are, status words."""

    fields: Mapping[str, Template]
    labels: Mapping[str, Template]
    alerts: tuple[str, ...]
    words: Mapping[str, AlertStatus]


def read_mapping(mapping: Mapping[str, object]) -> FieldMap:
    """Return the checked mapping. Raises ValueError that names the key and what to write."""
    for name in mapping:
        if name not in _NAMES:
            near = get_close_matches(str(name), _NAMES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_NAMES)}"
            raise ValueError(f"mapping: unknown key {name!r}; {hint}")
    fields = {name: _template(name, mapping.get(name) or usual) for name, usual in DEFAULTS.items()}
    labels = mapping.get("labels", {})
    if not isinstance(labels, Mapping):
        raise ValueError("mapping.labels: write pairs of a label and a template")  # noqa: TRY004
    return FieldMap(
        fields=fields,
        labels={str(name): _template(f"labels.{name}", one) for name, one in labels.items()},
        alerts=_alerts(mapping.get("alerts", "")),
        words={**STATUS_WORDS, **_words(mapping)},
    )


def _template(name: str, value: object) -> Template:
    if not isinstance(value, str | int | float):
        raise ValueError(f'mapping.{name}: write a text such as "{{event.name}}"')  # noqa: TRY004
    try:
        return template(str(value))
    except ValueError as error:
        raise ValueError(f"mapping.{name}: {error}") from error


def _alerts(value: object) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise ValueError("mapping.alerts: write the path to a list, such as data.items")  # noqa: TRY004
    if not value:
        return ()
    try:
        return path(value)
    except ValueError as error:
        raise ValueError(f"mapping.alerts: {error}") from error


def _words(mapping: Mapping[str, object]) -> dict[str, AlertStatus]:
    words: dict[str, AlertStatus] = {}
    for name, status in _WORD_LISTS.items():
        listed = mapping.get(name, [])
        if not isinstance(listed, list | tuple):
            raise ValueError(f"mapping.{name}: write a list of words, such as [red, broken]")  # noqa: TRY004
        # YAML reads on, off, yes and no as booleans; the sender's body says true and false.
        words |= {
            (str(word).lower() if isinstance(word, bool) else str(word)).strip().lower(): status
            for word in listed
        }
    return words
