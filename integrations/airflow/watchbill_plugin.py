"""Covers every DAG without editing any: an Airflow plugin that listens to runs and tasks."""

from __future__ import annotations

from typing import Any, ClassVar, List

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from watchbill_airflow import Watchbill, column, part
from watchbill_client import Body

# Airflow 2 asks before it sets the state; these it never tries again, whatever retries are left.
FINAL = frozenset({"AirflowFailException", "AirflowSensorTimeout", "AirflowTaskTerminated"})


def _told_by(ti: Any) -> Body:
    """Return what a callback would have been given, without asking the database."""
    task = part(ti, "task")
    return {"ti": ti, "task": task, "dag": part(task, "dag")}


def _will_retry(ti: Any, error: object) -> bool:
    state = str(column(ti, "state") or "").lower()
    if state in ("failed", "up_for_retry"):
        return state == "up_for_retry"
    if FINAL.intersection(kind.__name__ for kind in type(error).__mro__):
        return False
    if isinstance(error, str) and "manually set" in error:
        return False
    tried, most = column(ti, "try_number"), column(ti, "max_tries")
    return isinstance(tried, int) and isinstance(most, int) and tried <= most


class Listener:
    """Hooks of Airflow 2.10 and later and of 3.x; those a version lacks are never called."""

    def __init__(self) -> None:
        self.watchbill = Watchbill()

    def _tell(self, event: str, context: Body, **more: object) -> None:
        self.watchbill.tell(event, context, origin="listener", **more)

    @hookimpl
    def on_task_instance_success(self, previous_state: object, task_instance: Any) -> None:
        # Airflow names no state before it when a person marks a task.
        more = {"by_hand": True} if previous_state is None else {}
        self._tell("task_succeeded", _told_by(task_instance), **more)

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: object) -> None:
        event = "task_retry" if _will_retry(task_instance, error) else "task_failed"
        self._tell(event, dict(_told_by(task_instance), exception=error))

    @hookimpl
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        self._tell("dag_run_started", self._run(dag_run, msg))

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        # The scheduler says "success"; for a person there are no words, or these.
        more = {"by_hand": True} if not msg or "manually set" in msg else {}
        self._tell("dag_run_succeeded", self._run(dag_run, msg), **more)

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        self._tell("dag_run_failed", self._run(dag_run, msg))

    @hookimpl
    def on_new_dag_import_error(self, filename: object, stacktrace: object) -> None:
        self.watchbill.on_import_error(filename, stacktrace)

    @staticmethod
    def _run(dag_run: Any, msg: str) -> Body:
        return {"dag_run": dag_run, "dag": part(dag_run, "dag"), "reason": msg}


class WatchbillPlugin(AirflowPlugin):
    name = "watchbill"
    listeners: ClassVar[List[Any]] = [Listener()]
