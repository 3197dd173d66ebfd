"""What an alert is and how urgent, with the reasons, by the tables of the rulebook."""

from dataclasses import replace

from rules.alert import Alert
from rules.categorise import categorise
from rules.category import Classified
from rules.decision import Reason
from rules.incident import Priority
from rules.rulebook import DEFAULT_PRIORITIES, RuleBook
from rules.sentence import say


def priority_of(alert: Alert, book: RuleBook) -> tuple[Priority, Reason]:
    """Return the alert's priority and the row of the table that gave it."""
    default = DEFAULT_PRIORITIES[alert.severity]
    priority = book.priorities.get(alert.severity, default)
    sentence = say("{priority}: severity {severity}.", priority=priority, severity=alert.severity)
    return priority, Reason(f"priorities.{alert.severity}", sentence)


def categorised(alert: Alert, book: RuleBook) -> Alert:
    """Return the alert with its category, which routes and silences then see as a label."""
    if alert.classified:
        return alert
    return replace(alert, classified=categorise(alert, book.categories))


def category_reason(found: Classified) -> Reason:
    return Reason(found.rule, found.why)
