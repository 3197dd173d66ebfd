"""The bodies of the story, in the shape that each tool sends, dated to the moment of sending."""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bot.sources.dbt_artifacts import documents, encode

CHECKS = 500
"""How many checks of the storm fail."""

_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
"""The moment at which the shipped artefacts say they were written."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_SCHEMAS = ("orders", "payments", "stock", "customers", "web")
_RULES = ("row count", "null share", "freshness", "duplicates", "value range")
_DATABASE_DOWN_SINCE = timedelta(minutes=2)

Build = Callable[[datetime], bytes]


def body(name: str, now: datetime) -> bytes:
    """Return a body of the story as it is sent at `now`; raises KeyError for an unknown name."""
    return _BODIES[name](now)


def shop(folder: Path, now: datetime) -> tuple[str, ...]:
    """Write the shop's catalogue and its dbt manifest, of this day, into a folder."""
    shipped = files("bot.demo")
    products, manifest = folder / "catalogue.yaml", folder / "manifest.json"
    products.write_bytes((shipped / "catalogue.yaml").read_bytes())
    found = json.loads((shipped / "artifacts" / "manifest.json").read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(_moved(found, now - _WRITTEN)), encoding="utf-8")
    return str(products), str(manifest)


def runbooks(folder: Path) -> tuple[str, ...]:
    """Write the shop's runbooks into a folder of their own in `folder`."""
    with as_file(files("bot.demo") / "runbooks") as shipped:
        return (str(shutil.copytree(shipped, folder / "runbooks")),)


def _dbt(artifact: str, now: datetime) -> bytes:
    with as_file(files("bot.demo") / "artifacts") as shipped, TemporaryDirectory() as folder:
        found = json.loads((shipped / artifact).read_text(encoding="utf-8"))
        results = Path(folder, artifact)
        results.write_text(json.dumps(_moved(found, now - _WRITTEN)), encoding="utf-8")
        (document,) = documents(results, shipped / "manifest.json")
    return encode(document)


def _build(now: datetime, *, doubled: int = 0, took: timedelta = timedelta(seconds=40)) -> bytes:
    """A dbt build of which all tests pass, but for `doubled` orders that came twice."""
    document = json.loads(_dbt("run_results_again.json", now))
    document["metadata"]["invocation_id"] = str(uuid5(NAMESPACE_URL, now.isoformat()))
    document["metadata"]["invocation_started_at"] = _iso(now - took)
    for result in document["results"]:
        if result["status"] == "fail":
            said = f"Got {doubled} results, configured to fail if != 0" if doubled else None
            result.update(status="fail" if doubled else "pass", failures=doubled, message=said)
        elif result["status"] == "skipped" and not doubled:
            result.update(status="success", message="SELECT 913377")
    return encode(document)


def _moved(value: Any, by: timedelta) -> Any:
    """Return a JSON value with every instant in it moved."""
    if isinstance(value, dict):
        return {name: _moved(one, by) for name, one in value.items()}
    if isinstance(value, list):
        return [_moved(one, by) for one in value]
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return _iso(datetime.fromisoformat(value) + by)
    return value


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _airflow(event: str, tried: int, state: str, now: datetime) -> bytes:
    """An event as the Airflow client sends it."""
    started = now - timedelta(seconds=41)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    run_id = f"scheduled__{_iso(day)}"
    document: dict[str, Any] = {
        "version": "1",
        "event": event,
        "instance": "prod",
        "sent_at": _iso(now),
        "airflow_version": "3.3.2",
        "product": "payments",
        "labels": {"team": "data-platform"},
        "dag": {
            "dag_id": "payments_hourly",
            "owner": "data-platform",
            "file": "/opt/airflow/dags/payments.py",
            "tags": ["payments"],
        },
        "dag_run": {
            "run_id": run_id,
            "run_type": "scheduled",
            "logical_date": _iso(day),
            "data_interval_start": _iso(day),
            "data_interval_end": _iso(day),
            "run_after": _iso(day),
            "start_date": _iso(started),
            "end_date": None,
            "state": "running",
            "clear_number": 0,
        },
        "task": {
            "task_id": "load",
            "map_index": -1,
            "try_number": tried,
            "max_tries": 2,
            "state": state,
            "start_date": _iso(started),
            "end_date": _iso(now),
            "hostname": "worker-3",
            "log_url": f"https://airflow.example/dags/payments_hourly/runs/{day:%Y%m%d}/tasks/load",
            "operator": "_PythonDecoratedOperator",
            "owner": "data-platform",
        },
        "origin": "listener",
    }
    if state != "success":
        said = "payments API answered 503 Service Unavailable"
        document["error"] = {"type": "HTTPError", "message": said}
    return json.dumps(document).encode()


