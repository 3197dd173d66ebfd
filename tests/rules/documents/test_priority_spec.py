"""The sections on priority: what the shipped pack says, and how documents change it."""

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

from rules.budget import FewEventRules
from rules.documents.rulebook_checks import Findings, cross_check
from rules.documents.rulebook_parts import Draft, RulebookParts, Surroundings, assemble
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import fit, parse
from rules.hours import DAYS, Hours
from rules.people import People
from rules.priority import Impact, Priority, Urgency
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.sla import Effort, UrgencyThresholds
from rules.weighing.holding import Hold
from rules.weighing.impact import DownstreamRule
from rules.weighing.priority_matrix import overlaid
from rules.weighing.priority_rules import DEFAULT_PRIORITY_RULES, PriorityRules
from tests.rules.build import HOUR, MINUTE

PACKS = Path(__file__).parents[3] / "rules/packs"
DEFAULT = (PACKS / "default.yaml").read_text(encoding="utf-8")
MATRIX = (PACKS / "matrix.yaml").read_text(encoding="utf-8")
AROUND = Surroundings(people=People([]))
SHIPPED = DEFAULT_PRIORITY_RULES


def _drafts(*texts: str) -> list[Draft]:
    drafts = []
    for n, text in enumerate(texts):
        document, faults = parse(text, f"{n}.yaml")
        assert document is not None
        spec, misfits = fit(document, RulebookSpec)
        assert spec is not None, misfits
        assert faults == []
        drafts.append(Draft(document, spec))
    return drafts


def _parts(*texts: str) -> RulebookParts:
    drafts = _drafts(DEFAULT, *texts)
    assert cross_check(drafts, AROUND).faults == ()
    return assemble(drafts, AROUND)


def _rules(*texts: str) -> PriorityRules:
    return _parts(*texts).priority_rules


def _found(*texts: str) -> Findings:
    return cross_check(_drafts(DEFAULT, MATRIX, *texts), AROUND)


def _only(field: str, rules: PriorityRules) -> object:
    """Return the named field, after checking that all others are as shipped."""
    for name in PriorityRules.__dataclass_fields__:
        assert name == field or getattr(rules, name) == getattr(SHIPPED, name), name
    return getattr(rules, field)


def test_the_shipped_pack_says_what_the_code_defaults_to() -> None:
    document, _ = parse(MATRIX, "matrix.yaml")
    assert document is not None
    spec, _ = fit(document, RulebookSpec)
    assert spec is not None
    assert all(len(row) == len(Urgency) for row in spec.priority_matrix.values())
    assert len(spec.priority_matrix) == len(Impact)
    assert spec.model_fields_set == {
        "priority_matrix",
        "impact",
        "urgency",
        "repair_effort",
        "learning",
        "holding",
        "slo",
    }
    assert _rules(MATRIX) == SHIPPED == _rules()


def test_the_rulebook_has_the_rules() -> None:
    own = _parts(MATRIX, "urgency: {high: 2h}")
    assert own.rulebook(on_call=OnCall()).priority_rules == own.priority_rules
    assert own.priority_rules != SHIPPED
    assert RuleBook(policies={}, routes=()).priority_rules == SHIPPED


def test_a_document_replaces_single_cells() -> None:
    rules = _rules(MATRIX, "priority_matrix: {minor: {medium: P4}}")
    cells = {Urgency.MEDIUM: Priority.P4}
    assert _only("matrix", rules) == overlaid(SHIPPED.matrix, {Impact.MINOR: cells})


def test_impact_merges_maps_and_replaces_the_rest() -> None:
    first = "impact: {tiers: {4: moderate}, drivers: {Operational: significant}}"
    second = "impact: {environments: {QA: minor}, downstream: [{products: 5, tier_1: 1, impact: significant}]}"
    rules = _rules(MATRIX, first, second)
    impact = rules.impact
    assert _only("impact", rules) == impact
    assert impact.tiers == {**SHIPPED.impact.tiers, 4: Impact.MODERATE}
    assert impact.drivers == {"regulatory": Impact.EXTENSIVE, "operational": Impact.SIGNIFICANT}
    assert set(impact.environments) == {*SHIPPED.impact.environments, "qa"}
    assert impact.downstream == (DownstreamRule(products=5, tier_1=1, impact=Impact.SIGNIFICANT),)
    assert impact.no_tier is Impact.MODERATE


def test_durations_merge_by_key() -> None:
    urgency = _rules(MATRIX, "urgency: {high: 90m}", "urgency: {critical: 10m}")
    assert _only("urgency", urgency) == UrgencyThresholds(10 * MINUTE, 90 * MINUTE, 4 * HOUR)
    effort = _rules(MATRIX, "repair_effort: {run: 55m}")
    assert _only("effort", effort) == Effort(10 * MINUTE, 30 * MINUTE, 55 * MINUTE)
    slo = _rules(MATRIX, "slo: {of_last: 10, budget_left_below: 50}")
    assert _only("slo", slo) == FewEventRules(misses=2, of_last=10, left_below=50)


def test_holding_merges_by_priority() -> None:
    rules = _rules(
        MATRIX,
        "holding: {outside_hours: {P3: now}, margin: 0s, "
        'working_hours: {from: "08:00", to: "17:00", zone: Europe/Amsterdam, days: mon-thu}}',
    )
    holding = rules.holding
    assert _only("holding", rules) == holding
    assert holding.holds == {**SHIPPED.holding.holds, Priority.P3: Hold.NOW}
    assert holding.margin == timedelta(0)
    days = ("mon", "tue", "wed", "thu")
    assert holding.working_hours == Hours(time(8), time(17), "Europe/Amsterdam", days)


def test_working_hours_are_those_of_the_first_rotation_unless_they_name_a_zone() -> None:
    berlin = replace(AROUND, first_zone="Europe/Berlin")
    for text, hours in (
        ("", Hours(time(9), time(18), "Europe/Berlin", DAYS[:5])),
        (
            'holding: {working_hours: {from: "08:00", to: "16:00", days: mon}}',
            Hours(time(8), time(16), "Europe/Berlin", ("mon",)),
        ),
        (
            'holding: {working_hours: {from: "08:00", to: "16:00", zone: UTC, days: mon}}',
            Hours(time(8), time(16), "UTC", ("mon",)),
        ),
    ):
        drafts = _drafts(DEFAULT, MATRIX, *([text] if text else []))
        assert assemble(drafts, berlin).priority_rules.holding.working_hours == hours
    assert assemble(_drafts(DEFAULT), berlin).priority_rules.holding.working_hours.zone == (
        "Europe/Berlin"
    )


def test_a_fault_of_the_whole_points_at_the_document_that_made_it() -> None:
    reversed_by_two = _found(
        "priority_matrix:\n  moderate: {low: P2}\n", "priority_matrix: {minor: {low: P1}}"
    ).faults
    assert {(fault.file, fault.line) for fault in reversed_by_two} == {("2.yaml", 2), ("3.yaml", 1)}
    late = _found("urgency: {medium: 30m}", "urgency: {critical: 5m}").faults
    assert [(fault.file, fault.message) for fault in late] == [
        ("3.yaml", "`critical` must be at most `high`, and `high` at most `medium`")
    ]
    slo = _found("slo: {of_last: 1}").faults
    assert [fault.message for fault in slo] == ["`misses`: 1 due days never have 2 misses"]
