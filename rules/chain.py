"""The whole chain of reasons: what it comes to, who is paged next, and why, each with its rule's place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from rules.decision import Reason
from rules.foresee import ahead
from rules.incident import Incident, Stakes, State
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Value, Who, counted, say
from rules.sla import Effort, next_change, slack, urgency

_MOST_LOOKS = 12
_MOST_CROSSINGS = 3


class Link(StrEnum):
    """The links of the chain, what a person acts on first; the value is a word for machines."""

    SHORT = "short"
    NEXT = "next"
    CATEGORY = "category"
    ABOUT = "about"
    LINEAGE = "lineage"
    IMPACT = "impact"
    PROMISE = "promise"
    PRIORITY = "priority"
    ROUTE = "route"
    HOLDING = "holding"
    ARRIVED = "arrived"


TITLES: Mapping[Link, str] = {
    Link.SHORT: "In short",
    Link.NEXT: "Who is paged next",
    Link.CATEGORY: "What it is",
    Link.ABOUT: "What it is about",
    Link.LINEAGE: "Who is hit, and how",
    Link.IMPACT: "How much breaks",
    Link.PROMISE: "What was promised",
    Link.PRIORITY: "Priority",
    Link.ROUTE: "Route and policy",
    Link.HOLDING: "May it wait",
    Link.ARRIVED: "What arrived",
}

_OF: Mapping[str, Link] = {
    "grouping": Link.ARRIVED,
    "folding": Link.ARRIVED,
    "flapping": Link.ARRIVED,
    "categories": Link.CATEGORY,
    "catalogue": Link.ABOUT,
    "impact": Link.IMPACT,
    "impact_rules": Link.IMPACT,
    "repair_effort": Link.PROMISE,
    "urgency": Link.PROMISE,
    "priority_matrix": Link.PRIORITY,
    "priorities": Link.PRIORITY,
    "priority": Link.PRIORITY,
    "routes": Link.ROUTE,
    "holding": Link.HOLDING,
    "pages": Link.HOLDING,
    "not_actionable": Link.HOLDING,
    "silences": Link.HOLDING,
}
"""The link of a reason, by the first part of its rule's place."""

_LAST_ONLY = frozenset({Link.CATEGORY, Link.PRIORITY, Link.ROUTE, Link.HOLDING})
"""Of these only the latest reason is still true."""

_LAST_WORD = ("impact.wrong_data", "impact.environments.", "impact_rules.")
"""Rules that change an impact already found, so that the last of them decides."""


@dataclass(frozen=True, slots=True)
class Linked:
    """One link of a chain, and what is said of it."""

    link: Link
    reasons: tuple[Reason, ...]

    @property
    def title(self) -> str:
        return TITLES[self.link]


def link_of(rule: str) -> Link | None:
    """Return which link a recorded reason belongs to; None for what is story and no cause."""
    return _OF.get(rule.partition(".")[0])


def chain(
    incident: Incident, recorded: Sequence[Reason], book: RuleBook, now: datetime
) -> tuple[Linked, ...]:
    """Order what was recorded, oldest first, and add what can be computed of it now."""
    found: dict[Link, list[Reason]] = {link: [] for link in Link}
    for reason in recorded:
        if link := link_of(reason.rule):
            kept = [] if link in _LAST_ONLY else found[link]
            found[link] = [*(one for one in kept if not _replaces(reason, one)), reason]
    found[Link.ARRIVED] = [*_arrived(incident), *found[Link.ARRIVED]]
    found[Link.CATEGORY] += _category(incident, found[Link.CATEGORY])
    found[Link.IMPACT] += _winner(incident, found[Link.IMPACT])
    found[Link.NEXT] = list(_next(incident, book, now))
    if incident.stakes is not None:
        found[Link.SHORT] = list(_short(incident, incident.stakes, found[Link.PRIORITY]))
        if incident.stakes.deadline is not None and incident.is_open:
            # what was to spare then is done anew for now
            kept = [one for one in found[Link.PROMISE] if not one.rule.startswith("urgency.")]
            found[Link.PROMISE] = kept
        found[Link.ABOUT] += _about(incident.stakes)
        found[Link.LINEAGE] = list(_lineage(incident.stakes))
        found[Link.PROMISE] = [
            *_promise(incident, incident.stakes, book, now),
            *found[Link.PROMISE],
            *_crossings(incident, incident.stakes, book, now),
        ]
    return tuple(Linked(link, tuple(reasons)) for link, reasons in found.items() if reasons)


