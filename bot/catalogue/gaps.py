"""What a catalogue leaves open: nobody to tell, nothing promised, claims on nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.catalogue.reading import CatalogueRead
from rules.catalogue import names_of
from rules.claims import ClaimIndex
from rules.products.catalogue_gaps import Gap, gaps_of

STALE_AFTER = timedelta(days=7)
_IN_MANIFESTS = frozenset({"model", "source", "exposure"})


def gaps(read: CatalogueRead, now: datetime) -> Iterator[Gap]:
    """Yield every gap: of manifests, products, assets, then claims on nothing, names of many."""
    for path, manifest in read.manifests:
        age = _age(manifest.generated_at, now)
        if age is None:
            yield Gap("stale_manifest", path, "does not say when it was generated")
        elif age > STALE_AFTER:
            words = f"was generated {age.days} days ago; run `dbt parse` and copy it anew"
            yield Gap("stale_manifest", path, words)
    yield from gaps_of(read.catalogue)
    yield from _dead_claims(read)
    for one in read.live.unclear if read.live else ():
        words = "was seen live in several namespaces, so that no name of the files means it"
        yield Gap("unclear_name", one, words)


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


def _age(written: str, now: datetime) -> timedelta | None:
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return None
    return now - (when if when.tzinfo else when.replace(tzinfo=UTC))
