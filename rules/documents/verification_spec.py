"""The section of a rulebook document that says how fixes are proved."""

from datetime import timedelta

from pydantic import Field

from rules.documents.spec import PositiveDuration, Spec
from rules.verifying.settings import VerifyingRules

_USUAL = VerifyingRules()


class VerificationSpec(Spec):
    """When silence is too long, and how often people are asked for a proof."""

    run_takes: PositiveDuration = Field(
        default=_USUAL.run_takes,
        le=timedelta(days=30),
        description="How long a run may take whose data product has no `run_takes`; a proof that is "
        "not there so long after the due time and its grace pages.",
    )
    ask_every: PositiveDuration = Field(
        default=_USUAL.ask_every,
        le=timedelta(days=30),
        description="How often people are asked where only they can bring the proof.",
    )
    most_asks: int = Field(
        default=_USUAL.most_asks, ge=1, le=20, description="How often they are asked at most."
    )
    off: bool = Field(default=False, description="No fix needs a proof: resolved is closed.")
