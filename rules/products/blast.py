"""What a picture of a blast radius shows: the few who matter most, and how many are left out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rules.catalogue import Asset, Catalogue, Product
from rules.lineage import Lineage, Radius
from rules.sentence import counted

MOST_SHOWN = 8
_MOST_OWNERS = 4
_LONGEST_WAY = 3
_LONGEST_TOLD = 900

Named = Callable[[str], str]
"""What an owner is called, by key."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who reads it in the end. `way` names the assets between, `steps` counts them all.

    `weight` is 0 for the most important and grows to 2; `best` marks the way that is emphasised.
    """

    name: str
    detail: str
    weight: int
    way: tuple[str, ...] = ()
    steps: int = 0
    best: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Consumers of one kind, the most important first; `more` are left out."""

    title: str
    shown: tuple[Consumer, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """Everything a picture says. `promise` is empty where nothing is promised."""

    name: str
    detail: str
    groups: tuple[Group, ...]
    counts: str
    owners: str = ""
    promise: str = ""


def blast(
    lineage: Lineage,
    seeds: Sequence[str],
    *,
    deadline: datetime | None = None,
    product: Product | None = None,
    promised: Product | None = None,
    named: Named = str,
) -> Blast:
    """Choose what to show of what breaks with these assets.

    `product` is the one they belong to, which is no consumer of itself. `deadline` is that of its
    promise, or of what was `promised` downstream.
    """
    catalogue, radius = lineage.catalogue, lineage.blast_radius(seeds)
    known = [asset for one in radius.seeds if (asset := catalogue.asset(one))]
    own = product or (catalogue.product_of(known[0]) if known else None)
    products = tuple(one for one in radius.products if one != own)
    return Blast(
        name=_root_name(radius, known, own),
        detail=_root_detail(catalogue, known, own, named),
        groups=tuple(_groups(catalogue, radius, products, named)),
        counts=_counts(radius, products),
        owners=_listed([named(key) for key in radius.owners], _MOST_OWNERS),
        promise=_promise(promised or own, deadline),
    )


def told(shown: Blast) -> str:
    """Return the picture in words, for those who cannot see it."""
    parts = [f"Blast radius of {shown.name}: {shown.counts}."]
    if shown.promise:
        parts.append(f"{shown.promise}.")
    for group in shown.groups:
        names = ", ".join(f"{one.name} ({one.detail})" if one.detail else one.name
                          for one in group.shown)  # fmt: skip
        more = f" and {group.more:,} more" if group.more else ""
        parts.append(f"{group.title}: {names}{more}.")
    if shown.owners:
        parts.append(f"Owners: {shown.owners}.")
    text = " ".join(parts)
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"


def _root_name(radius: Radius, known: Sequence[Asset], own: Product | None) -> str:
    if len(known) == 1:
        return known[0].name
    return own.name if own else next(iter(radius.seeds), "")


def _root_detail(
    catalogue: Catalogue, known: Sequence[Asset], own: Product | None, named: Named
) -> str:
    owner = catalogue.owner_of(known[0]) if known else ""
    tier = (own.tier if own else 0) or (known[0].tier if known else 0)
    parts = [own.name if own and len(known) == 1 else "", f"tier {tier}" if tier else ""]
    if owner or own:
        parts.append(named(owner or (own.owner or own.team if own else "")))
    return " · ".join(part for part in parts if part)


def _groups(
    catalogue: Catalogue, radius: Radius, products: Sequence[Product], named: Named
) -> Iterable[Group]:
    """Yield dashboards, then products; where there is neither, the nearest assets."""
    entry = _entries(catalogue, radius)
    few = min(len(radius.exposures), max(MOST_SHOWN // 2, MOST_SHOWN - len(products)))
    best = radius.path[-1] if radius.path else ""
    ends = radius.exposures[:few]
    if ends:
        found = [_consumer(catalogue, radius, one.id, best, _of_exposure(catalogue, one, named))
                 for one in ends]  # fmt: skip
        yield Group("Dashboards", tuple(found), len(radius.exposures) - len(ends))
    chosen = products[: MOST_SHOWN - len(ends)]
    if chosen:
        found = [_consumer(catalogue, radius, entry[one.id], best, _of_product(one, named))
                 for one in chosen]  # fmt: skip
        yield Group("Products", tuple(found), len(products) - len(chosen))
    if not ends and not chosen and radius.hits:
        nearest = radius.hits.ids[:MOST_SHOWN]
        found = [_consumer(catalogue, radius, one, best, _of_asset(catalogue, one, named))
                 for one in nearest]  # fmt: skip
        yield Group("Assets", tuple(found), len(radius.hits) - len(nearest))


def _entries(catalogue: Catalogue, radius: Radius) -> dict[str, str]:
    """Return by product its asset that is reached first."""
    found: dict[str, str] = {}
    for one in radius.hits.ids:
        asset = catalogue.asset(one)
        if asset and asset.product:
            found.setdefault(asset.product, one)
    return found


def _consumer(
    catalogue: Catalogue, radius: Radius, node: str, best: str, shown: tuple[str, str, int]
) -> Consumer:
    name, detail, weight = shown
    between = radius.hits.path_to(node)[1:-1]
    kept = between if len(between) <= _LONGEST_WAY else (*between[:2], between[-1])
    way = tuple(asset.name if (asset := catalogue.asset(one)) else one for one in kept)
    return Consumer(name, detail, weight, way, len(between), best=node == best)


def _of_exposure(catalogue: Catalogue, asset: Asset, named: Named) -> tuple[str, str, int]:
    maturity = f"{asset.maturity} maturity" if asset.maturity else ""
    owner = catalogue.owner_of(asset)
    detail = " · ".join(part for part in (maturity, named(owner) if owner else "") if part)
    return asset.name, detail, {"high": 0, "medium": 1}.get(asset.maturity, 2)


def _of_product(product: Product, named: Named) -> tuple[str, str, int]:
    tier = f"tier {product.tier}" if product.tier else ""
    owner = product.owner or product.team
    detail = " · ".join(part for part in (tier, named(owner) if owner else "") if part)
    return product.name, detail, {1: 0, 2: 1}.get(product.tier, 2)


def _of_asset(catalogue: Catalogue, node: str, named: Named) -> tuple[str, str, int]:
    asset = catalogue.asset(node)
    owner = catalogue.owner_of(asset) if asset else ""
    return asset.name if asset else node, named(owner) if owner else "", 2


def _counts(radius: Radius, products: Sequence[Product]) -> str:
    hit = [(len(radius.exposures), "dashboard"), (len(products), "product"),
           (len(radius.hits), "asset")]  # fmt: skip
    parts = [counted(n, word) for n, word in hit if n]
    return ", ".join(parts) + " downstream" if parts else "nothing known downstream"


def _promise(product: Product | None, deadline: datetime | None) -> str:
    if product is None or deadline is None or product.promises.fresh_by is None:
        return ""
    local = deadline.astimezone(ZoneInfo(product.promises.fresh_by.zone))
    readers = f" to {_listed(product.consumers, 2)}" if product.consumers else ""
    return f"Promised{readers} by {local:%a} {local.day} {local:%b %H:%M %Z}"


def _listed(names: Sequence[str], most: int) -> str:
    shown = ", ".join(dict.fromkeys(names[:most]))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
