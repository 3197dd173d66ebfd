"""Real Airflow, real failures, the shipped client: what arrives is what the parser reads."""

import hashlib
import hmac
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.sources.airflow import parse
from bot.sources.kind import Source
from rules.alert import Alert, AlertStatus
from tests.fakes.deliveries import delivery
from tests.real import transcript
from tests.real.airflow_run import Airflow, airflow, environment
from tests.real.recorder import SECRET, Received, Recorder, recording

pytestmark = pytest.mark.slow

SOURCE = Source(name="airflow", kind="airflow")
WAIT = 180.0


def came(recorder: Recorder, event: str, dag: str | None, task: str | None = None) -> None:
    """Wait for an event of a DAG or of one of its tasks."""

    def is_it(one: Received) -> bool:
        body = one.json
        return (
            body["event"] == event
            and body["dag"]["dag_id"] == dag
            and (task is None or body.get("task", {}).get("task_id") == task)
        )

    arrived = recorder.wait_for(lambda: any(map(is_it, recorder.requests)), seconds=WAIT)
    assert arrived, f"{event} of {dag}.{task} never came"


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(1)


def alerts(recorder: Recorder) -> list[Alert]:
    return [
        alert
        for one in recorder.once()
        for alert in parse(SOURCE, delivery(one.body, source="airflow")).alerts
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", [2, 3])
def test_airflow_tells_failures_retries_and_repairs(version: int, tmp_path: Path) -> None:
    tools = environment(f"airflow{version}")
    with (
        recording() as recorder,
        airflow(tools, tmp_path, three=version == 3, url=recorder.url, secret=SECRET) as running,
    ):
        until(lambda: "daily_orders" in running("dags", "list"))
        _fail_and_repair(running, recorder)
        if version == 3:
            _miss_a_deadline(running, recorder)
    assert not list((tmp_path / "watchbill-spool").glob("*.json")), "everything left the spool"
    _check(recorder)
    _write(version, running, recorder)


def _fail_and_repair(running: Airflow, recorder: Recorder) -> None:
    recorder.status = 503
    running("dags", "trigger", "daily_orders", "--run-id", "manual__one")
    # The bot is away when the task is tried first: the spool brings the retry later.
    assert recorder.wait_for(lambda: recorder.refused >= 3, seconds=WAIT)
    recorder.status = 202
    running("dags", "trigger", "plain_orders", "--run-id", "manual__two")
    came(recorder, "task_retry", "daily_orders", "load")
    came(recorder, "task_failed", "daily_orders", "load")
    came(recorder, "dag_run_failed", "daily_orders")
    came(recorder, "task_failed", "plain_orders", "check")
    came(recorder, "dag_run_failed", "plain_orders")
    running.broken.unlink()
    running("tasks", "clear", "-y", "daily_orders", "--task-regex", "load", "--downstream")
    came(recorder, "task_succeeded", "daily_orders", "load")
    came(recorder, "dag_run_succeeded", "daily_orders")


def _miss_a_deadline(running: Airflow, recorder: Recorder) -> None:
    (running.home / "dags" / "bad.py").write_text("import not_there  # a DAG of airflow\n")
    came(recorder, "import_error", None)
    running.add_dag("late.py")
    until(lambda: "late_orders" in running("dags", "list"))
    running("dags", "trigger", "late_orders", "--run-id", "manual__three")
    came(recorder, "deadline_missed", "late_orders")
    came(recorder, "dag_run_succeeded", "late_orders")


def _check(recorder: Recorder) -> None:
    for one in recorder.requests:
        digest = hmac.new(SECRET.encode(), one.body, hashlib.sha256).hexdigest()
        assert one.headers["x-watchbill-signature"] == f"sha256={digest}"
    found = alerts(recorder)
    of_load = [one for one in found if one.dedup_key == "test-airflow/daily_orders/load"]
    order = [AlertStatus.INFO, AlertStatus.FIRING, AlertStatus.RESOLVED]
    assert list(dict.fromkeys(one.status for one in of_load)) == order
    failed = next(one for one in of_load if one.status is AlertStatus.FIRING)
    assert failed.title == "daily_orders.load failed: KeyError: 'amount' (try 2 of 2)"
    told_by_callback = next(one for one in of_load if one.labels.get("product"))
    assert told_by_callback.labels["product"] == "orders"
    run = {one.group_key for one in found if one.labels.get("dag_id") == "daily_orders"}
    assert run == {"daily_orders/manual__one"}
    # mart never ran: it says nothing before it succeeds.
    mart = [one.status for one in found if one.labels.get("task_id") == "mart"]
    assert set(mart) == {AlertStatus.RESOLVED}
    late = [one for one in found if one.dedup_key.endswith("late_orders/#deadline")]
    assert not late or late[0].group_key == "late_orders/manual__three"


def _write(version: int, running: Airflow, recorder: Recorder) -> None:
    lines = []
    for one in recorder.once():
        body = one.json
        task = (body.get("task") or {}).get("task_id")
        what = ".".join(part for part in (body["dag"]["dag_id"], task) if part)
        lines.append(f"{body['event']} {what or body['import_error']['file']} ({body['origin']})")
        lines += transcript.told(parse(SOURCE, delivery(one.body, source="airflow")).alerts)
    shown = running("version").strip().splitlines()[-1]
    title = f"Airflow {shown}: what the client sent, in order, and the alerts it became"
    transcript.write(f"airflow{version}", title, lines)
