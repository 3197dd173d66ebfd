"""Reads every file of `catalogue:` into one catalogue and its lineage, with what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.catalogue.manifest import Manifest, ManifestError, Progress
from bot.catalogue.manifest_worker import import_manifest
from bot.catalogue.odcs import is_contract, read_contract
from bot.catalogue.product_spec import CatalogueSpec
from rules.catalogue import Asset, Catalogue, Product
from rules.claims import AssetPattern
from rules.documents.strict_yaml import LARGEST_TEXT, fit, parse
from rules.documents.yaml_document import Document, Fault
from rules.documents.yaml_document import Path as YamlPath
from rules.lineage import Lineage
from rules.products.live_catalogue import Live
from rules.products.ownership import inherit_owners

ReadManifest = Callable[[Path, Progress | None], Manifest]
_MOST_FILES = 20_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A product and where it stands."""

    product: Product
    document: Document
    path: YamlPath

    def fault(self, message: str, *path: str | int) -> Fault:
        return self.document.fault((*self.path, *path), message)


@dataclass(frozen=True, slots=True)
class CatalogueRead:
    """What the files say: usable even with faults, which then leave out what they concern."""

    catalogue: Catalogue
    lineage: Lineage
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    placed: tuple[Placed, ...] = ()
    manifests: tuple[tuple[str, Manifest], ...] = ()
    live: Live | None = None
    """What was seen live, where that is joined with the files already."""


@dataclass(slots=True)
class _Found:
    placed: list[Placed]
    manifests: list[tuple[str, Manifest]]
    faults: list[Fault]
    warnings: list[Fault]


def read_catalogue(
    files: Sequence[str | Path],
    on_progress: Progress | None = None,
    manifest: ReadManifest = import_manifest,
) -> CatalogueRead:
    """Read YAML, ODCS and dbt manifests; a folder stands for the YAML files in it.

    It blocks, for seconds when a manifest is large; never raises for what stands in a file.
    """
    found = _Found([], [], [], [])
    for entry in files:
        for path in _paths(Path(entry), found.faults):
            if path.suffix == ".json":
                _manifest(path, found, on_progress, manifest)
            else:
                _products(path, found)
    placed = list(_once(found))
    found.warnings += _contested(placed)
    assets = _assets(found.manifests)
    children: dict[str, tuple[str, ...]] = {}
    tests: dict[str, str] = {}
    for _, one in found.manifests:
        for node, below in one.children.items():
            children[node] = (*children.get(node, ()), *below)
        tests.update(one.tests)
    if len(found.manifests) > 1:
        assets = inherit_owners(assets, children)
    products = [one.product for one in placed]
    catalogue = Catalogue([*products, *_named_by(assets, products)], assets, tests)
    return CatalogueRead(
        catalogue,
        Lineage(catalogue, children),
        tuple(sorted(found.faults)),
        tuple(sorted(found.warnings)),
        tuple(placed),
        tuple(found.manifests),
    )


def read_products(path: Path) -> tuple[list[Placed], list[Fault], list[Fault]]:
    """Read one catalogue file or ODCS contract: products, faults, warnings."""
    name = str(path)
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_TEXT * 4 + 1).decode("utf-8-sig")
    except OSError as error:
        return [], [Fault(name, 0, 0, f"cannot be read: {error.strerror or error}")], []
    except UnicodeDecodeError:
        return [], [Fault(name, 0, 0, "not UTF-8 text; save the file as UTF-8")], []
    document, faults = parse(text, name)
    if document is None or faults:
        return [], faults, []
    if is_contract(document):
        product, faults, warnings = read_contract(document)
        return [Placed(product, document, ())] if product else [], faults, warnings
    spec, faults = fit(document, CatalogueSpec)
    products = spec.products if spec else ()
    return (
        [Placed(p.product(), document, ("products", n)) for n, p in enumerate(products)],
        faults,
        [],
    )


def _paths(entry: Path, faults: list[Fault]) -> Sequence[Path]:
    try:
        if not entry.is_dir():
            if entry.exists():
                return [entry]
            faults.append(Fault(str(entry), 0, 0, "there is no such file"))
            return []
        found = sorted(p for p in entry.iterdir() if p.suffix in {".yaml", ".yml"})
    except OSError as error:
        faults.append(Fault(str(entry), 0, 0, f"cannot be read: {error.strerror or error}"))
        return []
    if not found:
        faults.append(Fault(str(entry), 0, 0, "a folder without a .yaml file"))
    return found[:_MOST_FILES]


def _manifest(
    path: Path, found: _Found, on_progress: Progress | None, manifest: ReadManifest
) -> None:
    try:
        read = manifest(path, on_progress)
    except ManifestError as error:
        found.faults.append(Fault(str(path), 0, 0, str(error)))
        return
    found.manifests.append((str(path), read))
    found.warnings += [Fault(str(path), 0, 0, f"left out: {words}") for words in read.problems]


def _products(path: Path, found: _Found) -> None:
    placed, faults, warnings = read_products(path)
    found.placed += placed
    found.faults += faults
    found.warnings += warnings


def _once(found: _Found) -> Iterator[Placed]:
    first: dict[str, Placed] = {}
    for one in found.placed:
        before = first.setdefault(one.product.id, one)
        if before is one:
            yield one
        else:
            there = before.fault("", "id")
            words = f"`{one.product.id}` is here twice; first in {there.file}:{there.line}"
            found.faults.append(one.fault(words, "id"))


def _contested(placed: Sequence[Placed]) -> Iterator[Fault]:
    first: dict[AssetPattern, str] = {}
    for one in placed:
        for claim in one.product.assets:
            key = AssetPattern(claim.kind, claim.name)
            owner = first.setdefault(key, one.product.id)
            if owner != one.product.id:
                words = f"{claim.kind} `{claim.pattern}` is claimed by `{owner}` already"
                yield one.fault(words, "assets")


def _assets(manifests: Sequence[tuple[str, Manifest]]) -> tuple[Asset, ...]:
    """Join manifests: of two entries of one asset the first stays."""
    joined: dict[str, Asset] = {}
    for _, one in manifests:
        for asset in one.assets:
            joined.setdefault(asset.id, asset)
    return tuple(joined.values())


def _named_by(assets: Sequence[Asset], products: Sequence[Product]) -> Iterator[Product]:
    """Yield the products that only `meta.data_product` of a manifest names."""
    written = Catalogue(products)
    members: dict[str, list[Asset]] = {}
    names: dict[str, str] = {}
    for asset in assets:
        if asset.product and written.product(asset.product) is None:
            name = names.setdefault(asset.product.strip().casefold(), asset.product)
            members.setdefault(name, []).append(asset)
    for name, found in members.items():
        yield Product(
            id=name,
            name=name,
            owner=_same(one.owner for one in found if not one.inherited),
            team=_same(one.team for one in found if not one.inherited),
            channel=_same(one.channel for one in found if not one.inherited),
            rotation=_same(one.rotation for one in found),
            tier=min((one.tier for one in found if one.tier), default=0),
        )


def _same(values: Iterator[str]) -> str:
    """Return what all that say anything say; nothing when they differ."""
    said = {value for value in values if value}
    return said.pop() if len(said) == 1 else ""
