"""The overruling sections of rulebook documents, laid over each other, as indexed rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from rules.documents.overruling_spec import ImpactRuleSpec, NotActionableSpec
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.yaml_document import Document, Fault
from rules.matching.label_rules import LabelRule, LabelRules
from rules.priority import Impact
from rules.weighing.overruling import ImpactOverrules, NotActionable, Taught

S = TypeVar("S", ImpactRuleSpec, NotActionableSpec)


def impact_rules(specs: Sequence[RulebookSpec]) -> ImpactOverrules:
    """Build the rules; of one name the later document's counts, and later ones are asked first."""
    listed = _by_name(spec.impact_rules for spec in reversed(specs))
    return LabelRules([impact_rule_of(one) for one in listed])


def not_actionable_rules(specs: Sequence[RulebookSpec]) -> NotActionable:
    listed = _by_name(spec.not_actionable for spec in reversed(specs))
    return LabelRules([not_actionable_of(one) for one in listed])


def impact_rule_of(spec: ImpactRuleSpec, by: str = "") -> LabelRule[Taught[Impact]]:
    return LabelRule(spec.name, spec.conditions, Taught(spec.impact, by))


def not_actionable_of(spec: NotActionableSpec, by: str = "") -> LabelRule[Taught[datetime | None]]:
    return LabelRule(spec.name, spec.conditions, Taught(spec.until, by))


def overruling_faults(document: Document, spec: RulebookSpec) -> Iterable[Fault]:
    for section, names in (
        ("impact_rules", [one.name for one in spec.impact_rules]),
        ("not_actionable", [one.name for one in spec.not_actionable]),
    ):
        for at, name in enumerate(names):
            if name in names[:at]:
                words = f'there are two entries "{name}" in `{section}`; names are unique'
                yield document.fault((section, at, "name"), words)


def _by_name(sections: Iterable[Sequence[S]]) -> list[S]:
    found: dict[str, S] = {}
    for section in sections:
        for one in section:
            found.setdefault(one.name, one)
    return list(found.values())
