"""Rules that overrule the tables for certain alerts: a fixed impact, or that nobody is paged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from rules.alert import Alert
from rules.decision import Reason
from rules.matching.label_rules import LabelRule, LabelRules
from rules.priority import Impact
from rules.sentence import Who, say

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Taught(Generic[T]):
    """What a rule says; `by` is who taught it by a correction, "" for a rule of the files."""

    value: T
    by: str = ""


ImpactOverrules = LabelRules[Taught[Impact]]
NotActionable = LabelRules[Taught["datetime | None"]]
"""The value is when the rule ends, None when it does not."""


def impact_rule(rules: ImpactOverrules, labels: Mapping[str, str]) -> tuple[Impact, Reason] | None:
    """Return the impact that the first fitting rule gives an alert, None without such a rule."""
    found = rules.first(labels)
    if found is None:
        return None
    impact = found.outcome.value
    if found.outcome.by:
        words = say(
            "Impact {impact}: learned rule {name}, by {who}.",
            impact=impact, name=found.name, who=Who(found.outcome.by),
        )  # fmt: skip
    else:
        words = say("Impact {impact}: rule {name}.", impact=impact, name=found.name)
    return impact, Reason(f"impact_rules.{found.name}", words)


def not_actionable(
    rules: NotActionable, alert: Alert, labels: Mapping[str, str], now: datetime
) -> tuple[str, Reason] | None:
    """Return the rule's name and the reason when an alert must page nobody, else None.

    What a person opened by hand always is for somebody.
    """
    if alert.source == "@person" or alert.unreadable:
        return None
    found = next((rule for rule in rules.fitting(labels) if _in_force(rule, now)), None)
    if found is None:
        return None
    if found.outcome.by:
        words = say(
            "Not actionable, so it pages nobody: learned rule {name}, by {who}.",
            name=found.name, who=Who(found.outcome.by),
        )  # fmt: skip
    else:
        words = say("Not actionable, so it pages nobody: rule {name}.", name=found.name)
    return found.name, Reason(f"not_actionable.{found.name}", words)


def _in_force(rule: LabelRule[Taught[datetime | None]], now: datetime) -> bool:
    until = rule.outcome.value
    return until is None or now < until