def _replaces(new: Reason, old: Reason) -> bool:
    """Tell whether an older reason is about the same thing, and no longer true."""
    same_urgency = new.rule.startswith("urgency.") and old.rule.startswith("urgency.")
    return new.rule == old.rule or same_urgency


def _short(incident: Incident, stakes: Stakes, told: Sequence[Reason]) -> Iterator[Reason]:
    """Say in one line what the rest explains."""
    values: dict[str, Value] = {
        "priority": incident.priority,
        "impact": stakes.impact,
        "urgency": stakes.urgency,
    }
    template = "{priority}: impact {impact}, urgency {urgency}"
    if stakes.deadline is not None:
        effort = Effort(stakes.respond, stakes.fix, stakes.run)
        values |= {"deadline": stakes.deadline, "begin": stakes.deadline - effort.total}
        template += ", due by {deadline}, so begin by {begin}"
    yield Reason(told[-1].rule if told else "priority", Sentence(f"{template}.", values))


def _arrived(incident: Incident) -> Iterator[Reason]:
    place = f"sources.{incident.source}"
    yield Reason(place, say("From {source}.", source=incident.source))
    words = say("The thing that broke: {key}", key=incident.dedup_key)
    yield Reason(f"{place}.dedup_key", words)
    if incident.group_key:
        words = say("The run or batch: {key}", key=incident.group_key)
        yield Reason(f"{place}.group_key", words)


def _category(incident: Incident, told: Sequence[Reason]) -> list[Reason]:
    if incident.category is None:
        return []
    values: dict[str, Value] = {"sure": round(incident.confidence * 100)}
    template = "{sure} % sure"
    if not told:
        template = "{category}, {sure} % sure"
        values["category"] = incident.category.words
    if incident.category_alt:
        template += "; else {other}"
        values["other"] = incident.category_alt.words
    rule = told[-1].rule if told else "categories"
    return [Reason(rule, Sentence(f"{template}.", values))]


def _about(stakes: Stakes) -> Iterator[Reason]:
    parts: list[str] = ["{name}"]
    values: dict[str, Value] = {"name": stakes.name}
    if stakes.product:
        parts.append("product {product}")
        values["product"] = stakes.product
    if stakes.asset:
        parts.append("asset {asset}")
        values["asset"] = stakes.asset
    owner = stakes.owner or stakes.team
    parts.append("owner {owner}" if owner else "no owner")
    values["owner"] = Who(owner)
    yield Reason(f"catalogue.{stakes.product or stakes.asset}", Sentence(", ".join(parts), values))


def _lineage(stakes: Stakes) -> Iterator[Reason]:
    if stakes.path:
        yield Reason("lineage", say("{way}.", way=" → ".join(stakes.path)))
    if stakes.exposures_hit or stakes.products_hit:
        hit = ((stakes.exposures_hit, "dashboard"), (stakes.products_hit, "product"))
        told = " and ".join(counted(n, word) for n, word in hit if n)
        yield Reason("lineage", say("{told} downstream.", told=told))


def _winner(incident: Incident, told: Sequence[Reason]) -> list[Reason]:
    """Say which of the impact rules decided: the worst, unless one had the last word."""
    if not told or incident.stakes is None:
        return []
    changed = [one for one in told if one.rule.startswith(_LAST_WORD)]
    rule = changed[-1].rule if changed else told[0].rule
    words = say("This one decides: impact {impact}.", impact=incident.stakes.impact)
    return [Reason(rule, words)]


