"""What it does to an incident that one of its alerts turns out to have a cause of its own."""

from datetime import datetime

from rules.alert import AlertStatus
from rules.deciding.ending import claim_by_source, whole
from rules.deciding.showing import show_later
from rules.decision import Decision, Draft
from rules.effects import ShowConsequences
from rules.events import AlertSplitOff
from rules.incident import Incident
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Who, say
from rules.shown_alert import Bond, ShownAlert


def split_off(incident: Incident, event: AlertSplitOff, book: RuleBook, now: datetime) -> Decision:
    """Let the alert go, and keep it from folding in again; the engine opens an incident of it."""
    thing = (event.source, event.dedup_key)
    gone = next((a for a in incident.alerts if (a.source, a.dedup_key) == thing), None)
    refusal = _refusal(incident, gone)
    if refusal is not None or gone is None:
        return Decision(incident, refusal=refusal)
    draft = Draft(incident.without_alert(gone))
    sentence = say(
        "{who} split off {title}: it has a cause of its own.", who=Who(event.by), title=gone.title
    )
    draft.because("folding.split_off", sentence)
    draft.do(ShowConsequences())
    after = draft.incident
    if after.firing_count == 0 and not (after.unreadable or after.flapping):
        draft.because("alert.all_resolved", say("Every other alert of it is resolved."))
        claim_by_source(draft, whole(after), after.source, book, now)
    else:
        show_later(draft)
    return draft.decision()


def _refusal(at: Incident, gone: ShownAlert | None) -> Sentence | None:
    if not at.is_open:
        return say("#{number} is resolved already.", number=at.number)
    if gone is None:
        return say("That alert is not part of #{number} any more.", number=at.number)
    if gone.bond is Bond.CAUSE or (gone.source, gone.dedup_key) == (at.source, at.dedup_key):
        return say("#{number} is about that alert; split off the others.", number=at.number)
    if gone.status is not AlertStatus.FIRING:
        return say("That alert does not fire any more.")
    return None
