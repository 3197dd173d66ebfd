"""One transaction's work: alerts placed, events decided, decisions written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.contact_jobs import CONTACT, PAGE
from bot.engine.accompanying import accompany
from bot.engine.jobs import PAGE_KINDS, job_of
from bot.journal_jobs import ASKING
from bot.ports.jobs import NewJob
from bot.ports.store import AlertRef, TimelineEntry, Transaction
from rules.alert import Alert, AlertStatus
from rules.classify import categorised
from rules.decide import decide
from rules.decision import Decision
from rules.effects import AskJournal, Effect
from rules.events import AlertReceived, Event
from rules.folding import Fold, OpenSubject, Subject, folds, subject_of, takes
from rules.grouping import Join, Nowhere, Open, OpenPlaces, open_incident, open_storm, place
from rules.hours import Hours
from rules.incident import Incident, State
from rules.journal.prompt import outside
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.roster import Change, Schedule
from rules.shown_alert import remembered
from rules.verifying.evidence import as_told

log = structlog.get_logger()

PAST = timedelta(days=1)
"""So long people's changes that are over are still read."""
MOST_FOLDS = 20
"""Open incidents looked at for one alert, the closest first."""


class Resolver(Protocol):
    """Resolves the roster in force with what people changed."""

    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall: ...
    def schedule(self, changes: Sequence[Change]) -> Schedule: ...


