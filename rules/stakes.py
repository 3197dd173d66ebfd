"""What is at stake when an alert fires: whose data, promised to whom by when, and how urgent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rules.alert import Alert, Severity
from rules.catalogue import Catalogue, Found
from rules.category import WRONG
from rules.decision import Reason
from rules.environment import environment_of
from rules.expected_runs import EXPECTED
from rules.hours import Hours
from rules.incident import Stakes
from rules.lineage import Lineage, Reach
from rules.matching.known import Described
from rules.priority import Impact, Priority, Urgency
from rules.rulebook import RuleBook
from rules.run import SCHEDULED
from rules.sentence import plain, say
from rules.sla import Effort, next_change, next_deadline, urgency
from rules.verifying.interval import instant_of
from rules.weighing.history import expected_effort
from rules.weighing.impact import ImpactFacts, impact_of
from rules.weighing.priority_matrix import priority, priority_reason
from rules.weighing.priority_rules import PriorityRules
from rules.weighing.wrong_data import exposure

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
_LOOK_BACK = timedelta(days=1)
"""Of what began before, the deadlines since then are at stake."""
_HARM = tuple(Impact)
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is at stake, and the priority that follows."""

    stakes: Stakes
    priority: Priority
    reasons: tuple[Reason, ...]


def weigh(
    alert: Alert, seen: Described, book: RuleBook, now: datetime, rotation: str = ""
) -> Weighed | None:
    """Weigh an alert of a known product or asset; None where the catalogue knows neither.

    A mild alert is not weighed either: a monitor's warning breaks no promise yet. `rotation` is
    whose time to respond counts.
    """
    found, rules = seen.found, book.priority_rules
    if found is None or alert.severity in _MILD:
        return None
    reach = _reach(found, book.lineage)
    impact, why = impact_of(_facts(alert, found, reach, seen.facts), rules.impact)
    effort, effort_why = expected_effort(
        book.history,
        rules.effort,
        rotation=rotation,
        category=alert.category,
        product=found.product.id if found.product else "",
        run_takes=found.product.run_takes if found.product else None,
    )
    deadline, promised = _deadline(found, book.lineage, _since(alert, now))
    consumers = found.product.consumer_hours if found.product else None
    urgent = _urgent(
        deadline, consumers if alert.category in WRONG else None, effort, alert.severity, rules, now
    )
    stakes = _stakes(
        found,
        reach,
        book.catalogue,
        impact=impact,
        impact_why=" ".join(r.sentence.render(plain) for r in why),
        promised=promised if urgent.consumers is None else "",
        respond=effort.respond,
        fix=effort.fix,
        run=effort.run,
        **urgent.fields(),
    )
    told = Reason("catalogue", say("About {name}, by {how}.", name=stakes.name, how=found.reason))
    timed = stakes.deadline is not None or stakes.consumers is not None
    told_effort = (effort_why,) if timed else ()
    return _weighed(stakes, urgent, rules, (told, *why, *told_effort))


def reweigh(
    stakes: Stakes, book: RuleBook, now: datetime, severity: Severity = Severity.UNKNOWN
) -> Weighed:
    """Weigh again what was weighed before: time has passed, or the impact is another."""
    effort = Effort(stakes.respond, stakes.fix, stakes.run)
    rules = book.priority_rules
    urgent = _urgent(stakes.deadline, stakes.consumers, effort, severity, rules, now)
    return _weighed(replace(stakes, **urgent.fields()), urgent, rules, ())


@dataclass(frozen=True, slots=True)
class _Urgent:
    """How urgent it is, and until when that holds."""

    urgency: Urgency
    why: Reason
    deadline: datetime | None
    consumers: Hours | None
    changes_at: datetime | None

    def fields(self) -> dict[str, Any]:
        """Return the fields of Stakes that this decides."""
        return {
            "urgency": self.urgency,
            "urgency_why": self.why.sentence.render(plain),
            "deadline": self.deadline,
            "consumers": self.consumers,
            "changes_at": self.changes_at,
        }


def _urgent(
    deadline: datetime | None,
    consumers: Hours | None,
    effort: Effort,
    severity: Severity,
    rules: PriorityRules,
    now: datetime,
) -> _Urgent:
    if consumers is not None:
        at = exposure(consumers, now, effort, rules.urgency)
        return _Urgent(at.urgency, at.why, at.deadline, consumers, at.changes_at)
    if deadline is None:
        why = Reason("urgency.no_deadline", say("No deadline; severity {s}.", s=severity))
        return _Urgent(SEVERITY_URGENCY[severity], why, None, None, None)
    level, why = urgency(deadline, now, effort, rules.urgency)
    changes_at = next_change(deadline, effort, rules.urgency, now)
    return _Urgent(level, why, deadline, None, changes_at)


def _weighed(
    stakes: Stakes, urgent: _Urgent, rules: PriorityRules, reasons: tuple[Reason, ...]
) -> Weighed:
    chosen = priority(stakes.impact, urgent.urgency, rules.matrix)
    cell = priority_reason(stakes.impact, urgent.urgency, rules.matrix)
    return Weighed(stakes, chosen, (*reasons, urgent.why, cell))


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


def _since(alert: Alert, now: datetime) -> datetime:
    """Return since when it breaks promises: as of the time its run was due, or it happened.

    It may be heard, or fail, only after the deadline that it misses.
    """
    earliest = now - _LOOK_BACK
    due_at = _run_due(alert)
    if due_at is not None and earliest <= due_at < now:
        return due_at + timedelta.resolution  # a run is never done by the time it is due
    return min(max(alert.occurred_at, earliest), now)


def _run_due(alert: Alert) -> datetime | None:
    """Return when the run was due that an alert is about, None where it does not tell."""
    labels = alert.labels
    if alert.source == EXPECTED:
        return instant_of(labels.get("due_at", ""))
    if labels.get("run_type") != SCHEDULED or labels.get("cleared"):
        return None
    return instant_of(labels.get("run_after") or labels.get("data_interval_end", ""))


def _deadline(
    found: Found, lineage: Lineage | None, since: datetime
) -> tuple[datetime | None, str]:
    """Return the nearest deadline since then, the product's or one downstream, and whose it is.

    What is late here is late for them too; the name is "" for the product's own.
    """
    product = found.product
    promised = product.promises.fresh_by if product else None
    own = next_deadline(promised, since) if promised else None
    if lineage is None:
        return own, ""
    other = lineage.next_promise(*_at_stake(found), since)
    if other is None or (own is not None and own <= other[0]):
        return own, ""
    return other


def _reach(found: Found, lineage: Lineage | None) -> Reach:
    return lineage.reach(*_at_stake(found)) if lineage else _NO_REACH


def _at_stake(found: Found) -> tuple[str, str]:
    """Return the ids of the asset and the product, "" for what is not known."""
    return found.asset.id if found.asset else "", found.product.id if found.product else ""


def _facts(alert: Alert, found: Found, reach: Reach, labels: Mapping[str, str]) -> ImpactFacts:
    product, asset = found.product, found.asset
    tier = (product.tier if product else 0) or (asset.tier if asset else 0)
    return ImpactFacts(
        tier=tier or None,
        driver=product.driver if product else "",
        exposures_high=reach.exposures_high,
        downstream_products=reach.products,
        downstream_tier_1=reach.tier_1,
        environment=environment_of(labels),
        wrong_data=alert.category in WRONG,
    )


def _stakes(found: Found, reach: Reach, catalogue: Catalogue, **weighed: Any) -> Stakes:
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
        **weighed,
    )
