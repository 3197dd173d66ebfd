"""`watchbill catalogue` beside a database: what was seen live stands with what files say."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cli.live_catalogue import ago
from bot.clock import SystemClock
from bot.sources.kind import Source
from bot.sources.registry import read
from bot.store.opening import open_store
from tests.bot.cli.test_catalogue import CONFIG, run, run_json
from tests.fakes.deliveries import delivery

CATALOGUE = """
products:
  - {id: orders, owner: ana@example.com, assets: [{relation: shop.main.orders}, {relation: shop.main.rev*}]}
"""
HOST = "postgres://warehouse:5432"


def table(name: str, host: str = HOST, **facets: Any) -> dict[str, Any]:
    return {"namespace": host, "name": name, "facets": facets}


def event(name: str, inputs: list[Any], outputs: list[Any], **facets: Any) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-23T02:10:00Z",
        "run": {"runId": "run"},
        "job": {"namespace": "spark", "name": name, "facets": facets},
        "inputs": inputs,
        "outputs": outputs,
    }


BOARD = {"integration": "TABLEAU", "jobType": "DASHBOARD"}
OWNER = {"owners": [{"name": "team:shop"}]}
EVENTS = [
    event("build", [table("shop.main.orders")], [table("shop.main.revenue")]),
    event("cost", [table("shop.main.orders")], [table("shop.cost.daily", ownership=OWNER)]),
    event("Revenue board", [table("shop.main.revenue")], [], jobType=BOARD),
    event("Cost board", [table("shop.cost.daily")], [], jobType=BOARD),
    event("lost", [], [table("shop.lost.one"), table("shop.lost.one", "postgres://other")]),
]


async def _tell(url: str, *events: dict[str, Any]) -> None:
    store = await open_store(url, SystemClock())
    parsed = read(Source(name="lineage", kind="openlineage"), delivery(json.dumps(events)))
    async with store.store.begin() as tx:
        for seen in parsed.lineage:
            tx.see_lineage("lineage", seen)
    await store.close()


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    asyncio.run(_tell(database_url, *EVENTS))
    text = CONFIG.replace(", manifest.json", "").replace("data-platform", "data-platfrom")
    (tmp_path / "config.yaml").write_text(f"database: {database_url}\n{text}")
    (tmp_path / "roster.csv").write_text("Start,Person\n2026-11-16,Ana Ruiz\n")
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    return tmp_path / "config.yaml"


def test_impact_follows_what_was_seen(config: Path) -> None:
    status, said = run("catalogue", "impact", "shop.main.orders", "-c", str(config))
    assert status == 0
    board = (
        "Cost board (exposure) owner shop (inherited, seen by lineage) seen live, last 0 min ago"
    )
    assert board in " ".join(said.split())
    found = run_json("catalogue", "impact", "shop.main.orders", "-c", str(config))
    assert len(found["exposures"]) == 2
    assert {hit["seen"]["by"] for hit in found["hits"]} == {"lineage"}


def test_show_tells_what_was_seen_when_and_by_whom(config: Path) -> None:
    status, said = run("catalogue", "show", "shop.main.orders", "-c", str(config))
    assert status == 0
    assert "seen:        live too, by lineage, last 0 min ago" in said
    assert "read by:     job:spark/build  seen live, last 0 min ago" in said
    found = run_json("catalogue", "show", "shop.cost.daily", "-c", str(config))
    assert found["asset"]["owner_how"] == "seen by lineage"
    assert (found["asset"]["seen"]["only_live"], found["asset"]["team"]) == (True, "shop")
    assert [one["id"] for one in found["read_by"]] == ["job:spark/Cost board"]


def test_a_product_shows_what_it_claims_of_what_was_seen(config: Path) -> None:
    status, said = run("catalogue", "show", "orders", "-c", str(config))
    assert status == 0
    line = next(one for one in said.splitlines() if "shop.main.revenue" in one and "product" in one)
    assert line.endswith("owner ana@example.com  seen live, last 0 min ago")
    found = run_json("catalogue", "show", "orders", "-c", str(config))
    assert [one.get("seen", {}).get("only_live") for one in found["assets"]] == [False, True]


def test_gaps_tell_of_what_nobody_owns_and_of_names_of_many(config: Path) -> None:
    found = run_json("catalogue", "gaps", "-c", str(config))["gaps"]
    of = {one["thing"]: one["kind"] for one in found}
    assert of["dataset:postgres://other/shop.lost.one"] == "asset_without_owner"
    assert "job:spark/build" not in of


def test_explain_decides_with_what_was_seen(tmp_path: Path, config: Path) -> None:
    source = "sources: [{name: checks, kind: generic, secret: a-long-enough-secret}]"
    config.write_text(f"{config.read_text()}\n{source}\n")
    body = tmp_path / "body.json"
    body.write_text('{"title": "late", "severity": "error", "labels": {"table": "cost.daily"}}')
    status, said = run("explain", "--source", "checks", str(body), "-c", str(config))
    assert status == 0, said
    assert "About shop.cost.daily, by table cost.daily." in said


def test_without_files_what_was_seen_is_shown(config: Path) -> None:
    config.write_text(config.read_text().replace("catalogue: [catalogue.yaml]", ""))
    status, said = run("catalogue", "show", "-c", str(config))
    assert status == 0
    assert "10 assets, 10 of them only seen live" in said


def test_a_database_that_cannot_be_read_leaves_the_files(tmp_path: Path, config: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 100)
    text = config.read_text().splitlines()
    config.write_text("\n".join([f"database: sqlite:///{broken}", *text[1:]]))
    status, said = run("catalogue", "show", "orders", "-c", str(config))
    assert status == 0
    assert "Without what was seen live" in said
    assert "seen live, last" not in said


def test_a_database_that_is_not_there_yet_is_no_fault(tmp_path: Path, config: Path) -> None:
    text = config.read_text().splitlines()
    config.write_text("\n".join([f"database: sqlite:///{tmp_path / 'new.db'}", *text[1:]]))
    status, said = run("catalogue", "show", "orders", "-c", str(config))
    assert (status, "Without" in said) == (0, False)
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 min ago"), (12, "12 min ago"), (90, "1 h ago"), (47 * 60, "47 h ago"),
     (50 * 60, "2 days ago"), (-5, "0 min ago")],
)  # fmt: skip
def test_how_long_ago(minutes: int, words: str) -> None:
    assert ago(timedelta(minutes=minutes)) == words
