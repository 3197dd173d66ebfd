"""Which incident an alert joins: the same thing, run or lineage, a storm, or a new one."""

from dataclasses import dataclass, replace
from datetime import datetime

from rules.alert import Alert, AlertStatus
from rules.classify import categorised, facts_in, priority_of
from rules.folding import Fold, skipped_by, subject_in
from rules.incident import Incident
from rules.matching.known import Described, about, described
from rules.rulebook import Route, RuleBook, StormRule
from rules.sentence import Sentence, say


@dataclass(frozen=True, slots=True)
class OpenPlaces:
    """Where an alert could go: ids of open incidents, and how many its source opened lately.

    `fold` is the closest open incident that run or lineage tie it to.
    """

    same_thing: str | None = None
    same_group: str | None = None
    storm: str | None = None
    storm_last_at: datetime | None = None
    openings: int = 0
    fold: Fold | None = None


@dataclass(frozen=True, slots=True)
class Join:
    incident_id: str
    why: Sentence


@dataclass(frozen=True, slots=True)
class Open:
    why: Sentence
    storm: bool = False


@dataclass(frozen=True, slots=True)
class Nowhere:
    """The alert changes nothing: it is recorded as received, and that is all."""

    why: Sentence


Placement = Join | Open | Nowhere


def place(alert: Alert, places: OpenPlaces, rule: StormRule, now: datetime) -> Placement:
    """Choose the incident for an alert; only a firing alert ever opens one."""
    if places.same_thing:
        return Join(places.same_thing, say("The same thing is already open."))
    if alert.status is AlertStatus.RESOLVED:
        return Nowhere(say("Resolved, but nothing of it is open."))
    if places.same_group:
        return Join(places.same_group, say("Same run or group: {group}.", group=alert.group_key))
    if places.fold:
        return Join(places.fold.incident_id, places.fold.why)
    if alert.status is AlertStatus.INFO:
        return Nowhere(say("For information, and nothing of it is open."))
    if places.storm and places.storm_last_at and now - places.storm_last_at <= rule.within:
        return Join(places.storm, say("{source} is in a storm.", source=alert.source))
    if places.openings < rule.incidents:
        return Open(say("Nothing of it is open: a new incident."))
    sentence = say(
        "Storm: {source} opened {count} incidents within {within}; the rest joins one.",
        source=alert.source,
        count=places.openings,
        within=rule.within,
    )
    return Join(places.storm, sentence) if places.storm else Open(sentence, storm=True)


def route_of(alert: Alert, book: RuleBook, now: datetime, seen: Described | None = None) -> Route:
    """Return the first route that holds for what is known of an alert once it is weighed.

    `seen` is what it was found to be, where it has been looked up already.
    """
    alert = categorised(alert, book)
    return book.route(facts_in(seen or described(alert, book.catalogue), alert, book, now))


def open_incident(
    alert: Alert, book: RuleBook, *, incident_id: str, number: int, now: datetime
) -> Incident:
    """Return the empty incident an alert opens; `decide` then receives the alert into it."""
    alert = categorised(alert, book)
    found = alert.classified
    assert found is not None
    seen = described(alert, book.catalogue)  # once, for it is asked of much
    told = about(seen.found, book.catalogue)
    route = route_of(alert, book, now, seen)
    priority, _ = priority_of(alert, book)
    subject = subject_in(seen)
    return Incident(
        id=incident_id,
        number=number,
        source=alert.source,
        dedup_key=alert.dedup_key,
        group_key=alert.group_key,
        title=alert.title,
        description=alert.description,
        url=alert.url,
        labels=dict(alert.labels),
        about=told,
        opened_at=now,
        priority=priority,
        severity=alert.severity,
        route=route.name,
        channel=route.channel,
        rotation=route.rotation,
        policy=book.policies[route.policy],
        pages=priority in book.pages,
        unreadable=alert.unreadable,
        category=found.category,
        category_alt=found.alternative,
        confidence=found.confidence,
        asset=subject.asset,
        product=subject.product,
        run_key=subject.run_key,
        skipped=skipped_by(alert),
    )


def open_storm(
    alert: Alert, book: RuleBook, *, incident_id: str, number: int, now: datetime
) -> Incident:
    """Return the empty incident that gathers a source's storm, routed as its first alert."""
    one = open_incident(alert, book, incident_id=incident_id, number=number, now=now)
    return replace(
        one,
        storm=True,
        dedup_key=f"storm:{incident_id}",  # what no source can have called an alert before
        group_key="",
        title=f"Alert storm from {one.source}",
        description="",
        url="",
        labels={},
        about={},
        asset="",
        product="",
        run_key="",
        skipped=0,
    )
