"""A lineage to draw: one broken model, ways of several steps, dashboards and products."""

from datetime import UTC, datetime, time

from rules.catalogue import Asset, Catalogue, Product, Promises
from rules.lineage import Lineage
from rules.sla import FreshBy

DEADLINE = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOPS = ("stg_orders", "dim_customer", "mart_finance")


def lineage(
    dashboards: int = 3, products: int = 4, *, name: str = "fct_orders", owner: str = "Bo"
) -> Lineage:
    """Return a lineage below `m.fct`."""
    orders = Product(
        id="orders",
        name="Orders",
        tier=2,
        owner="Ana",
        consumers=("Finance",),
        promises=Promises(fresh_by=FreshBy(time(9), "Europe/Amsterdam")),
    )
    made = [orders]
    assets = [Asset(id="m.fct", name=name, kind="model", product="orders")]
    children: dict[str, list[str]] = {"m.fct": [f"m.{hop}" for hop in HOPS]}
    assets += [Asset(id=f"m.{hop}", name=hop, kind="model") for hop in HOPS]
    for n in range(dashboards):
        maturity = ("high", "medium", "low")[min(n, 2)]
        title = f"{name} board {n}"
        assets.append(
            Asset(id=f"e.{n}", name=title, kind="exposure", maturity=maturity, owner=owner)
        )
        children.setdefault(f"m.{HOPS[n % 3]}", []).append(f"e.{n}")
    for n in range(products):
        made.append(Product(id=f"p{n}", name=f"{name} product {n}", tier=1 + n % 4, team=owner))
        assets.append(Asset(id=f"m.p{n}", name=f"mart_{n}", kind="model", product=f"p{n}"))
        reader_of = "m.fct" if n % 2 else f"m.{HOPS[n % 3]}"
        children.setdefault(reader_of, []).append(f"m.p{n}")
    return Lineage(Catalogue(made, assets), children)
