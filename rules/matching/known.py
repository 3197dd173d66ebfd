"""What routes, silences and windows know of an alert: its labels, the catalogue's, its weight."""

from collections.abc import Mapping
from typing import NamedTuple

from rules.alert import Alert
from rules.catalogue import Catalogue, Found
from rules.facts import Facts
from rules.incident import Stakes
from rules.matching.matcher import fill, matchable
from rules.priority import Priority


class Described(NamedTuple):
    """An alert's labels with what the catalogue says of it, and what it found."""

    facts: Facts
    found: Found | None


def described(alert: Alert, catalogue: Catalogue) -> Described:
    """Return what is known of an alert before it is weighed."""
    seen = matchable(alert)
    found = catalogue.find(seen)
    fill(seen, about(found, catalogue))
    return Described(seen, found)


def with_catalogue(labels: Mapping[str, str], catalogue: Catalogue) -> Facts:
    """Return labels of a stored alert with what the catalogue says of it today."""
    seen = Facts(labels)
    fill(seen, about(catalogue.find(seen), catalogue))
    return seen


def about(found: Found | None, catalogue: Catalogue) -> dict[str, str]:
    """Return product, asset, team, owner and tier, as far as the catalogue knows them."""
    if found is None:
        return {}
    product, asset = found.product, found.asset
    tier = (product.tier if product else 0) or (asset.tier if asset else 0)
    owner = catalogue.owner_of(asset) if asset else ""
    known = {
        "product": product.id if product else "",
        "asset": asset.id if asset else "",
        "team": (product.team if product else "") or (asset.team if asset else ""),
        "owner": owner or (product.owner if product else ""),
        "tier": str(tier) if tier else "",
    }
    return {name: value for name, value in known.items() if value}


def weighed(known: Mapping[str, str], priority: Priority, stakes: Stakes | None) -> Facts:
    """Return what is known together with what weighing it has found."""
    seen = Facts(known)
    seen["priority"] = priority.value
    if stakes is not None:
        seen["impact"], seen["urgency"] = stakes.impact.value, stakes.urgency.value
    return seen
