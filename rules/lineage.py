"""What is downstream and upstream of an asset, and who is hit when it breaks."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, overload

from rules.catalogue import Asset, Catalogue, Product
from rules.sla import FreshBy, next_deadline

_MATURITY = {"high": 0, "medium": 1, "low": 2}
_UNKNOWN = 99
_ORCHESTRATION = ("dag:", "task:")
_NOT_BUILT = frozenset({"source", "exposure", "dag", "task"})
"""Kinds of what a product claims and its runs do not build: what it reads, and what reads it."""
_KEPT = 1_000
_REACHES_KEPT = 50_000
_NEVER = datetime.max.replace(tzinfo=UTC)
_NEVER_ASKED = _NEVER, _NEVER, ""
_PATH_SHOWN = 8
_READERS_SHOWN = 4
_PRODUCTS_ASKED = 20
"""Products downstream are ranked; those beyond do not bring a deadline."""


class Hit(NamedTuple):
    """One asset that is reached: in `depth` steps, `via` the asset before it.

    `first_hop` is the asset next to the seed on the way; for a direct neighbour, itself.
    """

    id: str
    depth: int
    via: str
    first_hop: str


class Hits(Sequence[Hit]):
    """Hits, nearest first; each is made when it is looked at, because there may be thousands.

    `starts` has where each depth begins in `ids`, depth 1 first.
    """

    __slots__ = ("_first", "_via", "ids", "starts")

    def __init__(
        self, ids: Sequence[str], via: Sequence[str], first: Sequence[str], starts: Sequence[int]
    ) -> None:
        self.ids = ids
        self.starts = starts
        self._via = via
        self._first = first

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, at: int | slice) -> Hit | tuple[Hit, ...]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        at = range(len(self))[at]
        depth = bisect_right(self.starts, at)
        return Hit(self.ids[at], depth, self._via[at], self._first[at])

    def path_to(self, node: str) -> tuple[str, ...]:
        """Return the shortest way from a seed to a hit, both included; empty for no hit."""
        before = dict(zip(self.ids, self._via, strict=True))
        if node not in before:
            return ()
        way = [node]
        while way[-1] in before:
            way.append(before[way[-1]])
        return tuple(reversed(way))


@dataclass(frozen=True, slots=True)
class Radius:
    """Everything that breaking `seeds` reaches, nearest first, seeds left out.

    `exposures` and `products` are ranked: tier, then maturity, then depth. `owners` answer for
    them and for the assets between, in that order. `path` leads from a seed to the best known
    consumer: the first exposure, else the best asset of the first product; empty when there is
    neither.
    """

    seeds: tuple[str, ...]
    hits: Hits
    exposures: tuple[Asset, ...] = ()
    products: tuple[Product, ...] = ()
    owners: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


class Reach(NamedTuple):
    """What weighing asks of a blast radius: small, and kept for the next alert of the asset.

    `products` and `tier_1` leave the own product out; `promised` has what the first products
    promise, and their names; `readers` and `path` are names to show.
    """

    products: int = 0
    tier_1: int = 0
    exposures: int = 0
    exposures_high: int = 0
    promised: tuple[tuple[FreshBy, str], ...] = ()
    readers: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


class _Standing(NamedTuple):
    """How an asset counts among those that are hit; the least rank is the first."""

    rank: int
    product: str
    owner: str


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
        self._exposures = ends
        self._above: dict[str, Mapping[str, int]] = {}
        self._reaches: dict[tuple[str, str], Reach] = {}
        self._promised: dict[tuple[str, str], tuple[datetime, datetime, str]] = {}
        # Asked for thousands of assets at once while somebody waits: few standings, by number.
        numbers: dict[_Standing, int] = {}
        self._standing = {
            one.id: numbers.setdefault(_standing(catalogue, one), len(numbers))
            for one in catalogue.assets
        }
        self._standings = tuple(numbers)

    @property
    def edges(self) -> Mapping[str, tuple[str, ...]]:
        return self._children

    def children(self, node: str) -> tuple[str, ...]:
        return self._children.get(node, ())

    def parents(self, node: str) -> tuple[str, ...]:
        return tuple(self._parents.get(node, ()))

    def downstream(self, seeds: Iterable[str]) -> Hits:
        """Return all that reads the seeds, at any distance, nearest first; exposures end a way."""
        return _reach(seeds, self._downstream)

    def upstream(self, node: str) -> Hits:
        """Return all that the asset is made from, nearest first; `via` leads back to it."""
        return _reach((node,), self._parents)

    def above(self, node: str) -> Mapping[str, int]:
        """Return the steps to each asset that this one is made from; kept for the next asker."""
        known = self._above.get(node)
        if known is None:
            if len(self._above) >= _KEPT:
                self._above.clear()
            known = {hit.id: hit.depth for hit in self.upstream(node)}
            self._above[node] = known
        return known

    def broken_with(self, asset_id: str, product_id: str) -> tuple[str, ...]:
        """Return what breaks first: the asset, or all that a product's DAG, or its run, builds.

        `asset_id` is "" where only the product is known.
        """
        builds = not asset_id or asset_id.startswith(_ORCHESTRATION)
        if not builds or self._downstream.get(asset_id):
            return (asset_id,)
        members = self.catalogue.members(product_id) if product_id else ()
        built = tuple(one.id for one in members if one.kind not in _NOT_BUILT)
        return built or ((asset_id,) if asset_id else ())

    def blast_radius(self, seeds: Iterable[str]) -> Radius:
        """Return who and what is hit when these assets are broken."""
        started = tuple(dict.fromkeys(seeds))
        hits = self.downstream(started)
        exposures = sorted(filter(self._exposures.__contains__, hits.ids), key=self._rank)
        nearest = self._nearest(hits.ids)
        placed = [(one.product, at) for one, at in nearest if one.product]
        products = tuple(
            product
            for name in dict.fromkeys(name for name, _ in placed)
            if (product := self.catalogue.product(name))
        )
        best = exposures[0] if exposures else hits.ids[placed[0][1]] if placed else ""
        told = [one.owner or one.team for one in products]
        told += [self._standings[self._standing[one]].owner for one in exposures]
        told += [one.owner for one, _ in nearest]
        return Radius(
            seeds=started,
            hits=hits,
            exposures=tuple(asset for one in exposures if (asset := self.catalogue.asset(one))),
            products=products,
            owners=tuple(dict.fromkeys(name for name in told if name)),
            path=hits.path_to(best) if best else (),
        )

    def reach(self, asset_id: str, own: str) -> Reach:
        """Return what weighing asks of the blast radius of an asset of the product `own`, or of it."""
        known = self._reaches.get((asset_id, own))
        if known is None:
            if len(self._reaches) >= _REACHES_KEPT:
                self._reaches.clear()
            known = self._reaches[asset_id, own] = self._reach_of(asset_id, own)
        return known

    def next_promise(self, asset_id: str, own: str, now: datetime) -> tuple[datetime, str] | None:
        """Return the nearest deadline downstream of an asset, and whose it is.

        It stays the nearest until it has passed, so it is kept that long.
        """
        asked_at, deadline, whose = self._promised.get((asset_id, own), _NEVER_ASKED)
        if asked_at <= now <= deadline:
            return deadline, whose
        found: tuple[datetime, str] | None = None
        for fresh_by, name in self.reach(asset_id, own).promised:
            due = next_deadline(fresh_by, now)
            if due is not None and (found is None or due < found[0]):
                found = due, name
        if found is not None:
            if len(self._promised) >= _REACHES_KEPT:
                self._promised.clear()
            self._promised[asset_id, own] = (now, *found)
        return found

    def _reach_of(self, asset_id: str, own: str) -> Reach:
        radius = self.blast_radius(self.broken_with(asset_id, own))
        others = [one for one in radius.products if one.id != own]
        boards = [one.name for one in radius.exposures[:_READERS_SHOWN]]
        return Reach(
            products=len(others),
            tier_1=sum(one.tier == 1 for one in others),
            exposures=len(radius.exposures),
            exposures_high=sum(one.maturity == "high" for one in radius.exposures),
            promised=tuple(
                (one.promises.fresh_by, one.name)
                for one in radius.products[:_PRODUCTS_ASKED]
                if one.promises.fresh_by
            ),
            readers=(*boards, *(one.name for one in others[:_READERS_SHOWN]))[:_READERS_SHOWN],
            path=tuple(
                asset.name
                for node in radius.path[:_PATH_SHOWN]
                if (asset := self.catalogue.asset(node))
            ),
        )

    def _nearest(self, ids: Sequence[str]) -> list[tuple[_Standing, int]]:
        """Return each standing among the hits and where it comes first, the best first."""
        numbers = map(self._standing.get, reversed(ids))
        first = dict(zip(numbers, range(len(ids) - 1, -1, -1), strict=True))
        found = [(self._standings[n], at) for n, at in first.items() if n is not None]
        return sorted(found, key=lambda one: (one[0].rank, one[1]))

    def _rank(self, asset_id: str) -> int:
        return self._standings[self._standing[asset_id]].rank


def _reach(seeds: Iterable[str], edges: Mapping[str, Sequence[str]]) -> Hits:
    nodes = list(dict.fromkeys(seeds))
    hops = [""] * len(nodes)
    seen = set(nodes)
    ids: list[str] = []
    via: list[str] = []
    first: list[str] = []
    starts: list[int] = []
    while nodes:
        start = len(ids)
        starts.append(start)
        for node, hop in zip(nodes, hops, strict=True):
            for other in edges.get(node, ()):
                if other not in seen:
                    seen.add(other)
                    ids.append(other)
                    via.append(node)
                    first.append(hop or other)
        nodes, hops = ids[start:], first[start:]
    return Hits(ids, via, first, starts)


def _standing(catalogue: Catalogue, asset: Asset) -> _Standing:
    product = catalogue.product_of(asset)
    tiers = [tier for tier in (asset.tier, product.tier if product else 0) if tier]
    maturity = _MATURITY.get(asset.maturity, len(_MATURITY))
    rank = min(tiers, default=_UNKNOWN) * 10 + maturity
    return _Standing(rank, asset.product, catalogue.owner_of(asset))
