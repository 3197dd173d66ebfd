"""What would happen: alerts placed and decided in memory, then time run forward."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.alert import Alert, AlertStatus
from rules.classify import categorised
from rules.decide import decide
from rules.decision import Decision, Reason
from rules.effects import Page
from rules.events import AlertReceived, Woken
from rules.folding import Fold, OpenSubject, folds, subject_of, subject_of_incident, takes
from rules.grouping import Join, Nowhere, OpenPlaces, open_incident, open_storm, place
from rules.incident import Incident
from rules.rulebook import RuleBook
from rules.sentence import Sentence, say

HORIZON = timedelta(days=1)
MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One decision that would be made: of which incident, when, whom it pages, and why."""

    at: datetime
    number: int
    reasons: tuple[Reason, ...]
    pages: tuple[Page, ...] = ()


@dataclass(slots=True)
class Foresight:
    """Everything alerts would cause if they came now and nobody answered."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    decisions: list[Foreseen] = field(default_factory=list)


def foresee(alerts: Iterable[Alert], book: RuleBook, now: datetime) -> Foresight:
    """Play alerts into an empty world at `now`, then let a day pass without an answer."""
    world = _World(book, now)
    for alert in alerts:
        world.receive(alert)
    for incident in list(world.seen.incidents.values()):
        for decision in ahead(incident, book, now):
            world.seen.decisions.append(decision)
    world.seen.decisions.sort(key=lambda d: d.at)
    return world.seen


def ahead(incident: Incident, book: RuleBook, now: datetime) -> Iterator[Foreseen]:
    """Yield what time alone would do to an incident, until its policy has ended or a day is over.

    Each answer is a decision of `decide` itself, so the plan cannot differ from what happens.
    """
    for _ in range(MOST_STEPS):
        wake_at = incident.wake_at
        if wake_at is None or wake_at > now + HORIZON or incident.exhausted:
            return
        at = max(wake_at, now)
        decision = decide(incident, Woken(), book, at)
        if decision.incident == incident:
            return
        incident = decision.incident
        yield _foreseen(decision, at)


def _foreseen(decision: Decision, at: datetime) -> Foreseen:
    pages = tuple(effect for effect in decision.effects if isinstance(effect, Page))
    return Foreseen(at, decision.incident.number, decision.reasons, pages)


class _World:
    """A store for one look ahead: what is open, by thing and by group."""

    def __init__(self, book: RuleBook, now: datetime) -> None:
        self.seen = Foresight()
        self._book = book
        self._now = now
        self._status: dict[tuple[str, str], AlertStatus] = {}
        self._things: dict[tuple[str, str], str] = {}
        self._groups: dict[tuple[str, str], str] = {}
        self._storms: dict[str, str] = {}
        self._openings: dict[str, int] = {}

    def receive(self, alert: Alert) -> None:
        placement = place(alert, self._places(alert), self._book.storm, self._now)
        alert = categorised(alert, self._book)
        thing = (alert.source, alert.dedup_key)
        match placement:
            case Nowhere():
                self._note(placement.why)
                return
            case Join(incident_id):
                incident = self.seen.incidents[incident_id]
                before = self._status.get(thing)
            case _:
                incident, before = self._open(alert, storm=placement.storm), None
        decision = decide(incident, AlertReceived(alert, before), self._book, self._now)
        self._status[thing] = alert.status
        self._things[thing] = incident.id
        self.seen.incidents[incident.id] = decision.incident
        grouping = Reason("grouping", placement.why)
        seen = _foreseen(decision, self._now)
        pages, reasons = seen.pages, (grouping, *seen.reasons)
        self.seen.decisions.append(Foreseen(self._now, incident.number, reasons, pages))

    def _open(self, alert: Alert, *, storm: bool) -> Incident:
        number = len(self.seen.incidents) + 1
        build = open_storm if storm else open_incident
        incident = build(alert, self._book, incident_id=str(number), number=number, now=self._now)
        if storm:
            self._storms[alert.source] = incident.id
        elif alert.group_key:
            self._groups[alert.source, alert.group_key] = incident.id
        self._openings[alert.source] = self._openings.get(alert.source, 0) + 1
        return incident

    def _places(self, alert: Alert) -> OpenPlaces:
        thing = self._things.get((alert.source, alert.dedup_key))
        group = self._groups.get((alert.source, alert.group_key))
        storm = self._storms.get(alert.source)
        return OpenPlaces(
            same_thing=self._if_open(thing),
            same_group=self._if_open(group),
            storm=self._if_open(storm),
            storm_last_at=self._now if storm else None,
            openings=self._openings.get(alert.source, 0),
            fold=None if thing else self._fold(alert),
        )

    def _fold(self, alert: Alert) -> Fold | None:
        """Return the incident that run or lineage tie the alert to, as the engine would."""
        book = self._book
        alert = categorised(alert, book)
        open_ones = [
            OpenSubject(one.id, one.number, subject_of_incident(one))
            for one in self.seen.incidents.values()
            if one.is_open
        ]
        subject = subject_of(alert, book.catalogue)
        found = folds(alert, subject, open_ones, book.folding, book.lineage)
        rule, incidents = book.folding, self.seen.incidents
        joins = (
            one for one in found if takes(incidents[one.incident_id], one, alert, rule, self._now)
        )
        return next(joins, None)

    def _if_open(self, incident_id: str | None) -> str | None:
        incident = self.seen.incidents.get(incident_id or "")
        return incident.id if incident and incident.is_open else None

    def _note(self, why: Sentence) -> None:
        reason = Reason("grouping", say("{why}", why=why.render(str)))
        self.seen.decisions.append(Foreseen(self._now, 0, (reason,)))
