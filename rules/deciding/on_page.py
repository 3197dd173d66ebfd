"""What the fate of a page does to an incident."""

from datetime import datetime

from rules.deciding.showing import show_later, show_step
from rules.decision import Decision, Draft
from rules.effects import Tell
from rules.escalation import advance
from rules.events import PageDelivered, PageFailed
from rules.incident import Incident, State
from rules.rulebook import RuleBook
from rules.sentence import Who, say


def finish(
    incident: Incident, event: PageDelivered | PageFailed, book: RuleBook, now: datetime
) -> Decision:
    """Record a page that arrived; go on at once when the last one of a step has failed."""
    draft = Draft(incident)
    match event:
        case PageDelivered(person):
            draft.because("page.delivered", say("The page reached {who}.", who=Who(person)))
            show_later(draft)
        case PageFailed(person, key, why):
            sentence = say("{who} could not be paged: {why}", who=Who(person), why=why)
            draft.do(Tell(sentence, f"{key}:failed", loud=True))
            draft.because("page.failed", sentence)
            _go_on(draft, person, book, now)
    return draft.decision()


def _go_on(draft: Draft, person: str, book: RuleBook, now: datetime) -> None:
    at = draft.incident
    waits = at.state is State.TRIGGERED and at.muted is None and person in at.awaiting
    draft.change(awaiting=tuple(p for p in at.awaiting if p != person))
    if waits and not draft.incident.awaiting and not at.exhausted:
        advance(draft, book, now)
        show_step(draft, at.paged)
