"""What people do to an incident, and what they may not."""

from datetime import datetime, timedelta
from typing import assert_never

from rules.deciding.correcting import correct, refusal
from rules.deciding.ending import ask_for_run, claim, prove_by_hand, taken_back, waive
from rules.deciding.showing import show_everywhere
from rules.deciding.triggering import begin_again
from rules.decision import Decision, Draft
from rules.effects import BY_HAND, Page
from rules.escalation import advance
from rules.events import (
    AckConfirmed,
    Acked,
    Corrected,
    Escalated,
    LoopedIn,
    PersonEvent,
    Reassigned,
    Reopened,
    Resolved,
    RunRequested,
    Snoozed,
    Unacked,
    Unsnoozed,
    Verified,
    Waived,
)
from rules.incident import Incident, State
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Who, say

_AFTERWARDS = (Reopened, Corrected, Verified, Waived, RunRequested)
LONGEST_SNOOZE = timedelta(days=30)
ANSWER_TIME = timedelta(minutes=5)
"""How long one who was handed an incident has when the policy names no wait."""


def act(incident: Incident, event: PersonEvent, book: RuleBook, now: datetime) -> Decision:
    """Do what a person asked for, or refuse in words."""
    refusal = _refusal(incident, event, now)
    if refusal is not None:
        return Decision(incident, refusal=refusal)
    draft = Draft(incident)
    _carry_out(draft, event, book, now)
    return draft.decision()


def _refusal(at: Incident, event: PersonEvent, now: datetime) -> Sentence | None:
    if at.state is State.RESOLVED and not isinstance(event, _AFTERWARDS):
        return _already_resolved(at)
    match event:
        case Acked(by) if at.state is State.ACKNOWLEDGED and not at.snoozed_until:
            return _already_acked(at, by)
        case AckConfirmed() | Unacked():
            return _refusal_of_holder(at, event)
        case Reopened() if at.is_open:
            return say("#{number} is still open.", number=at.number)
        case Snoozed(until=until) if not now < until <= now + LONGEST_SNOOZE:
            return say("A snooze must end in the future, within 30 days.")
        case Corrected() | Verified() | Waived() | RunRequested():
            return _refusal_afterwards(at, event)
        case Unsnoozed() if at.snoozed_until is None:
            return say("#{number} is not snoozed.", number=at.number)
        case _:
            return None


def _refusal_of_holder(at: Incident, event: AckConfirmed | Unacked) -> Sentence | None:
    has_it = at.state is State.ACKNOWLEDGED
    match event:
        case AckConfirmed(by) if not has_it or by != at.acked_by:
            return say("Only the one who has #{number} can confirm that.", number=at.number)
        case Unacked() if not has_it:
            return say("Nobody has acknowledged #{number}.", number=at.number)
        case Unacked(of=of) if of not in {"", at.acked_by}:
            return say("{who} has #{number} now.", who=Who(at.acked_by), number=at.number)
        case _:
            return None


def _refusal_afterwards(
    at: Incident, event: Corrected | Verified | Waived | RunRequested
) -> Sentence | None:
    if isinstance(event, Corrected):
        return refusal(at, event)
    if at.is_open:
        words = "#{number} is still open. First `/oncall resolve {number}`."
        return say(words, number=at.number)
    if not at.is_pending:
        return say("#{number} waits for no proof.", number=at.number)
    if isinstance(event, Waived) and not event.why.strip():
        words = "Say why #{number} needs no proof: `/oncall waive {number} <why>`."
        return say(words, number=at.number)
    return None


def _already_resolved(at: Incident) -> Sentence:
    if at.resolved_by:
        return say(
            "#{number} is already resolved by {who}.", number=at.number, who=Who(at.resolved_by)
        )
    return say("#{number} is already resolved.", number=at.number)


def _already_acked(at: Incident, by: str) -> Sentence:
    if by == at.acked_by:
        return say("You already have #{number}.", number=at.number)
    return say(
        "{who} already has #{number}. Reassign it to take it over.",
        who=Who(at.acked_by),
        number=at.number,
    )


