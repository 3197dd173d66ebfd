"""Writes data products as the catalogue file that reads back as them."""

from collections.abc import Iterable
from typing import Any

import yaml

from rules.catalogue import Product, Promises
from rules.durations import format_duration
from rules.hours import DAYS

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
        "promises": _promises(product.promises),
        "runbook": product.runbook,
        "consumers": list(product.consumers),
        "assets": [{one.kind: one.pattern} for one in product.assets],
    }
    return {name: value for name, value in found.items() if value}


def _promises(promises: Promises) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if by := promises.fresh_by:
        found["fresh_by"] = {"at": f"{by.at:%H:%M}", "timezone": by.zone}
        if by.days != DAYS:
            found["fresh_by"]["days"] = list(by.days)
    if promises.availability is not None:
        found["availability"] = promises.availability
    for name in _DURATIONS:
        if (duration := getattr(promises, name)) is not None:
            found[name] = format_duration(duration)
    return found
