"""Looking the route up again when time or a worse alert has made an incident more urgent."""

from rules.decision import Draft
from rules.incident import Incident
from rules.matching.matcher import matchable
from rules.policy import Policy
from rules.rulebook import Route, RuleBook
from rules.sentence import say


def reroute(draft: Draft, before: Incident, book: RuleBook) -> bool:
    """Take the route of what is known now; tell whether another policy or rotation answers.

    Channel and message stay. An incident that a person opened pages whom that person chose, and
    a storm stays with its first alert's route. Whoever calls this begins to page where it is due.
    """
    at = draft.incident
    if _keeps_its_route(at):
        return False
    old, new = book.route(matchable(before)), book.route(matchable(at))
    if new == old:
        return False
    if at.priority == before.priority and at.stakes is not None:
        return _take(draft, new, book, "Urgency", at.stakes.urgency)
    return _take(draft, new, book, "Priority", at.priority)


def settle_route(draft: Draft, book: RuleBook) -> bool:
    """Do the same for an incident that has just opened, once it is weighed by its rotation."""
    at = draft.incident
    if _keeps_its_route(at) or (new := book.route(matchable(at))).name == at.route:
        return False
    return _take(draft, new, book, "Priority", at.priority)


def _keeps_its_route(at: Incident) -> bool:
    return at.storm or at.source.startswith("@")


def _take(draft: Draft, new: Route, book: RuleBook, what: str, level: str) -> bool:
    at, policy = draft.incident, book.policies[new.policy]
    if (policy, new.rotation) == (at.policy, at.rotation):
        draft.change(route=new.name)
        return False
    words = "{what} is {level} now: route {route}, policy {policy}."
    if new.rotation != at.rotation:
        words = "{what} is {level} now: route {route}, policy {policy}, rotation {rotation}."
    sentence = say(words, what=what, level=level, route=new.name, policy=policy.name,
                   rotation=new.rotation)  # fmt: skip
    draft.because(f"routes.{new.name}", sentence)
    _begin_at_the_first_step(draft, policy)
    draft.change(route=new.name, rotation=new.rotation)
    return True


def _begin_at_the_first_step(draft: Draft, policy: Policy) -> None:
    """Stand before another policy's first step; timers stay, so that nobody is left un-paged."""
    draft.change(
        policy=policy,
        generation=draft.incident.generation + 1,
        round=0,
        step=0,
        exhausted=False,
        gated=False,
        awaiting=(),
        reached=False,
    )
