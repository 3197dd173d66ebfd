"""dbt manifests: the recorded one by the conventions, made ones in size, hostile ones in words."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.catalogue.manifest import Manifest, ManifestError, read_manifest
from bot.catalogue.manifest_worker import import_manifest
from bot.catalogue.reading import read_catalogue
from rules.catalogue import Asset, LoadType
from tests.bot.catalogue.synthetic import RECORDED, Size, write_manifest

METADATA = {
    "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
    "project_name": "shop",
    "generated_at": "2026-11-22T14:00:07.422365Z",
}


def manifest(tmp_path: Path, **sections: Any) -> Manifest:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"metadata": METADATA, **sections}))
    return read_manifest(path)


def model(tmp_path: Path, **node: Any) -> Asset:
    return manifest(tmp_path, nodes={"model.shop.m": node}).assets[0]


def test_the_recorded_manifest_is_read_by_the_conventions() -> None:
    found = import_manifest(RECORDED)
    assets = {one.id: one for one in found.assets}
    orders = assets["model.shop.fct_orders"]
    assert (orders.owner, orders.team, orders.channel) == (
        "ana@example.com",
        "finance",
        "finance-data",
    )
    assert (orders.tier, orders.tests, orders.load_type) == (1, 4, LoadType.FULL)
    assert orders.runbook == "https://example.com/runbooks/orders"
    report = assets["model.shop.revenue_report"]
    assert (report.owner, report.inherited) == ("ana@example.com", True)
    assert assets["exposure.shop.revenue_dashboard"].owner == "bo@example.com"
    assert assets["source.shop.raw.raw_orders"].name == "raw.raw_orders"
    assert assets["model.shop.broken"].owner == ""
    assert found.tests["test.shop.cannot_run"] == "model.shop.dim_customers"
    assert (found.project, found.problems) == ("shop", ())


RAW, USERS = "source.shop.raw.orders", "model.shop.users"


@pytest.mark.parametrize(
    ("said", "tested"),
    [
        ("{{ get_where_subquery(source('raw', 'orders')) }}", RAW),
        ('{{ get_where_subquery(source("raw", "orders")) }}', RAW),
        ("{{ get_where_subquery(ref('users')) }}", USERS),
        ("{{ get_where_subquery(ref('shop', 'users')) }}", USERS),
        ("{{ this }}", USERS),
        (None, USERS),
    ],
)
def test_a_test_on_a_source_checks_that_and_not_what_it_is_compared_with(
    tmp_path: Path, said: object, tested: str
) -> None:
    kwargs = {"to": "ref('users')", "field": "id", "model": said}
    test = {
        "resource_type": "test",
        "attached_node": None,
        "depends_on": {"nodes": [USERS, RAW]},
        "test_metadata": {"name": "relationships", "kwargs": kwargs},
    }
    nodes = {USERS: {"name": "users", "resource_type": "model"}, "test.shop.r.1": test}
    sources = {RAW: {"name": "orders", "source_name": "raw", "resource_type": "source"}}
    assert manifest(tmp_path, nodes=nodes, sources=sources).tests == {"test.shop.r.1": tested}


@pytest.mark.parametrize("said", ["orders", "Orders", "Daily orders", "daily Orders "])
def test_the_product_that_a_manifest_names_is_that_of_the_files(tmp_path: Path, said: str) -> None:
    meta = {"meta": {"data_product": said}}
    model = {"name": "fct", "resource_type": "model", "config": meta}
    (tmp_path / "manifest.json").write_text(
        json.dumps({"metadata": METADATA, "nodes": {"model.shop.fct": model}})
    )
    written = tmp_path / "catalogue.yaml"
    written.write_text("products: [{id: orders, name: Daily orders, tier: 1}]")
    known = read_catalogue([written, tmp_path / "manifest.json"]).catalogue
    found = known.find({"unique_id": "model.shop.fct", "data_product": said})
    assert found
    assert found.product == known.products[0]
    assert [one.id for one in known.members("orders")] == ["model.shop.fct"]
    assert len(known.products) == 1


def test_a_product_that_only_a_manifest_names_is_one_in_any_case(tmp_path: Path) -> None:
    nodes = {
        f"model.shop.{n}": {"resource_type": "model", "config": {"meta": {"data_product": said}}}
        for n, said in enumerate(("Sales", "sales"))
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"metadata": METADATA, "nodes": nodes}))
    known = read_catalogue([path]).catalogue
    assert [one.id for one in known.products] == ["Sales"]
    assert len(known.members("Sales")) == 2


def test_a_function_that_models_call_is_a_part_of_the_lineage(tmp_path: Path) -> None:
    called = {"name": "price", "resource_type": "function", "depends_on": {"nodes": []}}
    calls = {"resource_type": "model", "depends_on": {"nodes": ["function.shop.price"]}}
    found = manifest(tmp_path, nodes={USERS: calls}, functions={"function.shop.price": called})
    assert found.children == {"function.shop.price": (USERS,)}
    assert {one.id: one.kind for one in found.assets}["function.shop.price"] == "function"


def test_the_lineage_is_the_recorded_one_without_tests() -> None:
    recorded = json.loads(RECORDED.read_text())["child_map"]
    found = import_manifest(RECORDED)
    known = {one.id for one in found.assets}
    wanted = {node: {one for one in below if one in known} for node, below in recorded.items()}
    assert {node: set(below) for node, below in found.children.items()} == {
        node: below for node, below in wanted.items() if below
    }


def test_the_worker_reads_what_reading_here_reads() -> None:
    progress: list[tuple[int, int]] = []
    assert import_manifest(RECORDED, lambda at, of: progress.append((at, of))) == read_manifest(
        RECORDED
    )
    assert progress[-1] == (RECORDED.stat().st_size, RECORDED.stat().st_size)


def test_without_maps_the_lineage_comes_from_what_nodes_depend_on(tmp_path: Path) -> None:
    nodes = {
        "model.s.a": {"resource_type": "model"},
        "model.s.b": {"resource_type": "model", "depends_on": {"nodes": ["model.s.a"]}},
    }
    assert manifest(tmp_path, nodes=nodes).children == {"model.s.a": ("model.s.b",)}


@pytest.mark.parametrize(
    ("owner", "read"),
    [
        ("@ana", "@ana"),
        (["bo@example.com", "cy@example.com"], "bo@example.com"),
        ({"name": "Ana", "email": "ana@example.com"}, "ana@example.com"),
        ({"name": "Ana"}, "Ana"),
        ([], ""),
        (None, ""),
        (True, ""),
        ("A\u202e\u001b[31m", "A[31m"),
    ],
)
def test_owners_are_written_in_many_ways(tmp_path: Path, owner: object, read: str) -> None:
    assert model(tmp_path, config={"meta": {"owner": owner}}).owner == read


def test_the_meta_of_config_comes_first(tmp_path: Path) -> None:
    found = model(tmp_path, meta={"owner": "old", "team": "t"}, config={"meta": {"owner": "new"}})
    assert (found.owner, found.team) == ("new", "t")


@pytest.mark.parametrize(
    ("tier", "tags", "read"),
    [
        (2, [], 2),
        ("tier1", [], 1),
        ("Tier 3", [], 3),
        ("P2", [], 2),
        ("gold", ["tier:2"], 2),
        (None, ["nightly", "tier1"], 1),
        (None, ["p1"], 0),
        (0, [], 0),
        (10, [], 0),
    ],
)
def test_tiers(tmp_path: Path, tier: object, tags: list[str], read: int) -> None:
    assert model(tmp_path, config={"meta": {"tier": tier}}, tags=tags).tier == read


@pytest.mark.parametrize(
    ("kind", "config", "read"),
    [
        ("model", {"materialized": "table"}, LoadType.FULL),
        ("model", {"materialized": "incremental"}, LoadType.INCREMENTAL),
        ("model", {"materialized": "incremental", "meta": {"load_type": "full"}}, LoadType.FULL),
        ("model", {"materialized": "dynamic_thing"}, None),
        ("snapshot", {"materialized": "snapshot"}, LoadType.SNAPSHOT),
        ("seed", {}, LoadType.FULL),
    ],
)
def test_load_types(
    tmp_path: Path, kind: str, config: dict[str, Any], read: LoadType | None
) -> None:
    assert model(tmp_path, resource_type=kind, config=config).load_type == read


def test_products_that_only_the_manifest_names(tmp_path: Path) -> None:
    meta = {"data_product": "orders", "owner": "ana", "tier": 2}
    nodes = {
        "model.s.a": {"config": {"meta": meta}},
        "model.s.b": {"config": {"meta": {**meta, "owner": "bo"}}},
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"metadata": METADATA, "nodes": nodes}))
    (product,) = read_catalogue([path]).catalogue.products
    assert (product.id, product.owner, product.tier) == ("orders", "", 2)


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"nodes": {"model.s.a": 7}}, "nodes.model.s.a is not a node"),
        ({"nodes": {"model.s.a": {"tags": 7}}}, "model.s.a: `tags` is not a list of texts"),
        ({"nodes": {"model.s.a": {"tags": [7]}}}, "model.s.a: `tags` is not a list of texts"),
        ({"nodes": {"model.s.a": {"config": []}}}, "model.s.a: `config` is not an object"),
        ({"nodes": {"model.s.a": {"meta": "x"}}}, "model.s.a: `meta` is not an object"),
        (
            {"nodes": {"model.s.a": {"depends_on": {"nodes": {}}}}, "x": 1},
            None,
        ),
        (
            {"nodes": {"model.s.a": {"depends_on": {"nodes": [1]}}}},
            "model.s.a: `depends_on.nodes` is not a list of ids",
        ),
        ({"parent_map": {"model.s.a": "b"}}, "model.s.a: `parent_map` is not a list of ids"),
        ({"groups": {"group.s.g": []}}, "groups.group.s.g is not an object"),
        ({"nodes": {"m\u001b[2J": {}}}, "nodes.m[2J is not a node"),
        ({"nodes": {"x" * 501: {}}}, "nodes."),
    ],
)
def test_values_of_a_wrong_type_are_left_out_and_told(
    tmp_path: Path, sections: dict[str, Any], problem: str | None
) -> None:
    found = manifest(tmp_path, **sections)
    if problem is None:
        assert found.problems == ()
    else:
        assert [one[: len(problem)] for one in found.problems] == [problem]


def test_a_node_with_every_key_of_a_wrong_type_does_no_harm(tmp_path: Path) -> None:
    keys = json.loads(RECORDED.read_text())["nodes"]["model.shop.fct_orders"]
    wrongs: list[Any] = [7, [], {}, [[]], {"a": {"b": 1}}, True, "x"]
    for wrong in wrongs:
        found = manifest(tmp_path, nodes={"model.s.a": dict.fromkeys(keys, wrong)})
        assert [one.id for one in found.assets] == ["model.s.a"]


def test_a_hundred_problems_are_told_in_part(tmp_path: Path) -> None:
    assert len(manifest(tmp_path, nodes=dict.fromkeys(map(str, range(100)))).problems) == 20


def test_cycles_and_depth_do_no_harm(tmp_path: Path) -> None:
    deep: dict[str, Any] = {
        f"model.s.m{at}": {"depends_on": {"nodes": [f"model.s.m{at - 1}"]}} for at in range(1, 5000)
    }
    deep["model.s.m0"] = {
        "config": {"meta": {"owner": "ana"}},
        "depends_on": {"nodes": ["model.s.m4999", "model.s.m0", "model.s.none"]},
    }  # fmt: skip
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"metadata": METADATA, "nodes": deep}))
    read = read_catalogue([path])
    assert {one.owner for one in read.catalogue.assets} == {"ana"}
    assert len(read.lineage.blast_radius(["model.s.m7"]).hits) == 4999


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is not a whole JSON object"),
        (b"[]", "is not a whole JSON object"),
        (b"{}", "is not a dbt manifest"),
        (b'{"metadata": {}, "nodes": {}}', "is not a dbt manifest"),
        (b'{"metadata": 1, "nodes": 2}', "is not a dbt manifest"),
        (b'{"metadata": {"dbt_schema_version": 12}}', "is not a dbt manifest"),
        (b'{"results": [], "metadata": {"dbt_schema_version": "x/run-results/v6"}}', "not a dbt"),
        (RECORDED.read_bytes()[:9000], "is not JSON or was cut off"),
        (b'{"metadata": {"a": \xff}}', "is not UTF-8 text"),
        (b'{"nodes": {"a": ' + b"[" * 200_000 + b"}}", "is nested too deeply"),
    ],
)
def test_what_is_no_manifest_is_refused_in_words(tmp_path: Path, body: bytes, words: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(body)
    with pytest.raises(ManifestError, match=words):
        read_manifest(path)
    with pytest.raises(ManifestError, match=words):
        import_manifest(path)
    (fault,) = read_catalogue([path]).faults
    assert words in str(fault)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        import_manifest(tmp_path / "manifest.json")


def test_a_worker_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "manifest.json", Size(models=2_000, tests=4_000))
    with pytest.raises(ManifestError, match="could not be read within 0 s"):
        import_manifest(path, longest=0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux")
def test_a_value_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with path.open("w") as file:
        file.write('{"metadata": {}, "nodes": {"a": [')
        file.write("[]," * 3_000_000)
        file.write("[]]}}")
    with pytest.raises(ManifestError, match="has a value too large to read"):
        import_manifest(path, memory=200_000_000)


def test_a_made_manifest_has_the_size_it_was_asked_for(tmp_path: Path) -> None:
    size = Size(models=200, tests=300, sources=20, exposures=10, padding=10)
    found = import_manifest(write_manifest(tmp_path / "manifest.json", size))
    kinds = [one.kind for one in found.assets]
    assert (kinds.count("model"), kinds.count("source"), kinds.count("exposure")) == (200, 20, 10)
    assert len(found.tests) == 300
    assert found.problems == ()


def test_two_manifests_are_joined(tmp_path: Path) -> None:
    first = {"metadata": METADATA, "nodes": {"model.a.up": {"meta": {"owner": "ana"}}}}
    second = {
        "metadata": METADATA,
        "nodes": {"model.b.down": {"depends_on": {"nodes": ["model.a.up"]}}},
    }
    for name, content in (("a.json", first), ("b.json", second)):
        (tmp_path / name).write_text(json.dumps(content))
    read = read_catalogue([tmp_path / "a.json", tmp_path / "b.json"])
    assert [one.owner for one in read.catalogue.assets] == ["ana", "ana"]
    assert [hit.id for hit in read.lineage.downstream(["model.a.up"])] == ["model.b.down"]
