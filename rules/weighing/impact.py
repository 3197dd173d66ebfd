"""How much a broken data product hurts: a few facts about it, weighed by rules that are data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rules.decision import Reason
from rules.priority import Impact
from rules.sentence import say

_WORST_FIRST = tuple(Impact)
_TRIALS = ("ci", "dev", "development", "staging", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactFacts:
    """What is known of the product at stake.

    `tier` is 1 (the most important) to 4, None when nobody said. `exposures_high` counts the
    dashboards and exports downstream that are of high maturity or shown outside the company.
    `wrong_data`: readers already see values that are wrong, as opposed to late.
    """

    tier: int | None = None
    driver: str = ""
    exposures_high: int = 0
    downstream_products: int = 0
    downstream_tier_1: int = 0
    environment: str = ""
    wrong_data: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DownstreamRule:
    """At least so many products downstream, and so many of tier 1, make it `impact`."""

    products: int = 0
    tier_1: int = 0
    impact: Impact = Impact.EXTENSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRules:
    """The worst of what applies counts; wrong data raises it; an environment limits it.

    Drivers and environments are in lower case. `wrong_data` is by how many levels.
    """

    tiers: Mapping[int, Impact] = field(
        default_factory=lambda: dict(enumerate(_WORST_FIRST, start=1))
    )
    no_tier: Impact = Impact.MODERATE
    drivers: Mapping[str, Impact] = field(default_factory=lambda: {"regulatory": Impact.EXTENSIVE})
    exposures: Impact = Impact.SIGNIFICANT
    downstream: tuple[DownstreamRule, ...] = (
        DownstreamRule(products=10),
        DownstreamRule(tier_1=3),
    )
    environments: Mapping[str, Impact] = field(
        default_factory=lambda: dict.fromkeys(_TRIALS, Impact.MINOR)
    )
    wrong_data: int = 1

    @property
    def trials(self) -> frozenset[str]:
        """The environments in which nothing was promised to anybody: those that limit the impact."""
        return frozenset(n for n, most in self.environments.items() if most is not _WORST_FIRST[0])


def impact_of(
    facts: ImpactFacts, rules: ImpactRules | None = None
) -> tuple[Impact, tuple[Reason, ...]]:
    """Return the impact and every rule that applied: the worst first, then what changed it."""
    rules = rules or ImpactRules()
    found = sorted(_found(facts, rules), key=lambda f: _WORST_FIRST.index(f[0]))
    impact = found[0][0]
    reasons = [reason for _, reason in found]
    if facts.wrong_data and rules.wrong_data:
        impact = _WORST_FIRST[max(0, _WORST_FIRST.index(impact) - rules.wrong_data)]
        words = say("Wrong data is out, and readers cannot see it: {impact}.", impact=impact)
        reasons.append(Reason("impact.wrong_data", words))
    environment = facts.environment.lower()
    limit = rules.environments.get(environment)
    if limit and _WORST_FIRST.index(limit) > _WORST_FIRST.index(impact):
        impact = limit
        words = say("In {environment}: only {impact}.", environment=environment, impact=impact)
        reasons.append(Reason(f"impact.environments.{environment}", words))
    return impact, tuple(reasons)


def _found(facts: ImpactFacts, rules: ImpactRules) -> Iterator[tuple[Impact, Reason]]:
    yield _by_tier(facts.tier, rules)
    driver = facts.driver.lower()
    if impact := rules.drivers.get(driver):
        words = say("Driver {driver}: {impact}.", driver=driver, impact=impact)
        yield impact, Reason(f"impact.drivers.{driver}", words)
    if facts.exposures_high:
        words = say(
            "Shown on {count} dashboards of high maturity or outside the company: {impact}."
            if facts.exposures_high > 1
            else "Shown on a dashboard of high maturity or outside the company: {impact}.",
            count=facts.exposures_high,
            impact=rules.exposures,
        )
        yield rules.exposures, Reason("impact.exposures", words)
    for at, rule in enumerate(rules.downstream):
        if facts.downstream_products >= rule.products and facts.downstream_tier_1 >= rule.tier_1:
            words = say(
                "Products downstream: {products}, of tier 1: {tier_1}: {impact}.",
                products=facts.downstream_products,
                tier_1=facts.downstream_tier_1,
                impact=rule.impact,
            )
            yield rule.impact, Reason(f"impact.downstream.{at}", words)


def _by_tier(tier: int | None, rules: ImpactRules) -> tuple[Impact, Reason]:
    impact = None if tier is None else rules.tiers.get(tier)
    if tier is None or impact is None:
        words = say("No tier is known: {impact}.", impact=rules.no_tier)
        return rules.no_tier, Reason("impact.no_tier", words)
    words = say("Tier {tier}: {impact}.", tier=tier, impact=impact)
    return impact, Reason(f"impact.tiers.{tier}", words)
