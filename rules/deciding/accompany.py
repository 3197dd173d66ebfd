"""What goes with an incident in its thread: its runbook as it opens, its tasks as it ends."""

from dataclasses import replace
from datetime import datetime

from rules.decision import Decision
from rules.effects import Effect, ShowRunbook, ShowTasks
from rules.incident import Incident
from rules.rulebook import RuleBook
from rules.runbooks.choosing import Subject, subject_of
from rules.tasks.planning import blocking, tasks_for


def guided(incident: Incident, book: RuleBook) -> Subject | None:
    """Return what a runbook is shown for; None where there are none, or nothing to say.

    What nobody is shown, and what people opened by hand, has no runbook.
    """
    if not len(book.runbooks) or incident.source.startswith("@") or not _seen(incident):
        return None
    subject = subject_of(incident, book.catalogue)
    return subject if book.runbooks.of(subject) or subject.product else None


def accompanied(before: Incident, decision: Decision, book: RuleBook, now: datetime) -> Decision:
    """Add the orders to show runbook and tasks when the incident begins or ends."""
    after = decision.incident
    if before.is_open and not after.is_open:
        planned = tasks_for(after, book.tasks, book.catalogue, now)
        after = after.but(blocking_tasks=blocking(planned))
    begins = _seen(after) and (before.last_alert_at is None or not _seen(before))
    turns = before.is_open != after.is_open
    effects: list[Effect] = []
    if (begins or turns) and decision.refusal is None and guided(after, book):
        effects.append(ShowRunbook())
    if turns and _seen(after) and book.tasks:
        effects.append(ShowTasks())
    if not effects:
        return decision
    return replace(decision, incident=after, effects=(*decision.effects, *effects))


def _seen(incident: Incident) -> bool:
    return not incident.hidden and incident.muted is None
