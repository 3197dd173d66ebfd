"""What goes with an incident in its thread: its runbook as it opens, its tasks as it ends."""

from dataclasses import replace
from datetime import datetime

from rules.decision import Decision
from rules.effects import Effect, ShowRunbook, ShowTasks
from rules.incident import Incident
from rules.rulebook import RuleBook
from rules.runbooks.choosing import LINKS, NAMING, subject_of
from rules.tasks.planning import blocking, tasks_for


def guided(incident: Incident, book: RuleBook) -> bool:
    """Tell whether there is a runbook to show, or anything to say in its place.

    What nobody is shown, and what people opened by hand, has no runbook. Where there are none at
    all, the product still has its owner, its promises and what proves a fix.
    """
    if incident.source.startswith("@") or not _seen(incident):
        return False
    if any(map(incident.labels.get, LINKS)):
        return True
    names_one = incident.product or incident.asset or not incident.labels.keys().isdisjoint(NAMING)
    if not len(book.runbooks) and not names_one:
        return False  # at once: this is asked of every alert that opens an incident
    subject = subject_of(incident, book.catalogue)
    told = subject.product if len(book.runbooks) else book.catalogue.product(incident.product)
    return bool(told or book.runbooks.of(subject))


def accompanied(before: Incident, decision: Decision, book: RuleBook, now: datetime) -> Decision:
    """Add the orders to show runbook and tasks when somebody is called to it, and when it ends.

    What came and went without calling anybody gets neither: its thread stays empty.
    """
    after = decision.incident
    if decision.refusal is not None:
        return decision
    effects: list[Effect] = []
    turns = before.is_open != after.is_open
    begins = _noticed(after) and not _noticed(before)
    if (begins or (turns and _noticed(before))) and guided(after, book):
        effects.append(ShowRunbook())
    if turns and after.is_open:
        effects += [ShowTasks()] if book.tasks and _noticed(before) else []
    elif turns:
        planned = tasks_for(after, book.tasks, book.catalogue, now)
        after = after.but(blocking_tasks=blocking(planned))
        effects += [ShowTasks()] if planned or before.generation else []
    if after is decision.incident and not effects:
        return decision
    return replace(decision, incident=after, effects=(*decision.effects, *effects))


def _noticed(incident: Incident) -> bool:
    """Tell whether somebody was called to it, or took it by themselves."""
    called = incident.paged or incident.reached or incident.first_paged_at
    took = incident.acked_at or incident.first_acked_at or incident.assigned_to
    return _seen(incident) and bool(called or took)


def _seen(incident: Incident) -> bool:
    return not incident.hidden and incident.muted is None
