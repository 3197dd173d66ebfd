"""The catalogue's files reach decisions, and a changed file does so too."""

import os
from pathlib import Path

from bot.app.catalogue_watch import CatalogueWatch
from tests.bot.app.conftest import Running

CATALOGUE = """
products:
  - id: orders
    name: Daily orders
    owner: ana@example.com
    tier: 1
    promises: {fresh_by: "09:00"}
    assets: [{model: fct_orders}]
"""


async def test_an_alert_of_a_known_product_says_what_is_at_stake(
    running: Running, tmp_path: Path
) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(CATALOGUE)
    watch = CatalogueWatch([str(file)], running.app.rules, running.app.setting.clock)
    assert await watch.look()
    assert not await watch.look()
    body = {"title": "fct_orders failed", "severity": "error", "labels": {"model": "fct_orders"}}
    assert await running.post("generic", body) == 202
    root = await running.until_said("data-alerts", "Daily orders")
    assert "promised by" in str(root.blocks)
    file.write_text(CATALOGUE.replace("Daily orders", "Orders of the day"))
    os.utime(file, (1, 1))
    assert await watch.look()
    assert running.app.rules.book().catalogue.products[0].name == "Orders of the day"


async def test_a_broken_catalogue_leaves_the_rest_at_work(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text("products: [{id: }]\nnonsense: true\n")
    watch = CatalogueWatch([str(file), str(tmp_path / "gone.json")], running.app.rules,
                           running.app.setting.clock)  # fmt: skip
    assert not await watch.look()
    assert await running.post("generic", {"title": "late", "severity": "error", "id": "x"}) == 202
    await running.until_said("data-alerts", "late")


async def test_a_catalogue_that_cannot_be_read_at_all_changes_nothing(
    running: Running, tmp_path: Path
) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(CATALOGUE)
    watch = CatalogueWatch([str(file)], running.app.rules, running.app.setting.clock)
    assert await watch.look()
    unreadable = CatalogueWatch(["catalogue\0.json"], running.app.rules, running.app.setting.clock)
    assert not await unreadable.look()
    assert running.app.rules.book().catalogue.products[0].id == "orders"
