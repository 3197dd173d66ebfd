"""Which expressions could not be evaluated on an alert, and so did not hold."""

from datetime import datetime

from rules.alert import Alert
from rules.classify import categorised, facts_of
from rules.decision import Reason
from rules.matching.label_index import indexed
from rules.matching.matcher import matchable
from rules.rulebook import RuleBook
from rules.sentence import say


def unevaluated(alert: Alert, book: RuleBook, now: datetime) -> tuple[Reason, ...]:
    """Return a reason for each expression that an alert was tried on in vain."""
    bare, tables = matchable(alert), book.categories
    for rules in (tables.rules, tables.not_evaluated.rules, tables.events, tables.fallback):
        list(rules.fitting(bare))
    known = facts_of(categorised(alert, book), book, now)
    for things in (book.routes, book.windows):
        list(indexed(things).fitting(known))
    for overruling in (book.impact_rules, book.not_actionable):
        list(overruling.fitting(known))
    failed = {**bare.failed, **known.failed}
    return tuple(
        Reason("when", say("{when} does not hold: {why}.", when=source, why=why))
        for source, why in failed.items()
    )
