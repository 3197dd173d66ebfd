"""What an alert is and how urgent, with the reasons, by the tables of the rulebook."""

from dataclasses import dataclass, replace
from datetime import datetime

from rules.alert import Alert
from rules.categorise import categorise
from rules.category import Classified
from rules.decision import Reason
from rules.incident import Stakes
from rules.priority import Priority
from rules.rulebook import DEFAULT_PRIORITIES, RuleBook
from rules.sentence import say
from rules.stakes import weigh


def priority_of(alert: Alert, book: RuleBook) -> tuple[Priority, Reason]:
    """Return the alert's priority and the row of the table that gave it."""
    default = DEFAULT_PRIORITIES[alert.severity]
    priority = book.priorities.get(alert.severity, default)
    sentence = say("{priority}: severity {severity}.", priority=priority, severity=alert.severity)
    return priority, Reason(f"priorities.{alert.severity}", sentence)


@dataclass(frozen=True, slots=True)
class Assessed:
    """How urgent an alert is and why; `stakes` is None where the catalogue knows nothing of it."""

    priority: Priority
    reasons: tuple[Reason, ...]
    stakes: Stakes | None = None


def assess(alert: Alert, book: RuleBook, now: datetime, rotation: str = "") -> Assessed:
    """Weigh an alert by what it puts at stake, else by its source's severity."""
    weighed = weigh(alert, book, now, rotation)
    if weighed is not None:
        return Assessed(weighed.priority, weighed.reasons, weighed.stakes)
    priority, reason = priority_of(alert, book)
    return Assessed(priority, (reason,))


def categorised(alert: Alert, book: RuleBook) -> Alert:
    """Return the alert with its category, which routes and silences then see as a label."""
    if alert.classified:
        return alert
    return replace(alert, classified=categorise(alert, book.categories))


def category_reason(found: Classified) -> Reason:
    return Reason(found.rule, found.why)
