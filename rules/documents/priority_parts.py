"""The sections on priority, laid over each other, as the tables they make."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rules.budget import FewEventRules
from rules.documents.priority_spec import HoldingSpec, ImpactSpec
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.spec import Spec, hours_of
from rules.sla import UrgencyThresholds
from rules.weighing.holding import Holding
from rules.weighing.impact import DownstreamRule, ImpactRules
from rules.weighing.priority_matrix import Matrix, overlaid
from rules.weighing.priority_rules import DEFAULT_PRIORITY_RULES, PriorityRules


def priority_rules(specs: Sequence[RulebookSpec], zone: str = "UTC") -> PriorityRules:
    """Lay later documents over earlier ones, key by key; they must have passed the checks.

    `zone` is that of the working hours, where no document states it.
    """
    start = DEFAULT_PRIORITY_RULES
    impact, effort = start.impact, start.effort
    hours = replace(start.holding.working_hours, zone=zone)
    holding = replace(start.holding, working_hours=hours)
    learning = start.learning
    for spec in specs:
        impact = _impact(impact, spec.impact)
        effort = replace(effort, **_given(spec.repair_effort))
        holding = _holding(holding, spec.holding, zone)
        learning = replace(learning, **_given(spec.learning))
    return PriorityRules(
        matrix=matrix_of(specs),
        impact=impact,
        urgency=UrgencyThresholds(**thresholds_of(specs)),
        effort=effort,
        holding=holding,
        slo=slo_of(specs),
        learning=learning,
    )


def matrix_of(specs: Sequence[RulebookSpec]) -> Matrix:
    matrix = DEFAULT_PRIORITY_RULES.matrix
    for spec in specs:
        matrix = overlaid(matrix, spec.priority_matrix)
    return matrix


def thresholds_of(specs: Sequence[RulebookSpec]) -> dict[str, Any]:
    """Return what the documents say of the thresholds, which need not make sense together."""
    return {name: limit for spec in specs for name, limit in _given(spec.urgency).items()}


def slo_of(specs: Sequence[RulebookSpec]) -> FewEventRules:
    rules = DEFAULT_PRIORITY_RULES.slo
    for spec in specs:
        own = _given(spec.slo)
        if "budget_left_below" in own:
            own["left_below"] = own.pop("budget_left_below")
        rules = replace(rules, **own)
    return rules


def _given(spec: Spec) -> dict[str, Any]:
    """Return the fields that were written, by name."""
    return {name: getattr(spec, name) for name in spec.model_fields_set}


def _impact(rules: ImpactRules, spec: ImpactSpec) -> ImpactRules:
    own = _given(spec)
    for name in {"tiers", "drivers", "environments"} & own.keys():
        own[name] = {**getattr(rules, name), **own[name]}
    if "downstream" in own:
        own["downstream"] = tuple(
            DownstreamRule(products=d.products, tier_1=d.tier_1, impact=d.impact)
            for d in spec.downstream
        )
    return replace(rules, **own)


def _holding(holding: Holding, spec: HoldingSpec, zone: str) -> Holding:
    own = _given(spec)
    holds = own.pop("outside_hours", {})
    hours = own.pop("working_hours", None)
    return replace(
        holding,
        **own,
        holds={**holding.holds, **holds},
        working_hours=hours_of(hours, zone) if hours else holding.working_hours,
    )
