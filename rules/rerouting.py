"""Looking the route up again when time or a worse alert has made an incident more urgent."""

from rules.decision import Draft
from rules.incident import Incident
from rules.matcher import matchable
from rules.rulebook import RuleBook
from rules.sentence import say


def reroute(draft: Draft, before: Incident, book: RuleBook) -> bool:
    """Take the route of what is known now; tell whether another policy or rotation answers.

    Channel and message stay. An incident that a person opened pages whom that person chose, and
    a storm stays with its first alert's route. Whoever calls this begins to page where it is due.
    """
    at = draft.incident
    if at.storm or at.source.startswith("@"):
        return False
    old, new = book.route(matchable(before)), book.route(matchable(at))
    if new == old:
        return False
    policy = book.policies[new.policy]
    if (policy, new.rotation) == (at.policy, at.rotation):
        draft.change(route=new.name)
        return False
    words = "{what} is {level} now: route {route}, policy {policy}."
    if new.rotation != at.rotation:
        words = "{what} is {level} now: route {route}, policy {policy}, rotation {rotation}."
    raised = at.priority != before.priority
    what = "Priority" if raised else "Urgency"
    level = at.priority if raised or at.stakes is None else at.stakes.urgency
    sentence = say(words, what=what, level=level, route=new.name, policy=policy.name,
                   rotation=new.rotation)  # fmt: skip
    draft.because(f"routes.{new.name}", sentence)
    draft.incident = at.rerouted(new.name, policy, new.rotation)
    return True
