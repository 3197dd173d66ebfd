"""Rows as the values of the ports, and back."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import PydanticSerializationError
from pydantic_core import to_json as to_json_bytes
from sqlalchemy import Row

from bot.ports.delivering import MessageRef
from bot.ports.inbox import Delivery
from bot.ports.jobs import Job, JobPriority, JsonObject, NewJob
from bot.ports.store import TimelineEntry
from bot.store.columns import stored_key, stored_text
from bot.wire import incident_to_json, sentence_from_json, sentence_to_json
from rules.alert import Alert, AlertStatus, Severity
from rules.category import Category, Classified
from rules.incident import Incident
from rules.matching.matcher import Matcher, Operator, matchable
from rules.sentence import say
from rules.silence import Silence
from rules.verifying.about import awaited_by

Values = dict[str, Any]

_CATEGORIES = frozenset(one.value for one in Category)

_encode_ascii = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def to_json(value: object) -> str:
    """Return JSON in which stands escaped what no column can hold."""
    try:
        return to_json_bytes(value).decode()
    except PydanticSerializationError:  # a lone surrogate: this one escapes whatever is not ASCII
        return _encode_ascii(value)


def delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        source=row.source,
        key=row.key,
        body=row.body,
        content_type=row.content_type,
        headers=json.loads(row.headers),
        received_at=row.received_at,
        attempts=row.attempts,
    )


def incident_values(incident: Incident) -> Values:
    return {
        "id": incident.id,
        "number": incident.number,
        "source": stored_key(incident.source),
        "dedup_key": stored_key(incident.dedup_key),
        "group_key": stored_key(incident.group_key),
        "title": stored_text(incident.title),
        "state": incident.state.value,
        "storm": int(incident.storm),
        "priority": incident.priority.value,
        "channel": stored_text(incident.channel),
        "assigned_to": stored_text(incident.assigned_to),
        "asset": stored_text(incident.asset),
        "product": stored_text(incident.product),
        "run_key": stored_text(incident.run_key),
        "rotation": stored_text(incident.rotation),
        "category": str(incident.category or ""),
        "paged_at": incident.first_paged_at,
        "acked_at": incident.first_acked_at,
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "verified_at": incident.verified_at,
        "closed_at": incident.closed_at,
        "verification": incident.verification.verdict.value if incident.verification else "",
        "awaits": to_json(sorted(awaited_by(incident))) if incident.is_pending else "",
        "wake_at": incident.wake_at,
        "version": incident.version,
        "body": incident_to_json(incident).decode(),
    }


def timeline_values(incident_id: str, entry: TimelineEntry) -> Values:
    return {
        "incident_id": incident_id,
        "at": entry.at,
        "what": entry.what,
        "sentence": to_json(sentence_to_json(entry.sentence)),
        "by": stored_text(entry.by),
        "rule": stored_text(entry.rule),
    }


def timeline_entry(row: Row[Any]) -> TimelineEntry:
    return TimelineEntry(
        at=row.at,
        what=row.what,
        sentence=sentence_from_json(json.loads(row.sentence)),
        by=row.by,
        rule=row.rule,
    )


def job_values(job: NewJob, job_id: str, now: datetime) -> Values:
    return {
        "id": job_id,
        "key": stored_key(job.key),
        "kind": job.kind,
        "lane": stored_key(job.lane),
        "priority": int(job.priority),
        "payload": to_json(job.payload),
        "incident_id": job.incident_id,
        "created_at": now,
        "due_at": job.due_at,
        "next_at": job.due_at,
    }


def job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        key=row.key,
        kind=row.kind,
        lane=row.lane,
        priority=JobPriority(row.priority),
        payload=_payload(row.payload),
        incident_id=row.incident_id,
        due_at=row.due_at,
        created_at=row.created_at,
        first_attempt_at=row.first_attempt_at,
        attempts=row.attempts,
        lease=row.lease,
        leased_until=row.next_at,
        revision=row.revision,
        unsure=bool(row.unsure),
    )


def _payload(stored: str) -> JsonObject:
    """Return what a job is about; of a damaged one nothing, so that it fails alone."""
    try:
        payload = json.loads(stored)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def message_values(incident_id: str, message: MessageRef) -> Values:
    return {
        "incident_id": incident_id,
        "channel": message.channel,
        "ts": message.ts,
        "role": message.role,
        "person": message.person,
        "key": message.key,
    }


def message(row: Row[Any]) -> MessageRef:
    return MessageRef(row.role, row.channel, row.ts, row.person, row.key)


def silence_values(silence: Silence) -> Values:
    matchers = [[m.label, m.operator.value, m.values or m.value] for m in silence.matchers]
    return {
        "id": silence.id,
        "matchers": to_json(matchers),
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "by": stored_text(silence.by),
        "why": stored_text(silence.why),
    }


def silence(row: Row[Any]) -> Silence:
    matchers = tuple(_matcher(*stored) for stored in json.loads(row.matchers))
    return Silence(row.id, matchers, row.starts_at, row.ends_at, row.by, row.why)


def _matcher(label: str, sign: str, value: str | list[str]) -> Matcher:
    if isinstance(value, list):
        return Matcher(label, Operator(sign), values=tuple(value))
    return Matcher(label, Operator(sign), value)


def alert(row: Row[Any]) -> Alert:
    """Return an alert as it was last reported, without its description and address."""
    return Alert(
        source=row.source,
        dedup_key=row.dedup_key,
        group_key=row.group_key,
        status=AlertStatus(row.status),
        title=row.title,
        occurred_at=row.last_at,
        severity=Severity(row.severity),
        labels=json.loads(row.labels),
        classified=recorded_category(row.category),
    )


def recorded_category(category: str) -> Classified | None:
    """Return the category an alert was given when it came, None for one we do not know."""
    if category not in _CATEGORIES:
        return None
    why = say("As it was recorded.")
    return Classified(Category(category), None, 1.0, "recorded", why)


def matchable_labels(row: Row[Any]) -> Mapping[str, str]:
    """Return an alert's labels as routes and silences see them.

    Rows from before categories had a column of their own have theirs among the labels.
    """
    return matchable(alert(row))
