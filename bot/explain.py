"""What a payload would cause, and why; reads everything, changes nothing."""

from collections.abc import Sequence
from datetime import datetime

from bot.ports import JsonObject
from bot.webhook import incident_payload
from rules.alert import Alert
from rules.classify import categorised
from rules.foresee import Foreseen, foresee
from rules.people import People
from rules.rulebook import RuleBook
from rules.sentence import Value, Who, plain


def explain(alerts: Sequence[Alert], book: RuleBook, people: People, now: datetime) -> JsonObject:
    """Return alerts, the first incident, all incidents, pages and reasons as one document.

    `pages` are in time order and assume that nobody answers; times are ISO 8601 in UTC.
    """
    seen = foresee(alerts, book, now)
    incidents = [incident_payload(incident) for incident in seen.incidents.values()]
    return {
        "at": now.isoformat(),
        "alerts": [_alert(categorised(alert, book)) for alert in alerts],
        "incident": incidents[0] if incidents else None,
        "incidents": incidents,
        "pages": [page for decision in seen.decisions for page in _pages(decision, people)],
        "reasons": [reason for decision in seen.decisions for reason in _reasons(decision, people)],
    }


def _alert(alert: Alert) -> JsonObject:
    found = alert.classified
    return {
        "source": alert.source,
        "dedup_key": alert.dedup_key,
        "group_key": alert.group_key,
        "status": str(alert.status),
        "title": alert.title,
        "severity": str(alert.severity),
        "category": found.category.value if found else None,
        "category_alt": found.alternative.value if found and found.alternative else None,
        "confidence": found.confidence if found else 0.0,
        "description": alert.description,
        "labels": dict(alert.labels),
        "url": alert.url,
        "occurred_at": alert.occurred_at.isoformat(),
    }


def _pages(decision: Foreseen, people: People) -> list[JsonObject]:
    return [
        {
            "at": decision.at.isoformat(),
            "incident": decision.number,
            "person": page.person,
            "name": people.by_key(page.person).name,
            "reason": page.reason.render(lambda v: _shown(v, people)),
        }
        for page in decision.pages
    ]


def _reasons(decision: Foreseen, people: People) -> list[JsonObject]:
    return [
        {
            "at": decision.at.isoformat(),
            "incident": decision.number,
            "rule": reason.rule,
            "text": reason.sentence.render(lambda v: _shown(v, people)),
        }
        for reason in decision.reasons
    ]


def _shown(value: Value, people: People) -> str:
    return people.by_key(value.key).name if isinstance(value, Who) else plain(value)
