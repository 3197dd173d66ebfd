"""Files and live events as one catalogue: what joins what, and who has the last word."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.catalogue import Asset, Catalogue, Product
from rules.lineage import Lineage
from rules.products.live_catalogue import Live, with_seen
from rules.seen_lineage import (
    Seen,
    SeenAsset,
    SeenEdge,
    Sighting,
    answering,
    dataset_id,
    job_id,
    table_of,
)

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
PROD, STAGING = "postgres://prod:5432", "postgres://staging:5432"


def table(name: str, space: str = PROD, **more: object) -> SeenAsset:
    known = {"id": dataset_id(space, name), "name": name, "relation": table_of(space, name)}
    return SeenAsset(**(known | more))  # type: ignore[arg-type]


def task(name: str, space: str = "airflow") -> SeenAsset:
    return SeenAsset(id=job_id(space, name), name=name, kind="task")


def seen(*assets: SeenAsset, edges: tuple[tuple[SeenAsset, SeenAsset], ...] = ()) -> Seen:
    return Seen(
        1,
        tuple(Sighting(one, "lineage", NOW, NOW) for one in assets),
        tuple(SeenEdge(a.id, b.id, "lineage", NOW, NOW) for a, b in edges),
    )


def model(name: str, relation: str, **more: object) -> Asset:
    return Asset(id=f"model.{name}", name=name, kind="model", relation=relation, **more)  # type: ignore[arg-type]


def live(told: Seen, *assets: Asset, products: tuple[Product, ...] = ()) -> Live:
    catalogue = Catalogue(products, assets)
    return with_seen(catalogue, Lineage(catalogue, {}), told)


@pytest.mark.parametrize(
    ("namespace", "name", "relation"),
    [
        ("postgres://host:5432", "Shop.Main.Orders", "shop.main.orders"),
        ("bigquery", "project.set.orders", "project.set.orders"),
        ("snowflake://account", "SHOP.MAIN.ORDERS", "shop.main.orders"),
        ("redshift://cluster:5439", "shop.main.orders", "shop.main.orders"),
        ("arn:aws:glue:eu-west-1:1", "table/shop/orders", "shop.orders"),
        ("s3://lake", "shop/orders", ""),
        ("kafka://broker:9092", "orders", ""),
        ("file", "/tmp/orders.csv", ""),
        ("", "orders", ""),
    ],
)
def test_tables_have_comparable_names(namespace: str, name: str, relation: str) -> None:
    assert table_of(namespace, name) == relation


@given(st.lists(st.tuples(st.text("a:/%.", max_size=6), st.text("a/%.", max_size=6)), max_size=2))
def test_ids_keep_apart_what_namespaces_keep_apart(names: list[tuple[str, str]]) -> None:
    ids = [dataset_id(*one) for one in names if one[1] and not one[1].startswith("/")]
    assert len(set(ids)) == len({one for one in names if one[1] and not one[1].startswith("/")})


@pytest.mark.parametrize(
    ("owners", "found"),
    [
        (("team:shop",), ("", "shop")),
        (("user:ana", "team:shop"), ("ana", "shop")),
        (("ana@example.com",), ("ana@example.com", "")),
        (("urn:li:corpuser:ana",), ("ana", "")),
        (("urn:li:corpGroup:shop", "team:other"), ("", "shop")),
        ((), ("", "")),
    ],
)
def test_owners_are_people_or_teams(owners: tuple[str, ...], found: tuple[str, str]) -> None:
    assert answering(owners) == found


def test_a_table_joins_the_model_that_builds_it() -> None:
    raw, orders = table("shop.main.raw"), table("shop.main.orders")
    found = live(
        seen(raw, orders, task("d.t"), edges=((raw, task("d.t")), (task("d.t"), orders))),
        model("orders", '"shop"."main"."orders"'),
    )
    assert found.lineage.children("task:d.t") == ("model.orders",)
    assert found.catalogue.asset(orders.id) == found.catalogue.asset("model.orders")
    assert [one.seen_by for one in found.catalogue.assets] == ["", "lineage", "lineage"]
    assert set(found.edges) == {(raw.id, "task:d.t"), ("task:d.t", "model.orders")}


def test_an_edge_that_a_file_has_is_the_files() -> None:
    raw, orders = table("a.b.raw"), table("a.b.orders")
    assets = [model("raw", "a.b.raw"), model("orders", "a.b.orders")]
    catalogue = Catalogue((), assets)
    lineage = Lineage(catalogue, {"model.raw": ["model.orders"]})
    found = with_seen(catalogue, lineage, seen(raw, orders, edges=((raw, orders),)))
    assert not found.edges
    assert found.lineage.children("model.raw") == ("model.orders",)


def test_a_name_in_two_namespaces_joins_nothing() -> None:
    ours, other = table("shop.main.orders"), table("shop.main.orders", STAGING)
    board = SeenAsset(id=job_id("bi", "board"), name="board", kind="exposure")
    orders = model("orders", "shop.main.orders")
    found = live(seen(ours, other, board, edges=((other, board),)), orders)
    assert found.unclear == (ours.id, other.id)
    assert found.lineage.children("model.orders") == ()
    assert found.lineage.children(other.id) == (board.id,)
    assert found.catalogue.by_relation("shop.main.orders") == orders
    labels = {"dataset": "shop.main.orders", "dataset_namespace": STAGING}
    about = found.catalogue.find(labels)
    assert about is not None
    assert about.asset is not None
    assert about.asset.id == other.id


def test_tasks_of_two_airflows_stay_apart() -> None:
    found = live(seen(task("d.t", "one"), task("d.t", "two"), task("d.other", "two")))
    assert {one.id for one in found.catalogue.assets} == {
        "job:one/d.t", "job:two/d.t", "task:d.other"
    }  # fmt: skip
    assert found.catalogue.by_dag("d", "t") is None


def test_other_names_of_a_table_are_the_same_table() -> None:
    path = SeenAsset(
        id=dataset_id("s3://lake", "orders"),
        name="orders",
        relation="db.orders",
        also=(dataset_id("hive://meta", "db.orders"),),
    )
    hive = SeenAsset(id=dataset_id("hive://meta", "db.orders"), name="db.orders",
                     relation="db.orders")  # fmt: skip
    load, board = task("d.load"), task("d.board")
    found = live(seen(path, hive, load, board, edges=((load, path), (hive, board))))
    assert found.lineage.downstream(["task:d.load"]).ids[-1] == "task:d.board"
    assert len(found.catalogue.assets) == 3


@pytest.mark.parametrize(
    ("asset", "owner", "how"),
    [
        ({}, "shop", "seen by lineage"),
        ({"owner": "ana"}, "ana", ""),
        ({"team": "data"}, "data", ""),
        ({"owner": "bo", "inherited": True}, "shop", "seen by lineage"),
        ({"product": "orders"}, "cy", ""),
    ],
)
def test_seen_owners_fill_gaps_only(asset: dict[str, object], owner: str, how: str) -> None:
    product = Product(id="orders", name="Orders", owner="cy")
    told = seen(table("a.b.orders", owners=("team:shop",)))
    found = live(told, model("orders", "a.b.orders", **asset), products=(product,))
    (one,) = found.catalogue.assets
    assert (found.catalogue.owner_of(one), found.catalogue.how_owned(one)) == (owner, how)


def test_what_is_made_from_it_inherits_the_seen_owner() -> None:
    orders, report = table("a.b.orders", owners=("user:ana",)), table("a.b.report")
    found = live(seen(orders, report, edges=((orders, report),)))
    asset = found.catalogue.asset(report.id)
    assert asset is not None
    assert found.catalogue.how_owned(asset) == "inherited, seen by lineage"


def test_tags_tell_the_tier_where_no_file_does() -> None:
    told = seen(table("a.b.one", tags=("tier:1", "pii")), table("a.b.two", tags=("tier:1",)))
    found = live(told, model("two", "a.b.two", tier=3))
    assert {one.name: one.tier for one in found.catalogue.assets} == {"two": 3, "a.b.one": 1}


def test_a_dashboard_that_feeds_something_does_not_end_the_way() -> None:
    board = SeenAsset(id=job_id("tableau", "extract"), name="extract", kind="exposure")
    final = SeenAsset(id=job_id("tableau", "board"), name="board", kind="exposure")
    orders, extract = table("a.b.orders"), table("a.b.extract")
    edges = ((orders, board), (board, extract), (extract, final))
    found = live(seen(orders, extract, board, final, edges=edges))
    radius = found.lineage.blast_radius([orders.id])
    assert [one.name for one in radius.exposures] == ["board"]


def test_without_sightings_nothing_changes() -> None:
    catalogue = Catalogue((), [model("orders", "a.b.orders")])
    assert with_seen(catalogue, None, Seen()).catalogue is catalogue


NAMES = st.sampled_from(["a.b.c", "a.b.d", "x.b.c", "b.c"])
ASSETS = st.builds(table, NAMES, st.sampled_from([PROD, STAGING]))


@given(st.lists(st.tuples(ASSETS, ASSETS), max_size=12))
def test_any_edges_join_and_end(pairs: list[tuple[SeenAsset, SeenAsset]]) -> None:
    assets = dict.fromkeys(one for pair in pairs for one in pair)
    found = live(seen(*assets, edges=tuple(pairs)), model("c", "a.b.c"), model("d", "b.d"))
    assert not found.catalogue.asset("")
    for one in assets:
        place = found.catalogue.asset(one.id)
        assert place is not None
        assert len(found.lineage.downstream([place.id])) <= len(found.catalogue.assets)
    apart = {(one.id, found.catalogue.asset(one.id)) for one in assets}
    assert len({place.id for _, place in apart if place}) == len(assets)


def test_ten_thousand_models_are_joined_in_a_second() -> None:
    from time import process_time

    models = [model(f"m{n}", f"db.main.m{n}") for n in range(10_000)]
    catalogue = Catalogue((), models)
    children = {f"model.m{n}": [f"model.m{n * 7 % 10_000}"] for n in range(10_000)}
    lineage = Lineage(catalogue, children)
    tables = [table(f"db.main.m{n}") for n in range(1_000)]
    tasks = [task(f"d.t{n}") for n in range(1_000)]
    told = seen(*tables, *tasks, edges=tuple(zip(tasks, tables, strict=True)))
    spent = []
    for _ in range(3):
        began = process_time()
        found = with_seen(catalogue, lineage, told)
        spent.append(process_time() - began)
    assert len(found.edges) == 1_000
    assert min(spent) < timedelta(seconds=1).total_seconds()
