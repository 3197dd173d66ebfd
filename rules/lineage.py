"""What is downstream and upstream of an asset, and who is hit when it breaks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rules.catalogue import Asset, Catalogue, Product

_MATURITY = {"high": 0, "medium": 1, "low": 2}
_UNKNOWN = 99
_new = tuple.__new__  # a third of the time of Hit(...), thousands of times


class Hit(NamedTuple):
    """One asset that is reached: in `depth` steps, `via` the asset before it.

    `first_hop` is the asset next to the seed on the way; for a direct neighbour, itself.
    """

    id: str
    depth: int
    via: str
    first_hop: str


@dataclass(frozen=True, slots=True)
class Radius:
    """Everything that breaking `seeds` reaches, nearest first, seeds left out.

    `exposures` and `products` are ranked: tier, then maturity, then depth. `owners` answer for
    them and for the assets between, in that order. `path` leads from a seed to the best known
    consumer: the first exposure, else the best asset of the first product; empty when there is
    neither.
    """

    seeds: tuple[str, ...]
    hits: tuple[Hit, ...] = ()
    exposures: tuple[Asset, ...] = ()
    products: tuple[Product, ...] = ()
    owners: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


class Lineage:
    """The edges between assets, both ways; tests are no part of it.

    `children` maps an asset's id to those that read it. Cycles and unknown ids do no harm.
    """

    def __init__(self, catalogue: Catalogue, children: Mapping[str, Sequence[str]]) -> None:
        self.catalogue = catalogue
        self._children = {node: tuple(dict.fromkeys(found)) for node, found in children.items()}
        self._parents: dict[str, list[str]] = {}
        for node, found in self._children.items():
            for child in found:
                self._parents.setdefault(child, []).append(node)
        ends = {one.id for one in catalogue.assets if one.kind == "exposure"}
        self._downstream = {one: found for one, found in self._children.items() if one not in ends}
        # Looked up for thousands of assets at once while somebody waits.
        self._standings = {one.id: _standing(catalogue, one) for one in catalogue.assets}

    def children(self, node: str) -> tuple[str, ...]:
        return self._children.get(node, ())

    def parents(self, node: str) -> tuple[str, ...]:
        return tuple(self._parents.get(node, ()))

    def downstream(self, seeds: Iterable[str]) -> tuple[Hit, ...]:
        """Return all that reads the seeds, at any distance, nearest first; exposures end a way."""
        return _reach(seeds, self._downstream)

    def upstream(self, node: str) -> tuple[Hit, ...]:
        """Return all that the asset is made from, nearest first; `via` leads back to it."""
        return _reach((node,), self._parents)

    def blast_radius(self, seeds: Iterable[str]) -> Radius:
        """Return who and what is hit when these assets are broken."""
        started = tuple(dict.fromkeys(seeds))
        hits = self.downstream(started)
        exposures: list[tuple[int, int, str]] = []
        best: dict[str, tuple[int, int, str]] = {}
        owners: dict[str, tuple[int, int]] = {}
        for at, hit in enumerate(hits):
            if (standing := self._standings.get(hit.id)) is None:
                continue
            rank, is_exposure, product, owner = standing
            if is_exposure:
                exposures.append((rank, at, hit.id))
            if product and (product not in best or rank < best[product][0]):
                best[product] = (rank, at, hit.id)
            if owner and (owner not in owners or rank < owners[owner][0]):
                owners[owner] = (rank, at)
        exposures.sort()
        products = sorted(best, key=best.__getitem__)
        aim = exposures[0] if exposures else best[products[0]] if products else None
        return self._radius(started, hits, [one for *_, one in exposures], products, owners, aim)

    def _radius(
        self,
        seeds: tuple[str, ...],
        hits: tuple[Hit, ...],
        exposures: Iterable[str],
        products: Iterable[str],
        owners: Mapping[str, tuple[int, int]],
        aim: tuple[int, int, str] | None,
    ) -> Radius:
        boards = tuple(asset for one in exposures if (asset := self.catalogue.asset(one)))
        hit_products = tuple(found for one in products if (found := self.catalogue.product(one)))
        told = [one.owner or one.team for one in hit_products]
        told += [self.catalogue.owner_of(one) for one in boards]
        told += sorted(owners, key=owners.__getitem__)
        return Radius(
            seeds=seeds,
            hits=hits,
            exposures=boards,
            products=hit_products,
            owners=tuple(dict.fromkeys(name for name in told if name)),
            path=path_to(hits, aim[2]) if aim else (),
        )


def path_to(hits: Sequence[Hit], node: str) -> tuple[str, ...]:
    """Return the shortest way from a seed to a hit, both included; empty for no hit."""
    way: list[str] = []
    wanted = node
    for hit in reversed(hits):  # nearest first, so that whatever is before a hit stands before it
        if hit.id == wanted:
            way = way or [node]
            way.append(hit.via)
            wanted = hit.via
    return tuple(reversed(way))


def _reach(seeds: Iterable[str], edges: Mapping[str, Sequence[str]]) -> tuple[Hit, ...]:
    layer = [Hit(seed, 0, "", "") for seed in dict.fromkeys(seeds)]
    seen = {hit.id for hit in layer}
    hits: list[Hit] = []
    depth = 0
    while layer:
        depth += 1
        following: list[Hit] = []
        for node, _, _, first in layer:
            for other in edges.get(node, ()):
                if other not in seen:
                    seen.add(other)
                    following.append(_new(Hit, (other, depth, node, first or other)))
        hits += following
        layer = following
    return tuple(hits)


def _standing(catalogue: Catalogue, asset: Asset) -> tuple[int, bool, str, str]:
    """Return rank, whether it is an exposure, product and owner; the least rank is the first."""
    product = catalogue.product_of(asset)
    tiers = [tier for tier in (asset.tier, product.tier if product else 0) if tier]
    maturity = _MATURITY.get(asset.maturity, len(_MATURITY))
    rank = min(tiers, default=_UNKNOWN) * 10 + maturity
    return rank, asset.kind == "exposure", asset.product, catalogue.owner_of(asset)
