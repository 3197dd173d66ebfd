"""The categories of rulebook documents, laid over each other, as the tables that are asked."""

from collections.abc import Callable, Iterable, Sequence

from rules.category import Outcome
from rules.documents.category_spec import (
    CategoriesSpec,
    CategoryRuleSpec,
    CategoryTextSpec,
    OutcomeSpec,
)
from rules.matching.glob_index import GlobIndex
from rules.matching.label_rules import LabelRule, LabelRules
from rules.matching.phrases import PhraseIndex
from rules.weighing.categorise import CategoryRules, NotEvaluated


def category_rules(specs: Sequence[CategoriesSpec]) -> CategoryRules:
    """Build the tables; of one name the later document's entry counts, and is asked first."""
    bare = CategoryRules()
    return CategoryRules(
        rules=_label_rules(specs, lambda spec: spec.rules),
        labels=_last((spec.labels for spec in specs), bare.labels),
        words={
            word.casefold(): _outcome(one) for spec in specs for word, one in spec.words.items()
        },
        not_evaluated=NotEvaluated(_label_rules(specs, lambda spec: spec.not_evaluated)),
        test_labels=_last((spec.test_labels for spec in specs), bare.test_labels),
        tests=GlobIndex(
            (pattern, _outcome(one)) for spec in specs for pattern, one in spec.tests.items()
        ),
        events=_label_rules(specs, lambda spec: spec.events),
        texts=_texts(specs),
        fallback=_label_rules(specs, lambda spec: spec.fallback),
    )


def _label_rules(
    specs: Sequence[CategoriesSpec],
    of: Callable[[CategoriesSpec], Sequence[CategoryRuleSpec]],
) -> LabelRules[Outcome]:
    by_name: dict[str, CategoryRuleSpec] = {}
    for spec in reversed(specs):
        for rule in of(spec):
            by_name.setdefault(rule.name, rule)
    return LabelRules(
        [LabelRule(one.name, one.conditions, _outcome(one)) for one in by_name.values()]
    )


def _texts(specs: Sequence[CategoriesSpec]) -> PhraseIndex[tuple[str, Outcome]]:
    by_name: dict[str, CategoryTextSpec] = {}
    for spec in reversed(specs):
        for text in spec.texts:
            by_name.setdefault(text.name, text)
    return PhraseIndex((one.phrases, (one.name, _outcome(one))) for one in by_name.values())


def _outcome(spec: OutcomeSpec) -> Outcome:
    return Outcome(spec.category, spec.alternative, spec.confidence)


def _last(values: Iterable[tuple[str, ...]], default: tuple[str, ...]) -> tuple[str, ...]:
    return next((one for one in reversed(list(values)) if one), default)
