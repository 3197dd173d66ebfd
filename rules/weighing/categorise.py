"""Which category an alert has: by label, test name, event, text, or what is left."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from rules.alert import Alert
from rules.category import SURE, Category, Classified, Outcome
from rules.matching.glob_index import LONGEST_NAME, GlobIndex
from rules.matching.label_rules import LabelRule, LabelRules
from rules.matching.matcher import matchable
from rules.matching.phrases import PhraseIndex
from rules.sentence import Sentence, Value, Who
from rules.weighing.overruling import Taught

TWO_CAUSES = 0.6
"""How sure a text can make us that speaks of two categories."""

_LAST = Outcome(Category.PIPELINE_FAILURE, confidence=0.3)
_UNREADABLE = Outcome(Category.INFRASTRUCTURE_FAILURE, Category.PIPELINE_FAILURE, 0.3)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LEADING = re.compile(r"[\w.]+(?=[\s(])")


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """Alerts that tell of a broken check, not of the data.

    A text of one of `kept` still decides; anything else is the outcome.
    """

    rules: LabelRules[Outcome] = field(default_factory=LabelRules)
    kept: frozenset[Category] = frozenset({Category.ACCESS, Category.INFRASTRUCTURE_FAILURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRules:
    """The tables in the order they are asked; `labels` and `test_labels` name labels to read.

    `learned` is asked first, but not of an alert whose source names the category.
    """

    rules: LabelRules[Outcome] = field(default_factory=LabelRules)
    learned: LabelRules[Taught[Outcome]] = field(default_factory=LabelRules)
    labels: tuple[str, ...] = ("category",)
    words: Mapping[str, Outcome] = field(default_factory=dict)
    not_evaluated: NotEvaluated = field(default_factory=NotEvaluated)
    test_labels: tuple[str, ...] = ("test",)
    tests: GlobIndex[Outcome] = field(default_factory=GlobIndex)
    events: LabelRules[Outcome] = field(default_factory=LabelRules)
    texts: PhraseIndex[tuple[str, Outcome]] = field(default_factory=PhraseIndex)
    fallback: LabelRules[Outcome] = field(default_factory=LabelRules)


def categorise(alert: Alert, rules: CategoryRules) -> Classified:
    """Return the alert's category by the first table that knows it; never raises.

    An alert that carries its category keeps it.
    """
    if alert.classified:
        return alert.classified
    if alert.unreadable:
        return _classified(_UNREADABLE, "unreadable", "we could not read the alert")
    case = _Case(alert, rules)
    return (
        case.by_lesson()
        or case.by_own_rule()
        or case.by_label()
        or case.by_broken_check()
        or case.by_test()
        or case.by_event()
        or case.by_text()
        or case.by_what_is_left()
    )


class _Case:
    """One alert on its way through the tables; its text is read once, if at all."""

    def __init__(self, alert: Alert, rules: CategoryRules) -> None:
        self._alert = alert
        self._rules = rules
        self._labels = matchable(alert)

    def by_lesson(self) -> Classified | None:
        rule = self._rules.learned.first(self._labels)
        if rule is None or self.by_label() is not None:
            return None
        taught = rule.outcome
        return _classified(
            taught.value, f"learned.{rule.name}", "learned rule {name}, by {who}",
            name=rule.name, who=Who(taught.by),
        )  # fmt: skip

    def by_own_rule(self) -> Classified | None:
        rule = self._rules.rules.first(self._labels)
        return _by_rule(rule, "rules", "rule {name}") if rule else None

    def by_label(self) -> Classified | None:
        for label in self._rules.labels:
            said = self._labels.get(label, "")
            if outcome := _named(said, self._rules.words) if said else None:
                return _classified(outcome, f"labels.{label}", "label {label}={value}",
                                   label=label, value=said)  # fmt: skip
        return None

    def by_broken_check(self) -> Classified | None:
        rule = self._rules.not_evaluated.rules.first(self._labels)
        if rule is None:
            return None
        told = self._told
        if told and told.category in self._rules.not_evaluated.kept:
            return told
        return _by_rule(
            LabelRule(rule.name, rule.matchers, self._with_second(rule.outcome)),
            "not_evaluated", "the check could not be evaluated",
        )  # fmt: skip

    def by_test(self) -> Classified | None:
        for name in self._tests():
            if found := _test(name, self._labels.get("test_namespace", ""), self._rules.tests):
                pattern, outcome = found
                return _classified(outcome, f"tests.{pattern}", "test {name}", name=name)
        return None

    def by_event(self) -> Classified | None:
        rule = self._rules.events.first(self._labels)
        return _by_rule(rule, "events", "{name}") if rule else None

    def by_text(self) -> Classified | None:
        return self._told

    def by_what_is_left(self) -> Classified:
        rule = self._rules.fallback.first(self._labels)
        if rule is None:
            return _classified(_LAST, "fallback", "nothing tells more")
        return _by_rule(rule, "fallback", "it comes from a {name} and nothing tells more")

    def _tests(self) -> Iterator[str]:
        for label in self._rules.test_labels:
            if name := self._labels.get(label):
                yield name[:LONGEST_NAME]

    def _with_second(self, outcome: Outcome) -> Outcome:
        told = self._told
        if outcome.alternative or told is None or told.category is outcome.category:
            return outcome
        return replace(
            outcome,
            alternative=told.category,
            confidence=min(outcome.confidence, TWO_CAUSES),
        )

    @cached_property
    def _told(self) -> Classified | None:
        """Return what the title and the description say."""
        hits = self._rules.texts.hits(f"{self._alert.title}\n{self._alert.description}")
        if not hits:
            return None
        phrase, (name, outcome) = hits[0]
        others = (other.category for _, (_, other) in hits if other.category != outcome.category)
        if outcome.alternative is None and (second := next(others, None)):
            confidence = min(outcome.confidence, TWO_CAUSES)
            outcome = Outcome(outcome.category, second, confidence)
        return _classified(outcome, f"texts.{name}", 'the text says "{phrase}"', phrase=phrase)


def _named(said: str, words: Mapping[str, Outcome]) -> Outcome | None:
    """Read a category or a synonym as people write it: "Pipeline failure", "uniqueness"."""
    word = re.sub(r"[\W_]+", "_", said[:LONGEST_NAME].strip().casefold()).strip("_")
    if found := words.get(word):
        return found
    return Outcome(Category(word), confidence=1.0) if word in _WORDS else None


_WORDS = frozenset(one.value for one in Category)


def _test(name: str, namespace: str, tests: GlobIndex[Outcome]) -> tuple[str, Outcome] | None:
    """Look a test up as it is called, then as other tools write it: Expect..., metric(column)."""
    bare = name.rsplit(".", 1)[-1]
    spellings = [f"{namespace}.{name}", name, bare] if namespace else [name, bare]
    if bare.startswith("Expect") and "_" not in bare:
        spellings.append(_HUMP.sub("_", bare))
    spellings = list(dict.fromkeys(spellings))
    ways = (tests.exact, tests.glob)
    found = next((hit for way in ways for one in spellings if (hit := way(one))), None)
    if found is None and (leading := _LEADING.match(name)):
        return tests.exact(leading[0]) or tests.glob(leading[0])
    return found


def _by_rule(rule: LabelRule[Outcome], table: str, words: str) -> Classified:
    shown = rule.name.replace("_", " ")
    return _classified(rule.outcome, f"{table}.{rule.name}", words, name=shown)


def _classified(outcome: Outcome, rule: str, words: str, /, **values: Value) -> Classified:
    either = f", or {outcome.alternative.words}" if outcome.alternative else ""
    guess = "Probably {category}" if outcome.confidence < SURE else "{category}"
    shown = outcome.category.words
    category = shown if outcome.confidence < SURE else shown.capitalize()
    why = Sentence(f"{guess}{either}: {words}.", {"category": category, **values})
    return Classified(
        outcome.category, outcome.alternative, outcome.confidence, f"categories.{rule}", why
    )


def said_by_source(alert: Alert, rules: CategoryRules) -> str:
    """Return the label by which an alert names its category itself, "" when it does not."""
    labels = matchable(alert)
    return next((name for name in rules.labels if _named(labels.get(name, ""), rules.words)), "")