def _carry_out(draft: Draft, event: PersonEvent, book: RuleBook, now: datetime) -> None:
    match event:
        case Acked(by=by) | Unsnoozed(by=by):
            _ack(draft, by, book, now, event.via if isinstance(event, Acked) else "")
        case AckConfirmed(by):
            draft.change(ack_confirm_by=None, ack_expires_at=_expiry(draft.incident, book, now))
            draft.because("person", say("{who} is still on it.", who=Who(by)))
            show_everywhere(draft)
        case Unacked(by=by):
            _again(draft, say("{who} handed it back.", who=Who(by)), book, now)
        case Resolved() | Verified() | Waived() | RunRequested():
            _end(draft, event, book, now)
        case Reopened(by, why):
            taken_back(draft, now)
            _again(draft, _with_note("{who} reopened it", by, why), book, now)
        case Snoozed(by, until):
            draft.incident = draft.incident.snooze(by, now, until)
            draft.because(
                "person", say("{who} snoozed it until {until}.", who=Who(by), until=until)
            )
            show_everywhere(draft)
        case Reassigned(by, to):
            _reassign(draft, by, to, book, now)
        case Escalated(by):
            _escalate(draft, by, book, now)
        case LoopedIn() | Corrected():
            _help(draft, event, book, now)
        case _:
            assert_never(event)


def _end(
    draft: Draft, event: Resolved | Verified | Waived | RunRequested, book: RuleBook, now: datetime
) -> None:
    match event:
        case Resolved(by, note):
            claim(draft, by, book, now, note)
        case Verified(by, evidence):
            prove_by_hand(draft, by, evidence, now)
        case Waived(by, why):
            waive(draft, by, why, now)
        case RunRequested(by):
            ask_for_run(draft, by, now)


def _help(draft: Draft, event: LoopedIn | Corrected, book: RuleBook, now: datetime) -> None:
    """Do what leaves the incident with whoever has it."""
    match event:
        case LoopedIn(by, person):
            _loop_in(draft, by, person)
        case Corrected():
            correct(draft, event, book, now)


def _ack(draft: Draft, by: str, book: RuleBook, now: datetime, via: str = "") -> None:
    draft.incident = draft.incident.ack(by, now, None)
    draft.change(ack_expires_at=_expiry(draft.incident, book, now))
    how = say("{who} acknowledged it by {via}.", who=Who(by), via=via)
    draft.because("person", how if via else say("{who} acknowledged it.", who=Who(by)))
    show_everywhere(draft)


def _expiry(at: Incident, book: RuleBook, now: datetime) -> datetime | None:
    """Return when an ack ends by itself; a snooze has its own end instead."""
    if book.ack_timeout is None or not at.pages or at.snoozed_until:
        return None
    return now + book.ack_timeout


def _again(draft: Draft, why: Sentence, book: RuleBook, now: datetime) -> None:
    draft.because("person", why)
    begin_again(draft, book, now)


def _reassign(draft: Draft, by: str, to: str, book: RuleBook, now: datetime) -> None:
    if by == to:
        _ack(draft, by, book, now)
        return
    draft.incident = draft.incident.trigger()
    wait = next((s.wait for s in draft.incident.policy.steps if s.wait), ANSWER_TIME)
    draft.change(assigned_to=to, pages=True, step_due_at=now + wait, awaiting=(to,))
    draft.because("person", say("{by} handed it to {to}.", by=Who(by), to=Who(to)))
    _page_by_hand(draft, to, say("{by} handed it to you", by=Who(by)))
    show_everywhere(draft)


def _escalate(draft: Draft, by: str, book: RuleBook, now: datetime) -> None:
    draft.change(
        state=State.TRIGGERED,
        pages=True,
        acked_by="",
        acked_at=None,
        assigned_to="",
        muted=None,
        snoozed_until=None,
        snoozed_by="",
        ack_expires_at=None,
        ack_confirm_by=None,
    )
    draft.because("person", say("{who} asked for the next step.", who=Who(by)))
    show_everywhere(draft)
    advance(draft, book, now, by_hand=True)


def _loop_in(draft: Draft, by: str, person: str) -> None:
    draft.because("person", say("{by} paged {person}.", by=Who(by), person=Who(person)))
    _page_by_hand(draft, person, say("{by} asks for you", by=Who(by)))
    show_everywhere(draft)


def _page_by_hand(draft: Draft, person: str, reason: Sentence) -> None:
    at = draft.incident
    draft.do(Page(person, f"{at.id}{BY_HAND}{at.version}:{person}", reason, force=True))
    draft.incident = at.with_paged(person)


def _with_note(template: str, by: str, note: str) -> Sentence:
    if note:
        return say(template + ": {note}", who=Who(by), note=note)
    return say(template + ".", who=Who(by))
