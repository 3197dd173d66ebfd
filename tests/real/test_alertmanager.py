"""Prometheus's own Alertmanager posts, repeats and resolves."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sources.alertmanager import parse
from bot.sources.kind import Source
from rules.alert import Alert, AlertStatus
from tests.fakes.deliveries import delivery
from tests.real import transcript
from tests.real.airflow_run import free_port
from tests.real.recorder import SECRET, Recorder, recording

pytestmark = pytest.mark.slow

SOURCE = Source(name="prometheus", kind="alertmanager")
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


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as found:
        yield found


@pytest.fixture
def alertmanager(tmp_path: Path, recorder: Recorder) -> Iterator[Alertmanager]:
    if not (program := shutil.which("prometheus-alertmanager")):
        pytest.skip("install Debian's prometheus-alertmanager to run this")
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=recorder.url, secret=SECRET))
    port = free_port()
    process = subprocess.Popen(
        [
            program,
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


def alerts(recorder: Recorder) -> list[Alert]:
    return [
        alert
        for one in recorder.requests
        for alert in parse(SOURCE, delivery(one.body, source="prometheus")).alerts
    ]


@pytest.mark.timeout(180)
def test_an_alert_fires_repeats_and_resolves(
    alertmanager: Alertmanager, recorder: Recorder
) -> None:
    words = ("ReplicaLag", "severity=critical", "instance=replica-2", "team=platform")
    note = "--annotation=summary=Replica replica-2 is 14 minutes behind"
    started = recorder.wait_for(lambda: alertmanager.add(note, *words), seconds=30)
    assert started, "Alertmanager did not start"
    assert recorder.wait_for(lambda: len(recorder.requests) >= 2, seconds=40), "it did not repeat"
    alertmanager.add(note, "--end=2020-01-02T00:00:00Z", "--start=2020-01-01T00:00:00Z", *words)
    assert recorder.wait_for(
        lambda: alerts(recorder)[-1].status is AlertStatus.RESOLVED, seconds=40
    )
    found = alerts(recorder)
    assert {one.dedup_key for one in found} == {found[0].dedup_key}
    assert found[0].title == "Replica replica-2 is 14 minutes behind"
    assert found[0].severity.value == "critical"
    assert {one.headers["authorization"] for one in recorder.requests} == {f"Bearer {SECRET}"}
    lines = transcript.told(found)
    transcript.write("alertmanager", "Alertmanager 0.25: one alert, its repeat, its end", lines)
