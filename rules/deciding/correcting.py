"""What a person's correction does to an incident, and how later alerts heed it."""

from dataclasses import replace
from datetime import datetime

from rules.alert import Alert, AlertStatus
from rules.category import Classified
from rules.classify import Assessed, assess, priority_at
from rules.corrected import Correction
from rules.deciding.showing import show_everywhere
from rules.deciding.triggering import start
from rules.decision import Draft
from rules.events import Corrected
from rules.incident import Incident, Stakes, State
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Value, Who, plain, say
from rules.stakes import reweigh

BY_HAND = "correction"
"""The rule that reasons name, and the quiet rule of what a person called not actionable."""


def refusal(at: Incident, event: Corrected) -> Sentence | None:
    """Say why a correction cannot be made, None when it can."""
    if event.category is None and event.impact is None and event.actionable is None:
        return say("Say what is not right about #{number}.", number=at.number)
    return None


def correct(draft: Draft, event: Corrected, book: RuleBook, now: datetime) -> None:
    """Put the incident right, weigh it again, and begin or stop to page as that demands."""
    before = draft.incident
    draft.because(BY_HAND, _told(before, event))
    draft.change(correction=_merged(before.correction, event, now))
    if event.category is not None:
        draft.change(category=event.category, category_alt=None, confidence=1.0)
    if event.category is not None or event.impact is not None:
        _weigh_again(draft, event, book, now)
    show_everywhere(draft)
    if before.is_open:
        _page_or_not(draft, before, event, book, now)
    else:
        draft.change(pages=before.pages and draft.incident.is_actionable)


def heeded(at: Incident, found: Assessed) -> Assessed:
    """Return what a later alert of an incident weighs, as a correction of it leaves that."""
    told = at.correction
    if told is None:
        return found
    if told.actionable is not None:
        found = replace(found, quiet_rule="" if told.actionable else BY_HAND)
    if told.impact is not None or told.actionable is False:
        found = replace(found, priority=at.priority, stakes=None)
    return found


def keeps_category(at: Incident) -> bool:
    return at.correction is not None and at.correction.category is not None


def _merged(old: Correction | None, event: Corrected, now: datetime) -> Correction:
    made = Correction(
        by=event.by,
        at=now,
        category=event.category,
        impact=event.impact,
        actionable=event.actionable,
        why=event.why,
    )
    if old is None:
        return made
    return replace(
        made,
        category=made.category or old.category,
        impact=made.impact or old.impact,
        actionable=old.actionable if made.actionable is None else made.actionable,
        why=made.why or old.why,
    )


def _told(before: Incident, event: Corrected) -> Sentence:
    parts: list[str] = []
    values: dict[str, Value] = {"who": Who(event.by)}
    if event.category is not None:
        values["category"] = event.category.words
        if before.category in {None, event.category}:
            parts.append("the category is {category}")
        else:
            values["was"] = before.category.words if before.category else ""
            parts.append("the category is {category}, not {was}")
    if event.impact is not None:
        values["impact"] = event.impact
        parts.append("the impact is {impact}")
    if event.actionable is not None:
        parts.append("it is actionable" if event.actionable else "it is not actionable")
    end = ": {why}" if event.why else "."
    if event.why:
        values["why"] = event.why
    return Sentence("{who} corrected it: " + "; ".join(parts) + end, values)


def _weigh_again(draft: Draft, event: Corrected, book: RuleBook, now: datetime) -> None:
    at = draft.incident
    told = at.correction.impact if at.correction else None
    if at.stakes is None:
        if event.impact is not None:
            chosen, cell = priority_at(event.impact, at.severity, book)
            draft.change(priority=chosen)
            draft.reasons.append(cell)
        return
    stakes = _stakes_now(at, at.stakes, book, now)
    if told:
        why = say("Corrected by hand: {impact}.", impact=told).render(plain)
        stakes = replace(stakes, impact=told, impact_why=why)
    weighed = reweigh(stakes, book, now, at.severity)
    draft.change(stakes=weighed.stakes, priority=weighed.priority)
    draft.reasons.extend(weighed.reasons)


def _stakes_now(at: Incident, before: Stakes, book: RuleBook, now: datetime) -> Stakes:
    """Return what is at stake for the same thing under its new category.

    Wrong data hurts more, and while its readers are there; late data from its promise on.
    """
    found = assess(_alert_of(at), book, now, at.rotation).stakes
    if found is None or (found.asset, found.product) != (before.asset, before.product):
        return before
    stakes = replace(before, impact=found.impact)
    if (found.consumers is None) is (before.consumers is None):
        return stakes
    return replace(
        stakes, deadline=found.deadline, consumers=found.consumers, promised=found.promised
    )


def _alert_of(at: Incident) -> Alert:
    """Return the alert that opened an incident, with the category the incident now has."""
    known = None
    if at.category is not None:
        known = Classified(at.category, at.category_alt, at.confidence, BY_HAND, say("By hand."))
    return Alert(
        source=at.source,
        dedup_key=at.dedup_key,
        status=AlertStatus.FIRING,
        title=at.title,
        occurred_at=at.opened_at,
        group_key=at.group_key,
        severity=at.severity,
        description=at.description,
        labels=at.labels,
        url=at.url,
        unreadable=at.unreadable,
        classified=known,
    )


def _page_or_not(
    draft: Draft, before: Incident, event: Corrected, book: RuleBook, now: datetime
) -> None:
    at = draft.incident
    pages = _pages(at, before, event, book)
    draft.change(pages=pages)
    if before.pages and not pages:
        draft.change(
            step_due_at=None,
            held_until=None,
            gated=False,
            awaiting=(),
            ack_expires_at=None,
            ack_confirm_by=None,
        )
        draft.because(BY_HAND, say("It pages nobody any more."))
        return
    sooner = at.held_until is not None and at.priority < before.priority
    if not pages or (before.pages and not sooner):
        return
    if at.state is State.TRIGGERED and at.muted is None:
        # a new generation: the keys of pages that were called off are used up
        draft.incident = at.trigger().but(pages=True, assigned_to=at.assigned_to)
        start(draft, book, now)
    elif at.state is State.ACKNOWLEDGED and book.ack_timeout and not at.snoozed_until:
        draft.change(ack_expires_at=now + book.ack_timeout)


def _pages(at: Incident, before: Incident, event: Corrected, book: RuleBook) -> bool:
    if event.actionable is False:
        return False
    if at.priority is before.priority and event.actionable is None:
        return before.pages
    by_hand = before.pages and before.priority not in book.pages
    return by_hand or (at.priority in book.pages and at.is_actionable)
