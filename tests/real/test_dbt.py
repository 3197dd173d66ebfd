"""Real dbt with failures of every kind, sent to a running bot by what ships for dbt jobs."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.sources.dbt import parse
from bot.sources.kind import Source
from rules.alert import Alert, AlertStatus
from tests.process.harness import SECRET
from tests.real import transcript
from tests.real.environments import environment
from tests.real.watchbill import COMMAND, ON_CALL, Watchbill, shown, watching

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

REPO = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "dbt_project"
SCRIPT = (
    REPO / "integrations" / "dbt" / "watchbill_dbt.py",
    REPO / "bot" / "sources" / "dbt_artifacts.py",
    REPO / "bot" / "courier.py",
)
SOURCE = Source(name="dbt", kind="dbt")
# -I keeps the checkout off the path: only what was copied is there.
RUN_ALONE = """import sys, pathlib
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import watchbill_dbt
raise SystemExit(watchbill_dbt.main())
"""
ALSO_BROKEN = ("model broken failed", "model contracted failed", "cannot_run on dim_customers")

Alerts = dict[str, Alert]


class Job:
    """A dbt job: a project, dbt itself, and the copied script or the `watchbill` command."""

    def __init__(self, home: Path, watchbill: Watchbill) -> None:
        self.project = home / "shop"
        shutil.copytree(PROJECT, self.project)
        self.tools = environment("dbt")
        for file in SCRIPT:
            shutil.copy(file, home / file.name)
        (home / "run.py").write_text(RUN_ALONE)
        self.home = home
        self.watchbill = watchbill
        self.lines: list[str] = []
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "DO_NOT_TRACK": "1",
            "DBT_TARGET": "prod",
            "DBT_ENV_CUSTOM_ENV_DAG_RUN": "scheduled__2026-11-22",
            "WATCHBILL_URL": watchbill.hook("dbt"),
            "WATCHBILL_SECRET": SECRET,
        }

    def dbt(self, *words: str) -> None:
        subprocess.run(
            [self.tools / "dbt", "-q", *words, "--target", "prod"],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            timeout=300,
        )

    def send(self, name: str, *, by_command: bool) -> str:
        """Send what dbt left, and return what the sender said."""
        file = f"target/{name}"
        sender: Sequence[str | Path] = [self.tools / "python", "-I", self.home / "run.py", file]
        env = self.env
        if by_command:
            config = str(self.watchbill.config)
            sender = [COMMAND, "send", "--source", "dbt", "--target", "prod", "-c", config, file]
            env = {"PATH": self.env["PATH"], **self.watchbill.bot.process.environment}
        sent = subprocess.run(
            sender, cwd=self.project, env=env, capture_output=True, text=True, timeout=120
        )
        assert sent.returncode == 0, sent.stderr
        return sent.stderr.strip()

    async def step(self, *words: str, by_command: bool = False) -> Alerts:
        """Run dbt, send what it left, and return the alerts of it once Slack knows them."""
        self.dbt(*words)
        name = "sources.json" if words[0] == "source" else "run_results.json"
        said = self.send(name, by_command=by_command)
        await self.watchbill.settled()
        taken = self.watchbill.deliveries("dbt")[-1]
        found = parse(SOURCE, taken).alerts
        sender = "watchbill send" if by_command else "watchbill_dbt.py"
        self.lines += [f"$ dbt {' '.join(words)}", f"{sender}: {said} ({len(taken.body)} bytes)"]
        self.lines += [*transcript.told(found), *await self.watchbill.told(), ""]
        return {one.labels["unique_id"].split(".")[2]: one for one in found}


async def test_dbt_tells_failures_skips_staleness_and_repairs(tmp_path: Path) -> None:
    async with watching(tmp_path / "watchbill", [("dbt", "dbt")]) as watchbill:
        job = Job(tmp_path, watchbill)
        await _warn_only(job)
        broken = await job.step("build", by_command=True)
        await _one_incident_for_the_build(watchbill)
        stale = await job.step("source", "freshness")
        job.dbt("run", "--select", "revenue")
        unit = await job.step("test", "--select", "test_type:unit")
        assert await watchbill.people_paged() == [ON_CALL] * 3, "build, freshness, unit test"
        _repair(job.project)
        good = await job.step("build")
        await _all_whole_but_the_stale_source(watchbill)
    _check(broken, stale, unit, good)
    title = "dbt-core 1.11 with DuckDB: each command, its alerts, and what Slack was told (>)"
    transcript.write("dbt", title, job.lines)


async def _warn_only(job: Job) -> None:
    """A warning is shown, and wakes nobody."""
    warned = await job.step("build", "--select", "raw_orders", "stg_orders")
    assert {one.severity.value for one in warned.values() if one.status is AlertStatus.FIRING} == {
        "warning"
    }
    root = await job.watchbill.root("unique on stg_orders.id warned: 1 row")
    assert "A P4 pages nobody" in shown(root)
    assert await job.watchbill.pages() == []


async def _one_incident_for_the_build(watchbill: Watchbill) -> None:
    roots = await watchbill.slack.roots()
    assert len(roots) == 2, [shown(one) for one in roots]
    root = await watchbill.root("6 of 6 alerts firing")
    assert "P2 #2" in shown(root)
    assert "not_null on fct_orders.customer_id failed: 1 row (3 downstream skipped)" in shown(root)
    for name in ALSO_BROKEN:
        assert f"🔴 {name}" in shown(root)
    assert await watchbill.people_paged() == [ON_CALL]
    warned = await watchbill.root("unique on stg_orders.id warned")
    assert "reported 2 times" in shown(warned)


async def _all_whole_but_the_stale_source(watchbill: Watchbill) -> None:
    roots = {shown(one).split()[2]: shown(one) for one in await watchbill.slack.roots()}
    assert set(roots) == {"#1", "#2", "#3", "#4"}
    over = {number for number, said in roots.items() if "*Resolved* by dbt" in said}
    assert over == {"#1", "#2", "#4"}
    assert "source raw.raw_orders is stale" in roots["#3"]
    ended = [said for _, said in await watchbill.pages() if "*Resolved* by dbt" in said]
    assert len(ended) == 2, "the pages of the build and of the unit test say so too"


def _repair(project: Path) -> None:
    rows = "id,customer_id,status,amount,loaded_at\n1,10,paid,5.0,2025-01-01 06:00:00\n"
    (project / "seeds" / "raw_orders.csv").write_text(rows)
    models = project / "models"
    (models / "broken.sql").write_text("select name from {{ ref('raw_customers') }}")
    text = (models / "models.yml").read_text()
    text = text.replace("data_type: bigint", "data_type: integer").replace(
        "revenue: 6", "revenue: 5"
    )
    (models / "models.yml").write_text(
        text.replace("label, data_type: integer", "label, data_type: text")
    )
    test = "select name from {{ ref('dim_customers') }} where name is null"
    (project / "tests" / "cannot_run.sql").write_text(test)


def _check(broken: Alerts, stale: Alerts, unit: Alerts, good: Alerts) -> None:
    not_null = broken["not_null_fct_orders_customer_id"]
    assert not_null.title == (
        "not_null on fct_orders.customer_id failed: 1 row (3 downstream skipped)"
    )
    assert not_null.labels["env_dag_run"] == "scheduled__2026-11-22"
    assert not_null.labels["target"] == "prod"
    assert broken["cannot_run"].labels["evaluation"] == "error"
    assert "revenue" not in broken
    assert stale["raw"].labels["target"] == "prod"
    assert stale["raw"].title.startswith("source raw.raw_orders is stale: nothing loaded for ")
    assert unit["revenue"].status is AlertStatus.FIRING
    assert {one.status for one in good.values()} == {AlertStatus.RESOLVED}
    assert good["not_null_fct_orders_customer_id"].dedup_key == not_null.dedup_key
    assert good["revenue"].status is AlertStatus.RESOLVED
