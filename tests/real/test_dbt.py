"""Real dbt with failures of every kind, sent by the script that runs in dbt jobs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.sources.dbt import parse
from bot.sources.kind import Source
from rules.alert import Alert, AlertStatus
from tests.fakes.deliveries import delivery
from tests.real import transcript
from tests.real.airflow_run import environment
from tests.real.recorder import SECRET, Recorder, recording

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "dbt_project"
SCRIPT = (
    REPO / "integrations" / "dbt" / "watchbill_dbt.py",
    REPO / "bot" / "sources" / "dbt_artifacts.py",
    REPO / "bot" / "courier.py",
)
SOURCE = Source(name="dbt", kind="dbt")


class Job:
    """A dbt job: a project, dbt itself, and the three copied files; nothing of the bot."""

    def __init__(self, home: Path, recorder: Recorder) -> None:
        self.project = home / "shop"
        shutil.copytree(PROJECT, self.project)
        self.tools = environment("dbt")
        for file in SCRIPT:
            shutil.copy(file, home / file.name)
        self.home = home
        self.recorder = recorder
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "DO_NOT_TRACK": "1",
            "DBT_TARGET": "prod",
            "DBT_ENV_CUSTOM_ENV_DAG_RUN": "scheduled__2026-11-22",
            "WATCHBILL_URL": recorder.url,
            "WATCHBILL_SECRET": SECRET,
        }

    def run(self, *words: str) -> str:
        """Run dbt, then send what it left; return what the script said."""
        subprocess.run(
            [self.tools / "dbt", "-q", *words, "--target", "prod"],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            timeout=300,
        )
        name = "sources.json" if words[0] == "source" else "run_results.json"
        sent = subprocess.run(
            [self.tools / "python", "-I", self.home / "run.py", f"target/{name}"],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert sent.returncode == 0, sent.stderr
        return sent.stderr.strip()

    def alerts(self) -> dict[str, Alert]:
        last = self.recorder.requests[-1]
        found = parse(SOURCE, delivery(last.body, source="dbt")).alerts
        return {one.labels["unique_id"].split(".")[2]: one for one in found}


@pytest.mark.timeout(600)
def test_dbt_tells_failures_skips_staleness_and_repairs(tmp_path: Path) -> None:
    assert sys.version_info >= (3, 11)
    lines: list[str] = []
    with recording() as recorder:
        job = Job(tmp_path, recorder)
        # -I keeps the checkout off the path: only what was copied is there.
        (tmp_path / "run.py").write_text(
            "import sys, pathlib\n"
            "sys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
            "import watchbill_dbt\n"
            "raise SystemExit(watchbill_dbt.main())\n"
        )

        def step(*words: str) -> dict[str, Alert]:
            said = job.run(*words)
            found = job.alerts()
            size = len(recorder.requests[-1].body)
            lines.extend([f"$ dbt {' '.join(words)}", f"{said} ({size} bytes)"])
            lines.extend([*transcript.told(found.values()), ""])
            return found

        broken = step("build")
        stale = step("source", "freshness")
        job.run("run", "--select", "revenue")
        unit = step("test", "--select", "test_type:unit")
        _repair(job.project)
        good = step("build")
    _check(broken, stale, unit, good)
    transcript.write("dbt", "dbt-core 1.11 with DuckDB: each command and its alerts", lines)


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
    (project / "tests" / "cannot_run.sql").unlink()


def _check(
    broken: dict[str, Alert],
    stale: dict[str, Alert],
    unit: dict[str, Alert],
    good: dict[str, Alert],
) -> None:
    not_null = broken["not_null_fct_orders_customer_id"]
    assert not_null.title == (
        "not_null on fct_orders.customer_id failed: 1 row (3 downstream skipped)"
    )
    assert not_null.labels["env_dag_run"] == "scheduled__2026-11-22"
    assert not_null.labels["target"] == "prod"
    assert broken["cannot_run"].labels["evaluation"] == "error"
    assert "revenue" not in broken
    assert stale["raw"].labels["target"] == "prod"
    assert stale["raw"].title.startswith("source raw.raw_orders is stale: last loaded 2025-01-01")
    assert unit["revenue"].status is AlertStatus.FIRING
    assert {one.status for one in good.values()} == {AlertStatus.RESOLVED}
    assert good["not_null_fct_orders_customer_id"].dedup_key == not_null.dedup_key
    assert good["revenue"].status is AlertStatus.RESOLVED
