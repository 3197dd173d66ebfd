"""`watchbill catalogue`: what each command prints, as text and as JSON."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from tests.bot.catalogue.synthetic import RECORDED

CONFIG = """
slack: {mode: local}
people: [{name: Ana Ruiz, email: ana@example.com}]
rotations: {data-platform: {}}
roster: roster.csv
fallback: [ana@example.com]
catalogue: [catalogue.yaml, manifest.json]
"""
CATALOGUE = """
products:
  - id: orders
    name: Daily orders
    owner: ana@example.com
    tier: 1
    rotation: data-platfrom
    promises: {fresh_by: "09:00"}
    runbook: https://example.com/orders
    schedule: 0 6 * * *
    assets: [{model: fct_*}, {dag: daily_orders}]
  - id: hollow
    assets: [{model: gone}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "roster.csv").write_text("Start,Person\n2026-11-16,Ana Ruiz\n")
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    shutil.copy(RECORDED, tmp_path / "manifest.json")
    return tmp_path / "config.yaml"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def run_json(*words: str) -> Any:
    status, said = run(*words, "--json")
    assert status == 0
    return json.loads(said)


def test_show_lists_products_by_tier(config: Path) -> None:
    status, said = run("catalogue", "show", "-c", str(config))
    assert status == 0
    assert "2 products, 14 assets" in said
    assert said.index("orders: Daily orders, tier 1") < said.index("hollow: hollow, no tier")


def test_show_a_product_and_its_assets(config: Path) -> None:
    status, said = run("catalogue", "show", "daily orders", "-c", str(config))
    assert status == 0
    assert "- dag: daily_orders" in said
    assert "2 assets:" in said
    found = run_json("catalogue", "show", "orders", "-c", str(config))
    assert found["product"]["promises"]["fresh_by"]["at"] == "09:00"
    assert [one["name"] for one in found["assets"]] == ["fct_orders", "daily_orders"]


@pytest.mark.parametrize("written", ["fct_orders", "model.shop.fct_orders", "SHOP.main.fct_orders"])
def test_show_an_asset_by_any_of_its_names(config: Path, written: str) -> None:
    found = run_json("catalogue", "show", written, "-c", str(config))
    assert found["asset"]["id"] == "model.shop.fct_orders"
    assert found["asset"]["product"] == "orders"
    status, said = run("catalogue", "show", written, "-c", str(config))
    assert status == 0
    assert "read by:     model.shop.revenue" in said


def test_an_unknown_name_is_told_with_the_nearest(config: Path) -> None:
    status, said = run("catalogue", "show", "fct_order", "-c", str(config))
    assert status == 1
    assert 'The catalogue has no "fct_order"; did you mean `fct_orders`?' in said


def test_gaps(config: Path) -> None:
    found = run_json("catalogue", "gaps", "-c", str(config))["gaps"]
    kinds = {(one["kind"], one["thing"]) for one in found}
    assert ("product_without_owner", "hollow") in kinds
    assert ("product_without_promise", "hollow") in kinds
    assert ("product_without_runbook", "hollow") in kinds
    assert ("claim_on_nothing", "hollow") in kinds
    assert ("asset_without_owner", "model.shop.broken") in kinds
    assert ("asset_with_inherited_owner", "model.shop.revenue") in kinds
    assert not [one for one in found if one["thing"] == "orders"]
    status, said = run("catalogue", "gaps", "-c", str(config))
    assert status == 0
    assert f"{len(found)} gaps" in said


def test_impact_is_a_tree_with_owners_and_the_path(config: Path) -> None:
    status, said = run("catalogue", "impact", "shop.main.raw_orders", "-c", str(config))
    assert status == 0
    assert "5 assets downstream, 1 product, 1 exposure" in said
    assert "shortest path: raw_orders > stg_orders > fct_orders > revenue > revenue_report" in said
    assert "owners: ana@example.com, bo@example.com" in said
    found = run_json("catalogue", "impact", "stg_orders", "-c", str(config))
    assert found["products"] == ["orders"]
    assert found["hits"][0] == {
        "id": "model.shop.fct_orders",
        "depth": 1,
        "via": "model.shop.stg_orders",
        "first_hop": "model.shop.fct_orders",
        "owner": "ana@example.com",
    }


def test_impact_is_drawn_into_a_file(config: Path) -> None:
    for name, start in (("out.png", b"\x89PNG"), ("out.svg", b"<svg ")):
        file = config.with_name(name)
        status, _ = run(
            "catalogue", "impact", "stg_orders", "-c", str(config), "--picture", str(file)
        )
        assert status == 0
        assert file.read_bytes().startswith(start)


def test_a_picture_that_cannot_be_drawn_says_what_to_do(config: Path) -> None:
    for wrong, words in (
        ("out.jpg", "end its name with .png or .svg"),
        ("no/out.png", "cannot be"),
    ):
        file = config.parent / wrong
        status, said = run(
            "catalogue", "impact", "stg_orders", "-c", str(config), "--picture", str(file)
        )
        assert status == 1
        assert words in said.replace("\n", " ")


def test_the_impact_of_a_product_is_that_of_its_assets(config: Path) -> None:
    found = run_json("catalogue", "impact", "orders", "-c", str(config))
    assert found["seeds"] == ["model.shop.fct_orders", "dag:daily_orders"]
    assert found["exposures"][0]["id"] == "exposure.shop.revenue_dashboard"


def test_what_is_exported_can_be_imported(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    found = run_json("catalogue", "export", "--odcs", str(folder), "-c", str(config))
    assert found["written"] == [str(folder / f"{one}.odcs.yaml") for one in ("orders", "hollow")]
    contract, copy = folder / "orders.odcs.yaml", tmp_path / "copy.yaml"
    status, _ = run("catalogue", "import", str(contract), "--to", str(copy))
    assert status == 0
    assert "id: orders" in copy.read_text()
    status, said = run("catalogue", "import", str(contract), "--to", str(copy))
    assert status == 1
    assert "is there already; nothing was written" in said


def test_import_counts_what_a_manifest_has(config: Path) -> None:
    status, said = run("catalogue", "import", str(config.parent / "manifest.json"))
    assert status == 0
    assert "8 models, 2 seeds, 2 sources, 1 exposure" in said


def test_import_of_something_else_fails_in_words(config: Path) -> None:
    other = config.parent / "run_results.json"
    other.write_text('{"metadata": {}, "results": []}')
    status, said = run("catalogue", "import", str(other))
    assert status == 1
    assert "is not a dbt manifest" in said
    assert "Nothing was imported." in said


def test_without_a_catalogue_the_answer_says_what_to_add(config: Path) -> None:
    config.write_text(CONFIG.replace("catalogue: [catalogue.yaml, manifest.json]", ""))
    status, said = run("catalogue", "show", "-c", str(config))
    assert status == 1
    assert "names no catalogue" in said


def test_check_reports_the_catalogue_with_places(config: Path) -> None:
    file = config.parent / "catalogue.yaml"
    status, said = run("check", "-c", str(config))
    assert status == 0
    assert f'{file}:7: warning: there is no rotation "data-platfrom"' in said
    file.write_text(CATALOGUE.replace("tier: 1", "tire: 1"))
    status, said = run("check", "-c", str(config))
    assert status == 1
    assert f"{file}:6: unknown key `tire`; did you mean `tier`?" in said
