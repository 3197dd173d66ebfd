"""What a payload would cause, and why; reads everything, changes nothing."""

from collections.abc import Sequence
from datetime import datetime

from bot.ports.jobs import JsonObject
from bot.webhook import incident_payload
from rules.alert import Alert
from rules.chain import chain
from rules.classify import assess, categorised
from rules.foresee import Foreseen, foresee
from rules.incident import Incident
from rules.people import People
from rules.rulebook import RuleBook
from rules.sentence import Value, Who, plain
from rules.unevaluated import unevaluated


def explain(alerts: Sequence[Alert], book: RuleBook, people: People, now: datetime) -> JsonObject:
    """Return alerts, incidents, pages, reasons and the chain of reasons as one document.

    `incident` is the first of `incidents`. `pages` are in time order and assume that nobody answers; times are ISO 8601 in UTC.
    """
    seen = foresee(alerts, book, now)
    seen.decisions.extend(
        Foreseen(now, 0, failed) for alert in alerts if (failed := unevaluated(alert, book, now))
    )
    incidents = [incident_payload(incident) for incident in seen.incidents.values()]
    return {
        "at": now.isoformat(),
        "alerts": [_alert(categorised(alert, book), book, now) for alert in alerts],
        "incident": incidents[0] if incidents else None,
        "incidents": incidents,
        "pages": [page for decision in seen.decisions for page in _pages(decision, people)],
        "reasons": [reason for decision in seen.decisions for reason in _reasons(decision, people)],
        "chain": [
            line
            for incident in seen.incidents.values()
            for line in _chain(incident, seen.decisions, book, people, now)
        ],
    }


def _chain(
    incident: Incident,
    decisions: Sequence[Foreseen],
    book: RuleBook,
    people: People,
    now: datetime,
) -> list[JsonObject]:
    """Return the chain of reasons of what was decided at once, in order."""
    recorded = [
        reason
        for decision in decisions
        if decision.number == incident.number and decision.at == now
        for reason in decision.reasons
    ]
    return [
        {
            "incident": incident.number,
            "link": str(linked.link),
            "title": linked.title,
            "rule": reason.rule,
            "text": reason.sentence.render(lambda v: _shown(v, people)),
        }
        for linked in chain(incident, recorded, book, now)
        for reason in linked.reasons
    ]


def _alert(alert: Alert, book: RuleBook, now: datetime) -> JsonObject:
    found, weighed = alert.classified, assess(alert, book, now)
    stakes = weighed.stakes
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
        "impact": str(stakes.impact) if stakes else None,
        "urgency": str(stakes.urgency) if stakes else None,
        "priority": str(weighed.priority),
        "deadline": stakes.deadline.isoformat() if stakes and stakes.deadline else None,
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
