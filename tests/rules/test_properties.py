"""Whatever happens in whatever order: the invariants of an incident hold after every event."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bot.wire import (
    incident_from_json,
    incident_to_json,
    sentence_from_json,
    sentence_to_json,
)
from rules.alert import Alert, AlertStatus, Severity
from rules.audit import Facts, Fault, Watched, audit
from rules.catalogue import Catalogue, LoadType, Product, Promises
from rules.category import Category
from rules.classify import assess
from rules.decide import decide
from rules.decision import Decision
from rules.effects import Page, ShowIncident, Tell
from rules.events import (
    AckConfirmed,
    Acked,
    AlertReceived,
    Corrected,
    Escalated,
    Event,
    LoopedIn,
    Muted,
    PageDelivered,
    PageFailed,
    Reassigned,
    Reopened,
    Resolved,
    Resumed,
    RunObserved,
    RunRequested,
    Snoozed,
    Unacked,
    Unmuted,
    Unsnoozed,
    Verified,
    Waived,
    Woken,
)
from rules.grouping import open_incident
from rules.hours import Hours
from rules.incident import Incident, State
from rules.matching.matcher import Matcher, Operator, matchable, parse_matchers
from rules.policy import (
    AtLeast,
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Policy,
    Step,
    UserGroup,
    Webhook,
)
from rules.priority import Impact
from rules.rotation import OnCall
from rules.rulebook import FlappingRule, Route, RuleBook
from rules.run import BACKFILL, Run, RunState
from rules.sentence import plain, say
from rules.silence import Silence, mute
from rules.sla import FreshBy
from rules.verification import Verdict
from rules.verifying.settings import VerifyingRules
from tests.rules.build import ANA, BO, CY, DAY, HOUR, MINUTE, NOW, make_book, make_span

PEOPLE = st.sampled_from((ANA, BO, CY))
KEYS = st.sampled_from(("orders", "users", "stock"))
OFFICE = Hours(
    datetime.min.time().replace(hour=9), datetime.min.time().replace(hour=17), "Europe/Berlin"
)

targets = st.one_of(
    st.sampled_from(("primary", "secondary", "nobody")).map(OnCallOf),
    st.just(NextOnCallOf("primary")),
    PEOPLE.map(OnePerson),
    st.just(UserGroup("data")),
    st.just(Channel("war-room")),
    st.just(Webhook("pager")),
)
steps = st.builds(
    Step,
    targets=st.lists(targets, max_size=3).map(tuple),
    wait=st.sampled_from((timedelta(0), 5 * MINUTE, 30 * MINUTE)),
    repeat=st.integers(0, 2),
    only_during=st.none() | st.just(OFFICE),
    outside=st.sampled_from(("wait", "skip")),
    only_if=st.none() | st.builds(AtLeast, st.integers(1, 4), st.just(15 * MINUTE)),
)
PROMISED = Catalogue(
    [
        Product(
            id="orders",
            name="Orders",
            tier=2,
            promises=Promises(fresh_by=FreshBy((NOW + 6 * HOUR).time(), "UTC")),
            schedule="0 5 * * *",
        )
    ]
)
LOADED = [
    Catalogue([replace(PROMISED.products[0], load_type=how, schedule="")])
    for how in (LoadType.INCREMENTAL, LoadType.SNAPSHOT)
]
EVERYTHING = Route("all", "default", "data-alerts", "data")
URGENT = Route("urgent", "urgent", "x", "data", parse_matchers("priority in [P1, P2]")[0])
SOON = Route("soon", "urgent", "x", "data", parse_matchers("urgency in [high, critical]")[0])
books = st.builds(
    lambda steps, others, **more: make_book(
        policies={
            "default": Policy("default", tuple(steps)),
            "urgent": Policy("urgent", tuple(others)),
        },
        **more,
    ),
    st.lists(steps, min_size=1, max_size=4),
    st.lists(steps, min_size=1, max_size=2),
    routes=st.sampled_from(((EVERYTHING,), (URGENT, EVERYTHING), (SOON, EVERYTHING))),
    ack_timeout=st.sampled_from((None, HOUR)),
    fallback=st.sampled_from(((), (CY,), (CY, ANA))),
    flapping=st.just(FlappingRule(openings=2, quiet=20 * MINUTE)),
    on_call=st.sampled_from(
        (
            OnCall(),
            OnCall([make_span(ANA), make_span(BO, "secondary")]),
            OnCall([make_span(ANA, end=NOW + HOUR), make_span(BO, start=NOW + HOUR)]),
        )
    ),
    catalogue=st.sampled_from((Catalogue(), PROMISED, *LOADED)),
    verifying=st.sampled_from((VerifyingRules(), VerifyingRules(kinds={"airflow": "airflow"}))),
)
person_events = st.one_of(
    st.builds(Acked, PEOPLE),
    st.builds(AckConfirmed, PEOPLE),
    st.builds(Unacked, PEOPLE),
    st.builds(Resolved, PEOPLE, st.sampled_from(("", "fixed it {now}"))),
    st.builds(Verified, PEOPLE, st.sampled_from(("", "<@U1> {saw} it"))),
    st.builds(Waived, PEOPLE, st.sampled_from(("", "a <!here> test"))),
    st.builds(RunRequested, PEOPLE),
    st.builds(Reopened, PEOPLE, st.sampled_from(("", "<@U1> again"))),
    st.builds(Unsnoozed, PEOPLE),
    st.builds(Reassigned, PEOPLE, PEOPLE),
    st.builds(Escalated, PEOPLE),
    st.builds(LoopedIn, PEOPLE, PEOPLE),
    st.builds(
        Corrected,
        PEOPLE,
        category=st.none() | st.sampled_from((Category.FRESHNESS, Category.COMPLETENESS)),
        impact=st.none() | st.sampled_from(Impact),
        actionable=st.none() | st.booleans(),
        why=st.sampled_from(("", "{so} <@U1> says")),
    ),
)
spans_of_time = st.sampled_from((timedelta(0), MINUTE, 7 * MINUTE, 40 * MINUTE, 5 * HOUR, 2 * DAY))


class Incidents(RuleBasedStateMachine):
    """A small engine: one incident, true alert statuses, silences that the rulebook knows."""

    @initialize(book=books, severity=st.sampled_from(Severity), openings=st.integers(0, 3))
    def open(self, book: RuleBook, severity: Severity, openings: int) -> None:
        self.book = book
        self.now = NOW
        self.alert_times: list[datetime] = [NOW]
        self.statuses = {"orders": AlertStatus.FIRING}
        self.page_keys: set[str] = set()
        self.live_pages: set[str] = set()
        self.arrived: set[str] = set()
        self.sent: list[Page] = []
        self.must_page = self.held = self.shown = False
        alert = self._alert("orders", AlertStatus.FIRING, severity)
        self.incident = open_incident(alert, book, incident_id="inc-1", number=1, now=NOW)
        self._apply(AlertReceived(alert, None, openings))

    @rule(key=KEYS, severity=st.sampled_from(Severity))
    def fires(self, key: str, severity: Severity) -> None:
        self.alert_times.append(self.now)
        self._receives(self._alert(key, AlertStatus.FIRING, severity))

    @rule(key=KEYS, status=st.sampled_from((AlertStatus.RESOLVED, AlertStatus.INFO)))
    def resolves_or_informs(self, key: str, status: AlertStatus) -> None:
        self._receives(self._alert(key, status, Severity.INFO))

    @rule(event=person_events)
    def somebody_acts(self, event: Event) -> None:
        self._apply(event)

    @rule(
        well=st.booleans(),
        age=spans_of_time,
        kind=st.sampled_from(("", BACKFILL)),
        known=st.booleans(),
    )
    def a_run_is_over(self, well: bool, age: timedelta, kind: str, known: bool) -> None:
        run = Run(
            source="airflow",
            pipeline="orders",
            run_id="run <!here>",
            state=RunState.SUCCEEDED if well else RunState.FAILED,
            started_at=self.now - age if known else None,
            ended_at=self.now,
            kind=kind,
        )
        before = self.incident.verification
        self._apply(RunObserved(run))
        after = self.incident.verification
        if before and before.is_pending and after and after.verdict is Verdict.PASSED:
            assert self.now - age >= before.claimed_at or not known

    @rule(by=PEOPLE, length=spans_of_time)
    def somebody_snoozes(self, by: str, length: timedelta) -> None:
        self._apply(Snoozed(by, self.now + length))

    @rule(by=PEOPLE, length=st.sampled_from((MINUTE, HOUR)), known=st.booleans())
    def a_silence_is_made(self, by: str, length: timedelta, known: bool) -> None:
        until = self.now + length
        if known:
            matchers = (Matcher("dedup_key", Operator.EQUAL, "orders"),)
            made = Silence("s", matchers, self.now, until, by, "deploy")
            self.book = replace(self.book, silences=(*self.book.silences[-2:], made))
        self._apply(Muted(by, until, "deploy"))

    @rule(by=PEOPLE, ended=st.booleans())
    def a_silence_is_ended(self, by: str, ended: bool) -> None:
        if ended:
            self.book = replace(self.book, silences=())
        self._apply(Unmuted(by))

    @rule(length=spans_of_time)
    def time_passes_without_a_wake_up(self, length: timedelta) -> None:
        self.now += length
        self._wakes()

    @precondition(lambda self: self.incident.wake_at is not None)
    @rule(late=st.sampled_from((timedelta(0), timedelta(0), MINUTE, 3 * HOUR)))
    def its_wake_up_comes(self, late: timedelta) -> None:
        assert self.incident.wake_at is not None
        self.now = max(self.now, self.incident.wake_at) + late
        self._wakes()

    @rule(lost=st.lists(PEOPLE, max_size=2).map(tuple), undecidable=st.booleans())
    def the_auditor_resumes_it(self, lost: tuple[str, ...], undecidable: bool) -> None:
        self._apply(Resumed(say("It had stopped."), lost, undecidable=undecidable))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), failed=st.booleans())
    def a_page_ends(self, data: st.DataObject, failed: bool) -> None:
        sent = data.draw(st.sampled_from(self.sent))
        self.live_pages.discard(sent.key)
        if not failed:
            self.arrived.add(sent.key)
        self._apply(
            PageFailed(sent.person, sent.key, "account_inactive")
            if failed
            else PageDelivered(sent.person, sent.key)
        )

    @invariant()
    def nobody_is_left_unpaged(self) -> None:
        at = self.incident
        if at.is_open and at.pages:
            assert at.state is State.ACKNOWLEDGED or at.muted or at.wake_at is not None

    @invariant()
    def the_auditor_finds_nothing(self) -> None:
        at = self.incident
        pages = frozenset(self.live_pages | self.arrived)
        watched = Watched(incident=at, wake_at=at.wake_at, pages=pages)
        found = [
            one
            for one in audit(Facts(incidents=(watched,)), self.now)
            # what has become due this instant is done next, by the engine
            if one.fault is not Fault.WAKE_UP_OVERDUE
        ]
        assert not found, [one.sentence.render(plain) for one in found]

    @invariant()
    def the_worst_alert_decides_whether_it_pages(self) -> None:
        assert self.incident.pages or not self.must_page

    @invariant()
    def what_a_person_put_right_stays_so(self) -> None:
        at = self.incident
        if at.correction and at.correction.category:
            assert (at.category, at.category_alt) == (at.correction.category, None)
        if at.correction and at.correction.impact and at.stakes:
            assert at.stakes.impact is at.correction.impact

    @invariant()
    def what_flaps_and_is_quiet_ends_by_itself(self) -> None:
        assert self.incident.settles_at or not self.held

    @invariant()
    def an_end_has_no_timers(self) -> None:
        at = self.incident
        assert at.is_open or at.is_pending or at.wake_at is None
        assert self.incident.is_open or not self.incident.muted

    @invariant()
    def what_is_to_be_proved_is_asked_for_or_waited_for(self) -> None:
        at = self.incident
        if at.is_pending and at.verification:
            asked = at.verification.asked >= self.book.verifying.most_asks
            assert asked or at.wake_at is not None
        assert at.is_closed == (at.closed_at is not None)
        if at.verification and at.verification.verdict is Verdict.FAILED:
            assert at.is_open or at.unproved

    @invariant()
    def numbers_add_up(self) -> None:
        at = self.incident
        assert 0 <= at.firing_count <= at.alert_count == len(self.statuses)
        assert at.firing_count == list(self.statuses.values()).count(AlertStatus.FIRING)
        assert len({a.dedup_key for a in at.alerts}) == len(at.alerts)

    @invariant()
    def it_survives_being_written_down(self) -> None:
        assert incident_from_json(incident_to_json(self.incident)) == self.incident

    def _wakes(self) -> None:
        woken = Woken(tuple(self.alert_times))
        self._apply(woken)
        assert self.incident.wake_at is None or self.incident.wake_at > self.now
        again = decide(self.incident, woken, self.book, self.now)
        assert again == Decision(self.incident)

    def _receives(self, alert: Alert) -> None:
        before = self.statuses.get(alert.dedup_key)
        if before is None or alert.status is not AlertStatus.INFO:
            self.statuses[alert.dedup_key] = alert.status
        if alert.status is AlertStatus.FIRING:
            self.held = False
        self._apply(AlertReceived(alert, before))

    def _apply(self, event: Event) -> None:
        before = self.incident
        decision = decide(before, event, self.book, self.now)
        if decision.refusal is not None:
            assert decision == Decision(before, refusal=decision.refusal)
            assert decision.refusal.render(plain)
        self._keep_pages(before, decision)
        self._check_pages(before, decision)
        self._check_silences(before, event, decision)
        if before.correction and before.correction.actionable is False and not before.pages:
            by_machine = not isinstance(event, Corrected | Escalated | Reassigned)
            assert not (by_machine and decision.incident.pages)
        self._check_shows(before, event, decision)
        self._check_sentences(decision)
        self.incident = replace(decision.incident, version=before.version + 1)
        if self.incident.state is State.RESOLVED:
            self.held = False
        elif self.incident.settles_at:
            self.held = True
        if isinstance(event, AlertReceived) and event.alert.status is AlertStatus.FIRING:
            covered = mute(self.book.silences, (), matchable(event.alert), self.now)
            worst = assess(event.alert, self.book, self.now).priority
            told = self.incident.correction
            by_hand = told is not None and (told.impact or told.actionable is False)
            self.must_page |= worst in self.book.pages and covered is None and not by_hand
        if isinstance(event, Corrected) and decision.refusal is None:
            self.must_page = self.incident.pages

    def _keep_pages(self, before: Incident, decision: Decision) -> None:
        """Call off what the engine calls off, and put what is paged into the outbox."""
        after = decision.incident
        if (before.pages and not after.pages) or (_may_page(before) and not _may_page(after)):
            self.live_pages.clear()
        self.live_pages |= {e.key for e in decision.effects if isinstance(e, Page)}

    def _check_pages(self, before: Incident, decision: Decision) -> None:
        paged = [e for e in decision.effects if isinstance(e, Page)]
        after = decision.incident
        for effect in paged:
            assert effect.key not in self.page_keys
            assert effect.person in after.paged
            assert effect.force or after.state is State.TRIGGERED
            assert effect.force or after.muted is None
            assert effect.force or after.pages
            self.page_keys.add(effect.key)
        self.sent = [*self.sent, *paged][-8:]
        if before.muted and after.muted:
            assert all(e.force for e in paged)

    def _check_silences(self, before: Incident, event: Event, decision: Decision) -> None:
        """What comes back by itself, or by hand from an end or an ack, comes back silenced."""
        covered = mute(self.book.silences, (), matchable(before), self.now)
        if covered and isinstance(event, Woken | Unacked | Reopened | Unmuted):
            back = before.state is not State.TRIGGERED or before.muted
            assert not (back and any(isinstance(e, Page) for e in decision.effects))

    def _check_shows(self, before: Incident, event: Event, decision: Decision) -> None:
        """What was shown once shows every change of state; what never was stays unseen."""
        shows = any(isinstance(e, ShowIncident) for e in decision.effects)
        if before.hidden and decision.incident.hidden:
            assert not shows
        if self.shown and before.state is not decision.incident.state:
            assert shows
        self.shown = self.shown or shows

    def _check_sentences(self, decision: Decision) -> None:
        sentences = [reason.sentence for reason in decision.reasons]
        sentences += [e.sentence for e in decision.effects if isinstance(e, Tell)]
        sentences += [e.reason for e in decision.effects if isinstance(e, Page)]
        for sentence in sentences:
            assert "{" not in sentence.template.format_map(dict.fromkeys(sentence.values, ""))
            assert sentence.render(plain)
            written = json.loads(json.dumps(sentence_to_json(sentence)))
            assert sentence_from_json(written).render(plain) == sentence.render(plain)

    def _alert(self, key: str, status: AlertStatus, severity: Severity) -> Alert:
        return Alert(
            source="airflow",
            dedup_key=key,
            status=status,
            title=f"{key} {{broke}}",
            occurred_at=self.now,
            severity=severity,
            labels={"product": "orders"},
        )


def _may_page(incident: Incident) -> bool:
    return incident.state is State.TRIGGERED and incident.muted is None


TestIncidents = Incidents.TestCase
TestIncidents.settings = settings(
    max_examples=max(100, settings().max_examples),
    stateful_step_count=40,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
