"""Which products a run is about, so that their clocks and their incidents may hear of it."""

from collections.abc import Collection

from rules.catalogue import Catalogue
from rules.environment import environment_of
from rules.run import Run

MOST_ASSETS = 20_000
_ONLY_READ = "source"


def products_of(run: Run, catalogue: Catalogue, trials: Collection[str]) -> frozenset[str]:
    """Return the ids of the products that a run is about.

    None where it ran in one of the `trials`: what is tried out reaches no reader. A run that only
    looked, at a source or by tests, is about no product: it has loaded nothing.
    """
    if environment_of(run.labels) in trials:
        return frozenset()
    found = catalogue.find(run.labels)
    products = {found.product.id} if found and found.product else set()
    for one in run.assets[:MOST_ASSETS]:
        asset = None if one in catalogue.tests else catalogue.asset(one)
        if asset is not None and asset.kind != _ONLY_READ:
            products.add(asset.product)
    return frozenset(products - {""})
