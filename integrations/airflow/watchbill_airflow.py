"""Tells Watchbill what Airflow knows: callbacks for tasks, DAGs and deadlines.

    from watchbill_airflow import watchbill

    wb = watchbill(product="orders", labels={"tier": "1"})
    with DAG("daily_orders", default_args=wb.task_callbacks(), **wb.dag_callbacks()): ...

Works in Airflow 2.10 and later and in 3.x; standard library only, Python 3.8 and later.
Reads only plain columns, because a lazy one may raise, and never raises into Airflow.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import logging
from typing import Any, Callable, Iterable, Mapping

from watchbill_client import VERSION, Body, Settings, delivery_id, send, utc_now

log = logging.getLogger("watchbill")

TEXT = 2_000
TRACE = 6_000
LABELS = 32
TAGS = 50

RUN_COLUMNS = (
    "run_id",
    "run_type",
    "logical_date",
    "data_interval_start",
    "data_interval_end",
    "run_after",
    "start_date",
    "end_date",
    "state",
    "clear_number",
)
TASK_COLUMNS = (
    "task_id",
    "map_index",
    "try_number",
    "max_tries",
    "state",
    "start_date",
    "end_date",
    "hostname",
    "log_url",
)

Callback = Callable[[Any], None]


class Watchbill:
    """The callbacks of one team's DAGs. Every public method may be given to Airflow as it is."""

    def __init__(
        self,
        product: str = "",
        labels: Mapping[str, object] | None = None,
        name: str = "",
        **settings: object,
    ) -> None:
        self.product = product
        self.labels = labels
        self.name = name
        self.settings = settings

    def task_callbacks(self) -> dict[str, Callback]:
        """Return what belongs into `default_args`."""
        return {
            "on_failure_callback": self.on_failure,
            "on_retry_callback": self.on_retry,
            "on_success_callback": self.on_success,
        }

    def dag_callbacks(self) -> dict[str, Callback]:
        """Return what belongs into `DAG(...)`."""
        return {
            "on_failure_callback": self.on_dag_failure,
            "on_success_callback": self.on_dag_success,
        }

    def on_failure(self, context: Any) -> None:
        self.tell("task_failed", context)

    def on_retry(self, context: Any) -> None:
        self.tell("task_retry", context)

    def on_success(self, context: Any) -> None:
        self.tell("task_succeeded", context)

    def on_dag_failure(self, context: Any) -> None:
        self.tell("dag_run_failed", context)

    def on_dag_success(self, context: Any) -> None:
        self.tell("dag_run_succeeded", context)

    def on_deadline(self, context: Any) -> None:
        self.tell("deadline_missed", context)

    def on_import_error(self, filename: object, stacktrace: object) -> None:
        error = {"file": plain(filename), "stacktrace": tail(stacktrace)}
        self.tell("import_error", {}, import_error=error, origin="listener")

    def tell(self, event: str, context: Any, origin: str = "callback", **more: object) -> str:
        """Send one event. Returns sent, kept, refused or off; never raises."""
        try:
            settings = Settings(**self.settings)
            if not settings.wants(event):
                return "off"
            body = self.body(event, context, settings.instance)
            body.update(more, origin=origin)
            return send(settings, identity(body), body)
        except Exception as error:
            log.warning("Watchbill was not told about %s: %r", event, error)
            return "off"

    def body(self, event: str, context: Any, instance: str) -> Body:
        """Return the document that is sent, made of plain values only."""
        run = part(context, "dag_run")
        body = {
            "version": VERSION,
            "event": event,
            "instance": instance,
            "sent_at": utc_now(),
            "airflow_version": airflow_version(),
            "product": plain(self.product),
            "labels": plain_labels(self.labels),
            "dag": dag_columns(context, run),
            "dag_run": columns(run, RUN_COLUMNS),
        }
        fill_run(body["dag_run"], context, run)
        if event.startswith("task_"):
            add_task(body, context)
        elif event == "deadline_missed":
            deadline = part(context, "deadline")
            body["deadline"] = columns(deadline, ("id", "deadline_time", "name"))
            body["deadline"]["name"] = self.name or body["deadline"]["name"]
        else:
            # The DAG callback's task is an arbitrary one, so it is not looked at.
            body["reason"] = column(context, "reason")
        return body


def watchbill(
    product: str = "", labels: Mapping[str, object] | None = None, **settings: object
) -> Watchbill:
    """Return callbacks that carry a data product and labels.

    `settings` override the environment: url, secret, auth, instance, spool, timeout.
    """
    return Watchbill(product=product, labels=labels, **settings)


_plain_callbacks = Watchbill()
on_failure = _plain_callbacks.on_failure
on_retry = _plain_callbacks.on_retry
on_success = _plain_callbacks.on_success
on_dag_failure = _plain_callbacks.on_dag_failure
on_dag_success = _plain_callbacks.on_dag_success


