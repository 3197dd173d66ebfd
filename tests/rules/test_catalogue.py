"""The catalogue: every name an alert may use finds the same asset and product."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.catalogue import Asset, Catalogue, LoadType, Product, Promises
from rules.claims import AssetPattern, ClaimIndex
from rules.products.ownership import inherit_owners
from rules.relation import relation_key

FCT = Asset(
    id="model.shop.fct_orders",
    name="fct_orders",
    kind="model",
    relation='"Shop"."Main"."fct_orders"',
    load_type=LoadType.INCREMENTAL,
)
RAW = Asset(
    id="source.shop.raw.orders", name="raw.orders", kind="source", relation="shop.raw.orders"
)
ORDERS = Product(
    id="orders",
    name="Daily orders",
    owner="ana@example.com",
    assets=(
        AssetPattern("model", "fct_*"),
        AssetPattern("dag", "daily_orders"),
        AssetPattern("task", "hourly.load_orders"),
        AssetPattern("relation", 'Lake."Web"."Clicks"'),
    ),
)
FINANCE = Product(id="finance", name="Finance", assets=(AssetPattern("dag", "fin_*"),))
CATALOGUE = Catalogue(
    [ORDERS, FINANCE], [FCT, RAW], {"test.shop.unique_fct_orders": "model.shop.fct_orders"}
)


@pytest.mark.parametrize(
    ("labels", "asset", "product", "reason"),
    [
        ({"data_product": "orders"}, "", "orders", "label data_product=orders"),
        ({"product": "DAILY orders "}, "", "orders", "label product=DAILY orders "),
        (
            {"unique_id": "model.shop.fct_orders"},
            "model.shop.fct_orders",
            "orders",
            "unique_id model.shop.fct_orders",
        ),
        (
            {"unique_id": "test.shop.unique_fct_orders"},
            "model.shop.fct_orders",
            "orders",
            "unique_id test.shop.unique_fct_orders",
        ),
        (
            {"relation": "shop.main.FCT_ORDERS"},
            "model.shop.fct_orders",
            "orders",
            "relation shop.main.FCT_ORDERS",
        ),
        (
            {"table": "[main].[fct_orders]"},
            "model.shop.fct_orders",
            "orders",
            "table [main].[fct_orders]",
        ),
        (
            {"dataset": "`lake.web.clicks`"},
            "relation:lake.web.clicks",
            "orders",
            "dataset `lake.web.clicks`",
        ),
        ({"dag_id": "daily_orders"}, "dag:daily_orders", "orders", "dag_id daily_orders"),
        (
            {"dag_id": "daily_orders", "task_id": "load"},
            "dag:daily_orders",
            "orders",
            "dag_id daily_orders",
        ),
        (
            {"dag_id": "hourly", "task_id": "load_orders"},
            "task:hourly.load_orders",
            "orders",
            "task hourly.load_orders",
        ),
        ({"dag_id": "fin_close"}, "", "finance", "dag_id fin_close"),
        ({"model": "fct_orders"}, "model.shop.fct_orders", "orders", "model fct_orders"),
        ({"model": "fct_unbuilt"}, "", "orders", "model fct_unbuilt"),
        ({"dbt_source": "raw.orders"}, "source.shop.raw.orders", "", "dbt_source raw.orders"),
        (
            {"data_product": "finance", "model": "fct_orders"},
            "model.shop.fct_orders",
            "finance",
            "label data_product=finance",
        ),
        (
            {"data_product": "unheard of", "dag_id": "daily_orders"},
            "dag:daily_orders",
            "orders",
            "dag_id daily_orders",
        ),
    ],
)
def test_labels_find_asset_and_product(
    labels: dict[str, str], asset: str, product: str, reason: str
) -> None:
    found = CATALOGUE.find(labels)
    assert found is not None
    assert (found.asset.id if found.asset else "") == asset
    assert (found.product.id if found.product else "") == product
    assert found.reason == reason


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"data_product": ""},
        {"unique_id": "model.shop.nothing"},
        {"relation": "other.main.fct_orders"},
        {"dag_id": "hourly"},
        {"task_id": "load_orders"},
        {"model": "shop"},
    ],
)
def test_labels_that_mean_nothing_find_nothing(labels: dict[str, str]) -> None:
    assert CATALOGUE.find(labels) is None


def test_a_table_name_that_two_databases_have_finds_neither() -> None:
    twins = [Asset(id=f"m.{db}", name=db, relation=f"{db}.main.orders") for db in ("dev", "prod")]
    catalogue = Catalogue(assets=twins)
    assert catalogue.by_relation("main.orders") is None
    assert catalogue.by_relation("prod.main.orders") == twins[1]


def test_a_table_listed_without_its_database_is_found_with_it() -> None:
    only = Asset(id="a", name="a", relation="main.orders")
    assert Catalogue(assets=[only]).by_relation('"P"."MAIN"."orders"') == only


def test_a_claim_without_the_database_is_on_the_only_table_of_that_name() -> None:
    claim = AssetPattern("relation", "Main.FCT_orders")
    product = Product(id="orders", name="Orders", assets=(claim,))
    found = Catalogue([product], [FCT]).find({"unique_id": FCT.id})
    assert found
    assert found.product == product
    assert [one.id for one in Catalogue([product], [FCT]).members("orders")] == [FCT.id]
    twin = Asset(id="model.other.fct", name="fct", kind="model", relation="other.main.fct_orders")
    several = Catalogue([product], [FCT, twin])
    assert [one.id for one in several.members("orders")] == ["relation:main.fct_orders"]


def test_the_most_exact_claim_wins() -> None:
    products = [
        Product(id="all", name="all", assets=(AssetPattern("model", "fct_*"),)),
        Product(id="narrow", name="narrow", assets=(AssetPattern("model", "fct_ord*"),)),
        Product(id="zexact", name="zexact", assets=(AssetPattern("model", "fct_orders"),)),
    ]
    names = ["fct_orders", "fct_order_lines", "fct_clicks"]
    assets = [Asset(id=f"model.s.{name}", name=name, kind="model") for name in names]
    catalogue = Catalogue(products, assets)
    assert [one.product for one in catalogue.assets] == ["zexact", "narrow", "all"]
    assert [one.name for one in catalogue.members("narrow")] == ["fct_order_lines"]


def test_what_an_asset_says_itself_holds_until_a_product_claims_it() -> None:
    said = Asset(id="model.s.a", name="a", kind="model", product="own")
    assert Catalogue(assets=[said]).assets[0].product == "own"
    claimed = Product(id="p", name="p", assets=(AssetPattern("model", "model.s.a"),))
    assert Catalogue([claimed], [said]).assets[0].product == "p"


def test_the_nearest_owner_answers() -> None:
    own = Asset(id="a", name="a", kind="model", owner="bo", product="orders")
    inherited = Asset(id="b", name="b", kind="model", owner="bo", inherited=True, product="orders")
    alone = Asset(id="c", name="c", kind="model", owner="bo", inherited=True)
    nobody = Asset(id="d", name="d", kind="model")
    catalogue = Catalogue([ORDERS], [own, inherited, alone, nobody])
    assert [catalogue.owner_of(one) for one in catalogue.assets[:4]] == [
        "bo",
        "ana@example.com",
        "bo",
        "",
    ]


def test_owners_come_from_the_nearest_owned_parent() -> None:
    assets = [
        Asset(id="far", name="far", owner="far", team="Far"),
        Asset(id="near", name="near", team="Near", channel="near-data"),
        *(Asset(id=name, name=name) for name in ("mid", "leaf", "loop")),
    ]
    children = {
        "far": ["mid", "leaf"],
        "near": ["leaf", "unknown"],
        "mid": ["loop"],
        "loop": ["mid"],
    }
    found = {one.id: one for one in inherit_owners(assets, children)}
    assert (found["mid"].owner, found["mid"].inherited) == ("far", True)
    assert (found["loop"].owner, found["loop"].inherited) == ("far", True)
    assert (found["leaf"].owner, found["leaf"].team) == ("far", "Far")
    assert not found["near"].inherited


def test_promises_to_readers_are_those_about_the_data() -> None:
    assert not Promises().to_readers
    assert Promises(availability=99.0).to_readers


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("fct_*", "fct_orders", True),
        ("fct_*", "xfct_orders", False),
        ("*_orders", "fct_orders", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("a*bb*b", "abb", False),
        ("orders", "orders_2", False),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    claim = AssetPattern("model", pattern)
    assert claim.fits(name) is fits
    assert ClaimIndex([(claim, "p")]).product("model", name) == ("p" if fits else None)


@given(st.lists(st.text("ab*", min_size=1, max_size=5), max_size=6), st.text("ab", max_size=6))
def test_the_index_finds_what_trying_every_pattern_finds(patterns: list[str], name: str) -> None:
    claims = [(AssetPattern("dag", one), f"p{one}") for one in patterns]
    fitting = {product for claim, product in claims if claim.fits(name)}
    found = ClaimIndex(claims).product("dag", name)
    assert (found in fitting) if fitting else found is None


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ('"Shop"."Main"."Orders"', "shop.main.orders"),
        ("`proj.ds.Table`", "proj.ds.table"),
        ("[dbo] . [Orders]", "dbo.orders"),
        (" shop.orders ", "shop.orders"),
        ("", ""),
    ],
)
def test_table_names_are_comparable(written: str, key: str) -> None:
    assert relation_key(written) == key


def test_a_look_up_costs_the_same_whatever_the_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Count the comparisons of patterns, which is what could grow."""

    def comparisons(size: int) -> int:
        products = [
            Product(id=f"p{at}", name=f"Product {at}", assets=(AssetPattern("dag", f"team{at}_*"),))
            for at in range(size)
        ]
        catalogue = Catalogue(products)
        tried = 0
        fits: Callable[[AssetPattern, str], bool] = AssetPattern.fits

        def counting(self: AssetPattern, name: str) -> bool:
            nonlocal tried
            tried += 1
            return fits(self, name)

        with monkeypatch.context() as patched:
            patched.setattr(AssetPattern, "fits", counting)
            found = catalogue.find({"dag_id": "team7_load"})
        assert found is not None
        assert found.product is products[7]
        return tried

    assert comparisons(10_000) == comparisons(10) == 1
