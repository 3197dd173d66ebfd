"""OpenLineage's own client reports over HTTP; a running bot tells Slack and knows the lineage."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rules.alert import Alert, AlertStatus
from tests.process.harness import SECRET, TOKENS
from tests.real import transcript
from tests.real.environments import environment
from tests.real.watchbill import COMMAND, ON_CALL, Watchbill, shown, watching

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SOURCE = "lineage"
JOB = Path(__file__).parent / "openlineage_job.py"
_AGO = re.compile(r"last \d+ min ago")
CONFIG = """
transport:
  type: http
  url: {url}
  endpoint: hooks/{source}
  auth:
    type: api_key
    apiKey: {secret}
"""


async def test_runs_page_and_recover(tmp_path: Path) -> None:
    async with watching(tmp_path / "watchbill", [(SOURCE, "openlineage")]) as watchbill:
        shutil.copy(JOB, tmp_path / "job.py")
        config = CONFIG.format(url=watchbill.bot.url, source=SOURCE, secret=SECRET)
        (tmp_path / "openlineage.yml").write_text(config)
        lines: list[str] = []
        await _step(tmp_path, watchbill, "consume", lines)
        (failed,) = await _step(tmp_path, watchbill, "fail", lines)
        assert await watchbill.people_paged() == [ON_CALL]
        whole, null, unique, _ = await _step(tmp_path, watchbill, "complete", lines)
        assert "*Resolved*" in shown(await watchbill.root("load_orders.load failed"))
        recovered = await _step(tmp_path, watchbill, "recover", lines)
        assert all("*Resolved*" in shown(one) for one in await watchbill.slack.roots())
        lines += await _seen(watchbill)
    assert failed.title == 'load_orders.load failed: relation "raw.orders" does not exist'
    assert failed.labels["owner"] == "team:shop"
    assert failed.labels["nominal_time"] == "2026-11-21T02:00:00Z"
    assert (whole.status, whole.dedup_key) == (AlertStatus.RESOLVED, failed.dedup_key)
    assert (null.status, unique.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert null.dedup_key in {
        one.dedup_key for one in recovered if one.status is AlertStatus.RESOLVED
    }
    title = "openlineage-python 1.54: each run, its alerts, and what Slack was told (>)"
    transcript.write("openlineage", title, lines)


async def _seen(watchbill: Watchbill) -> list[str]:
    """Return what the catalogue shows of what the events told, read beside the running bot."""
    words = ["catalogue", "impact", "shop.public.orders", "-c", str(watchbill.config)]
    found = json.loads(_watchbill(*words, "--json"))
    hits = [(one["id"], one["depth"], one["owner"], one["seen"]["by"]) for one in found["hits"]]
    assert hits == [
        ("task:build.revenue", 1, "shop", SOURCE),
        ("dataset:postgres://warehouse:5432/shop.public.revenue", 2, "bo", SOURCE),
        ("job:tableau/Revenue board", 3, "bo", SOURCE),
    ]
    assert [one["name"] for one in found["exposures"]] == ["Revenue board"]
    said = _AGO.sub("last <time>", _watchbill(*words)).splitlines()
    return ["$ watchbill catalogue impact shop.public.orders", *(f"  {one}" for one in said), ""]


def _watchbill(*words: str) -> str:
    done = subprocess.run(
        [COMMAND, *words],
        env={**TOKENS, "SOURCE_SECRET": SECRET, "PATH": os.environ["PATH"], "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def _step(home: Path, watchbill: Watchbill, what: str, lines: list[str]) -> list[Alert]:
    before = len(watchbill.alerts(SOURCE, "openlineage"))
    done = subprocess.run(
        [environment("openlineage") / "python", "job.py", what],
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    await watchbill.settled()
    found = watchbill.alerts(SOURCE, "openlineage")[before:]
    lines += [f"$ python job.py {what}: {done.stdout.strip()}", *transcript.told(found)]
    lines += [*await watchbill.told(), ""]
    return found