def deadline_missed_sync(
    context: Any = None,
    product: str = "",
    labels: Mapping[str, object] | None = None,
    name: str = "",
    **_: object,
) -> None:
    """For `SyncCallback("watchbill_airflow.deadline_missed_sync", kwargs={...})`."""
    Watchbill(product=product, labels=labels, name=name).on_deadline(context or {})


async def deadline_missed(
    context: Any = None,
    product: str = "",
    labels: Mapping[str, object] | None = None,
    name: str = "",
    **_: object,
) -> None:
    """For `AsyncCallback("watchbill_airflow.deadline_missed", kwargs={...})`, in the triggerer."""
    loop = asyncio.get_running_loop()
    callbacks = Watchbill(product=product, labels=labels, name=name)
    await loop.run_in_executor(None, callbacks.on_deadline, context or {})


def identity(body: Body) -> str:
    """Return the delivery id: the same event told by a callback and by the listener is one."""
    run, task = body.get("dag_run") or {}, body.get("task") or {}
    attempt = task.get("try_number")
    if not task:
        # A cleared run keeps its run_id and may fail again.
        attempt = run.get("clear_number")
        attempt = run.get("start_date") if attempt is None else attempt
    if body["event"] == "deadline_missed":
        attempt = (body.get("deadline") or {}).get("id")
    if body["event"] == "import_error":
        attempt = (body["import_error"]["file"], body["sent_at"])
    return delivery_id(
        body["instance"],
        body["dag"].get("dag_id"),
        run.get("run_id"),
        task.get("task_id"),
        task.get("map_index"),
        attempt,
        body["event"],
        # The listener knows no product: what a callback adds must not be taken for a repeat.
        body["product"],
        sorted(body["labels"].items()),
        *(("by hand",) if body.get("by_hand") else ()),
    )


def add_task(body: Body, context: Any) -> None:
    ti = part(context, "ti") or part(context, "task_instance")
    task = part(context, "task") or part(ti, "task")
    found = columns(ti, TASK_COLUMNS)
    found["operator"] = column(task, "task_type")
    found["owner"] = column(task, "owner")
    found["retries"] = column(task, "retries")
    body["task"] = found
    body["dag"]["dag_id"] = body["dag"].get("dag_id") or column(ti, "dag_id")
    body["dag_run"]["run_id"] = body["dag_run"].get("run_id") or column(ti, "run_id")
    if body["event"] != "task_succeeded":
        body["error"] = error_of(part(context, "exception"))


def fill_run(found: Body, context: Any, run: Any) -> None:
    """Add what a context keeps elsewhere, or under an older or newer name."""
    for name in ("run_id", "logical_date", "data_interval_start", "data_interval_end"):
        if found[name] is None:
            found[name] = column(context, name)
    if found["run_id"] is None:
        found["run_id"] = column(run, "dag_run_id")
    if found["logical_date"] is None:
        found["logical_date"] = column(run, "execution_date")


def error_of(error: object) -> Body | None:
    """Return `{"type", "message"}` of an exception, or of a text in its place."""
    if error is None:
        return None
    if not isinstance(error, BaseException):
        return {"type": "", "message": plain(error) or ""}
    try:
        message = str(error)
    except Exception:
        message = ""
    return {"type": type(error).__name__, "message": message[:TEXT]}


def dag_columns(context: Any, run: Any) -> Body:
    dag = part(context, "dag") or part(part(context, "task"), "dag")
    dag_id = column(dag, "dag_id") or column(run, "dag_id")
    tags = part(dag, "tags")
    names = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, SEVERAL) else []
    return {
        "dag_id": dag_id,
        "owner": column(dag, "owner"),
        "file": column(dag, "fileloc"),
        "tags": sorted(tag[:TEXT] for tag in names)[:TAGS],
    }


SEVERAL = (list, tuple, set, frozenset)


def part(thing: Any, name: str) -> Any:
    """Return a member of a mapping or an object, or None, whatever reading it raises."""
    if thing is None:
        return None
    try:
        return thing[name] if isinstance(thing, Mapping) else getattr(thing, name, None)
    except Exception:
        return None


def column(thing: Any, name: str) -> Any:
    return plain(part(thing, name))


def columns(thing: Any, names: Iterable[str]) -> Body:
    return {name: column(thing, name) for name in names}


def plain(value: object) -> Any:
    """Return a value that JSON can hold, or None; objects are not asked for anything."""
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)[:TEXT]
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if type(value).__name__ == "UUID":
        return str(value)
    return None


def tail(trace: object) -> str:
    """Return the end of a stack trace, which names the error."""
    return trace[-TRACE:] if isinstance(trace, str) else ""


def plain_labels(labels: Mapping[str, object] | None) -> dict[str, str]:
    if not isinstance(labels, Mapping):
        return {}
    pairs = ((str(name)[:128], plain(value)) for name, value in list(labels.items())[:LABELS])
    return {name: str(value) for name, value in pairs if value is not None}


def airflow_version() -> str:
    try:
        from airflow import __version__
    except Exception:
        return ""
    return __version__
