"""`watchbill runs`: what is expected, what is late, what has run."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner

from bot.cli.main import app
from bot.store.opening import open_store
from rules.cron import Schedule
from rules.expected_runs import Expectation, begin, judge
from rules.run import Run, RunState
from tests.fakes.clock import FakeClock

CONFIG = """
database: sqlite:///runs.db
slack: {mode: local}
sources: [{name: af, kind: airflow}]
catalogue: [catalogue.yaml]
expected_runs:
  - {name: shop, source: af, pipeline: shop_daily, schedule: "0 5 * * *", timezone: Europe/Berlin}
"""
CATALOGUE = """
products:
  - {id: orders, schedule: "0 6 * * *"}
"""
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOP = Expectation(
    name="shop",
    schedule=Schedule("0 5 * * *", "Europe/Berlin"),
    source="af",
    pipeline="shop_daily",
)


def folder(tmp_path: Path) -> str:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    (tmp_path / "config.yaml").write_text(CONFIG)
    return str(tmp_path / "config.yaml")


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["runs", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


async def store(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.set(NOW)
    opened = await open_store(f"sqlite:///{tmp_path / 'runs.db'}", clock)
    async with opened.store.begin() as tx:
        tx.save_expectation(judge(begin(SHOP, NOW - timedelta(days=2)), SHOP, NOW).standing)
        tx.record_run(
            Run(
                source="af",
                pipeline="shop_daily",
                run_id="r1",
                state=RunState.FAILED,
                started_at=NOW,
                attempt=2,
            )
        )
    await opened.close()


def test_before_there_is_a_database_the_next_times_are_known(tmp_path: Path) -> None:
    config = folder(tmp_path)
    told = said("expected", "-c", config, "--at", NOW.isoformat())
    assert "shop (af shop_daily): due 2026-11-24 05:00 Europe/Berlin, pages at 05:15" in told
    assert "orders (product orders): due 2026-11-24 06:00 UTC" in told
    assert "2 expected, 0 overdue" in told


async def test_what_is_overdue_says_since_when(tmp_path: Path) -> None:
    config = folder(tmp_path)
    await store(tmp_path)
    told = await asyncio.to_thread(said, "expected", "-c", config, "--at", NOW.isoformat())
    assert "OVERDUE since 2026-11-23 05:00" in told
    document = json.loads(await asyncio.to_thread(said, "expected", "-c", config, "--json"))
    shop = document["expected"][0]
    assert (shop["missed"], shop["due_at"]) == (2, "2026-11-24T04:00:00+00:00")
    listed = await asyncio.to_thread(said, "list", "-c", config)
    assert "2026-11-23 12:00Z  failed    af  shop_daily  r1 #2" in listed
    (run,) = json.loads(await asyncio.to_thread(said, "list", "-c", config, "--json"))
    assert (run["pipeline"], run["attempt"], run["state"]) == ("shop_daily", 2, "failed")
