"""The catalogue as text and as JSON, for the command line."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.text import Text
from rich.tree import Tree

from bot.catalogue.product_yaml import product_map, to_yaml
from bot.catalogue.reading import CatalogueRead
from bot.cli.live_catalogue import Marks
from rules.catalogue import Asset, Catalogue, Product
from rules.lineage import Hit, Radius
from rules.sentence import counted

_MOST_LINES = 200


def overview_text(read: CatalogueRead) -> str:
    """Return counts of what there is, then a line for each product."""
    catalogue = read.catalogue
    kinds = Counter(asset.kind for asset in catalogue.assets)
    named = [counted(count, kind) for kind, count in kinds.most_common()]
    owned = [a for a in catalogue.assets if a.owner or a.team]
    inherited = sum(asset.inherited for asset in owned)
    lines = [
        f"{counted(len(catalogue.products), 'product')}, {counted(len(catalogue.assets), 'asset')}"
    ]
    if live := sum(bool(asset.seen_by) for asset in catalogue.assets):
        lines[0] += f", {live} of them only seen live"
    if named:
        lines.append("  " + ", ".join(named))
        without = len(catalogue.assets) - len(owned)
        lines.append(
            f"  {len(owned)} have an owner, {inherited} of them by a parent; {without} none"
        )
    lines += [f"  {one}" for one in _product_lines(catalogue)]
    return "\n".join(lines)


def product_text(catalogue: Catalogue, product: Product, marks: Marks) -> str:
    """Return the product as a catalogue file has it, then its assets."""
    members = catalogue.members(product.id)
    lines = [to_yaml(product_map(product)).rstrip(), f"{counted(len(members), 'asset')}:"]
    lines += [
        f"  {_with(_asset_line(catalogue, one), marks.asset(one))}" for one in members[:_MOST_LINES]
    ]
    if len(members) > _MOST_LINES:
        lines.append(f"  and {len(members) - _MOST_LINES} more")
    return "\n".join(lines)


def asset_text(read: CatalogueRead, asset: Asset, marks: Marks) -> str:
    """Return one line for each thing that is known of an asset, then its neighbours."""
    shown = asset_map(read.catalogue, asset)
    lines = [f"{name + ':':12} {_value(value)}" for name, value in shown.items()]
    lines += [f"{name + ':':12} {value}" for name, value in marks.lines(asset)]
    parents, children = read.lineage.parents(asset.id), read.lineage.children(asset.id)
    for one in parents[:_MOST_LINES]:
        lines.append(_with(f"{'made from:':12} {one}", marks.edge(one, asset.id)))
    for one in children[:_MOST_LINES]:
        lines.append(_with(f"{'read by:':12} {one}", marks.edge(asset.id, one)))
    return "\n".join(lines)


def neighbours_map(read: CatalogueRead, asset: Asset, marks: Marks) -> dict[str, Any]:
    """Return what an asset is made from and read by as JSON, with what was seen live."""
    parents, children = read.lineage.parents(asset.id), read.lineage.children(asset.id)
    return {
        "made_from": [{"id": one, **marks.edge_map(one, asset.id)} for one in parents],
        "read_by": [{"id": one, **marks.edge_map(asset.id, one)} for one in children],
    }


def asset_map(catalogue: Catalogue, asset: Asset) -> dict[str, Any]:
    """Return what is known of an asset as JSON; what is empty is left out."""
    found = {
        "id": asset.id,
        "name": asset.name,
        "kind": asset.kind,
        "product": asset.product,
        "owner": catalogue.owner_of(asset),
        "owner_how": catalogue.how_owned(asset),
        "team": asset.team,
        "inherited": asset.inherited,
        "channel": asset.channel,
        "rotation": asset.rotation,
        "tier": asset.tier,
        "load_type": str(asset.load_type or ""),
        "relation": asset.relation,
        "url": asset.url,
        "maturity": asset.maturity,
        "access": asset.access,
        "tags": list(asset.tags),
        "tests": asset.tests,
        "runbook": asset.runbook,
        "description": asset.description,
    }
    return {name: value for name, value in found.items() if value}


def impact_map(catalogue: Catalogue, radius: Radius, marks: Marks) -> dict[str, Any]:
    """Return the blast radius as JSON."""
    return {
        "seeds": list(radius.seeds),
        "hits": [
            {
                "id": hit.id,
                "depth": hit.depth,
                "via": hit.via,
                "first_hop": hit.first_hop,
                "owner": catalogue.owner_of(asset) if (asset := catalogue.asset(hit.id)) else "",
                **marks.edge_map(hit.via, hit.id),
            }
            for hit in radius.hits
        ],
        "exposures": [asset_map(catalogue, one) for one in radius.exposures],
        "products": [one.id for one in radius.products],
        "owners": list(radius.owners),
        "path": list(radius.path),
    }


def impact_tree(catalogue: Catalogue, radius: Radius, marks: Marks) -> Tree:
    """Return the blast radius as a tree: each asset once, under the one it is first reached by."""
    below: dict[str, list[Hit]] = {}
    for hit in radius.hits:
        below.setdefault(hit.via, []).append(hit)
    root = Tree(Text(_summary(radius)))
    left = [_MOST_LINES]
    for seed in radius.seeds:
        branch = root.add(_label(catalogue, radius, seed))
        _grow(branch, seed, below, (catalogue, radius, marks), left)
    if (cut := len(radius.hits) - (_MOST_LINES - left[0])) > 0:
        root.add(Text(f"and {cut} more; --json has them all"))
    return root


def impact_lines(catalogue: Catalogue, radius: Radius) -> Iterator[str]:
    """Yield what stands below the tree: the way to the best known consumer, and the owners."""
    if radius.path:
        yield "shortest path: " + " > ".join(_name(catalogue, one) for one in radius.path)
    if radius.products:
        yield "products: " + ", ".join(one.id for one in radius.products)
    if radius.owners:
        yield "owners: " + ", ".join(radius.owners)


def _grow(
    branch: Tree,
    seed: str,
    below: dict[str, list[Hit]],
    told: tuple[Catalogue, Radius, Marks],
    left: list[int],
) -> None:
    """Add what is below, the nearest first, as long as lines are left; lineage may be deep."""
    catalogue, radius, marks = told
    waiting = [(branch, seed)]
    while waiting:
        following = []
        for tree, node in waiting:
            for hit in below.get(node, ()):
                if left[0] == 0:
                    return
                left[0] -= 1
                label = _label(catalogue, radius, hit.id)
                if mark := marks.edge(node, hit.id):
                    label.append(f"  {mark}", style="dim")
                following.append((tree.add(label), hit.id))
        waiting = following


def _label(catalogue: Catalogue, radius: Radius, node: str) -> Text:
    asset = catalogue.asset(node)
    style = "bold" if node in radius.path else ""
    return Text(_asset_line(catalogue, asset) if asset else node, style=style)


def _asset_line(catalogue: Catalogue, asset: Asset) -> str:
    owner, how = catalogue.owner_of(asset), catalogue.how_owned(asset)
    said = [f"({asset.kind})" if asset.kind != "model" else ""]
    said.append(f"product {asset.product}" if asset.product else "")
    said.append(f"tier {asset.tier}" if asset.tier else "")
    said.append(f"maturity {asset.maturity}" if asset.maturity else "")
    said.append(f"owner {owner}" if owner else "no owner")
    said.append(f"({how})" if how else "")
    return "  ".join([asset.name, *(one for one in said if one)])


def _with(line: str, mark: str) -> str:
    return f"{line}  {mark}" if mark else line


def _summary(radius: Radius) -> str:
    if not radius.hits:
        return "Nothing downstream is known."
    counts = [counted(len(radius.hits), "asset") + " downstream"]
    counts.append(counted(len(radius.products), "product"))
    counts.append(counted(len(radius.exposures), "exposure"))
    return ", ".join(counts)


def _name(catalogue: Catalogue, node: str) -> str:
    asset = catalogue.asset(node)
    return asset.name if asset else node


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "yes" if value is True else str(value)


def _product_lines(catalogue: Catalogue) -> Iterator[str]:
    ranked = sorted(catalogue.products, key=lambda one: (one.tier or 99, one.id))
    for one in ranked[:_MOST_LINES]:
        tier = f"tier {one.tier}" if one.tier else "no tier"
        owner = one.owner or one.team or "no owner"
        assets = len(catalogue.members(one.id))
        yield f"{one.id}: {one.name}, {tier}, {owner}, {counted(assets, 'asset')}"
    if len(ranked) > _MOST_LINES:
        yield f"and {len(ranked) - _MOST_LINES} more"
