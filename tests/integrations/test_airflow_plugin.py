"""The Airflow plugin decides what a hook means; Airflow itself is a stand-in here."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bot.sources import registry
from bot.sources.kind import Source
from rules.alert import AlertStatus
from tests.fakes.deliveries import delivery
from tests.integrations.recorder import SECRET, Recorder, recording

CLIENT = Path(__file__).parents[2] / "integrations" / "airflow"


class AirflowFailException(Exception):  # noqa: N818 - Airflow's own name
    """Named as Airflow's own: the task is not to be tried again."""


class AirflowSensorTimeout(Exception):  # noqa: N818 - Airflow's own name
    """Named as Airflow's own: what a sensor waited for never came."""


class OwnTimeout(AirflowSensorTimeout):
    """A team's own."""


def unchanged(function: Callable[..., None]) -> Callable[..., None]:
    return function


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as found:
        yield found


@pytest.fixture
def listener(recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, content in (
        ("airflow", {"__version__": "9.9"}),
        ("airflow.listeners", {"hookimpl": unchanged}),
        ("airflow.plugins_manager", {"AirflowPlugin": object}),
    ):
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", [str(CLIENT), *sys.path])
    monkeypatch.delitem(sys.modules, "watchbill_plugin", raising=False)
    monkeypatch.setenv("WATCHBILL_URL", recorder.url)
    monkeypatch.setenv("WATCHBILL_SECRET", SECRET)
    monkeypatch.setenv("WATCHBILL_SPOOL", str(tmp_path / "spool"))
    plugin = importlib.import_module("watchbill_plugin").WatchbillPlugin
    return plugin.listeners[0]


def instance(**changes: Any) -> SimpleNamespace:
    dag = SimpleNamespace(dag_id="orders", owner="ana", tags=["a"], fileloc="/d/orders.py")
    task = SimpleNamespace(task_type="BashOperator", owner="ana", dag=dag)
    given = {"dag_id": "orders", "task_id": "load", "run_id": "r", "task": task, "map_index": -1}
    return SimpleNamespace(**{**given, "try_number": 1, "max_tries": 2, **changes})


@pytest.mark.parametrize(
    ("ti", "error", "event"),
    [
        (instance(state="up_for_retry"), ValueError("x"), "task_retry"),
        (instance(state="failed"), ValueError("x"), "task_failed"),
        (instance(state="running"), ValueError("x"), "task_retry"),
        (instance(state=None, try_number=3), ValueError("x"), "task_failed"),
        (instance(state="running"), AirflowFailException("x"), "task_failed"),
        (instance(state="running"), AirflowSensorTimeout("no file"), "task_failed"),
        (instance(state="running"), OwnTimeout("no file"), "task_failed"),
        (instance(state="running"), "Task received SIGTERM", "task_retry"),
        (
            instance(state="running"),
            "TaskInstance's state was manually set to `failed`.",
            "task_failed",
        ),
        (instance(state="failed"), "killed from outside", "task_failed"),
        (SimpleNamespace(dag_id="orders", task_id="load"), None, "task_failed"),
    ],
)
def test_only_the_last_try_is_a_failure(
    listener: Any, recorder: Recorder, ti: Any, error: object, event: str
) -> None:
    listener.on_task_instance_failed(ti, error)
    (one,) = recorder.requests
    assert one.json["event"] == event
    assert one.json["origin"] == "listener"
    assert one.json["airflow_version"] == "9.9"


def test_runs_and_successes_are_told(listener: Any, recorder: Recorder) -> None:
    run = SimpleNamespace(dag_id="orders", run_id="r", run_type="scheduled", clear_number=0)
    listener.on_task_instance_success("running", instance(state="success"))
    listener.on_dag_run_running(run, "")
    listener.on_dag_run_failed(run, "task_failure")
    listener.on_dag_run_success(run, "success")
    told = [(one.json["event"], one.json["dag"]["dag_id"]) for one in recorder.requests]
    assert told == [
        ("task_succeeded", "orders"),
        ("dag_run_started", "orders"),
        ("dag_run_failed", "orders"),
        ("dag_run_succeeded", "orders"),
    ]
    assert recorder.requests[2].json["reason"] == "task_failure"


def test_what_a_person_marked_as_a_success_is_told_apart(listener: Any, recorder: Recorder) -> None:
    run = SimpleNamespace(dag_id="orders", run_id="r", run_type="scheduled", clear_number=0)
    listener.on_task_instance_success("running", instance(state="success"))
    listener.on_task_instance_success(None, instance(state="success"))
    listener.on_dag_run_success(run, "success")
    listener.on_dag_run_success(run, "")
    listener.on_dag_run_success(run, "Dag Run's state was manually set to `success`.")
    told = [one.json.get("by_hand", False) for one in recorder.once()]
    assert told == [False, True, False, True]
    source = Source(name="airflow", kind="airflow")
    read = [registry.read(source, delivery(one.body)) for one in recorder.once()]
    statuses = [[alert.status for alert in one.alerts] for one in read]
    info, good = AlertStatus.INFO, AlertStatus.RESOLVED
    assert statuses == [[good], [info], [good, good], [info]]
    assert read[1].alerts[0].title == "orders.load was marked as a success by hand (try 1 of 3)"
    assert read[3].alerts[0].title == "DAG orders was marked as a success by hand"
    assert read[1].runs == read[3].runs == ()
    assert read[0].alerts[0].dedup_key == read[1].alerts[0].dedup_key


@pytest.mark.parametrize("trace", ["Traceback\nKeyError: 'a'\n", None, 7])
def test_a_file_that_does_not_import_is_told(listener: Any, recorder: Recorder, trace: Any) -> None:
    listener.on_new_dag_import_error("/d/orders.py", trace)
    error = recorder.requests[0].json["import_error"]
    assert error["file"] == "/d/orders.py"
    assert error["stacktrace"] == (trace if isinstance(trace, str) else "")
