"""What an alert is and how urgent, with the reasons, by the tables of the rulebook."""

from dataclasses import dataclass, replace
from datetime import datetime

from rules.alert import Alert, Severity
from rules.category import Classified
from rules.decision import Reason
from rules.facts import Facts
from rules.incident import Stakes
from rules.matching.known import Described, described, weighed
from rules.priority import Impact, Priority
from rules.rulebook import DEFAULT_PRIORITIES, RuleBook
from rules.sentence import plain, say
from rules.stakes import SEVERITY_URGENCY, reweigh, weigh
from rules.weighing.categorise import categorise
from rules.weighing.overruling import impact_rule, not_actionable
from rules.weighing.priority_matrix import priority, priority_reason


def priority_of(alert: Alert, book: RuleBook) -> tuple[Priority, Reason]:
    """Return the alert's priority and the row of the table that gave it."""
    default = DEFAULT_PRIORITIES[alert.severity]
    chosen = book.priorities.get(alert.severity, default)
    sentence = say("{priority}: severity {severity}.", priority=chosen, severity=alert.severity)
    return chosen, Reason(f"priorities.{alert.severity}", sentence)


@dataclass(frozen=True, slots=True)
class Assessed:
    """How urgent an alert is and why.

    `stakes` is None where the catalogue knows nothing of it; `quiet_rule` names the rule that
    lets it page nobody.
    """

    priority: Priority
    reasons: tuple[Reason, ...]
    stakes: Stakes | None = None
    quiet_rule: str = ""


def assess(alert: Alert, book: RuleBook, now: datetime, rotation: str = "") -> Assessed:
    """Weigh an alert by what it puts at stake, else by its source's severity.

    Rules on certain alerts have the last word on the impact, and on whether it pages.
    """
    return _assessed(alert, described(alert, book.catalogue), book, now, rotation)


def _assessed(
    alert: Alert, seen: Described, book: RuleBook, now: datetime, rotation: str = ""
) -> Assessed:
    found = _weighed(alert, seen, book, now, rotation)
    if not (book.impact_rules or book.not_actionable):
        return found
    labels = seen.facts
    if told := impact_rule(book.impact_rules, labels):
        found = _with_impact(found, told, alert.severity, book, now)
    if quiet := not_actionable(book.not_actionable, alert, labels, now):
        name, why = quiet
        found = replace(found, quiet_rule=name, reasons=(*found.reasons, why))
    return found


def priority_at(impact: Impact, severity: Severity, book: RuleBook) -> tuple[Priority, Reason]:
    """Return the priority of an impact where only the severity tells how urgent it is."""
    urgency, matrix = SEVERITY_URGENCY[severity], book.priority_rules.matrix
    return priority(impact, urgency, matrix), priority_reason(impact, urgency, matrix)


def _weighed(
    alert: Alert, seen: Described, book: RuleBook, now: datetime, rotation: str
) -> Assessed:
    at_stake = weigh(alert, seen, book, now, rotation)
    if at_stake is not None:
        return Assessed(at_stake.priority, at_stake.reasons, at_stake.stakes)
    chosen, reason = priority_of(alert, book)
    return Assessed(chosen, (reason,))


def _with_impact(
    found: Assessed, told: tuple[Impact, Reason], severity: Severity, book: RuleBook, now: datetime
) -> Assessed:
    impact, why = told
    if found.stakes is None:
        chosen, cell = priority_at(impact, severity, book)
        return Assessed(chosen, (why, cell))
    stakes = replace(found.stakes, impact=impact, impact_why=why.sentence.render(plain))
    again = reweigh(stakes, book, now, severity)
    about = found.reasons[:1]  # how the impact was found before no longer counts
    return Assessed(again.priority, (*about, why, *again.reasons), again.stakes)


def facts_of(alert: Alert, book: RuleBook, now: datetime) -> Facts:
    """Return all that routes, silences and windows see of a categorised alert."""
    return facts_in(described(alert, book.catalogue), alert, book, now)


def facts_in(seen: Described, alert: Alert, book: RuleBook, now: datetime) -> Facts:
    """Return the same of an alert that has been looked up already."""
    found = _assessed(alert, seen, book, now)
    return weighed(seen.facts, found.priority, found.stakes)


def categorised(alert: Alert, book: RuleBook) -> Alert:
    """Return the alert with its category, which routes and silences then see as a label."""
    if alert.classified:
        return alert
    return replace(alert, classified=categorise(alert, book.categories))


def category_reason(found: Classified) -> Reason:
    return Reason(found.rule, found.why)
