"""Which tasks an incident leaves behind once it is resolved."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rules.catalogue import Catalogue
from rules.facts import Facts
from rules.incident import Incident
from rules.matching.matcher import all_hold, matchable
from rules.tasks.task import AssignTo, Task, TaskRule
from rules.verifying.interval import instant_of

PLACEHOLDERS = ("interval", "product", "asset")
_LONGEST = 300


def tasks_for(
    incident: Incident, rules: Sequence[TaskRule], catalogue: Catalogue, now: datetime
) -> tuple[Task, ...]:
    """Return the tasks of an incident that has just been resolved; ids follow from the rules.

    What nobody was shown or worked on, and what only a test opened, leaves nothing behind.
    """
    if not _was_worked_on(incident):
        return ()
    facts = task_facts(incident, catalogue)
    return tuple(
        _task(rule, incident, facts, catalogue, now)
        for rule in rules
        if all_hold(rule.conditions, facts)
    )


def blocking(tasks: Iterable[Task]) -> int:
    """Count the open tasks that keep an incident from being closed."""
    return sum(task.blocks and task.is_open for task in tasks)


def task_facts(incident: Incident, catalogue: Catalogue) -> Facts:
    """Return what rules of tasks may ask: routes' own, `load_type`, `resolved_by`, `flapping`."""
    facts = matchable(incident)
    asset = catalogue.asset(facts.get("asset", "")) if facts.get("asset") else None
    product = catalogue.product(facts.get("product", "")) if facts.get("product") else None
    load = (asset.load_type if asset else None) or (product.load_type if product else None)
    facts["load_type"] = load.value if load else ""
    facts["resolved_by"] = "person" if incident.resolved_by else "source"
    facts["flapping"] = "true" if incident.flapping else "false"
    return facts


def bad_interval(incident: Incident) -> tuple[datetime, datetime]:
    """Return from when until when data may be wrong: the run's interval, else how long it fired."""
    ends = incident.resolved_at or incident.last_alert_at or incident.opened_at
    starts = min((alert.first_at for alert in incident.alerts), default=incident.opened_at)
    told = instant_of(incident.labels.get("data_interval_start", ""))
    return min(told, starts) if told else starts, ends


def _was_worked_on(incident: Incident) -> bool:
    if incident.hidden or incident.source.startswith("@"):
        return False
    return bool(incident.first_paged_at or incident.first_acked_at or incident.resolved_by)


def _task(
    rule: TaskRule, incident: Incident, facts: Facts, catalogue: Catalogue, now: datetime
) -> Task:
    return Task(
        id=f"{incident.id}-{rule.name}",
        incident_id=incident.id,
        number=incident.number,
        rule=rule.name,
        title=_title(rule, incident, facts, catalogue),
        due_at=now + rule.due,
        created_at=now,
        assignee=_assignee(rule, incident),
        blocks=rule.blocks,
        most_nudges=rule.nudges,
    )


def _assignee(rule: TaskRule, incident: Incident) -> str:
    if rule.assign is AssignTo.NOBODY:
        return ""
    if rule.assign is AssignTo.OWNER:
        return incident.stakes.owner if incident.stakes else ""
    return incident.resolved_by or incident.acked_by


def _title(rule: TaskRule, incident: Incident, facts: Facts, catalogue: Catalogue) -> str:
    asset = catalogue.asset(facts.get("asset", "")) if facts.get("asset") else None
    product = catalogue.product(facts.get("product", "")) if facts.get("product") else None
    starts, ends = bad_interval(incident)
    values = {
        "interval": f"{_shown(starts)} to {_shown(ends)} UTC",
        "product": (product.name if product else facts.get("product")) or "the data product",
        "asset": (asset.name if asset else facts.get("asset"))
        or facts.get("model")
        or facts.get("dag_id")
        or "the asset",
    }
    title = rule.title
    for name in PLACEHOLDERS:
        title = title.replace("{" + name + "}", values[name])
    return title[:_LONGEST]


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
