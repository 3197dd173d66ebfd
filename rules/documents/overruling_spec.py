"""The sections of a rulebook document that overrule what the tables say of certain alerts."""

from pydantic import Field, model_validator

from rules.documents.category_spec import OwnCategoryRuleSpec
from rules.documents.spec import ConditionsSpec, Instant, Spec, Text
from rules.priority import Impact


class _OverrulingSpec(ConditionsSpec):
    name: Text = Field(description="What people read as the reason; unique in its list.")

    @model_validator(mode="after")
    def _some(self) -> "_OverrulingSpec":
        if not self.conditions:
            raise ValueError("`match` is empty, so this rule would take every alert")
        return self


class ImpactRuleSpec(_OverrulingSpec):
    """Alerts with certain labels have this impact, whatever else is known of them."""

    impact: Impact = Field(description="How much they hurt.")


class NotActionableSpec(_OverrulingSpec):
    """Alerts with certain labels are shown and never page."""

    until: Instant | None = Field(
        default=None,
        description="Instant at which the rule ends, like `2026-12-01 08:00 Europe/Berlin`.",
    )


class LearnedCategoriesSpec(Spec):
    rules: tuple[OwnCategoryRuleSpec, ...] = Field(default=(), description="As in a rulebook.")


class LearnedSpec(Spec):
    """What a rule that a person taught may say: a rulebook document of these sections only."""

    categories: LearnedCategoriesSpec = Field(
        default=LearnedCategoriesSpec(), description="As in a rulebook."
    )
    impact_rules: tuple[ImpactRuleSpec, ...] = Field(default=(), description="As in a rulebook.")
    not_actionable: tuple[NotActionableSpec, ...] = Field(
        default=(), description="As in a rulebook."
    )

    @model_validator(mode="after")
    def _something(self) -> "LearnedSpec":
        if not (self.categories.rules or self.impact_rules or self.not_actionable):
            raise ValueError("this rule says nothing")
        return self
