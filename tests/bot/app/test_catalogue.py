"""The catalogue's files reach decisions, and a changed file does so too."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.app.catalogue_watch import CatalogueWatch
from bot.app.expectations import Waiting
from bot.app.rules_in_force import RulesInForce
from bot.catalogue.reading import CatalogueRead, read_catalogue
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


MANIFEST = {
    "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
    "nodes": {"model.shop.raw": {"name": "raw", "resource_type": "model"}},
}


@pytest.mark.parametrize(
    ("name", "broken"),
    [("manifest.json", json.dumps(MANIFEST)[:-9]), ("other.yaml", "products:\n  - id: [sal")],
)
async def test_what_a_file_said_stays_while_it_is_half_written(
    running: Running, tmp_path: Path, name: str, broken: str
) -> None:
    other = CATALOGUE.replace("orders", "sales") + '    schedule: "0 5 * * *"\n'
    said = {"catalogue.yaml": CATALOGUE, "other.yaml": other, "manifest.json": json.dumps(MANIFEST)}
    for file, text in said.items():
        (tmp_path / file).write_text(text)
    files = [str(tmp_path / file) for file in said]
    rules = running.app.rules
    watch = CatalogueWatch(files, rules, running.app.setting.clock)
    assert await watch.look()
    (tmp_path / name).write_text(broken)
    assert not await watch.look()
    assert not await watch.look()
    known = rules.book().catalogue
    assert [one.id for one in known.products] == ["orders", "sales"]
    assert known.asset("model.shop.raw")
    (tmp_path / name).write_text(said[name] + "\n")
    assert await watch.look()
    (tmp_path / name).unlink()
    files.remove(str(tmp_path / name))
    watch = CatalogueWatch(files, rules, running.app.setting.clock)
    assert await watch.look()
    assert len(rules.book().catalogue.products) + len(rules.book().catalogue.assets) == 2


async def test_the_clock_of_a_product_does_not_end_with_a_file_that_cannot_be_read(
    running: Running, tmp_path: Path
) -> None:
    good, bad = tmp_path / "catalogue.yaml", tmp_path / "other.yaml"
    good.write_text(CATALOGUE)
    bad.write_text("products: [{id: ")
    setting, store = running.app.setting, running.app.store
    config = setting.config.model_copy(update={"catalogue": (str(good), str(bad))})
    rules = RulesInForce(setting.parts, None, store.reader, setting.clock, waiting=Waiting(config))
    watch = CatalogueWatch(config.catalogue, rules, setting.clock)
    assert await watch.look()
    assert [one.id for one in rules.book().catalogue.products] == ["orders"]
    assert not rules.book().expected.complete
    bad.write_text("products: []\n")
    assert await watch.look()
    assert rules.book().expected.complete


async def test_a_machine_short_of_something_reads_the_catalogue_later(
    running: Running, tmp_path: Path
) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(CATALOGUE)
    tried: list[int] = []

    def read(files: Sequence[str]) -> CatalogueRead:
        tried.append(1)
        if len(tried) == 1:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return read_catalogue(files)

    rules, clock = running.app.rules, running.app.setting.clock
    watch = CatalogueWatch([str(file)], rules, clock, read)
    assert [await watch.look() for _ in range(3)] == [False, True, False]


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
