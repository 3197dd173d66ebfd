"""What the fate of a page does to an incident."""

from datetime import datetime

from rules.deciding.showing import show_later, show_step
from rules.decision import Decision, Draft
from rules.effects import BY_HAND, Tell
from rules.escalation import advance, page_other_fallback
from rules.events import ContactFailed, PageDelivered, PageFailed
from rules.incident import Incident, State
from rules.rulebook import RuleBook
from rules.sentence import Who, say


def finish(
    incident: Incident,
    event: PageDelivered | ContactFailed | PageFailed,
    book: RuleBook,
    now: datetime,
) -> Decision:
    """Record a page that arrived; go on at once when the last one of a step has failed."""
    draft = Draft(incident)
    match event:
        case PageDelivered(person, _, via):
            words = "The page went to {who} by {via}." if via else "The page reached {who}."
            draft.because("page.delivered", say(words, who=Who(person), **_by(via)))
            show_later(draft)
        case ContactFailed():
            _tell_failure(draft, event)
        case PageFailed(person, key, why):
            sentence = say("{who} could not be paged: {why}", who=Who(person), why=why)
            draft.do(Tell(sentence, f"{key}:failed", loud=True))
            draft.because("page.failed", sentence)
            _go_on(draft, person, book, now)
    return draft.decision()


def _by(via: str) -> dict[str, str]:
    return {"via": via} if via else {}


def _tell_failure(draft: Draft, event: ContactFailed) -> None:
    """Say what did not work; what stays in trouble is told in the thread, once.

    A call that rang while somebody answered elsewhere is no news for the thread.
    """
    words = "{via} did not reach {who}: {why}."
    if event.then:
        words += " Now by {then}."
    sentence = say(
        words,
        via=event.via[:1].upper() + event.via[1:],
        who=Who(event.person),
        why=event.why.rstrip("."),
        **({"then": event.then} if event.then else {}),
    )
    draft.because("contact.failed", sentence)
    at = draft.incident
    by_hand = event.key.startswith(f"{at.id}{BY_HAND}")
    waits = at.state is State.TRIGGERED or (by_hand and at.is_open)
    if waits and (event.then or not event.for_now):
        draft.do(Tell(sentence, f"{event.key}:{event.via}:failed"))
    show_later(draft)


def _go_on(draft: Draft, person: str, book: RuleBook, now: datetime) -> None:
    at = draft.incident
    waits = at.state is State.TRIGGERED and at.muted is None and person in at.awaiting
    draft.change(awaiting=tuple(p for p in at.awaiting if p != person))
    if not waits or draft.incident.awaiting:
        return
    if not at.exhausted:
        advance(draft, book, now)
    elif not page_other_fallback(draft, person, book, now):
        return
    show_step(draft, at.paged)
