"""What an alert does to the incident it belongs to."""

from datetime import datetime

from rules.alert import Alert, AlertStatus
from rules.classify import priority_of
from rules.decision import Decision, Draft
from rules.escalation import advance
from rules.events import AUTOMATIC, AlertReceived
from rules.incident import Incident, Mutedness, State
from rules.matcher import matchable
from rules.rulebook import RuleBook
from rules.sentence import say
from rules.showing import show_everywhere, show_later
from rules.silence import Mute, mute


def receive(incident: Incident, event: AlertReceived, book: RuleBook, now: datetime) -> Decision:
    """Count the alert in, then open, raise, reopen, settle or resolve as it demands."""
    draft = Draft(incident.with_alert(event.alert, event.before, now))
    if incident.alert_count == 0:
        _open(draft, event, book, now)
        return draft.decision()
    match event.alert.status:
        case AlertStatus.FIRING:
            _fire(draft, event, book, now)
        case AlertStatus.RESOLVED:
            _resolve(draft, event, book, now)
        case AlertStatus.INFO:
            draft.because("alert.info", say("{title}", title=event.alert.title))
            show_later(draft)
    return draft.decision()


def start(draft: Draft, book: RuleBook, now: datetime) -> None:
    """Begin the policy where the priority pages, else only show."""
    if draft.incident.pages:
        advance(draft, book, now)
    else:
        priority = draft.incident.priority
        draft.because(
            f"pages.{priority}", say("{priority} shows and pages nobody.", priority=priority)
        )


def muted(alert: Alert, book: RuleBook, now: datetime) -> Mute | None:
    return mute(book.silences, book.windows, matchable(alert), now)


def _open(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    at = draft.incident
    route = say("Route {route}: policy {policy}, channel #{channel}.", route=at.route,
                policy=at.policy.name, channel=at.channel)  # fmt: skip
    draft.because(f"routes.{at.route}", route)
    draft.incident, reason = at, priority_of(event.alert, book)[1]
    draft.reasons.append(reason)
    _notice_flapping(draft, event, book)
    if covering := muted(event.alert, book, now):
        _mute(draft, covering)
        return
    show_everywhere(draft)
    start(draft, book, now)


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


def _mute(draft: Draft, covering: Mute) -> None:
    draft.incident = draft.incident.mute(Mutedness(covering.until, covering.by, covering.why))
    sentence = say("Silenced until {until}: {why}.", until=covering.until, why=covering.why)
    draft.because("silences", sentence)


def _fire(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    again = event.before is AlertStatus.RESOLVED
    if event.before is not AlertStatus.FIRING and not draft.incident.storm:
        text = "Fires again: {title}" if again else "Joined by: {title}"
        draft.because("grouping", say(text, title=event.alert.title))
    if draft.incident.state is State.RESOLVED:
        _start_over(draft, "alert.fired_again", book, now)
        return
    draft.change(settles_at=None)
    if draft.incident.flapping and again:
        draft.change(openings=draft.incident.openings + 1)
    if draft.incident.muted:
        _leave_mute(draft, event.alert, book, now)
        return
    if not _raise(draft, event.alert, book, now):
        if draft.incident.gated:
            draft.change(step_due_at=now)
        show_later(draft)


def _leave_mute(draft: Draft, alert: Alert, book: RuleBook, now: datetime) -> None:
    if muted(alert, book, now) is None:
        _start_over(draft, "silences.does_not_cover", book, now)


def _start_over(draft: Draft, rule: str, book: RuleBook, now: datetime) -> None:
    draft.incident = draft.incident.trigger()
    draft.because(rule, say("Triggered again."))
    show_everywhere(draft)
    start(draft, book, now)


def _raise(draft: Draft, alert: Alert, book: RuleBook, now: datetime) -> bool:
    """Raise the priority to a worse alert's; one that pages ends an ack of something milder."""
    priority, reason = priority_of(alert, book)
    if priority >= draft.incident.priority:
        return False
    pages = priority in book.pages
    started = draft.incident.pages and draft.incident.state is State.TRIGGERED
    draft.change(priority=priority, severity=alert.severity, pages=draft.incident.pages or pages)
    draft.reasons.append(reason)
    if not pages or started:
        show_later(draft)
        return True
    draft.incident = draft.incident.trigger()
    draft.because("priorities.raised", say("Worse than before: now {priority}.", priority=priority))
    show_everywhere(draft)
    start(draft, book, now)
    return True


def _resolve(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    draft.because("alert.resolved", say("Resolved by its source: {title}", title=event.alert.title))
    at = draft.incident
    if not at.is_open or at.firing_count > 0 or at.unreadable:
        show_later(draft)
    elif at.flapping:
        draft.change(settles_at=now + book.flapping.quiet)
        draft.because("flapping", say("Held open until {at}.", at=now + book.flapping.quiet))
        show_later(draft)
    else:
        quiet = at.muted is not None
        draft.incident = at.resolve(AUTOMATIC, now)
        draft.because("alert.all_resolved", say("Every alert of it is resolved."))
        if not quiet:
            show_everywhere(draft)
