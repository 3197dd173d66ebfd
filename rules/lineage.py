"""What is downstream and upstream of an asset, and who is hit when it breaks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rules.catalogue import Asset, Catalogue, Product

_MATURITY = {"high": 0, "medium": 1, "low": 2}
_UNKNOWN = 99


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
        self._ends = frozenset(one.id for one in catalogue.assets if one.kind == "exposure")

    def children(self, node: str) -> tuple[str, ...]:
        return self._children.get(node, ())

    def parents(self, node: str) -> tuple[str, ...]:
        return tuple(self._parents.get(node, ()))

    def downstream(self, seeds: Iterable[str]) -> tuple[Hit, ...]:
        """Return all that reads the seeds, at any distance, nearest first; exposures end a way."""
        return tuple(_reach(seeds, self._children, self._ends))

    def upstream(self, node: str) -> tuple[Hit, ...]:
        """Return all that the asset is made from, nearest first; `via` leads back to it."""
        return tuple(_reach((node,), self._parents, frozenset()))

    def blast_radius(self, seeds: Iterable[str]) -> Radius:
        """Return who and what is hit when these assets are broken."""
        started = tuple(dict.fromkeys(seeds))
        hits = self.downstream(started)
        assets = [(hit.depth, a) for hit in hits if (a := self.catalogue.asset(hit.id))]
        ranked = sorted(assets, key=self._rank)
        exposures = tuple(asset for _, asset in ranked if asset.kind == "exposure")
        placed = [asset for _, asset in ranked if asset.product]
        products = _products(self.catalogue, placed)
        best = exposures[0] if exposures else placed[0] if placed else None
        told = [one.owner or one.team for one in products]
        told += [self.catalogue.owner_of(asset) for asset in (*exposures, *(a for _, a in ranked))]
        return Radius(
            seeds=started,
            hits=hits,
            exposures=exposures,
            products=products,
            owners=tuple(dict.fromkeys(name for name in told if name)),
            path=path_to(hits, best.id) if best else (),
        )

    def _rank(self, reached: tuple[int, Asset]) -> tuple[int, int, int, str]:
        depth, asset = reached
        product = self.catalogue.product_of(asset)
        tiers = [tier for tier in (asset.tier, product.tier if product else 0) if tier]
        maturity = _MATURITY.get(asset.maturity, len(_MATURITY))
        return min(tiers, default=_UNKNOWN), maturity, depth, asset.id


def path_to(hits: Iterable[Hit], node: str) -> tuple[str, ...]:
    """Return the shortest way from a seed to a hit, both included; empty for no hit."""
    via = {hit.id: hit.via for hit in hits}
    if node not in via:
        return ()
    way = [node]
    while way[-1] in via:
        way.append(via[way[-1]])
    return tuple(reversed(way))


def _reach(
    seeds: Iterable[str], edges: Mapping[str, Sequence[str]], ends: frozenset[str]
) -> Iterator[Hit]:
    layer = [(seed, "") for seed in dict.fromkeys(seeds)]
    seen = {seed for seed, _ in layer}
    depth = 0
    while layer:
        depth += 1
        following: list[tuple[str, str]] = []
        for node, first in layer:
            if node in ends:
                continue
            for other in edges.get(node, ()):
                if other not in seen:
                    seen.add(other)
                    hop = first or other
                    following.append((other, hop))
                    yield Hit(other, depth, node, hop)
        layer = following


def _products(catalogue: Catalogue, ranked: Iterable[Asset]) -> tuple[Product, ...]:
    ids = dict.fromkeys(asset.product for asset in ranked)
    return tuple(product for one in ids if (product := catalogue.product(one)))
