"""What a broken product reaches says how much it hurts."""

from itertools import product

import pytest

from rules.priority import Impact
from rules.sentence import plain
from rules.weighing.impact import DownstreamRule, ImpactFacts, ImpactRules, impact_of

EXTENSIVE, SIGNIFICANT, MODERATE, MINOR = Impact


@pytest.mark.parametrize(
    ("facts", "impact"),
    [
        (ImpactFacts(tier=1), EXTENSIVE),
        (ImpactFacts(tier=2), SIGNIFICANT),
        (ImpactFacts(tier=3), MODERATE),
        (ImpactFacts(tier=4), MINOR),
        (ImpactFacts(), MODERATE),
        (ImpactFacts(tier=0), MODERATE),
        (ImpactFacts(tier=4, driver="Regulatory"), EXTENSIVE),
        (ImpactFacts(tier=4, driver="analytics"), MINOR),
        (ImpactFacts(tier=4, exposures_high=1), SIGNIFICANT),
        (ImpactFacts(tier=1, exposures_high=1), EXTENSIVE),
        (ImpactFacts(tier=4, downstream_products=9, downstream_tier_1=2), MINOR),
        (ImpactFacts(tier=4, downstream_products=10), EXTENSIVE),
        (ImpactFacts(tier=4, downstream_tier_1=3), EXTENSIVE),
        (ImpactFacts(tier=3, wrong_data=True), SIGNIFICANT),
        (ImpactFacts(tier=1, wrong_data=True), EXTENSIVE),
        (ImpactFacts(tier=1, environment="dev"), MINOR),
        (ImpactFacts(tier=1, environment="Staging", driver="regulatory"), MINOR),
        (ImpactFacts(tier=1, environment="dev", wrong_data=True), MINOR),
        (ImpactFacts(tier=1, environment="prod"), EXTENSIVE),
    ],
)
def test_impact(facts: ImpactFacts, impact: Impact) -> None:
    assert impact_of(facts)[0] is impact


def test_the_reasons_stand_in_order_of_weight() -> None:
    facts = ImpactFacts(
        tier=3,
        exposures_high=2,
        downstream_products=12,
        downstream_tier_1=1,
        wrong_data=True,
        environment="staging",
    )
    reasons = impact_of(facts)[1]
    assert [(r.rule, r.sentence.render(plain)) for r in reasons] == [
        ("impact.downstream.0", "Products downstream: 12, of tier 1: 1: extensive."),
        (
            "impact.exposures",
            "Shown on 2 dashboards of high maturity or outside the company: significant.",
        ),
        ("impact.tiers.3", "Tier 3: moderate."),
        ("impact.wrong_data", "Wrong data is out, and readers cannot see it: extensive."),
        ("impact.environments.staging", "In staging: only minor."),
    ]


def test_an_environment_that_is_limited_in_nothing_is_no_trial() -> None:
    assert ImpactRules().trials == {"ci", "dev", "development", "staging", "test"}
    named = ImpactRules(environments={"prod": EXTENSIVE, "qa": MODERATE})
    assert named.trials == {"qa"}, "what breaks in production counts, whatever names it"


def test_an_environment_that_changes_nothing_is_no_reason() -> None:
    assert len(impact_of(ImpactFacts(tier=4, environment="dev"))[1]) == 1


def test_the_rules_are_data() -> None:
    rules = ImpactRules(
        tiers={1: MODERATE},
        no_tier=MINOR,
        drivers={"operational": SIGNIFICANT},
        exposures=MODERATE,
        downstream=(DownstreamRule(products=2, tier_1=1, impact=SIGNIFICANT),),
        environments={},
        wrong_data=0,
    )
    assert impact_of(ImpactFacts(tier=1), rules)[0] is MODERATE
    assert impact_of(ImpactFacts(tier=2), rules)[0] is MINOR
    assert impact_of(ImpactFacts(driver="operational"), rules)[0] is SIGNIFICANT
    assert impact_of(ImpactFacts(downstream_products=2), rules)[0] is MINOR
    assert impact_of(ImpactFacts(downstream_products=2, downstream_tier_1=1), rules)[0] is (
        SIGNIFICANT
    )
    assert impact_of(ImpactFacts(environment="dev", wrong_data=True, exposures_high=1), rules)[
        0
    ] is (MODERATE)


def test_more_never_means_less() -> None:
    order = list(Impact)
    for tier, exposures, products, tier_1, wrong in product(
        (1, 2, 3, 4), (0, 1), (0, 10), (0, 3), (False, True)
    ):
        facts = ImpactFacts(
            tier=tier,
            exposures_high=exposures,
            downstream_products=products,
            downstream_tier_1=tier_1,
            wrong_data=wrong,
        )
        found, reasons = impact_of(facts)
        assert order.index(found) <= order.index(order[tier - 1])
        assert reasons


def test_one_dashboard_is_said_in_the_singular() -> None:
    words = impact_of(ImpactFacts(tier=4, exposures_high=1))[1][0].sentence.render(plain)
    assert words == "Shown on a dashboard of high maturity or outside the company: significant."
