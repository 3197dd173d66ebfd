"""Real Great Expectations validates good and bad data; a running bot tells Slack."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rules.alert import Alert, AlertStatus
from tests.process.harness import SECRET
from tests.real import transcript
from tests.real.environments import environment
from tests.real.watchbill import ON_CALL, Watchbill, shown, watching

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

REPO = Path(__file__).parents[2]
SHIPPED = (
    REPO / "integrations" / "great_expectations" / "watchbill_great_expectations.py",
    REPO / "bot" / "courier.py",
    Path(__file__).parent / "gx_job.py",
)
SOURCE = "gx"
UNKNOWN_COLUMN = "expect_column_values_to_not_be_null on orders.region could not be evaluated"


class Job:
    """A job of its own folder: the script, the action and the courier, nothing else."""

    def __init__(self, home: Path, url: str) -> None:
        home.mkdir()
        for file in SHIPPED:
            shutil.copy(file, home / file.name)
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "WATCHBILL_URL": url,
            "WATCHBILL_SECRET": SECRET,
        }

    def run(self, what: str) -> str:
        done = subprocess.run(
            [environment("great_expectations") / "python", "gx_job.py", what],
            cwd=self.home,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1] + done.stderr.rpartition("Watchbill was not told")[1]


async def test_validations_page_and_recover(tmp_path: Path) -> None:
    async with watching(tmp_path / "watchbill", [(SOURCE, "great_expectations")]) as watchbill:
        job = Job(tmp_path / "job", watchbill.hook(SOURCE))
        lines: list[str] = []
        bad = await _step(job, watchbill, "bad", lines)
        root = await watchbill.root("expect_column_values_to_not_be_null on orders.customer")
        assert "firing" in shown(root)
        assert set(await watchbill.people_paged()) == {ON_CALL}
        good = await _step(job, watchbill, "good", lines)
        assert all("*Resolved* by gx" in shown(one) for one in await watchbill.slack.roots())
        (first, _) = watchbill.deliveries(SOURCE)
    _check(bad, good)
    assert b"ana@example.com" not in first.body, "values of the data stay at home"
    job.env["WATCHBILL_URL"] = "http://127.0.0.1:9/hooks/gx"
    assert job.run("bad") == "failureWatchbill was not told", "and the job goes on"
    title = "Great Expectations 1.24: each checkpoint, its alerts, and what Slack was told (>)"
    transcript.write("great_expectations", title, lines)


async def _step(job: Job, watchbill: Watchbill, what: str, lines: list[str]) -> list[Alert]:
    before = len(watchbill.alerts(SOURCE, "great_expectations"))
    said = job.run(what)
    await watchbill.settled()
    found = watchbill.alerts(SOURCE, "great_expectations")[before:]
    size = len(watchbill.deliveries(SOURCE)[-1].body)
    lines += [f"$ python gx_job.py {what}: {said} ({size} bytes)", *transcript.told(found)]
    lines += [*await watchbill.told(), ""]
    return found


def _check(bad: list[Alert], good: list[Alert]) -> None:
    firing = {one.title: one for one in bad if one.status is AlertStatus.FIRING}
    assert len(firing) == 6
    unknown = next(one for title, one in firing.items() if title.startswith(UNKNOWN_COLUMN))
    assert unknown.labels["evaluation"] == "error"
    broken = [one for one in firing.values() if "evaluation" in one.labels]
    assert broken == [unknown]
    null = next(one for title, one in firing.items() if "not_be_null on orders.customer" in title)
    assert null.title.endswith("failed: 1 of 3 values (33.3 %)")
    assert null.severity.value == "critical"
    assert null.labels["product"] == "orders"
    assert null.labels["team"] == "shop"
    amounts = [one for one in firing.values() if "between on orders.amount" in one.title]
    assert {one.severity.value for one in amounts} == {"critical", "info"}
    assert len({one.dedup_key for one in bad}) == len(bad) == 7
    assert len({one.group_key for one in bad}) == 1
    assert {one.status for one in good} == {AlertStatus.RESOLVED}
    assert {one.dedup_key for one in good} == {one.dedup_key for one in bad}
