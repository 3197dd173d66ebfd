"""Catalogue files: what is written is read, and every fault has its place."""

from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given

from bot.catalogue.product_spec import CatalogueSpec
from bot.catalogue.product_yaml import catalogue_yaml
from bot.catalogue.reading import read_catalogue
from rules.catalogue import LoadType, Product, Promises
from rules.claims import AssetPattern
from rules.documents.strict_yaml import read
from rules.sla import FreshBy
from tests.bot.catalogue.build import PRODUCTS, read_text

WHOLE = """
products:
  - id: orders
    name: Daily orders
    owner: ana@example.com
    team: commerce
    channel: "#data-orders"
    rotation: data-platform
    tier: 1
    driver: operational
    load_type: incremental
    schedule: "0  6 * * mon-fri"
    timezone: Europe/Berlin
    promises:
      fresh_by: {at: 9:00, days: mon-fri}
      max_age: 26h
      availability: 99.5
      time_to_detect: 15m
      time_to_notify: 30m
      time_to_repair: 4h
    runbook: https://example.com/orders
    consumers: [Finance]
    assets: [{model: fct_*}, {dag: daily_orders}]
"""
ORDERS = Product(
    id="orders",
    name="Daily orders",
    owner="ana@example.com",
    team="commerce",
    channel="data-orders",
    rotation="data-platform",
    tier=1,
    driver="operational",
    load_type=LoadType.INCREMENTAL,
    schedule="0 6 * * mon-fri",
    timezone="Europe/Berlin",
    promises=Promises(
        fresh_by=FreshBy(time(9), "Europe/Berlin", ("mon", "tue", "wed", "thu", "fri")),
        max_age=timedelta(hours=26),
        availability=99.5,
        time_to_detect=timedelta(minutes=15),
        time_to_notify=timedelta(minutes=30),
        time_to_repair=timedelta(hours=4),
    ),
    runbook="https://example.com/orders",
    consumers=("Finance",),
    assets=(AssetPattern("dag", "daily_orders"), AssetPattern("model", "fct_*")),
)


def test_everything_that_can_be_written_is_read(tmp_path: Path) -> None:
    found = read_text(tmp_path, {"c.yaml": WHOLE})
    assert found.faults == ()
    assert found.catalogue.products == (ORDERS,)


def test_a_time_alone_is_a_promise_for_every_day_in_the_products_zone(tmp_path: Path) -> None:
    text = 'products: [{id: a, timezone: Asia/Tokyo, promises: {fresh_by: "09:00"}}]'
    (product,) = read_text(tmp_path, {"c.yaml": text}).catalogue.products
    assert product.promises.fresh_by == FreshBy(time(9), "Asia/Tokyo")
    assert product.name == "a"


@given(PRODUCTS)
def test_what_is_written_out_reads_back_the_same(product: Product) -> None:
    spec, faults = read(catalogue_yaml([product]), CatalogueSpec, "c.yaml")
    assert faults == []
    assert spec is not None
    assert [one.product() for one in spec.products] == [product]


ONE = "products:\n  - id: orders\n    "


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "products: []\nprodcts: []\n",
            "c.yaml:2: unknown key `prodcts`; did you mean `products`?",
        ),
        ("products:\n  - name: Orders\n", "c.yaml:2: `id` is missing in `products`"),
        (ONE + "ownr: ana\n", "c.yaml:3: unknown key `ownr`; did you mean `owner`?"),
        (ONE + "tier: 0\n", "c.yaml:3: `tier` must be at least 1"),
        (ONE + "tier: gold\n", "c.yaml:3: `tier` must be a whole number"),
        (
            ONE + "load_type: incremetal\n",
            'c.yaml:3: `load_type` cannot be "incremetal"; did you mean `incremental`?',
        ),
        (
            ONE + "driver: regulatry\n",
            'c.yaml:3: `driver` cannot be "regulatry"; did you mean `regulatory`?',
        ),
        (
            ONE + "schedule: daily\n",
            'c.yaml:3: `schedule`: "daily" is not a cron expression; write it like "0 6 ',
        ),
        (
            ONE + "timezone: CET\n",
            'c.yaml:3: `timezone`: "CET" is not a time zone; did you mean `Europe/Berlin`?',
        ),
        (
            ONE + "promises: {fresh_by: 25:00}\n",
            'c.yaml:3: `fresh_by`: not a time of day; write it like "09:00"',
        ),
        (
            ONE + "promises:\n      max_age: 26\n",
            "c.yaml:4: `max_age`: 26 has no unit; write 26s, 26m, 26h or 26d",
        ),
        (
            ONE + "promises:\n      availability: 101\n",
            "c.yaml:4: `availability` must be at most 100",
        ),
        (
            ONE + "promises:\n      time_to_fix: 4h\n",
            "c.yaml:4: unknown key `time_to_fix`",
        ),
        (
            ONE + "assets:\n      - modle: fct\n",
            "c.yaml:4: unknown key `modle`; did you mean `model`?",
        ),
        (
            ONE + "assets:\n      - {model: a, dag: b}\n",
            "c.yaml:4: `assets`: name exactly one of model, source, exposure, dag, task, relation",
        ),
        (
            ONE + "assets:\n      - {task: load}\n",
            'c.yaml:4: `assets`: "load" has no DAG; write dag_id.task_id',
        ),
        (
            ONE + 'assets:\n      - {model: "*x*"}\n',
            "c.yaml:4: `model`: begin or end with something other than `*`",
        ),
        ("products:\n  - id: my orders\n", 'c.yaml:2: `id`: "my orders" has a space in it'),
        (
            "products:\n  - id: a\n  - id: a\n",
            "c.yaml:3: `a` is here twice; first in c.yaml:2",
        ),
        ("products: [}\n", "c.yaml:1: not YAML"),
    ],
)
def test_every_fault_has_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, fault: str
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    found = read_catalogue(["c.yaml"])
    assert [str(one)[: len(fault)] for one in found.faults] == [fault]


def test_a_claim_of_two_products_is_told(tmp_path: Path) -> None:
    text = "products: [{id: a, assets: [{dag: x}]}, {id: b, assets: [{dag: x}]}]"
    (warning,) = read_text(tmp_path, {"c.yaml": text}).warnings
    assert warning.message == "dag `x` is claimed by `a` already"


def test_a_product_of_two_files_is_a_fault_and_the_first_stays(tmp_path: Path) -> None:
    found = read_text(
        tmp_path,
        {
            "a.yaml": "products: [{id: orders, name: First}]",
            "b.yaml": "products: [{id: orders, name: Second}]",
        },
    )
    assert "first in" in found.faults[0].message
    assert [one.name for one in found.catalogue.products] == ["First"]


def test_a_folder_is_all_its_yaml(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(f"products: [{{id: {name}}}]")
    (tmp_path / "notes.txt").write_text("not read")
    assert [one.id for one in read_catalogue([tmp_path]).catalogue.products] == ["a", "b"]


def test_files_that_cannot_be_read_are_faults(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"products: [{id: \xff}]")
    missing, empty, latin = (tmp_path / name for name in ("no.yaml", "empty", "latin.yaml"))
    found = read_catalogue([missing, empty, latin])
    assert {one.message for one in found.faults} == {
        "there is no such file",
        "a folder without a .yaml file",
        "not UTF-8 text; save the file as UTF-8",
    }


def test_hidden_characters_do_not_reach_a_terminal(tmp_path: Path) -> None:
    text = 'products: [{id: a, name: "Or\\u001b[31mders\\u202e"}]'
    (product,) = read_text(tmp_path, {"c.yaml": text}).catalogue.products
    assert product.name == "Or[31mders"
