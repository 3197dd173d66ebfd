"""Data products and the assets they are made of, found by whatever name an alert gives them."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from rules.budget import Objective
from rules.claims import AssetPattern, ClaimIndex
from rules.cron import GRACE
from rules.hours import Hours
from rules.relation import relation_key, relation_tail
from rules.seen_lineage import dataset_id, job_id
from rules.sla import FreshBy

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
_DBT_NODES = frozenset({"model", "seed", "snapshot"})


class LoadType(StrEnum):
    """What a run replaces: everything, the newest part, or nothing (it adds history)."""

    FULL = "full"
    INCREMENTAL = "incremental"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One table, model, DAG, task or dashboard.

    `id` is unique: dbt's unique_id, or `dag:<dag_id>`, `task:<dag_id>.<task_id>`,
    `relation:<name>`. `inherited`: `owner` and `team` are those of the nearest owned parent.
    `tier` 1 is the most important, 0 is not known. `tests` counts the checks on it. `seen_by` are
    the sources by whose events alone it is known; `owner_seen_by` those that told its owner, which
    no file did.
    """

    id: str
    name: str
    kind: str = "table"
    product: str = ""
    owner: str = ""
    team: str = ""
    inherited: bool = False
    channel: str = ""
    rotation: str = ""
    tier: int = 0
    load_type: LoadType | None = None
    relation: str = ""
    url: str = ""
    maturity: str = ""
    access: str = ""
    tags: tuple[str, ...] = ()
    tests: int = 0
    runbook: str = ""
    description: str = ""
    seen_by: str = ""
    owner_seen_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What readers were promised; None is no promise.

    `availability` is in percent, of any `availability_over`. `fresh_objective` is how many of
    the deliveries that `fresh_by` makes due may be late, `quality` how many of them may be wrong.
    """

    fresh_by: FreshBy | None = None
    fresh_objective: Objective | None = None
    quality: Objective | None = None
    max_age: timedelta | None = None
    availability: float | None = None
    availability_over: timedelta = timedelta(days=30)
    time_to_detect: timedelta | None = None
    time_to_notify: timedelta | None = None
    time_to_repair: timedelta | None = None

    @property
    def to_readers(self) -> bool:
        """Say whether anything is promised of the data itself."""
        return any(p is not None for p in (self.fresh_by, self.max_age, self.availability))


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is promised to readers. `schedule` is a cron expression in `timezone`.

    A run must start by each of its times plus `grace`, None for whenever it likes, but for the
    `holidays`, a calendar's name.

    `run_takes` is how long its runs need, `consumer_hours` when readers read it; None is unknown.
    """

    id: str
    name: str
    owner: str = ""
    team: str = ""
    channel: str = ""
    rotation: str = ""
    tier: int = 0
    driver: str = ""
    load_type: LoadType | None = None
    schedule: str = ""
    timezone: str = "UTC"
    grace: timedelta | None = GRACE
    holidays: str = ""
    promises: Promises = Promises()
    runbook: str = ""
    consumers: tuple[str, ...] = ()
    consumer_hours: Hours | None = None
    run_takes: timedelta | None = None
    assets: tuple[AssetPattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a name or an alert's labels mean, and by which of them; at least one is set."""

    asset: Asset | None
    product: Product | None
    reason: str


class Catalogue:
    """Everything that is known of products and assets; every look-up is by index.

    `tests` maps a test to the asset it checks, `aliases` other ids of an asset to its own. Of two products or assets with one id the first
    stays. An asset belongs to the product that claims it most exactly, else to the one that its
    own entry names.
    """

    def __init__(
        self,
        products: Iterable[Product] = (),
        assets: Iterable[Asset] = (),
        tests: Mapping[str, str] | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._products = _first_of_each((one.id, one) for one in products)
        named = [(one.id, one.id) for one in self._products.values()]
        named += [(one.name, one.id) for one in self._products.values()]
        self._words = _first_of_each((word.strip().casefold(), found) for word, found in named)
        self._claims = ClaimIndex(
            (pattern, product.id)
            for product in self._products.values()
            for pattern in product.assets
        )
        self.tests = dict(tests or {})
        self._also = {**self.tests, **(aliases or {})}
        listed = _first_of_each((one.id, one) for one in assets)
        known = {relation_key(one.relation) for one in listed.values() if one.relation}
        clear = _only((relation_tail(key), key) for key in known)
        self._without_database = {key: tail for tail, key in clear.items() if key}
        for stated in _stated(self._products.values(), known | {t for t in clear if clear[t]}):
            listed.setdefault(stated.id, stated)
        self._assets = {name: self._placed(one) for name, one in listed.items()}
        self._names = _only((name, a.id) for a in self._assets.values() for name in names_of(a))
        # What builds a table stands before the source that only names it.
        ranked = sorted(self._assets.values(), key=lambda one: one.kind == "source")
        self._relations = _first_of_each(
            (relation_key(one.relation), one.id)
            for one in ranked
            if one.relation and not one.seen_by
        )
        seen = _only((relation_key(a.relation), a.id) for a in ranked if a.relation and a.seen_by)
        self._relations = {**seen, **self._relations}
        self._tails = _only((relation_tail(key), found) for key, found in self._relations.items())
        self._members: dict[str, list[Asset]] = {}
        for asset in self._assets.values():
            self._members.setdefault(asset.product, []).append(asset)

    @property
    def products(self) -> tuple[Product, ...]:
        return tuple(self._products.values())

    @property
    def assets(self) -> tuple[Asset, ...]:
        return tuple(self._assets.values())

    def product(self, written: str) -> Product | None:
        """Return the product of an id, or of a name in any case."""
        found = self._products.get(written)
        return found or self._products.get(self._words.get(written.strip().casefold(), ""))

    def asset(self, asset_id: str) -> Asset | None:
        """Return the asset of an id; a test's id is the asset it checks."""
        return self._assets.get(asset_id) or self._assets.get(self._also.get(asset_id, ""))

    def by_relation(self, written: str) -> Asset | None:
        """Return the asset of a table name; the database may be left out when that is clear."""
        key = relation_key(written)
        tail = relation_tail(key)
        without_database = self._tails if key == tail else self._relations
        found = self._relations.get(key) or without_database.get(tail)
        return self._assets.get(found) if found else None

    def by_dag(self, dag_id: str, task_id: str = "") -> Asset | None:
        """Return the task when it is listed, else its DAG."""
        task = self._assets.get(f"task:{dag_id}.{task_id}") if task_id else None
        return task or self._assets.get(f"dag:{dag_id}")

    def by_name(self, kind: str, name: str) -> Asset | None:
        """Return the only asset of a kind that has this name; models include seeds, snapshots."""
        found = self._names.get((kind, name))
        return self._assets.get(found) if found else None

    def product_of(self, asset: Asset) -> Product | None:
        return self._products.get(asset.product)

    def members(self, product_id: str) -> tuple[Asset, ...]:
        return tuple(self._members.get(product_id, ()))

    def owner_of(self, asset: Asset) -> str:
        """Return who answers for it: its owner, its product's when that is surer, its team."""
        product = self.product_of(asset)
        own = "" if asset.inherited or asset.owner_seen_by else asset.owner or asset.team
        above = (product.owner or product.team) if product else ""
        return own or above or asset.owner or asset.team

    def how_owned(self, asset: Asset) -> str:
        """Return why that is its owner where nobody wrote it: `inherited`, `seen by <source>`."""
        product = self.product_of(asset)
        if (product and (product.owner or product.team)) or not (asset.owner or asset.team):
            return ""
        seen = f"seen by {asset.owner_seen_by}" if asset.owner_seen_by else ""
        return ", ".join(word for word in ("inherited" if asset.inherited else "", seen) if word)

    def find(self, labels: Mapping[str, str]) -> Found | None:
        """Return what an alert is about; the reason names the label that told."""
        asset, told = self._asset_of(labels)
        for label in ("data_product", "product"):
            product = self.product(labels[label]) if labels.get(label) else None
            if product:
                return Found(asset, product, f"label {label}={labels[label]}")
        if asset:
            return Found(asset, self.product_of(asset), told)
        for kind, label, name in _claimable(labels):
            if claimed := self._claims.product(kind, name):
                return Found(None, self._products[claimed], f"{label} {name}")
        return None

    def _asset_of(self, labels: Mapping[str, str]) -> tuple[Asset | None, str]:
        for label, asset in self._named(labels):
            if asset:
                return asset, f"{label} {labels[label]}"
        dag, task = labels.get("dag_id", ""), labels.get("task_id", "")
        if dag and (asset := self.by_dag(dag, task)):
            return asset, f"task {dag}.{task}" if asset.kind == "task" else f"dag_id {dag}"
        for label, kind in (("model", "model"), ("dbt_source", "source")):
            if (written := labels.get(label)) and (asset := self.by_name(kind, written)):
                return asset, f"{label} {written}"
        return None, ""

    def _named(self, labels: Mapping[str, str]) -> Iterator[tuple[str, Asset | None]]:
        """Yield label and asset of every name that stands for itself, the surest first."""
        for label in ("unique_id", "asset"):
            if label in labels:
                yield label, self.asset(labels[label])
        if "dataset" in labels and "dataset_namespace" in labels:
            found = dataset_id(labels["dataset_namespace"], labels["dataset"])
            yield "dataset", self.asset(found)
        for label in ("relation", "table", "dataset"):
            if labels.get(label):
                yield label, self.by_relation(labels[label])
        if "job" in labels and "job_namespace" in labels:
            yield "job", self.asset(job_id(labels["job_namespace"], labels["job"]))

    def _placed(self, asset: Asset) -> Asset:
        names = list(names_of(asset))
        if tail := self._without_database.get(relation_key(asset.relation)):
            names.append(("relation", tail))
        if asset.kind == "task":
            names.append(("dag", asset.name.partition(".")[0]))
        found = (self._claims.product(kind, name) for kind, name in names)
        own = self.product(asset.product) if asset.product else None
        said = own.id if own else asset.product
        claimed = next((product for product in found if product), said)
        return replace(asset, product=claimed) if claimed != asset.product else asset


def _stated(products: Iterable[Product], known: AbstractSet[str]) -> Iterator[Asset]:
    """Yield the assets that products name exactly and no manifest knows."""
    for product in products:
        for claim in product.assets:
            if not claim.exact or (claim.kind == "relation" and claim.name in known):
                continue
            if claim.kind in {"dag", "task"}:
                yield Asset(id=f"{claim.kind}:{claim.name}", name=claim.name, kind=claim.kind)
            elif claim.kind == "relation":
                yield Asset(id=f"relation:{claim.name}", name=claim.name, relation=claim.name)


def names_of(asset: Asset) -> Iterator[tuple[str, str]]:
    """Yield the names an asset is claimed and looked up by, the most telling first."""
    kind = "model" if asset.kind in _DBT_NODES else asset.kind
    yield kind, asset.id
    if asset.name != asset.id:
        yield kind, asset.name
    if asset.relation:
        yield "relation", relation_key(asset.relation)


def _claimable(labels: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, label and name of what a product's pattern may claim, of labels."""
    dag, task = labels.get("dag_id", ""), labels.get("task_id", "")
    if dag and task:
        yield "task", "task", f"{dag}.{task}"
    for kind, label in (("dag", "dag_id"), ("model", "unique_id"), ("model", "model")):
        if written := labels.get(label):
            yield kind, label, written
    for label in ("relation", "table", "dataset"):
        if written := labels.get(label):
            yield "relation", label, relation_key(written)


def _first_of_each(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _only(pairs: Iterable[tuple[K, str]]) -> dict[K, str]:
    """Index what is said of one thing only; a name that several have finds none of them."""
    found: dict[K, str] = {}
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            found[key] = ""
    return found