@dataclass(slots=True)
class Work:
    """What one transaction is doing: the open transaction, the rules, and the one `now`."""

    tx: Transaction
    book: RuleBook
    now: datetime
    new_id: Callable[[], str]
    resolver: Resolver
    quiet: Callable[[str], Hours | None] = lambda _person: None
    opened: int = 0

    async def load_for(self, alerts: Sequence[Alert]) -> None:
        """Load what placing these alerts will ask about, in few queries."""
        refs = [AlertRef(a.source, a.dedup_key, a.group_key) for a in alerts]
        about = [(alert, subject) for alert in alerts if (subject := self._subject(alert))]

        def related(open_ones: Sequence[OpenSubject]) -> set[str]:
            return {
                fold.incident_id
                for alert, subject in about
                for fold in self._folds(alert, subject, open_ones)
            }

        await self.tx.load_for(
            refs, now=self.now, window=self._window(), related=related if about else None
        )

    async def elsewhere(self, incident: Incident, source: str, key: str) -> Incident | None:
        """Return the other incident that has one of its things by now, None without one."""
        await self.tx.load_for([AlertRef(source, key, "")], now=self.now, window=self._window())
        held = self.tx.open_alert(source, key)
        if held is None or held.incident_id == incident.id:
            return None
        return self.tx.incident(held.incident_id)

    def receive(
        self,
        alert: Alert,
        received_at: datetime,
        *,
        began_at: datetime | None = None,
        joins: str | None = None,
    ) -> Incident | None:
        """Place one alert and decide; returns its incident, None when it joined nothing.

        `began_at` is when the run that it tells of began; `joins` the loaded incident that it
        belongs to unless the same thing is open elsewhere.
        """
        tx, book, now = self.tx, self.book, self.now
        same = tx.open_alert(alert.source, alert.dedup_key)
        places = self._places(alert)
        if joins and not same:
            places = replace(places, same_thing=joins)
        placement = place(alert, places, book.storm, now)
        if isinstance(placement, Nowhere):
            return None
        alert = categorised(alert, book)
        match placement:
            case Join(incident_id):
                incident = tx.incident(incident_id)
                openings = 0
            case Open():
                incident, openings = self._open(alert, storm=placement.storm)
        alert = as_told(alert, incident)
        before = same.status if same and same.incident_id == incident.id else None
        event = AlertReceived(alert, before, openings, began_at)
        decision = self.apply(incident, event, received_at)
        tx.record_alert(incident.id, remembered(alert, before, incident.shown(alert)), now)
        return decision.incident

    def apply(
        self, incident: Incident, event: Event, since: datetime | None = None, by: str = ""
    ) -> Decision:
        """Decide an event and write everything down: incident, story, effects."""
        decision = decide(incident, event, self.book, self.now)
        after, tx = decision.incident, self.tx
        if decision.refusal is not None:
            return decision
        # before the incident is saved: should this raise, it does not count as paged
        jobs = [self._job(effect, after, since or self.now) for effect in decision.effects]
        accompany(tx, after, decision.effects, self.book, self.now)
        if after is not incident or decision.effects:
            tx.save(after)
        called_off = incident.pages and not after.pages
        if called_off or (_may_page(incident) and not _may_page(after)):
            tx.cancel_jobs(after.id, PAGE_KINDS)
        if after.is_open and not incident.is_open:
            tx.cancel_jobs(after.id, ASKING)
        if incident.is_open and not after.is_open:  # also what a person asked for by hand
            tx.cancel_jobs(after.id, (PAGE, CONTACT) if self.book.contacts.available else (PAGE,))
        for reason in decision.reasons:
            entry = TimelineEntry(
                at=self.now,
                what=type(event).__name__,
                sentence=reason.sentence,
                by=by,
                rule=reason.rule,
            )
            tx.add_timeline(after.id, entry)
        for job in jobs:
            tx.enqueue(job)
        log.debug("decided", action=type(event).__name__, number=after.number, state=after.state)
        return decision

    def _job(self, effect: Effect, incident: Incident, since: datetime) -> NewJob:
        job = job_of(effect, incident, self.now, since)
        if isinstance(effect, AskJournal):
            job = replace(job, due_at=outside(self.now, self.quiet(effect.person)))
        return job

    def _open(self, alert: Alert, *, storm: bool) -> tuple[Incident, int]:
        past = self.tx.openings_of(
            alert.source, alert.dedup_key, self.now - self.book.flapping.within
        )
        build = open_storm if storm else open_incident
        number = self.tx.next_number()
        incident = build(alert, self.book, incident_id=self.new_id(), number=number, now=self.now)
        self.opened += 1
        return incident.but(previous=past.last_number), past.recent

    def _places(self, alert: Alert) -> OpenPlaces:
        tx = self.tx
        same = tx.open_alert(alert.source, alert.dedup_key)
        storm = tx.open_storm(alert.source)
        return OpenPlaces(
            same_thing=same.incident_id if same else None,
            same_group=tx.open_group(alert.source, alert.group_key) if alert.group_key else None,
            storm=storm,
            storm_last_at=tx.incident(storm).last_alert_at if storm else None,
            openings=tx.openings(alert.source, self.now - self.book.storm.within),
            fold=None if same else self._fold(alert),
        )

    def _fold(self, alert: Alert) -> Fold | None:
        """Return the closest open incident that run or lineage tie the alert to."""
        open_ones = self.tx.open_subjects()
        if not open_ones:
            return None
        rule = self.book.folding
        found = self._folds(alert, self._subject(alert), open_ones)
        return next(
            (
                fold
                for fold in found
                if takes(self.tx.incident(fold.incident_id), fold, alert, rule, self.now)
            ),
            None,
        )

    def _folds(
        self, alert: Alert, subject: Subject, open_ones: Sequence[OpenSubject]
    ) -> list[Fold]:
        if not subject or not open_ones:
            return []
        alert = categorised(alert, self.book)
        return folds(alert, subject, open_ones, self.book.folding, self.book.lineage)[:MOST_FOLDS]

    def _subject(self, alert: Alert) -> Subject:
        if alert.status is AlertStatus.RESOLVED:
            return Subject()
        return subject_of(alert, self.book.catalogue)

    def _window(self) -> timedelta:
        return max(self.book.flapping.within, self.book.storm.within)


def _may_page(incident: Incident) -> bool:
    return incident.state is State.TRIGGERED and incident.muted is None
