"""Writes data products as the catalogue file that reads back as them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import yaml

from rules.budget import Objective
from rules.catalogue import Product, Promises
from rules.cron import GRACE
from rules.durations import format_duration
from rules.hours import DAYS, Hours

_MONTH = Promises().availability_over
_DURATIONS = ("max_age", "time_to_detect", "time_to_notify", "time_to_repair")


def catalogue_yaml(products: Iterable[Product]) -> str:
    """Return the text of a catalogue file."""
    return to_yaml({"products": [product_map(one) for one in products]})


def to_yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def product_map(product: Product) -> dict[str, Any]:
    """Return a product as its entry in a catalogue file; what is empty is left out."""
    found: dict[str, Any] = {
        "id": product.id,
        "name": product.name,
        "owner": product.owner,
        "team": product.team,
        "channel": product.channel,
        "rotation": product.rotation,
        "tier": product.tier,
        "driver": product.driver,
        "load_type": str(product.load_type or ""),
        "schedule": product.schedule,
        "timezone": product.timezone,
        "grace": grace_text(product),
        "holidays": product.holidays,
        "promises": _promises(product.promises),
        "runbook": product.runbook,
        "consumers": list(product.consumers),
        "consumer_hours": hours_map(product.consumer_hours),
        "run_takes": format_duration(product.run_takes) if product.run_takes else "",
        "assets": [{one.kind: one.pattern} for one in product.assets],
    }
    return {name: value for name, value in found.items() if value}


def grace_text(product: Product) -> str:
    """Return the grace of its runs as it is written; nothing for the usual one."""
    if product.grace is None:
        return "never"
    return "" if product.grace == GRACE else format_duration(product.grace)


def objective_map(objective: Objective | None) -> dict[str, Any]:
    """Return an objective as it is written; nothing for none."""
    if objective is None:
        return {}
    return {"objective": f"{objective.percent:.10g}%", "over": f"{objective.due_days} due days"}


def hours_map(hours: Hours | None) -> dict[str, Any]:
    """Return consumer hours as they are written; nothing for none."""
    if hours is None:
        return {}
    days = {} if hours.days == DAYS else {"days": list(hours.days)}
    opens, closes = f"{hours.opens:%H:%M}", f"{hours.closes:%H:%M}"
    return {"from": opens, "to": closes, **days, "timezone": hours.zone}


def _promises(promises: Promises) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if by := promises.fresh_by:
        found["fresh_by"] = {"at": f"{by.at:%H:%M}", "timezone": by.zone}
        if by.days != DAYS:
            found["fresh_by"]["days"] = list(by.days)
        if by.holidays:
            found["fresh_by"]["holidays"] = [str(day) for day in sorted(by.holidays)]
        found["fresh_by"] |= objective_map(promises.fresh_objective)
    if promises.quality is not None:
        found["quality"] = objective_map(promises.quality)
    if promises.availability is not None:
        found["availability"] = _availability(promises.availability, promises.availability_over)
    for name in _DURATIONS:
        if (duration := getattr(promises, name)) is not None:
            found[name] = format_duration(duration)
    return found


def _availability(percent: float, over: timedelta) -> object:
    if over == _MONTH:
        return percent
    return {"objective": percent, "over": format_duration(over)}
