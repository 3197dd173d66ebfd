"""How urgent an alert is, with the reason; the source's severity by the rulebook's table."""

from rules.alert import Alert
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
