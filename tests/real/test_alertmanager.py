"""Prometheus's own Alertmanager posts, repeats and resolves; a running bot tells Slack."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rules.alert import AlertStatus
from tests.ports import free_port
from tests.process.harness import SECRET, Json, until
from tests.real import transcript
from tests.real.watchbill import CHANNEL, ON_CALL, Watchbill, shown, watching

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SOURCE = "prometheus"
CONFIG = """
route:
  receiver: watchbill
  group_by: [alertname]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 4s
receivers:
  - name: watchbill
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config: {{authorization: {{credentials: {secret}}}}}
"""
LONG_AGO = ("--start=2020-01-01T00:00:00Z", "--end=2020-01-02T00:00:00Z")
REPEATS_WITHIN = 80.0
"""The same bytes within a minute are taken for a retry, so a repeat counts in the next one."""


class Alertmanager:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def add(self, *words: str) -> bool:
        done = subprocess.run(
            ["amtool", "--alertmanager.url", self.url, "alert", "add", *words],
            capture_output=True,
            timeout=30,
        )
        return done.returncode == 0

    async def fire(self, *words: str) -> None:
        async def taken() -> bool:
            return self.add(*words)

        await until(taken, "Alertmanager takes an alert")

    async def end(self, *words: str) -> None:
        await self.fire(*words, *LONG_AGO)


@pytest.fixture
async def watchbill(tmp_path: Path) -> AsyncIterator[Watchbill]:
    if not shutil.which("prometheus-alertmanager"):
        pytest.skip("install Debian's prometheus-alertmanager to run this")
    async with watching(tmp_path / "watchbill", [(SOURCE, "alertmanager")]) as running:
        yield running


@pytest.fixture
def alertmanager(tmp_path: Path, watchbill: Watchbill) -> Iterator[Alertmanager]:
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=watchbill.hook(SOURCE), secret=SECRET))
    port = free_port()
    process = subprocess.Popen(
        [
            "prometheus-alertmanager",
            f"--config.file={config}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Alertmanager(port)
    finally:
        process.terminate()
        process.wait(10)


def lag(replica: int) -> tuple[str, ...]:
    name = f"replica-{replica}"
    note = f"--annotation=summary=Replica {name} is 14 minutes behind"
    return (note, "ReplicaLag", "severity=critical", f"instance={name}", "team=platform")


async def test_an_alert_fires_repeats_and_resolves(
    alertmanager: Alertmanager, watchbill: Watchbill
) -> None:
    lines: list[str] = []

    async def tell(step: str) -> None:
        await watchbill.settled()
        lines.extend([step, *await watchbill.told(), ""])

    await alertmanager.fire(*lag(2))
    await watchbill.root("Replica replica-2 is 14 minutes behind")
    await tell(f"$ amtool alert add {' '.join(lag(2))}")
    assert await watchbill.people_paged() == [ON_CALL]
    root = await only_root(watchbill)
    assert "P1 #1" in shown(root)
    assert root["place"]["name"] == CHANNEL
    await watchbill.root("reported 2 times", seconds=REPEATS_WITHIN)
    await tell("(Alertmanager repeats it)")
    assert (await only_root(watchbill))["ts"] == root["ts"]
    await alertmanager.end(*lag(2))
    await watchbill.root("Resolved")
    await tell("(it ends)")
    await resolved(watchbill, root)

    found = watchbill.alerts(SOURCE, "alertmanager")
    assert {one.dedup_key for one in found} == {found[0].dedup_key}
    assert found[0].title == "Replica replica-2 is 14 minutes behind"
    assert found[0].severity.value == "critical"
    assert found[-1].status is AlertStatus.RESOLVED
    await two_of_one_group(alertmanager, watchbill, lines)
    title = "Alertmanager 0.25, and what Watchbill then told Slack (>)"
    transcript.write("alertmanager", title, lines)


async def two_of_one_group(
    alertmanager: Alertmanager, watchbill: Watchbill, lines: list[str]
) -> None:
    """Fire two alerts of one group: one incident that lists both and ends with the second."""

    async def tell(step: str) -> None:
        await watchbill.settled()
        lines.extend([step, *await watchbill.told(), ""])

    def full(disk: str) -> tuple[str, ...]:
        return (f"--annotation=summary=Disk {disk} is full", "DiskFull", f"device={disk}")

    await alertmanager.fire(*full("sda"))
    await alertmanager.fire(*full("sdb"))
    root = await watchbill.root("2 of 2 alerts firing")
    assert {"Disk sda is full", "Disk sdb is full"} <= words_after_marks(root)
    await tell("$ amtool alert add, twice: DiskFull of sda and of sdb")
    await alertmanager.end(*full("sda"))
    edited = await watchbill.root("1 of 2 alerts firing")
    await tell("(sda ends)")
    assert edited["ts"] == root["ts"]
    assert "Triggered" in shown(edited)
    assert "Disk sda is full – resolved" in shown(edited)
    await alertmanager.end(*full("sdb"))
    await watchbill.root("0 of 2 alerts firing")
    await tell("(sdb ends)")
    assert len(await watchbill.slack.roots()) == 2, "one incident each, and no other"
    assert "Resolved" in shown(await watchbill.root("Disk sdb is full"))
    assert await watchbill.people_paged() == [ON_CALL, ON_CALL]


def words_after_marks(message: Json) -> set[str]:
    return {line[2:].strip() for line in shown(message).splitlines() if line[:1] in "🔴🟢"}


async def only_root(watchbill: Watchbill) -> Json:
    (root,) = await watchbill.slack.roots()
    return root


async def resolved(watchbill: Watchbill, root: Json) -> None:
    """The one message and the one page both say that it is over."""
    assert (await only_root(watchbill))["ts"] == root["ts"]
    ((who, said),) = await watchbill.pages()
    assert who == ON_CALL
    assert "Resolved* by prometheus" in said
