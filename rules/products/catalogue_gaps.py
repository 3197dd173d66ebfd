"""What a catalogue leaves open: nobody to tell, nothing promised, no way to know what is due."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.catalogue import Asset, Catalogue, Product

OWNED = frozenset({"model", "seed", "snapshot", "source", "exposure"})
"""Kinds of assets that somebody must answer for."""

_OWNED_LIVE = OWNED | {"table", "dataset", "dashboard"}
_NO_TIER = 99


@dataclass(frozen=True, slots=True)
class Gap:
    """`kind` is a word for machines; `thing` the id of what it concerns; `tier` 0 is not known."""

    kind: str
    thing: str
    message: str
    tier: int = 0


@dataclass(frozen=True, slots=True)
class GapGroup:
    """Every gap of one kind, those of the most important things first, and how to close them."""

    kind: str
    title: str
    fix: str
    things: tuple[str, ...]

    @property
    def heading(self) -> str:
        """Return how many there are of what: "1 product without owner"."""
        one = self.title.replace("s ", " ", 1).replace("that have", "that has")
        return f"{len(self.things):,} {self.title if len(self.things) != 1 else one}"


_KINDS: Mapping[str, tuple[str, str]] = {
    "product_without_owner": ("products without owner", "give `owner:` or `team:`"),
    "product_without_promise": (
        "products without promise",
        "give `promises:` with `fresh_by`, `max_age` or `availability`",
    ),
    "asset_without_owner": (
        "assets without owner",
        "give `meta.owner` in dbt, or claim them in a product",
    ),
    "product_without_assets": ("products without assets", "name theirs under `assets:`"),
    "product_without_runbook": ("products without runbook", "give `runbook:`"),
    "product_without_schedule": ("products without schedule", "give `schedule:`"),
    "asset_with_inherited_owner": (
        "assets that have only a parent's owner",
        "give `meta.owner` in dbt, or claim them in a product",
    ),
}
"""By kind: what it is called, and the fix. The most important first."""


def gaps_of(catalogue: Catalogue) -> Iterator[Gap]:
    """Yield what the catalogue itself shows to be missing: of products, then of assets."""
    for product in catalogue.products:
        yield from _of_product(catalogue, product)
    for asset in catalogue.assets:
        if asset.kind in (_OWNED_LIVE if asset.seen_by else OWNED):
            yield from _of_asset(catalogue, asset)


def grouped(gaps: Sequence[Gap]) -> tuple[GapGroup, ...]:
    """Put gaps of one kind together, in the order in which they should be closed."""
    found: list[GapGroup] = []
    for kind, (title, fix) in _KINDS.items():
        ranked = sorted(
            (gap for gap in gaps if gap.kind == kind),
            key=lambda gap: (gap.tier or _NO_TIER, gap.thing),
        )
        if ranked:
            found.append(GapGroup(kind, title, fix, tuple(gap.thing for gap in ranked)))
    return tuple(found)


def _of_product(catalogue: Catalogue, product: Product) -> Iterator[Gap]:
    checks: tuple[tuple[str, Callable[[], bool], str], ...] = (
        (
            "product_without_owner",
            lambda: bool(product.owner or product.team),
            "has neither owner nor team",
        ),
        (
            "product_without_promise",
            lambda: product.promises.to_readers,
            "promises nothing: give fresh_by, max_age or availability",
        ),
        ("product_without_runbook", lambda: bool(product.runbook), "has no runbook"),
        (
            "product_without_schedule",
            lambda: bool(product.schedule),
            "has no schedule: a run that never starts is not missed",
        ),
        (
            "product_without_assets",
            lambda: bool(product.assets or catalogue.members(product.id)),
            "has no assets: no alert will ever be about it",
        ),
    )
    for kind, holds, message in checks:
        if not holds():
            yield Gap(kind, product.id, message, product.tier)


def _of_asset(catalogue: Catalogue, asset: Asset) -> Iterator[Gap]:
    if not catalogue.owner_of(asset):
        message = "has no owner, and no owned parent"
        message += f"; seen live by {asset.seen_by} alone" if asset.seen_by else ""
        yield Gap("asset_without_owner", asset.id, message, asset.tier)
    elif asset.inherited and not asset.product:
        message = f"has only the owner of a parent: {asset.owner or asset.team}"
        yield Gap("asset_with_inherited_owner", asset.id, message, asset.tier)
