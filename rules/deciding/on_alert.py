"""What an alert does to the incident it belongs to."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from rules.alert import Alert, AlertStatus
from rules.category import Category
from rules.classify import assess, categorised, category_reason, facts_of, priority_of
from rules.deciding.correcting import heeded, keeps_category
from rules.deciding.ending import claim_by_source, disprove, hear
from rules.deciding.rerouting import reroute, settle_route
from rules.deciding.showing import show_everywhere, show_later
from rules.deciding.triggering import begin_again, keep_quiet, start
from rules.decision import Decision, Draft
from rules.effects import ShowConsequences
from rules.events import AlertReceived
from rules.folding import bond_with, skipped_by, subject_of, with_cause
from rules.incident import Incident, State
from rules.rulebook import RuleBook
from rules.sentence import say
from rules.shown_alert import Bond, thing_of
from rules.silence import Mute, mute
from rules.stakes import with_deadline_of
from rules.verification import Interval
from rules.verifying.evidence import evidence_of
from rules.verifying.interval import interval_of, wider, with_part
from rules.verifying.signals import Signal, signal_of


def receive(incident: Incident, event: AlertReceived, book: RuleBook, now: datetime) -> Decision:
    """Count the alert in, then open, raise, reopen, settle or resolve as it demands."""
    alert = categorised(event.alert, book)
    event = event if alert is event.alert else replace(event, alert=alert)
    if incident.alert_count == 0:
        about = incident.asset, incident.product
        draft = Draft(_with(incident, event, Bond.OWN, about, now))
        _open(draft, event, book, now)
        return draft.decision()
    if event.before is not None or incident.storm:
        draft = Draft(_with(incident, event, Bond.OWN, ("", ""), now))
        bond = draft.incident.bond_of(alert)
    else:
        subject = subject_of(alert, book.catalogue)
        bond, why = bond_with(incident, alert, subject, book.lineage)
        if bond is Bond.CAUSE and alert.status is not AlertStatus.FIRING:
            bond, why = Bond.OWN, None
        draft = Draft(_with(incident, event, bond, (subject.asset, subject.product), now))
        if why is not None:
            draft.because(f"folding.{bond}", why)
    match alert.status:
        case AlertStatus.FIRING:
            _fire(draft, event, book, now, bond)
        case AlertStatus.RESOLVED:
            _resolve(draft, event, book, now)
        case AlertStatus.INFO:
            draft.because("alert.info", say("{title}", title=event.alert.title))
            show_later(draft)
    return draft.decision()


def muted(alert: Alert, book: RuleBook, now: datetime) -> Mute | None:
    if not (book.silences or book.windows):
        return None
    return mute(book.silences, book.windows, facts_of(categorised(alert, book), book, now), now)


def _open(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    at = draft.incident
    route = say("Route {route}: policy {policy}, channel #{channel}.", route=at.route,
                policy=at.policy.name, channel=at.channel)  # fmt: skip
    draft.because(f"routes.{at.route}", route)
    if event.alert.classified:
        draft.reasons.append(category_reason(event.alert.classified))
    _weigh(draft, event.alert, book, now)
    settle_route(draft, book)  # a rotation that is known to be slow can make it more urgent
    _notice_flapping(draft, event, book)
    if covering := muted(event.alert, book, now):
        keep_quiet(draft, covering)
        draft.change(hidden=True)
        return
    show_everywhere(draft)
    start(draft, book, now)


def _weigh(draft: Draft, alert: Alert, book: RuleBook, now: datetime) -> None:
    """Set the priority of a new incident, and what it puts at stake."""
    found = assess(alert, book, now, draft.incident.rotation)
    forced = draft.incident.pages and draft.incident.priority not in book.pages
    pages = forced or (found.priority in book.pages and not found.quiet_rule)
    stakes = None if draft.incident.storm else found.stakes
    quiet = "" if forced else found.quiet_rule
    draft.change(priority=found.priority, pages=pages, stakes=stakes, quiet_rule=quiet)
    draft.reasons.extend(found.reasons)


def _notice_flapping(draft: Draft, event: AlertReceived, book: RuleBook) -> None:
    openings = event.recent_openings + 1
    rule = book.flapping
    draft.change(openings=openings)
    if openings >= rule.openings and not draft.incident.storm:
        draft.change(flapping=True)
        sentence = say(
            "Flapping: opened {openings} times within {within}; held open until quiet for {quiet}.",
            openings=openings,
            within=rule.within,
            quiet=rule.quiet,
        )
        draft.because("flapping", sentence)


def _with(
    incident: Incident, event: AlertReceived, bond: Bond, about: tuple[str, str], now: datetime
) -> Incident:
    asset, product = about
    return incident.with_alert(
        event.alert, event.before, now, bond=bond, asset=asset, product=product
    )


def _fire(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime, bond: Bond) -> None:
    again = event.before is AlertStatus.RESOLVED
    if event.before is not AlertStatus.FIRING:
        text = "Fires again: {title}" if again else "Joined by: {title}"
        draft.because("grouping", say(text, title=event.alert.title))
    draft.change(settles_at=None)
    _count(draft, event, again=again)
    covered = muted(event.alert, book, now) is not None
    at = draft.incident
    if bond is Bond.CAUSE and event.before is None:
        _blame(draft, event.alert, book, now)
    elif bond is not Bond.CONSEQUENCE:
        _recategorise(draft, event.alert, book)
    worse = (at.muted is not None or not covered) and _raise(draft, event.alert, book, now, bond)
    if draft.incident.consequences:
        draft.do(ShowConsequences())
    if at.is_pending:
        _disprove(draft, event, book, now)
    elif at.state is State.RESOLVED:
        draft.because("alert.fired_again", say("Triggered again."))
        begin_again(draft, book, now)
    elif at.muted and at.state is State.TRIGGERED and not covered:
        _from_the_start(draft, "silences.does_not_cover", book, now)
    elif worse and not covered:
        _from_the_start(draft, "priorities.raised", book, now)
    else:
        draft.change(step_due_at=now if at.gated else at.step_due_at)
        show_later(draft)


def _count(draft: Draft, event: AlertReceived, *, again: bool) -> None:
    at, alert = draft.incident, event.alert
    if thing_of(alert) == (at.source, at.dedup_key):
        draft.change(skipped=skipped_by(alert), **_bad(at, interval_of(alert.labels)))
    if at.flapping and again:
        draft.change(openings=at.openings + 1)


def _bad(at: Incident, new: Interval | None) -> dict[str, Any]:
    """Return what is bad with one more interval: what the first alert told is bad as well."""
    first = at.bad or interval_of(at.labels)
    parts = at.bad_parts or ((first,) if first else ())
    return {"bad": wider(first, new), "bad_parts": with_part(parts, new)}


def _blame(draft: Draft, alert: Alert, book: RuleBook, now: datetime) -> None:
    """Make the alert the incident's root cause: its words, its category and what it puts at stake."""
    before = draft.incident
    subject = subject_of(alert, book.catalogue)
    draft.incident = with_cause(before, alert, subject, book.lineage)
    found = heeded(before, assess(alert, book, now, before.rotation))
    classified = alert.classified
    if classified is not None and not keeps_category(before):
        draft.change(
            category=classified.category,
            category_alt=classified.alternative,
            confidence=classified.confidence,
        )
        draft.reasons.append(category_reason(classified))
    if found.stakes is not None:
        draft.change(stakes=with_deadline_of(found.stakes, before.stakes))


