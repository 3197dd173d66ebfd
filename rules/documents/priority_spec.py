"""The sections of a rulebook document on impact, urgency, priority and holding pages."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from rules.documents.spec import Duration, PositiveDuration, Spec, Text, WorkingHoursSpec
from rules.priority import Impact, Priority, Urgency
from rules.weighing.history import LearningRules
from rules.weighing.holding import Hold
from rules.weighing.impact import ImpactRules

Tier = Annotated[int, Field(ge=1, le=9)]
Word = Annotated[Text, AfterValidator(str.lower)]
MatrixSpec = dict[Impact, dict[Urgency, Priority]]
_CODE = ImpactRules()
_LEARNING = LearningRules()


class DownstreamSpec(Spec):
    products: int = Field(default=0, ge=0, description="At least so many products downstream.")
    tier_1: int = Field(default=0, ge=0, description="At least so many of them of tier 1.")
    impact: Impact = Field(description="Then it is at least this.")

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if not (self.products or self.tier_1):
            raise ValueError("give it `products` or `tier_1`, or it holds for everything")
        return self


class ImpactSpec(Spec):
    """The worst of what applies counts."""

    tiers: dict[Tier, Impact] = Field(
        default_factory=dict, description="Tier of the data product to impact."
    )
    no_tier: Impact = Field(default=_CODE.no_tier, description="Where nobody said the tier.")
    drivers: dict[Word, Impact] = Field(
        default_factory=dict, description="Driver of the product, like `regulatory`, to impact."
    )
    exposures: Impact = Field(
        default=_CODE.exposures,
        description="A dashboard of high maturity, or one shown outside the company, depends on it.",
    )
    downstream: tuple[DownstreamSpec, ...] = Field(
        default=(), description="How much depends on it; each entry holds by itself."
    )
    environments: dict[Word, Impact] = Field(
        default_factory=dict, description="Environment to the most it can be there."
    )
    wrong_data: int = Field(
        default=_CODE.wrong_data,
        ge=0,
        le=3,
        description="By how many levels data that is wrong, not late, raises it.",
    )


class UrgencySpec(Spec):
    """By how long a repair may wait before it comes too late for the deadline."""

    critical: Duration = Field(default=timedelta(0), description="At most so long is critical.")
    high: Duration = Field(default=timedelta(hours=1), description="At most so long is high.")
    medium: Duration = Field(
        default=timedelta(hours=4), description="At most so long is medium; longer is low."
    )


class EffortSpec(Spec):
    """What a repair is taken to need where nothing better is known."""

    respond: Duration = Field(default=timedelta(minutes=10), description="Until somebody is on it.")
    fix: Duration = Field(default=timedelta(minutes=30), description="To find and fix the fault.")
    run: Duration = Field(
        default=timedelta(0), description="For the runs up to the product to finish."
    )


class LearningSpec(Spec):
    """When what repairs and runs took here replaces `repair_effort`."""

    over: PositiveDuration = Field(
        default=_LEARNING.over, description="How far back repairs and runs count."
    )
    at_least: int = Field(
        default=_LEARNING.at_least,
        ge=1,
        le=10_000,
        description="Nothing is learnt from fewer of them.",
    )
    at_most: PositiveDuration = Field(
        default=_LEARNING.at_most, description="No part of a repair is taken to need longer."
    )


class HoldingSpec(Spec):
    """Outside working hours a page may wait."""

    outside_hours: dict[Priority, Hold] = Field(
        default_factory=dict,
        description="What each priority waits for: nothing, the last moment that still keeps "
        "the promise, working hours, or for ever.",
    )
    working_hours: WorkingHoursSpec | None = Field(
        default=None, description="In these hours pages leave at once."
    )
    margin: Duration = Field(
        default=timedelta(minutes=30), description="Room left before the deadline."
    )


class SloSpec(Spec):
    """When a promise that falls due once a day was broken too often; any miss is an incident."""

    misses: int = Field(default=2, ge=1, le=1000, description="Too often: so many misses.")
    of_last: int = Field(default=5, ge=1, le=1000, description="Counted over so many due days.")
    budget_left_below: float = Field(
        default=34,
        ge=0,
        le=100,
        description="Too often: a miss with less than so many percent of the budget left.",
    )
