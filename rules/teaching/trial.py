"""A rule tried on the past: which alerts it would have changed, and what to think twice about."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rules.alert import Alert
from rules.category import Classified
from rules.classify import assess
from rules.corrected import Correction
from rules.matching.label_rules import LabelRule, LabelRules
from rules.matching.matcher import Matcher, all_hold, matchable
from rules.priority import Impact, Priority
from rules.rulebook import RuleBook
from rules.sentence import say
from rules.teaching.correction import Remedy
from rules.weighing.categorise import said_by_source
from rules.weighing.overruling import Taught

MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAlert:
    """One alert of the past: `alert` with the category it was given, and when it last came."""

    alert: Alert
    incident_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIncident:
    """What became of an incident: did it page, and what did a person put right."""

    number: int
    priority: Priority
    paged: bool
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class Example:
    number: int
    at: datetime
    title: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a rule would have done. `cut`: older alerts than those looked at were left out.

    `changes` counts by what was and what would have been; `against` are incidents that somebody
    corrected otherwise, `stopped` those whose pages would not have been sent, `stopped_p1` of
    these the most urgent; `named` counts alerts whose source names another category itself.
    """

    looked_at: int
    taken: int
    changed: int
    changes: tuple[tuple[str, int], ...] = ()
    examples: tuple[Example, ...] = ()
    against: tuple[int, ...] = ()
    stopped: tuple[int, ...] = ()
    stopped_p1: tuple[int, ...] = ()
    named: int = 0
    cut: bool = False


def fitting(past: Iterable[PastAlert], matchers: Sequence[Matcher]) -> list[PastAlert]:
    """Return the alerts that a rule with these matchers takes."""
    return [one for one in past if all_hold(matchers, matchable(_bare(one.alert)))]


def try_rule(
    taken: Sequence[PastAlert],
    incidents: Mapping[str, PastIncident],
    remedy: Remedy,
    book: RuleBook,
    *,
    looked_at: int,
    cut: bool = False,
) -> Trial:
    """Try a remedy on the alerts that the rule takes, newest first; the book is today's."""
    changes: Counter[str] = Counter()
    examples: list[Example] = []
    against: dict[int, None] = {}
    stopped: dict[int, Priority] = {}
    named = changed = 0
    for one in taken:
        incident = incidents.get(one.incident_id)
        number = incident.number if incident else 0
        source_says = bool(remedy.category and said_by_source(_bare(one.alert), book.categories))
        named += source_says
        told = _changes(one, remedy, book, source_says=source_says)
        if not told:
            continue
        changed += 1
        changes.update(f"{was} → {becomes}" for was, becomes in told)
        if len(examples) < MOST_EXAMPLES:
            was, becomes = told[0]
            examples.append(Example(number, one.at, one.alert.title, was, becomes))
        if incident and _otherwise(incident.correction, remedy):
            against[number] = None
        if incident and incident.paged and _quiets(one, remedy, book):
            stopped[number] = incident.priority
    return Trial(
        looked_at=looked_at,
        taken=len(taken),
        changed=changed,
        changes=tuple(changes.most_common()),
        examples=tuple(examples),
        against=tuple(against),
        stopped=tuple(stopped),
        stopped_p1=tuple(n for n, priority in stopped.items() if priority is Priority.P1),
        named=named,
        cut=cut,
    )


def _changes(
    one: PastAlert, remedy: Remedy, book: RuleBook, *, source_says: bool
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    was = one.alert.category
    if remedy.category and not source_says and was is not remedy.category:
        found.append((was.words if was else "no category", remedy.category.words))
    if remedy.impact:
        found += _weights(one, _with_impact(book, remedy.impact), remedy.impact, book)
    if remedy.actionable is False and not assess(one.alert, book, one.at).quiet_rule:
        found.append(("actionable", "not actionable"))
    return found


def _weights(
    one: PastAlert, ruled: RuleBook, impact: Impact, book: RuleBook
) -> list[tuple[str, str]]:
    before = assess(one.alert, book, one.at)
    if before.stakes is None:
        after = assess(one.alert, ruled, one.at)
        same = after.priority is before.priority
        return [] if same else [(str(before.priority), str(after.priority))]
    if before.stakes.impact is impact:
        return []
    return [(f"{before.stakes.impact} impact", f"{impact} impact")]


def _quiets(one: PastAlert, remedy: Remedy, book: RuleBook) -> bool:
    """Tell whether the alert pages by today's rules, and would not with the remedy."""
    if not _pages(one.alert, book, one.at):
        return False
    if remedy.actionable is False:
        return True
    alert, ruled = one.alert, book
    if remedy.category:
        classified = Classified(remedy.category, None, 1.0, "trial", say("On trial."))
        alert = replace(alert, classified=classified)
    if remedy.impact:
        ruled = _with_impact(book, remedy.impact)
    return not _pages(alert, ruled, one.at)


def _pages(alert: Alert, book: RuleBook, at: datetime) -> bool:
    found = assess(alert, book, at)
    return found.priority in book.pages and not found.quiet_rule


def _with_impact(book: RuleBook, impact: Impact) -> RuleBook:
    return replace(book, impact_rules=LabelRules([LabelRule("trial", (), Taught(impact))]))


def _otherwise(told: Correction | None, remedy: Remedy) -> bool:
    if told is None:
        return False
    return (
        (remedy.category is not None and told.category not in {None, remedy.category})
        or (remedy.impact is not None and told.impact not in {None, remedy.impact})
        or (remedy.actionable is False and told.actionable is True)
    )


def _bare(alert: Alert) -> Alert:
    """Return the alert as its source sent it: rules of categories do not see categories."""
    return replace(alert, classified=None) if alert.classified else alert
