"""Lets every page be followed by the person's other methods, until somebody answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rules.contacting.method import TITLES, ContactStep
from rules.decision import Decision, Reason
from rules.effects import Contact, Effect, Page
from rules.incident import Incident
from rules.priority import Priority, Urgency
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Who, say

_BY_PRIORITY: Mapping[Priority, Urgency] = {
    Priority.P1: Urgency.CRITICAL,
    Priority.P2: Urgency.HIGH,
    Priority.P3: Urgency.MEDIUM,
}


def urgency_of(incident: Incident) -> Urgency:
    """Return how urgently people are called: as it was weighed, else as its priority tells."""
    if incident.stakes is not None:
        return incident.stakes.urgency
    return _BY_PRIORITY.get(incident.priority, Urgency.LOW)


def contacted(decision: Decision, book: RuleBook) -> Decision:
    """Add the further steps of every page that is decided."""
    if not book.contacts.available:
        return decision
    effects: list[Effect] = []
    reasons: list[Reason] = []
    for page in decision.effects:
        if isinstance(page, Page):
            steps = book.contacts.steps(page.person, urgency_of(decision.incident))
            effects += [_contact(page, number, step) for number, step in enumerate(steps, start=1)]
            reasons += [Reason("contact", _announced(page.person, steps))] if steps else []
    if not effects:
        return decision
    return replace(
        decision,
        effects=(*decision.effects, *effects),
        reasons=(*decision.reasons, *reasons),
    )


def _contact(page: Page, number: int, step: ContactStep) -> Contact:
    return Contact(page.person, page.key, number, step.method, step.after, page.reason, page.force)


def _announced(person: str, steps: Sequence[ContactStep]) -> Sentence:
    waits = {f"wait{number}": step.after for number, step in enumerate(steps) if step.after}
    words = [
        f"{TITLES[step.method]} after {{wait{number}}}" if step.after else TITLES[step.method]
        for number, step in enumerate(steps)
    ]
    return say("Until {who} answers: Slack, " + ", ".join(words) + ".", who=Who(person), **waits)
