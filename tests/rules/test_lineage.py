"""The lineage: what it reaches is what a brute-force closure reaches, and the way is shortest."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rules.catalogue import Asset, Catalogue, Product
from rules.lineage import Lineage

NODES = [f"n{at}" for at in range(7)]
EDGES = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=25)


def children_of(edges: list[tuple[str, str]]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    return children


def distances(edges: list[tuple[str, str]], seeds: set[str], ends: set[str]) -> dict[str, int]:
    """Relax every edge until nothing changes."""
    found = dict.fromkeys(seeds, 0)
    changed = True
    while changed:
        changed = False
        for parent, child in edges:
            if parent in found and parent not in ends:
                nearer = found[parent] + 1
                if nearer < found.get(child, 1_000):
                    found[child], changed = nearer, True
    return {node: depth for node, depth in found.items() if node not in seeds}


def lineage(edges: list[tuple[str, str]], ends: set[str]) -> Lineage:
    assets = [
        Asset(id=node, name=node, kind="exposure" if node in ends else "model") for node in NODES
    ]
    return Lineage(Catalogue(assets=assets), children_of(edges))


@given(EDGES, st.sets(st.sampled_from(NODES), min_size=1), st.sets(st.sampled_from(NODES)))
def test_it_reaches_what_the_closure_reaches(
    edges: list[tuple[str, str]], seeds: set[str], ends: set[str]
) -> None:
    radius = lineage(edges, ends).blast_radius(sorted(seeds))
    assert {hit.id: hit.depth for hit in radius.hits} == distances(edges, seeds, ends)
    depths = [hit.depth for hit in radius.hits]
    assert depths == sorted(depths)
    assert {one.id for one in radius.exposures} == {h.id for h in radius.hits} & ends


@given(EDGES, st.sampled_from(NODES))
def test_every_way_is_made_of_edges_and_is_shortest(
    edges: list[tuple[str, str]], seed: str
) -> None:
    hits = lineage(edges, set()).downstream([seed])
    for hit in hits:
        way = hits.path_to(hit.id)
        assert (way[0], way[-1]) == (seed, hit.id)
        assert len(way) == hit.depth + 1
        assert way[1] == hit.first_hop
        assert set(pairwise(way)) <= set(edges)


@given(EDGES, st.sampled_from(NODES))
def test_upstream_is_downstream_of_the_turned_edges(
    edges: list[tuple[str, str]], node: str
) -> None:
    turned = [(child, parent) for parent, child in edges]
    found = lineage(edges, set()).upstream(node)
    assert {hit.id: hit.depth for hit in found} == distances(turned, {node}, set())


def shop() -> Lineage:
    assets = [
        Asset(id="raw", name="raw", kind="source", owner="ingest"),
        Asset(id="stg", name="stg", kind="model"),
        Asset(id="fct", name="fct", kind="model", owner="bo", product="orders"),
        Asset(id="aside", name="aside", kind="model", team="Marketing", product="adverts"),
        Asset(id="board", name="board", kind="exposure", owner="cfo", maturity="high"),
        Asset(id="draft", name="draft", kind="exposure", owner="intern", maturity="low"),
        Asset(id="beyond", name="beyond", kind="model", owner="nobody"),
    ]
    products = [
        Product(id="adverts", name="Adverts", owner="cy", tier=3),
        Product(id="orders", name="Orders", owner="ana", tier=1),
    ]
    children = {
        "raw": ["stg"],
        "stg": ["aside", "fct", "draft"],
        "fct": ["board"],
        "board": ["beyond"],
    }
    return Lineage(Catalogue(products, assets), children)


def test_who_is_hit_is_ranked() -> None:
    radius = shop().blast_radius(["raw"])
    assert [one.id for one in radius.products] == ["orders", "adverts"]
    assert [one.id for one in radius.exposures] == ["board", "draft"]
    assert radius.owners == ("ana", "cy", "cfo", "intern", "bo", "Marketing")
    assert radius.path == ("raw", "stg", "fct", "board")


def test_an_exposure_ends_the_way() -> None:
    assert "beyond" not in {hit.id for hit in shop().blast_radius(["raw"]).hits}
    assert list(shop().blast_radius(["board"]).hits) == []


def test_without_exposures_the_path_leads_to_the_best_product() -> None:
    alone = Catalogue(
        [Product(id="p", name="P", tier=1)],
        [Asset(id="a", name="a"), Asset(id="b", name="b", product="p")],
    )
    assert Lineage(alone, {"a": ["b"]}).blast_radius(["a"]).path == ("a", "b")


def test_a_product_or_its_dag_reaches_what_all_that_it_builds_reaches() -> None:
    assets = [
        Asset(id="source.raw", name="raw", kind="source", product="shop"),
        Asset(id="model.a", name="a", kind="model", product="shop"),
        Asset(id="model.b", name="b", kind="model", product="shop"),
        Asset(id="dag:shop", name="shop", kind="dag", product="shop"),
        Asset(id="task:shop.load", name="shop.load", kind="task", product="shop"),
        Asset(id="dag:seen", name="seen", kind="dag", product="shop"),
        Asset(id="dag:alone", name="alone", kind="dag"),
        Asset(id="board.own", name="own", kind="exposure", product="shop"),
        Asset(id="board.other", name="other", kind="exposure"),
        Asset(id="board.raw", name="of raw", kind="exposure"),
    ]
    below = {
        "source.raw": ["model.a", "board.raw"],
        "model.a": ["board.own"],
        "model.b": ["board.other"],
        "dag:seen": ["model.b"],
    }
    found = Lineage(Catalogue([Product(id="shop", name="Shop")], assets), below)
    for asset in ("", "dag:shop", "task:shop.load"):
        assert set(found.reach(asset, "shop").readers) == {"own", "other"}
    assert found.reach("dag:seen", "shop").readers == ("other",)
    assert found.reach("model.a", "shop").readers == ("own",)
    assert found.reach("dag:alone", "").readers == found.reach("", "").readers == ()


def test_an_unknown_asset_reaches_nothing() -> None:
    radius = shop().blast_radius(["nowhere"])
    assert (list(radius.hits), radius.owners, radius.path) == ([], (), ())


def test_a_chain_of_a_hundred_thousand_is_walked() -> None:
    chain = {f"m{at}": [f"m{at + 1}"] for at in range(100_000)}
    radius = Lineage(Catalogue(), chain).blast_radius(["m0"])
    assert radius.hits[-1].depth == 100_000


def test_hits_are_a_sequence() -> None:
    hits = shop().downstream(["raw"])
    assert len(hits) == 5
    assert [hits[at] for at in range(-5, 0)] == list(hits)
    assert hits[1:3] == tuple(hits)[1:3]
    assert hits.path_to("raw") == ()
