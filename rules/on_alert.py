"""What an alert does to the incident it belongs to."""

from dataclasses import replace
from datetime import datetime

from rules.alert import Alert, AlertStatus
from rules.category import Category
from rules.classify import assess, categorised, category_reason, priority_of
from rules.decision import Decision, Draft
from rules.events import AUTOMATIC, AlertReceived
from rules.incident import Incident, State
from rules.matcher import matchable
from rules.rulebook import RuleBook
from rules.sentence import say
from rules.showing import show_end, show_everywhere, show_later
from rules.silence import Mute, mute
from rules.triggering import begin_again, keep_quiet, start


def receive(incident: Incident, event: AlertReceived, book: RuleBook, now: datetime) -> Decision:
    """Count the alert in, then open, raise, reopen, settle or resolve as it demands."""
    event = replace(event, alert=categorised(event.alert, book))
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


def muted(alert: Alert, book: RuleBook, now: datetime) -> Mute | None:
    return mute(book.silences, book.windows, matchable(categorised(alert, book)), now)


def _open(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    at = draft.incident
    route = say("Route {route}: policy {policy}, channel #{channel}.", route=at.route,
                policy=at.policy.name, channel=at.channel)  # fmt: skip
    draft.because(f"routes.{at.route}", route)
    if event.alert.classified:
        draft.reasons.append(category_reason(event.alert.classified))
    _weigh(draft, event.alert, book, now)
    _notice_flapping(draft, event, book)
    if covering := muted(event.alert, book, now):
        keep_quiet(draft, covering)
        draft.change(hidden=True)
        return
    show_everywhere(draft)
    start(draft, book, now)


def _weigh(draft: Draft, alert: Alert, book: RuleBook, now: datetime) -> None:
    """Set the priority of a new incident, and what it puts at stake."""
    found = assess(alert, book, now)
    forced = draft.incident.pages and draft.incident.priority not in book.pages
    pages = forced or found.priority in book.pages
    stakes = None if draft.incident.storm else found.stakes
    draft.change(priority=found.priority, pages=pages, stakes=stakes)
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


def _fire(draft: Draft, event: AlertReceived, book: RuleBook, now: datetime) -> None:
    again = event.before is AlertStatus.RESOLVED
    if event.before is not AlertStatus.FIRING:
        text = "Fires again: {title}" if again else "Joined by: {title}"
        draft.because("grouping", say(text, title=event.alert.title))
    draft.change(settles_at=None)
    if draft.incident.flapping and again:
        draft.change(openings=draft.incident.openings + 1)
    covered = muted(event.alert, book, now) is not None
    at = draft.incident
    _recategorise(draft, event.alert, book)
    worse = (at.muted is not None or not covered) and _raise(draft, event.alert, book, now)
    if at.state is State.RESOLVED:
        draft.because("alert.fired_again", say("Triggered again."))
        begin_again(draft, book, now)
    elif at.muted and at.state is State.TRIGGERED and not covered:
        _from_the_start(draft, "silences.does_not_cover", book, now)
    elif worse and not covered:
        _from_the_start(draft, "priorities.raised", book, now)
    else:
        draft.change(step_due_at=now if at.gated else at.step_due_at)
        show_later(draft)


def _raise(draft: Draft, alert: Alert, book: RuleBook, now: datetime) -> bool:
    """Raise the priority to a worse alert's; tell whether it must now page from the start.

    One that pages ends an ack of something milder.
    """
    at = draft.incident
    found = assess(alert, book, now)
    if found.priority >= at.priority:
        return False
    pages = found.priority in book.pages
    draft.change(
        priority=found.priority,
        severity=alert.severity,
        pages=at.pages or pages,
        stakes=found.stakes or at.stakes,
    )
    draft.reasons.extend(found.reasons)
    return pages and not (at.pages and at.state is State.TRIGGERED)


def _recategorise(draft: Draft, alert: Alert, book: RuleBook) -> None:
    """Take the category of a worse alert, or of one as bad that is surer of its own."""
    at, found = draft.incident, alert.classified
    if found is None or at.storm or (found.category, found.alternative) == _category(at):
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
    if not at.is_open or at.firing_count > 0 or at.unreadable:
        show_later(draft)
    elif at.flapping:
        draft.change(settles_at=now + book.flapping.quiet)
        draft.because("flapping", say("Held open until {at}.", at=now + book.flapping.quiet))
        show_later(draft)
    else:
        draft.incident = at.resolve(AUTOMATIC, now)
        draft.because("alert.all_resolved", say("Every alert of it is resolved."))
        show_end(draft)
