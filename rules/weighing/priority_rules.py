"""The tables by which incidents are weighed and pages held, as one part of the rulebook."""

from dataclasses import dataclass, field

from rules.budget import FewEventRules
from rules.sla import Effort, UrgencyThresholds
from rules.weighing.history import LearningRules
from rules.weighing.holding import Holding
from rules.weighing.impact import ImpactRules
from rules.weighing.priority_matrix import DEFAULT_MATRIX, Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityRules:
    """`effort` is what a repair is taken to need until `learning` knows better."""

    matrix: Matrix
    impact: ImpactRules
    urgency: UrgencyThresholds
    effort: Effort
    holding: Holding
    slo: FewEventRules
    learning: LearningRules = field(default_factory=LearningRules)


DEFAULT_PRIORITY_RULES = PriorityRules(
    matrix=DEFAULT_MATRIX,
    impact=ImpactRules(),
    urgency=UrgencyThresholds(),
    effort=Effort(),
    holding=Holding(),
    slo=FewEventRules(),
)
