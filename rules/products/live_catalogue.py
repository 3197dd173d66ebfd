"""What files say and what live events tell, as one catalogue; the files have the last word."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules.catalogue import Asset, Catalogue
from rules.lineage import Lineage
from rules.products.ownership import inherit_owners
from rules.seen_lineage import Seen, SeenAsset, SeenEdge, Sighting, answering

_MOST_SOURCES = 3


@dataclass(frozen=True, slots=True)
class Live:
    """A catalogue and lineage with what was seen.

    `seen` maps an asset's id to the latest sighting of it, `edges` (upstream, downstream) to that
    of an edge that no file has. `unclear` are the ids of things that were seen under a name that
    several have, so that nobody can tell which of them the files mean.
    """

    catalogue: Catalogue
    lineage: Lineage
    seen: Mapping[str, Sighting] = field(default_factory=dict)
    edges: Mapping[tuple[str, str], SeenEdge] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()


@dataclass(slots=True)
class _Thing:
    """One real thing under all the ids that events give it."""

    ids: list[str]
    known: SeenAsset
    sources: dict[str, None]
    latest: Sighting

    @property
    def told_by(self) -> str:
        return ", ".join(sorted(self.sources)[:_MOST_SOURCES])


def with_seen(catalogue: Catalogue, lineage: Lineage | None, seen: Seen) -> Live:
    """Add what was seen to what the files say.

    A table joins the asset of its relation, an Airflow job its DAG or task; of a name that was
    seen in several namespaces none joins, for it may be another's. Owners fill gaps only.
    """
    written = lineage or Lineage(catalogue, {})
    if not seen.assets:
        return Live(catalogue, written)
    wanted = [(_wanted(thing, catalogue), thing) for thing in _things(seen.assets)]
    places = _places(wanted)
    final = {one: place for place, thing in places for one in thing.ids}
    edges = _edges(seen.edges, final)
    new = {pair: edge for pair, edge in edges.items() if pair[1] not in written.children(pair[0])}
    children = dict(written.edges)
    for upstream, downstream in new:
        children[upstream] = (*children.get(upstream, ()), downstream)
    assets = {one.id: one for one in catalogue.assets}
    for place, thing in places:
        known = assets.get(place)
        assets[place] = _filled(known, thing) if known else _new(place, thing, children)
    joined = Catalogue(
        catalogue.products,
        inherit_owners(assets.values(), children),
        catalogue.tests,
        {one: place for one, place in final.items() if one != place},
    )
    return Live(
        joined,
        Lineage(joined, children),
        {place: thing.latest for place, thing in places},
        new,
        tuple(
            sorted(
                at
                for (at, _), (want, _) in zip(places, wanted, strict=True)
                if want not in {"", at}
            )
        ),
    )


def _things(sightings: Iterable[Sighting]) -> Iterator[_Thing]:
    """Gather sightings of one thing: by its id, and by the names that it also has."""
    parent: dict[str, str] = {}

    def top(one: str) -> str:
        parent.setdefault(one, one)
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    ordered = sorted(sightings, key=lambda one: (one.last_at, one.source, one.asset.id))
    for sighting in ordered:
        for other in sighting.asset.also:
            parent[top(other)] = top(sighting.asset.id)
        top(sighting.asset.id)
    found: dict[str, _Thing] = {}
    for asset, source, first_at, last_at in ordered:
        sighting = Sighting(asset, source, first_at, last_at)
        head = top(asset.id)
        if thing := found.get(head):
            thing.known = thing.known.but(asset)
            thing.sources[source] = None
            thing.latest = sighting
        else:
            found[head] = _Thing([], asset, {source: None}, sighting)
    for one in sorted(parent):
        if thing := found.get(top(one)):
            thing.ids.append(one)
    # what an event named comes before what is only another name for it
    named = {one.asset.id for one in ordered}
    for thing in found.values():
        thing.ids.sort(key=lambda one: one not in named)
    yield from found.values()


def _places(wanted: Sequence[tuple[str, _Thing]]) -> list[tuple[str, _Thing]]:
    """Return the id that each thing has in the catalogue, its own where its name is not clear."""
    claimed = Counter(place for place, _ in wanted)
    return [(one if one and claimed[one] == 1 else t.ids[0], t) for one, t in wanted]


def _wanted(thing: _Thing, catalogue: Catalogue) -> str:
    known = thing.known
    if known.kind in {"dag", "task"}:
        return f"{known.kind}:{known.name}"
    found = next((asset for one in thing.ids if (asset := catalogue.asset(one))), None)
    if found is None and known.relation:
        found = catalogue.by_relation(known.relation)
    return found.id if found else ""


def _edges(seen: Iterable[SeenEdge], final: Mapping[str, str]) -> dict[tuple[str, str], SeenEdge]:
    found: dict[tuple[str, str], SeenEdge] = {}
    for edge in seen:
        upstream, downstream = final.get(edge.upstream), final.get(edge.downstream)
        if not upstream or not downstream or upstream == downstream:
            continue
        before = found.get((upstream, downstream))
        if before is None or before.last_at < edge.last_at:
            found[upstream, downstream] = edge
    return found


def _filled(asset: Asset, thing: _Thing) -> Asset:
    """Return a file's asset with what its file leaves open."""
    known = thing.known
    tags, tier = asset.tags or known.tags, asset.tier or _tier(known)
    description = asset.description or known.documentation
    if (tags, tier, description) != (asset.tags, asset.tier, asset.description):
        asset = replace(asset, tags=tags, tier=tier, description=description)
    owner, team = answering(known.owners)
    if not (owner or team) or ((asset.owner or asset.team) and not asset.inherited):
        return asset
    told_by = thing.told_by
    return replace(asset, owner=owner, team=team, inherited=False, owner_seen_by=told_by)


def _new(place: str, thing: _Thing, children: Mapping[str, object]) -> Asset:
    known = thing.known
    owner, team = answering(known.owners)
    # a dashboard ends a way; one that feeds something else is a step on it
    kind = "dashboard" if known.sort == "exposure" and place in children else known.sort
    return Asset(
        id=place,
        name=known.name,
        kind=kind,
        owner=owner,
        team=team,
        relation=known.relation,
        tags=known.tags,
        tier=_tier(known),
        description=known.documentation,
        seen_by=thing.told_by,
        owner_seen_by=thing.told_by if owner or team else "",
    )


def _tier(known: SeenAsset) -> int:
    for tag in known.tags:
        name, _, value = tag.partition(":")
        if name.casefold() == "tier" and value in {"1", "2", "3", "4"}:
            return int(value)
    return 0
