"""Data product -> ODCS 3.1.0 data contract, which reads back as the same product."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bot.catalogue.product_yaml import grace_text, hours_map, objective_map, to_yaml
from rules.catalogue import Product, Promises
from rules.durations import format_duration

VERSION = "v3.1.0"
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_DURATIONS = (
    ("latency", "max_age"),
    ("timeToDetect", "time_to_detect"),
    ("timeToNotify", "time_to_notify"),
    ("timeToRepair", "time_to_repair"),
)


def contract_yaml(product: Product) -> str:
    return to_yaml(contract(product))


def file_name(product: Product) -> str:
    """Return a file name made of the id; different ids have different names."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "-", product.id)[:80]
    if safe != product.id:
        safe += "-" + hashlib.sha256(product.id.encode()).hexdigest()[:8]
    return f"{safe}.odcs.yaml"


def contract(product: Product) -> dict[str, Any]:
    """Return the contract as plain values; what is empty is left out."""
    tables = [one.pattern for one in product.assets if one.kind == "relation" and one.exact]
    found: dict[str, Any] = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": product.id,
        "name": product.name,
        "version": "1.0.0",
        "status": "active",
        "dataProduct": product.name,
        "schema": [_table(name) for name in tables],
        "team": _team(product),
        "support": _support(product),
        "slaProperties": list(_sla(product)),
        "authoritativeDefinitions": _runbook(product),
        "customProperties": list(_custom(product)),
    }
    return {name: value for name, value in found.items() if value}


def _table(name: str) -> dict[str, str]:
    last = name.rpartition(".")[2].strip('"`[] ') or name
    return {"name": last, "physicalName": name, "logicalType": "object", "physicalType": "table"}


def _team(product: Product) -> dict[str, Any]:
    team: dict[str, Any] = {"name": product.team} if product.team else {}
    if product.owner:
        team["members"] = [{"username": product.owner, "role": "Owner"}]
    return team


def _support(product: Product) -> list[dict[str, str]]:
    channel = {"channel": product.channel, "tool": "slack", "scope": "issues"}
    return [channel] if product.channel else []


def _runbook(product: Product) -> list[dict[str, str]]:
    return [{"url": product.runbook, "type": "runbook"}] if product.runbook else []


def _sla(product: Product) -> Iterator[dict[str, Any]]:
    driver = {"driver": product.driver} if product.driver else {}
    promises = product.promises
    if product.schedule:
        cron = {"value": product.schedule, "scheduler": "cron", "schedule": product.schedule}
        yield {"property": "frequency", **cron, **driver}
    if promises.fresh_by:
        at = f"{promises.fresh_by.at:%H:%M}"
        yield {"property": "timeOfAvailability", "value": at, **driver}
    if promises.availability is not None:
        value = {"value": promises.availability, "unit": "percent"}
        yield {"property": "availability", **value, **driver}
    for name, field in _DURATIONS:
        if (duration := getattr(promises, field)) is not None:
            yield {"property": name, **_span(duration), **driver}


def _span(duration: timedelta) -> dict[str, Any]:
    seconds = int(duration.total_seconds())
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return {"value": seconds // size, "unit": unit}


def _custom(product: Product) -> Iterator[dict[str, Any]]:
    by = product.promises.fresh_by
    claims = [
        {one.kind: one.pattern}
        for one in product.assets
        if not (one.kind == "relation" and one.exact)
    ]
    values: dict[str, Any] = {
        "tier": product.tier,
        "loadType": str(product.load_type or ""),
        "driver": product.driver,
        "oncallSchedule": product.rotation,
        "scheduleTimezone": product.timezone,
        "slaTimezone": by.zone if by else "",
        "slaDays": list(by.days) if by else [],
        "slaHolidays": [str(day) for day in sorted(by.holidays)] if by else [],
        "slaObjective": objective_map(product.promises.fresh_objective),
        "qualityObjective": objective_map(product.promises.quality),
        "availabilityWindow": _window(product.promises),
        "consumers": list(product.consumers),
        "consumerHours": hours_map(product.consumer_hours),
        "runTakes": format_duration(product.run_takes) if product.run_takes else "",
        "runGrace": grace_text(product),
        "runHolidays": product.holidays,
        "assets": claims,
    }
    for name, value in values.items():
        if value:
            yield {"property": name, "value": value}


def _window(promises: Promises) -> str:
    over = promises.availability_over
    usual = promises.availability is None or over == Promises().availability_over
    return "" if usual else format_duration(over)