def _raise(
    draft: Draft, alert: Alert, book: RuleBook, now: datetime, bond: Bond = Bond.OWN
) -> bool:
    """Raise the priority to a worse alert's; tell whether it must now page from the start.

    One that pages ends an ack of something milder, and a wait; a consequence does not, because
    whoever has the cause has it too.
    """
    at = draft.incident
    found = heeded(at, assess(alert, book, now, at.rotation))
    pages = found.priority in book.pages and not found.quiet_rule
    if found.priority >= at.priority:
        return pages and _end_quiet(draft, alert)
    follows = bond is Bond.CONSEQUENCE and at.stakes is not None
    stakes = with_deadline_of(at.stakes, found.stakes) if follows else found.stakes or at.stakes
    draft.change(
        priority=found.priority,
        severity=alert.severity,
        pages=at.pages or pages,
        stakes=stakes,
        quiet_rule="" if pages else at.quiet_rule,
    )
    draft.reasons.extend(found.reasons)
    rerouted = reroute(draft, at, book)
    if at.state is State.TRIGGERED and (rerouted or at.held_until is not None):
        return pages or (rerouted and at.pages)
    taken = at.pages and (at.state is State.TRIGGERED or bond is Bond.CONSEQUENCE)
    return pages and not taken


def _end_quiet(draft: Draft, alert: Alert) -> bool:
    """Page for an alert that joined one that a rule calls not actionable; tell whether it did."""
    at = draft.incident
    if at.is_actionable or at.pages:
        return False
    draft.change(quiet_rule="", pages=True)
    draft.because("not_actionable", say("{title} is actionable.", title=alert.title))
    return True


