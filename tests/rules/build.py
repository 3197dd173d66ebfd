"""Small incidents, alerts and rulebooks for the tests of the rules."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.alert import Alert, AlertStatus, Severity
from rules.decide import decide
from rules.decision import Decision
from rules.effects import Effect, Page
from rules.events import AlertReceived, Event
from rules.grouping import open_incident
from rules.incident import Incident
from rules.policy import OnCallOf, OnePerson, Policy, Step, Target
from rules.rotation import OnCall, Span
from rules.rulebook import Route, RuleBook

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""A Monday, three in the morning."""

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

ANA, BO, CY = "ana@example.com", "bo@example.com", "cy@example.com"

PRIMARY, SECONDARY = OnCallOf("primary"), OnCallOf("secondary")

LADDER = (
    Step((PRIMARY,), wait=5 * MINUTE),
    Step((SECONDARY,), wait=10 * MINUTE),
)
"""Ana for five minutes, then Bo for ten, then the fallback, Cy."""


def make_alert(
    key: str = "orders",
    *,
    status: AlertStatus = AlertStatus.FIRING,
    severity: Severity = Severity.CRITICAL,
    **more: Any,
) -> Alert:
    facts: dict[str, Any] = {
        "source": "airflow",
        "title": f"{key} failed",
        "occurred_at": NOW,
    } | more
    return Alert(dedup_key=key, status=status, severity=severity, **facts)


def resolved(key: str = "orders", **more: Any) -> Alert:
    return make_alert(key, status=AlertStatus.RESOLVED, **more)


def make_span(
    person: str, role: str = "primary", start: datetime = NOW - DAY, end: datetime = NOW + 30 * DAY
) -> Span:
    return Span(start, end, "data", role, (person,) if person else ())


def on_call(spans: Iterable[Span] | None = None) -> OnCall:
    """Return Ana as primary and Bo as secondary for a month, or what is given."""
    return OnCall([make_span(ANA), make_span(BO, "secondary")] if spans is None else spans)


def make_book(*steps: Step, **more: Any) -> RuleBook:
    facts: dict[str, Any] = {
        "policies": {"default": Policy("default", steps or LADDER)},
        "routes": (Route("all", "default", "data-alerts", "data"),),
        "fallback": (CY,),
        "on_call": on_call(),
    }
    return RuleBook(**facts | more)


def page(*targets: Target | str, wait: timedelta = 5 * MINUTE, **more: Any) -> Step:
    """Return a step that reaches people by key, or any targets."""
    who = tuple(OnePerson(t) if isinstance(t, str) else t for t in targets)
    return Step(who, wait=wait, **more)


def make_incident(
    book: RuleBook | None = None, alert: Alert | None = None, now: datetime = NOW, **fields: Any
) -> Incident:
    """Return the incident that an alert has just opened under a rulebook."""
    return replace(opened(book, alert, now).incident, **fields)


def opened(
    book: RuleBook | None = None,
    alert: Alert | None = None,
    now: datetime = NOW,
    *,
    recent_openings: int = 0,
) -> Decision:
    """Return the decision on the first alert of an incident."""
    book, alert = book or make_book(), alert or make_alert()
    empty = open_incident(alert, book, incident_id="inc-1", number=1, now=now)
    return decide(empty, AlertReceived(alert, None, recent_openings), book, now)


def pages(effects: Decision | Sequence[Effect]) -> list[str]:
    """Return whom a decision pages, in order."""
    listed = effects.effects if isinstance(effects, Decision) else effects
    return [e.person for e in listed if isinstance(e, Page)]


class Night:
    """One incident and a clock: things happen, decisions come out, versions rise as saved."""

    def __init__(
        self, book: RuleBook | None = None, alert: Alert | None = None, *, recent_openings: int = 0
    ) -> None:
        self.book = book or make_book()
        self.now = NOW
        self.last = opened(self.book, alert, recent_openings=recent_openings)
        self._keep()

    @property
    def incident(self) -> Incident:
        return self.last.incident

    def happens(self, event: Event, *, after: timedelta = timedelta(0)) -> Decision:
        self.now += after
        self.last = decide(self.incident, event, self.book, self.now)
        self._keep()
        return self.last

    def fires(
        self, key: str = "orders", before: AlertStatus | None = None, **more: Any
    ) -> Decision:
        return self.happens(AlertReceived(make_alert(key, **more), before))

    def resolves(self, key: str = "orders", **more: Any) -> Decision:
        return self.happens(AlertReceived(resolved(key, **more), AlertStatus.FIRING))

    def why(self) -> list[str]:
        return [reason.rule for reason in self.last.reasons]

    def _keep(self) -> None:
        saved = replace(self.last.incident, version=self.last.incident.version + 1)
        self.last = replace(self.last, incident=saved)
