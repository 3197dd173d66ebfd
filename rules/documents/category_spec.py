"""The section of a rulebook document on categories."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rules.category import Category
from rules.documents import written
from rules.documents.spec import ConditionsSpec, Spec, Text


class OutcomeSpec(Spec):
    """A category, or one word that names it."""

    category: Category = Field(description="What it is.")
    alternative: Category | None = Field(default=None, description="What else it may well be.")
    confidence: float = Field(
        default=0.9, ge=0, le=1, description='How sure, 0 to 1; people read "probably" below 0.7.'
    )


OneOutcome = Annotated[OutcomeSpec, BeforeValidator(written.outcome)]
TestPattern = Annotated[Text, AfterValidator(written.test_pattern)]


class CategoryRuleSpec(OutcomeSpec, ConditionsSpec):
    """A category for the alerts with certain labels."""

    name: Text = Field(description="What people read as the reason; unique in its list.")


class OwnCategoryRuleSpec(CategoryRuleSpec):
    @model_validator(mode="after")
    def _some(self) -> "OwnCategoryRuleSpec":
        if not self.conditions:
            raise ValueError("`match` is empty, so this rule would take every alert")
        return self


class CategoryTextSpec(OutcomeSpec):
    """A category for the alerts whose title or description has one of these phrases."""

    name: Text = Field(description="What people call it; unique.")
    phrases: tuple[Annotated[Text, AfterValidator(written.phrase)], ...] = Field(
        min_length=1, description="Whole words in a row; `*` stands for a short gap."
    )


class CategoriesSpec(Spec):
    """How an alert gets its category; the tables are asked in the order of these keys."""

    rules: tuple[OwnCategoryRuleSpec, ...] = Field(
        default=(), description="Your own rules, before everything else; first match wins."
    )
    labels: tuple[Text, ...] = Field(
        default=(), description="Labels whose value may be a category or one of `words`."
    )
    words: dict[Text, OneOutcome] = Field(
        default_factory=dict, description="Other words for the categories in those labels."
    )
    not_evaluated: tuple[CategoryRuleSpec, ...] = Field(
        default=(),
        description="Alerts that tell of a broken check, not of broken data. A text of `access` "
        "or `infrastructure_failure` still decides.",
    )
    test_labels: tuple[Text, ...] = Field(
        default=(), description="Labels that name the test, the most telling first."
    )
    tests: dict[TestPattern, OneOutcome] = Field(
        default_factory=dict,
        description="Test name to category; `*` stands for anything, the longest pattern wins.",
    )
    events: tuple[CategoryRuleSpec, ...] = Field(
        default=(), description="What the source says happened; first match wins."
    )
    texts: tuple[CategoryTextSpec, ...] = Field(
        default=(), description="What the title and the description say; first match wins."
    )
    fallback: tuple[CategoryRuleSpec, ...] = Field(
        default=(), description="What is left; first match wins."
    )
