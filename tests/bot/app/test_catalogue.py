"""The catalogue's files reach decisions, and a changed file does so too."""

import asyncio
import json
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


async def test_a_wide_blast_radius_is_drawn_into_the_thread(
    running: Running, tmp_path: Path
) -> None:
    nodes = {
        f"exposure.shop.board_{n}": {
            "unique_id": f"exposure.shop.board_{n}",
            "name": f"board_{n}",
            "resource_type": "exposure",
            "maturity": "high",
            "depends_on": {"nodes": ["model.shop.fct_orders"]},
        }
        for n in range(5)
    }
    model = {"unique_id": "model.shop.fct_orders", "name": "fct_orders", "resource_type": "model"}
    manifest = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {"model.shop.fct_orders": model},
        "exposures": nodes,
        "child_map": {"model.shop.fct_orders": list(nodes)},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    files = [str(tmp_path / "catalogue.yaml"), str(tmp_path / "manifest.json")]
    watch = CatalogueWatch(files, running.app.rules, running.app.setting.clock)
    assert await watch.look()
    body = {"title": "fct_orders failed", "severity": "error", "labels": {"model": "fct_orders"}}
    assert await running.post("generic", body) == 202
    note = await running.until_said("data-alerts", "Who is hit while Daily orders is broken")
    root = await running.until_said("data-alerts", "fct_orders failed")
    assert note.thread_ts == root.ts
    assert note.files[0]["mimetype"] == "image/png"
    assert "5 dashboards" in note.files[0]["alt_txt"]


async def test_work_begins_when_the_files_were_read_however_that_went(
    running: Running, tmp_path: Path
) -> None:
    began: list[bool] = []

    async def work() -> None:
        began.append(bool(running.app.rules.book().catalogue.products))

    for written, known in (("nonsense", False), (CATALOGUE, True)):
        file = tmp_path / f"{known}.yaml"
        file.write_text(written)
        watch = CatalogueWatch([str(file)], running.app.rules, running.app.setting.clock)
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(watch.run())
            await watch.before(work)
            reading.cancel()
        assert began.pop() is known
