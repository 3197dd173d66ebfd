"""Gives an incident its runbook as it opens, and its tasks as it ends, in the same commit."""

from collections.abc import Iterable
from datetime import datetime

from bot.engine.jobs import mirror_task
from bot.ports.store import Transaction
from rules.effects import Effect, ShowRunbook, ShowTasks
from rules.incident import Incident
from rules.rulebook import RuleBook
from rules.runbooks.choosing import subject_of
from rules.runbooks.gaps import missing_gap
from rules.runbooks.runbook import RunbookUse
from rules.tasks.planning import tasks_for


def accompany(
    tx: Transaction, incident: Incident, effects: Iterable[Effect], book: RuleBook, now: datetime
) -> None:
    """Write down what the orders to show runbook and tasks will show."""
    for effect in effects:
        match effect:
            case ShowRunbook() if incident.is_open:
                guide(tx, incident, book, now)
            case ShowTasks() if not incident.is_open:
                _plan(tx, incident, book, now)
            case _:
                pass


def _plan(tx: Transaction, incident: Incident, book: RuleBook, now: datetime) -> None:
    tasks = tasks_for(incident, book.tasks, book.catalogue, now)
    tx.tasks.plan(tasks)
    for task in tasks if book.mirrors_tasks else ():
        tx.enqueue(mirror_task(task, now))


def guide(tx: Transaction, incident: Incident, book: RuleBook, now: datetime) -> None:
    """Freeze the runbook, so that steps keep their numbers; that there is none is a gap."""
    subject = subject_of(incident, book.catalogue)
    runbook = book.runbooks.of(subject)
    if runbook is not None:
        use = RunbookUse(
            incident_id=incident.id, number=incident.number, runbook=runbook, chosen_at=now
        )
        tx.runbooks.attach(use)
    elif (
        len(book.runbooks)
        and incident.pages
        and (gap := missing_gap(subject, incident.number, now))
    ):
        tx.runbooks.open_gap(gap)