def _alertmanager(status: str, now: datetime, *, since: timedelta = timedelta()) -> bytes:
    """A notification of one group with two alerts; equal for equal `now - since`."""
    began = (now - since - _DATABASE_DOWN_SINCE).replace(second=0, microsecond=0)
    common = {"alertname": "WarehouseDown", "cluster": "eu-1", "severity": "critical"}
    alerts = [
        {
            "status": status,
            "labels": {**common, "instance": instance, "job": "postgres"},
            "annotations": {
                "summary": f"{host} does not answer",
                "description": f"No connection to {host} for 2 minutes. Loads and reports stop.",
                "runbook_url": "https://runbooks.example/warehouse-down",
            },
            "startsAt": _iso(began),
            "endsAt": _iso(now) if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "https://prometheus.example/graph?g0.expr=pg_up",
            "fingerprint": fingerprint,
        }
        for host, instance, fingerprint in (
            ("warehouse-1", "warehouse-1:9187", "c17bd7adee4c0b4a"),
            ("warehouse-2", "warehouse-2:9187", "9a0c2e5b7f6d1834"),
        )
    ]
    return _json(
        {
            "receiver": "watchbill",
            "status": status,
            "alerts": alerts,
            "groupLabels": {"alertname": "WarehouseDown"},
            "commonLabels": {**common, "job": "postgres"},
            "commonAnnotations": {},
            "externalURL": "https://alertmanager.example",
            "version": "4",
            "groupKey": '{}:{alertname="WarehouseDown"}',
            "truncatedAlerts": 0,
        }
    )


def _staging(status: str, now: datetime) -> bytes:
    return _json(
        {
            "title": "Nightly load of staging did not finish",
            "id": "staging-nightly",
            "status": status,
            "severity": "high",
            "description": "The database was restarted during the load.",
            "timestamp": _iso(now),
            "labels": {"env": "staging"},
        }
    )


def _checks(status: str, now: datetime) -> bytes:
    """The nightly checks, all in one body, as data quality tools post them."""
    alerts = []
    for number in range(CHECKS):
        schema = _SCHEMAS[number % len(_SCHEMAS)]
        rule = _RULES[number // len(_SCHEMAS) % len(_RULES)]
        table = f"{schema}.part_{number // 25 + 1:02}"
        alerts.append(
            {
                "title": f"{table}: {rule} check {status}",
                "id": f"{table}/{rule}",
                "status": status,
                "severity": "error",
                "timestamp": _iso(now),
                "labels": {"table": table, "check": rule},
            }
        )
    return _json({"alerts": alerts})


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


_BODIES: Mapping[str, Build] = {
    "orders_stale": partial(_dbt, "sources_stale.json"),
    "orders_fresh": partial(_dbt, "sources_fresh.json"),
    "orders_tests": partial(_dbt, "run_results.json"),
    "orders_tests_again": partial(_dbt, "run_results_again.json"),
    "orders_under_way": partial(_build, took=timedelta(minutes=4)),
    "orders_mended": _build,
    "orders_doubled": partial(_build, doubled=12),
    "payments_first_try": partial(_airflow, "task_retry", 1, "up_for_retry"),
    "payments_second_try": partial(_airflow, "task_retry", 2, "up_for_retry"),
    "payments_third_try": partial(_airflow, "task_succeeded", 3, "success"),
    "warehouse_down": partial(_alertmanager, "firing"),
    "warehouse_still_down": partial(_alertmanager, "firing", since=timedelta(minutes=5)),
    "warehouse_up": partial(_alertmanager, "resolved", since=timedelta(minutes=9)),
    "staging_failed": partial(_staging, "failed"),
    "staging_passed": partial(_staging, "passed"),
    "checks_failed": partial(_checks, "failed"),
    "checks_passed": partial(_checks, "passed"),
}
