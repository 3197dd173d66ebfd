"""Rules that people taught by correcting incidents, on top of those of the files."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from rules.category import Outcome
from rules.documents.overruling_parts import impact_rule_of, not_actionable_of
from rules.documents.overruling_spec import LearnedSpec
from rules.documents.strict_yaml import read
from rules.matching.label_rules import LabelRule, LabelRules
from rules.priority import Impact
from rules.rulebook import RuleBook
from rules.weighing.overruling import Taught

MOST_RULES = 1_000
"""So many may be in force; beyond that they belong into the rulebook's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRule:
    """One rule as it was saved: `yaml` is a rulebook document, `number` the incident's."""

    id: str
    yaml: str
    by: str
    at: datetime
    number: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one document says, ready to be asked."""

    categories: tuple[LabelRule[Taught[Outcome]], ...] = ()
    impacts: tuple[LabelRule[Taught[Impact]], ...] = ()
    not_actionable: tuple[LabelRule[Taught[datetime | None]], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        names = [rule.name for rule in self.categories]
        names += [rule.name for rule in self.impacts]
        names += [rule.name for rule in self.not_actionable]
        return tuple(dict.fromkeys(names))


def read_lesson(rule: LearnedRule) -> Lesson:
    """Read a stored rule; raises ValueError, in words, when it is broken."""
    spec, faults = read(rule.yaml, LearnedSpec, f"rule {rule.id}")
    if spec is None:
        raise ValueError("; ".join(str(fault) for fault in faults) or "it cannot be read")
    return Lesson(
        categories=tuple(
            LabelRule(
                one.name,
                one.conditions,
                Taught(Outcome(one.category, one.alternative, one.confidence), rule.by),
            )
            for one in spec.categories.rules
        ),
        impacts=tuple(impact_rule_of(one, rule.by) for one in spec.impact_rules),
        not_actionable=tuple(not_actionable_of(one, rule.by) for one in spec.not_actionable),
    )


def names_of(rules: Iterable[LearnedRule]) -> dict[str, tuple[str, ...]]:
    """Return the names in each rule by its id; a rule that is broken is left out."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        try:
            found[rule.id] = read_lesson(rule).names
        except ValueError:
            continue
    return found


def with_lessons(book: RuleBook, lessons: Iterable[Lesson]) -> RuleBook:
    """Return the rulebook with the lessons asked before its own rules, in the order given."""
    listed = list(lessons)
    if not listed:
        return book
    taught = LabelRules([rule for one in listed for rule in one.categories])
    impacts = [rule for one in listed for rule in one.impacts]
    quiet = [rule for one in listed for rule in one.not_actionable]
    return replace(
        book,
        categories=replace(book.categories, learned=taught),
        impact_rules=LabelRules([*impacts, *book.impact_rules]) if impacts else book.impact_rules,
        not_actionable=LabelRules([*quiet, *book.not_actionable]) if quiet else book.not_actionable,
    )


def with_learned(book: RuleBook, rules: Iterable[LearnedRule]) -> RuleBook:
    """Return the rulebook with the rules that can be read, in the order given."""
    lessons: list[Lesson] = []
    for rule in rules:
        try:
            lessons.append(read_lesson(rule))
        except ValueError:
            continue
    return with_lessons(book, lessons)
