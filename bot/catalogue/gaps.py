"""What a catalogue leaves open: nobody to tell, nothing promised, claims on nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.catalogue.reading import CatalogueRead
from rules.catalogue import names_of
from rules.claims import ClaimIndex

STALE_AFTER = timedelta(days=7)
_IN_MANIFESTS = frozenset({"model", "source", "exposure"})
_OWNED = frozenset({"model", "seed", "snapshot", "source", "exposure"})


@dataclass(frozen=True, slots=True)
class Gap:
    """`kind` is a word for machines; `thing` the id of what it concerns."""

    kind: str
    thing: str
    message: str


def gaps(read: CatalogueRead, now: datetime) -> Iterator[Gap]:
    """Yield every gap: manifests first, then products, then assets."""
    for path, manifest in read.manifests:
        age = _age(manifest.generated_at, now)
        if age is None:
            yield Gap("stale_manifest", path, "does not say when it was generated")
        elif age > STALE_AFTER:
            words = f"was generated {age.days} days ago; run `dbt parse` and copy it anew"
            yield Gap("stale_manifest", path, words)
    yield from _of_products(read)
    yield from _of_assets(read)


def _of_products(read: CatalogueRead) -> Iterator[Gap]:
    for product in read.catalogue.products:
        if not (product.owner or product.team):
            yield Gap("product_without_owner", product.id, "has neither owner nor team")
        if not product.promises.to_readers:
            words = "promises nothing: give fresh_by, max_age or availability"
            yield Gap("product_without_promise", product.id, words)
        if not product.runbook:
            yield Gap("product_without_runbook", product.id, "has no runbook")
        if not (product.assets or read.catalogue.members(product.id)):
            words = "has no assets: no alert will ever be about it"
            yield Gap("product_without_assets", product.id, words)
    yield from _dead_claims(read)


def _dead_claims(read: CatalogueRead) -> Iterator[Gap]:
    """Find claims on dbt nodes that no manifest has; without a manifest nobody can tell."""
    if not read.manifests:
        return
    index = ClaimIndex(
        (claim, f"{product.id}\n{claim.kind}\n{claim.pattern}")
        for product in read.catalogue.products
        for claim in product.assets
        if claim.kind in _IN_MANIFESTS
    )
    used: set[str] = set()
    for asset in read.catalogue.assets:
        for kind, name in names_of(asset):
            used.update(index.products(kind, name))
    for product in read.catalogue.products:
        for claim in product.assets:
            claimed = f"{product.id}\n{claim.kind}\n{claim.pattern}"
            if claim.kind in _IN_MANIFESTS and claimed not in used:
                words = f"claims the {claim.kind} `{claim.pattern}`, which no manifest has"
                yield Gap("claim_on_nothing", product.id, words)


def _of_assets(read: CatalogueRead) -> Iterator[Gap]:
    for asset in read.catalogue.assets:
        if asset.kind not in _OWNED:
            continue
        if not read.catalogue.owner_of(asset):
            yield Gap("asset_without_owner", asset.id, "has no owner, and no owned parent")
        elif asset.inherited and not asset.product:
            words = f"has only the owner of a parent: {asset.owner or asset.team}"
            yield Gap("asset_with_inherited_owner", asset.id, words)


def _age(written: str, now: datetime) -> timedelta | None:
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return None
    return now - (when if when.tzinfo else when.replace(tzinfo=UTC))