def _promise(incident: Incident, stakes: Stakes, book: RuleBook, now: datetime) -> Iterator[Reason]:
    """Do the sum: deadline, less what a repair takes, is when somebody must begin."""
    if stakes.deadline is None:
        return
    effort = Effort(stakes.respond, stakes.fix, stakes.run)
    owner = book.catalogue.product(stakes.promised or stakes.product) if stakes.name else None
    place = f"catalogue.{owner.id if owner else stakes.product}.promises.fresh_by"
    if stakes.consumers is not None and stakes.promised:
        words = say("{name} is read at {at}.", name=stakes.promised, at=stakes.deadline)
        yield Reason("consumer_hours", words)
    elif stakes.consumers is not None:
        yield Reason("consumer_hours", say("Its readers read it at {at}.", at=stakes.deadline))
    elif stakes.promised:
        words = say("{name} is promised by {at}.", name=stakes.promised, at=stakes.deadline)
        yield Reason(place, words)
    else:
        yield Reason(place, say("Promised by {at}.", at=stakes.deadline))
    yield Reason(
        "repair_effort",
        say(
            "{at} − {respond} to respond − {fix} to fix − {run} to run = begin by {begin}.",
            at=stakes.deadline,
            respond=effort.respond,
            fix=effort.fix,
            run=effort.run,
            begin=stakes.deadline - effort.total,
        ),
    )
    left = slack(stakes.deadline, now, effort)
    limits = book.priority_rules.urgency
    if incident.is_open:
        template = "{left} to spare now. " if left.total_seconds() > 0 else "Too late by {late}. "
        values: dict[str, Value] = {
            "left": left,
            "late": -left,
            "critical": limits.critical,
            "high": limits.high,
            "medium": limits.medium,
        }
        template += "Critical at {critical} or less to spare, high at {high}, medium at {medium}."
        yield Reason("urgency", Sentence(template, values))


def _crossings(
    incident: Incident, stakes: Stakes, book: RuleBook, now: datetime
) -> Iterator[Reason]:
    """Say when time alone makes it more urgent."""
    if stakes.deadline is None or stakes.consumers is not None or not incident.is_open:
        return
    effort, limits = Effort(stakes.respond, stakes.fix, stakes.run), book.priority_rules.urgency
    at = now
    for _ in range(_MOST_CROSSINGS):
        crossing = next_change(stakes.deadline, effort, limits, at)
        if crossing is None:
            return
        level, _why = urgency(stakes.deadline, crossing, effort, limits)
        words = say("Becomes {level} at {at}.", level=level, at=crossing)
        yield Reason(f"urgency.{level}", words)
        at = crossing


def _next(incident: Incident, book: RuleBook, now: datetime) -> Iterator[Reason]:
    place = f"escalation_policies.{incident.policy.name}"
    put_off = incident.snoozed_until or (incident.muted.until if incident.muted else None)
    if incident.state is not State.TRIGGERED and not put_off:
        if incident.acked_by and incident.is_open:
            yield Reason(place, say("Nobody: {who} has it.", who=Who(incident.acked_by)))
        return
    if again := list(_fallback_again(incident, book, now)):
        yield from again
        return
    # what was put off begins anew, also where its policy had ended
    later = incident.but(exhausted=False) if put_off else incident
    for seen in islice(ahead(later, book, now), _MOST_LOOKS):
        if seen.pages:
            rule = next((one.rule for one in seen.reasons if one.rule.startswith(place)), place)
            for page in seen.pages:
                words = say("{who} at {at}.", who=Who(page.person), at=seen.at)
                yield Reason(rule, words)
            return
    if put_off:
        yield Reason(place, say("Nobody before {at}.", at=put_off))
    else:
        yield Reason(place, say("Nobody is paged by itself."))


def _fallback_again(incident: Incident, book: RuleBook, now: datetime) -> Iterator[Reason]:
    """Say who is paged again and again once the policy has ended; looking ahead ends there."""
    if not incident.exhausted or incident.step_due_at is None or incident.muted:
        return
    at = max(incident.step_due_at, now)
    for person in book.fallback_of(incident.rotation, again=True):
        yield Reason("fallback", say("{who} at {at}, as the fallback.", who=Who(person), at=at))
