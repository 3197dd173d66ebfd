"""What is at stake when an alert fires: whose data, promised to whom by when, and how urgent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rules.alert import Alert, Severity
from rules.catalogue import Catalogue, Found, Product
from rules.category import WRONG
from rules.decision import Reason
from rules.history import expected_effort
from rules.impact import ImpactFacts, impact_of
from rules.incident import Stakes
from rules.lineage import Lineage, Reach
from rules.matcher import matchable
from rules.priority import Impact, Priority, Urgency
from rules.priority_matrix import priority, priority_reason
from rules.rulebook import RuleBook
from rules.sentence import plain, say
from rules.sla import Effort, next_change, next_deadline, urgency
from rules.wrong_data import exposure

SEVERITY_URGENCY: Mapping[Severity, Urgency] = {
    Severity.CRITICAL: Urgency.CRITICAL,
    Severity.ERROR: Urgency.HIGH,
    Severity.UNKNOWN: Urgency.MEDIUM,
    Severity.WARNING: Urgency.MEDIUM,
    Severity.INFO: Urgency.LOW,
}
"""How urgent it is where no deadline says so."""

_MILD = frozenset({Severity.WARNING, Severity.INFO})
_NO_REACH = Reach()
_HARM = tuple(Impact)
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is at stake, and the priority that follows."""

    stakes: Stakes
    priority: Priority
    reasons: tuple[Reason, ...]


def weigh(alert: Alert, book: RuleBook, now: datetime, rotation: str = "") -> Weighed | None:
    """Weigh an alert of a known product or asset; None where the catalogue knows neither.

    A mild alert is not weighed either: a monitor's warning breaks no promise yet. `rotation` is
    whose time to respond counts.
    """
    labels = matchable(alert)
    found = book.catalogue.find(labels)
    if found is None or alert.severity in _MILD:
        return None
    reach = _reach(found, book.lineage)
    impact, why = impact_of(_facts(alert, found, reach, labels), book.priority_rules.impact)
    deadline, promised = _deadline(found.product, reach, now)
    consumers = found.product.consumer_hours if found.product else None
    effort, effort_why = expected_effort(
        book.history,
        book.priority_rules.effort,
        rotation=rotation,
        category=alert.category,
        product=found.product.id if found.product else "",
        run_takes=found.product.run_takes if found.product else None,
    )
    stakes = _stakes(found, reach, book.catalogue)
    stakes = replace(
        stakes,
        impact=impact,
        impact_why=" ".join(r.sentence.render(plain) for r in why),
        deadline=deadline,
        promised=promised,
        consumers=consumers if alert.category in WRONG else None,
        respond=effort.respond,
        fix=effort.fix,
        run=effort.run,
    )
    told = Reason("catalogue", say("About {name}, by {how}.", name=stakes.name, how=found.reason))
    timed = stakes.deadline is not None or stakes.consumers is not None
    told_effort = (effort_why,) if timed else ()
    return _urgent(stakes, alert.severity, book, now, (told, *why, *told_effort))


def reweigh(
    stakes: Stakes, book: RuleBook, now: datetime, severity: Severity = Severity.UNKNOWN
) -> Weighed:
    """Weigh again what was weighed before: time has passed, or the impact is another."""
    return _urgent(stakes, severity, book, now, ())


def _urgent(
    stakes: Stakes,
    severity: Severity,
    book: RuleBook,
    now: datetime,
    reasons: tuple[Reason, ...],
) -> Weighed:
    effort = Effort(stakes.respond, stakes.fix, stakes.run)
    if stakes.consumers is not None:
        exposed = exposure(stakes.consumers, now, effort, book.priority_rules.urgency)
        level, why, changes_at = exposed.urgency, exposed.why, exposed.changes_at
        stakes = replace(stakes, deadline=exposed.deadline, promised="")
    elif stakes.deadline is None:
        level = SEVERITY_URGENCY[severity]
        why = Reason("urgency.no_deadline", say("No deadline; severity {s}.", s=severity))
        changes_at = None
    else:
        level, why = urgency(stakes.deadline, now, effort, book.priority_rules.urgency)
        changes_at = next_change(stakes.deadline, effort, book.priority_rules.urgency, now)
    chosen = priority(stakes.impact, level, book.priority_rules.matrix)
    cell = priority_reason(stakes.impact, level, book.priority_rules.matrix)
    weighed = replace(stakes, urgency=level, urgency_why=why.sentence.render(plain),
                      changes_at=changes_at)  # fmt: skip
    return Weighed(weighed, chosen, (*reasons, why, cell))


def with_deadline_of(stakes: Stakes | None, other: Stakes | None) -> Stakes | None:
    """Return the stakes with the worse impact and the nearer deadline of the two."""
    if stakes is None or other is None:
        return stakes or other
    if _HARM.index(other.impact) < _HARM.index(stakes.impact):
        stakes = replace(stakes, impact=other.impact, impact_why=other.impact_why)
    if other.deadline is None or (stakes.deadline and stakes.deadline <= other.deadline):
        return stakes
    return replace(
        stakes,
        urgency=other.urgency,
        urgency_why=other.urgency_why,
        promised=other.promised or other.name,
        deadline=other.deadline,
        consumers=other.consumers,
        respond=other.respond,
        fix=other.fix,
        run=other.run,
        changes_at=other.changes_at,
    )


def _deadline(product: Product | None, reach: Reach, now: datetime) -> tuple[datetime | None, str]:
    """Return the nearest deadline of the product and of those downstream, and whose it is.

    What is late here is late for them too; the name is "" for the product's own.
    """
    promised = product.promises.fresh_by if product else None
    nearest, whose = (next_deadline(promised, now), "") if promised else (None, "")
    for fresh_by, name in reach.promised:
        deadline = next_deadline(fresh_by, now)
        if deadline is not None and (nearest is None or deadline < nearest):
            nearest, whose = deadline, name
    return nearest, whose


def _reach(found: Found, lineage: Lineage | None) -> Reach:
    if lineage is None or found.asset is None:
        return _NO_REACH
    return lineage.reach(found.asset.id, found.product.id if found.product else "")


def _facts(alert: Alert, found: Found, reach: Reach, labels: Mapping[str, str]) -> ImpactFacts:
    product, asset = found.product, found.asset
    tier = (product.tier if product else 0) or (asset.tier if asset else 0)
    environment = labels.get("environment") or labels.get("env") or labels.get("target") or ""
    return ImpactFacts(
        tier=tier or None,
        driver=product.driver if product else "",
        exposures_high=reach.exposures_high,
        downstream_products=reach.products,
        downstream_tier_1=reach.tier_1,
        environment=environment.casefold(),
        wrong_data=alert.category in WRONG,
    )


def _stakes(found: Found, reach: Reach, catalogue: Catalogue) -> Stakes:
    product, asset = found.product, found.asset
    owner = catalogue.owner_of(asset) if asset else ""
    return Stakes(
        product=product.id if product else "",
        name=product.name if product else asset.name if asset else "",
        asset=asset.id if asset else "",
        owner=owner or (product.owner if product else ""),
        owner_how=catalogue.how_owned(asset) if asset else "",
        readers=reach.readers,
        team=(product.team if product else "") or (asset.team if asset else ""),
        tier=(product.tier if product else 0) or (asset.tier if asset else 0),
        runbook=(asset.runbook if asset else "") or (product.runbook if product else ""),
        products_hit=reach.products,
        exposures_hit=reach.exposures,
        path=reach.path,
        impact=Impact.MODERATE,
        urgency=Urgency.MEDIUM,
    )