def _recategorise(draft: Draft, alert: Alert, book: RuleBook) -> None:
    """Take the category of a worse alert, or of one as bad that is surer of its own."""
    at, found = draft.incident, alert.classified
    if (
        found is None
        or at.storm
        or keeps_category(at)
        or (found.category, found.alternative) == _category(at)
    ):
        return
    priority, _ = priority_of(alert, book)
    if priority < at.priority or (priority == at.priority and found.confidence > at.confidence):
        draft.change(
            category=found.category,
            category_alt=found.alternative,
            confidence=found.confidence,
        )
        draft.reasons.append(category_reason(found))


def _category(incident: Incident) -> tuple[Category | None, Category | None]:
    return incident.category, incident.category_alt


def _from_the_start(draft: Draft, rule: str, book: RuleBook, now: datetime) -> None:
    priority = draft.incident.priority
    draft.because(rule, say("Triggered again, {priority}.", priority=priority))
    draft.incident = draft.incident.trigger()
    show_everywhere(draft)
    start(draft, book, now)


def _resolve(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    draft.because("alert.resolved", say("Resolved by its source: {title}", title=event.alert.title))
    at = draft.incident
    if at.is_pending:
        _prove(draft, event, book, now)
        show_later(draft)
    elif not at.is_open or at.firing_count > 0 or at.unreadable:
        show_later(draft)
    elif at.flapping:
        draft.change(settles_at=now + book.flapping.quiet)
        draft.because("flapping", say("Held open until {at}.", at=now + book.flapping.quiet))
        show_later(draft)
    else:
        draft.because("alert.all_resolved", say("Every alert of it is resolved."))
        told = evidence_of(event, _signal(event.alert, book), now)
        claim_by_source(draft, told, event.alert.source, book, now)


def _prove(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    """Let what its source says of the incident's own thing prove the fix."""
    at, signal = draft.incident, _signal(event.alert, book)
    if signal is Signal.CLICK or thing_of(event.alert) != (at.source, at.dedup_key):
        return
    hear(draft, evidence_of(event, signal, now), book, now)


def _disprove(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    """Reopen what fires again, unless what fires began before the fix was claimed."""
    seen, alert = draft.incident.verification, event.alert
    by_run = _signal(alert, book) is Signal.RUN
    told = event.began_at or alert.occurred_at
    if by_run and seen is not None and told < seen.claimed_at:
        why = say("{title}: that began before the fix was claimed.", title=alert.title)
        draft.because("verification.not_yet", why)
        show_later(draft)
        return
    disprove(draft, say("{title}", title=alert.title), book, now, url=alert.url)


def _signal(alert: Alert, book: RuleBook) -> Signal | None:
    return signal_of(alert.source, book.verifying.kinds)
