"""The Airflow client against a local receiver: signed, bounded in time, and never in the way."""

import asyncio
import hashlib
import hmac
import json
import stat
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integrations.recorder import SECRET, Recorder, recording

CLIENT = Path(__file__).parents[2] / "integrations" / "airflow"
sys.path.insert(0, str(CLIENT))

import watchbill_airflow  # type: ignore[import-not-found]  # noqa: E402 - it lives outside
import watchbill_client  # type: ignore[import-not-found]  # noqa: E402

SPEED = 1.0
"""Seconds a call may take beyond the time-out on a busy machine."""


class State(StrEnum):
    FAILED = "failed"


class Detached:
    """A row of a closed session: some columns are loaded, the rest raises."""

    run_id = "scheduled__2025-01-01"
    run_type = "scheduled"
    clear_number = 0

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"Parent instance is not bound to a Session: {name}")


class Hostile:
    def __getattr__(self, name: str) -> object:
        raise ValueError(name)

    def __getitem__(self, name: str) -> object:
        raise ValueError(name)

    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as found:
        yield found


@pytest.fixture
def wb(recorder: Recorder, tmp_path: Path) -> watchbill_airflow.Watchbill:
    return client(recorder.url, tmp_path / "spool")


def client(url: str, spool: Path, **more: Any) -> watchbill_airflow.Watchbill:
    return watchbill_airflow.watchbill(
        "orders",
        {"tier": 1},
        **{"url": url, "secret": SECRET, "instance": "prod", "spool": str(spool), **more},
    )


def context(**changes: object) -> dict[str, Any]:
    ti = SimpleNamespace(
        dag_id="daily_orders",
        task_id="load",
        run_id="scheduled__2025-01-01",
        map_index=-1,
        try_number=2,
        max_tries=1,
        state=State.FAILED,
        start_date=datetime(2025, 1, 1, tzinfo=UTC),
        end_date=datetime(2025, 1, 1, 0, 1, tzinfo=UTC),
        log_url="https://airflow.example/log",
    )
    dag = SimpleNamespace(dag_id="daily_orders", owner="ana", tags={"b", "a"}, fileloc="/d/o.py")
    task = SimpleNamespace(task_type="PythonOperator", owner="ana", dag=dag)
    run = SimpleNamespace(run_id="scheduled__2025-01-01", run_type="scheduled", clear_number=0)
    whole = {"ti": ti, "task": task, "dag": dag, "dag_run": run, "exception": KeyError("amount")}
    return {**whole, **changes}


def spooled(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "spool").glob("*.json"))


def test_a_failure_is_signed_and_holds_plain_values(recorder: Recorder, wb: Any) -> None:
    wb.on_failure(context())
    (one,) = recorder.requests
    digest = hmac.new(SECRET.encode(), one.body, hashlib.sha256).hexdigest()
    assert one.headers["x-watchbill-signature"] == f"sha256={digest}"
    assert "authorization" not in one.headers
    assert one.headers["content-type"] == "application/json"
    body = one.json
    assert body["event"] == "task_failed"
    assert body["task"]["state"] == "failed"
    assert body["task"]["end_date"] == "2025-01-01T00:01:00+00:00"
    assert body["error"] == {"type": "KeyError", "message": "'amount'"}
    assert body["dag"]["tags"] == ["a", "b"]
    assert body["product"] == "orders"
    assert body["labels"] == {"tier": "1"}


def test_a_bearer_token_goes_instead_when_asked_for(recorder: Recorder, tmp_path: Path) -> None:
    client(recorder.url, tmp_path / "spool", auth="bearer").on_failure(context())
    (one,) = recorder.requests
    assert one.headers["authorization"] == f"Bearer {SECRET}"
    assert "x-watchbill-signature" not in one.headers


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    env = {"WATCHBILL_URL": "https://a.example/hooks/x", "AIRFLOW_HOME": str(tmp_path)}
    found = watchbill_client.Settings(
        {**env, "WATCHBILL_TIMEOUT": "soon", "WATCHBILL_EVENTS": "a,b"}
    )
    assert found.url == "https://a.example/hooks/x"
    assert found.spool == str(tmp_path / "watchbill-spool")
    assert found.timeout == 3
    assert [found.wants(event) for event in ("a", "b", "c")] == [True, True, False]


def test_the_same_event_has_the_same_id_and_another_try_has_not(
    recorder: Recorder, wb: Any
) -> None:
    wb.on_failure(context())
    wb.on_failure(context(exception=None))
    again = context()
    again["ti"].try_number = 3
    wb.on_failure(again)
    wb.on_retry(context())
    first, second, third, fourth = (one.delivery for one in recorder.requests)
    assert first == second
    assert len({first, third, fourth}) == 3


def test_a_cleared_run_that_fails_again_is_told_again(recorder: Recorder, wb: Any) -> None:
    for clear_number in (0, 0, 1):
        run = SimpleNamespace(run_id="r", clear_number=clear_number)
        wb.on_dag_failure(context(dag_run=run))
    first, second, third = (one.delivery for one in recorder.requests)
    assert first == second != third


def test_a_callback_with_a_product_is_no_repeat_of_the_listener(
    recorder: Recorder, wb: Any, tmp_path: Path
) -> None:
    plain = watchbill_airflow.Watchbill(**wb.settings)
    plain.tell("task_failed", context(), origin="listener")
    plain.tell("task_failed", context(), origin="callback")
    wb.on_failure(context())
    first, second, third = (one.delivery for one in recorder.requests)
    assert first == second != third


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"ti": Hostile(), "dag": Hostile(), "task": Hostile(), "dag_run": Hostile()},
        {"ti": None, "dag": 7, "task": [], "dag_run": "x"},
        {"exception": Hostile(), "dag": SimpleNamespace(tags=Hostile(), dag_id=Hostile())},
    ],
)
def test_no_context_makes_it_raise(recorder: Recorder, wb: Any, broken: dict[str, object]) -> None:
    for tell in (wb.on_failure, wb.on_retry, wb.on_success, wb.on_dag_failure, wb.on_dag_success):
        tell({**context(), **broken} if broken else {})
        tell(Hostile())
    watchbill_airflow.deadline_missed_sync(context=Hostile(), product="orders")
    assert len(recorder.requests) == 10


def test_a_detached_run_gives_the_columns_it_still_has(recorder: Recorder, wb: Any) -> None:
    wb.on_failure(context(dag_run=Detached()))
    run = recorder.requests[0].json["dag_run"]
    assert run["run_type"] == "scheduled"
    assert run["logical_date"] is None


def test_the_deadline_callback_can_be_awaited(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHBILL_URL", recorder.url)
    monkeypatch.setenv("WATCHBILL_SPOOL", str(tmp_path / "spool"))
    given = {
        "dag_run": {"dag_id": "late", "dag_run_id": "manual__1", "run_type": "manual"},
        "deadline": {"id": "d-1", "deadline_time": "2025-01-01T09:00:00Z"},
    }
    asyncio.run(
        watchbill_airflow.deadline_missed(context=given, product="orders", name="by nine", extra=1)
    )
    body = recorder.requests[0].json
    assert body["dag"]["dag_id"] == "late"
    assert body["dag_run"]["run_id"] == "manual__1"
    assert body["deadline"] == {
        "id": "d-1",
        "deadline_time": "2025-01-01T09:00:00Z",
        "name": "by nine",
    }


def test_a_silent_bot_costs_the_time_out_and_no_more(recorder: Recorder, tmp_path: Path) -> None:
    recorder.delay = threading.Event()
    started = time.monotonic()
    assert client(recorder.url, tmp_path / "spool").tell("task_failed", context()) == "kept"
    assert 2.5 < time.monotonic() - started < 3 + SPEED
    assert len(spooled(tmp_path)) == 1


def test_what_was_kept_goes_out_first_with_the_next_event(
    recorder: Recorder, tmp_path: Path
) -> None:
    # Nobody listens on the discard port of the loopback.
    away = client("http://127.0.0.1:9/hooks/airflow", tmp_path / "spool")
    assert away.tell("task_retry", context()) == "kept"
    assert away.tell("task_failed", context()) == "kept"
    assert len(spooled(tmp_path)) == 2
    assert client(recorder.url, tmp_path / "spool").tell("task_succeeded", context()) == "sent"
    events = [one.json["event"] for one in recorder.requests]
    assert events == ["task_retry", "task_failed", "task_succeeded"]
    assert spooled(tmp_path) == []


def test_what_waits_for_one_watchbill_goes_to_no_other(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHBILL_URL", recorder.url)
    monkeypatch.setenv("WATCHBILL_SECRET", SECRET)
    monkeypatch.setenv("WATCHBILL_SPOOL", str(tmp_path / "spool"))
    with recording() as other:
        theirs = watchbill_airflow.watchbill("ads", url=other.url, secret="of-the-other-one")
        other.status = 503
        theirs.on_failure(context())
        watchbill_airflow.watchbill("orders").on_failure(context())
        assert [one.json["product"] for one in recorder.requests] == ["orders"]
        other.status = 202
        theirs.on_success(context())
        assert [one.json["event"] for one in other.requests] == ["task_failed", "task_succeeded"]
    assert len(recorder.requests) == 1
    assert spooled(tmp_path) == []


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503, 302])
def test_an_answer_that_may_change_keeps_the_event(
    recorder: Recorder, wb: Any, tmp_path: Path, status: int
) -> None:
    recorder.status = status
    assert wb.tell("task_failed", context()) == "kept"
    assert len(spooled(tmp_path)) == 1
    recorder.status = 202
    settings = watchbill_client.Settings({}, **wb.settings)
    assert watchbill_client.flush(settings) == 0
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_an_event_that_never_will_be_taken_does_not_block_the_others(
    recorder: Recorder, wb: Any, tmp_path: Path, status: int
) -> None:
    recorder.status = status
    assert wb.tell("task_failed", context()) == "refused"
    assert spooled(tmp_path) == []


def test_the_spool_is_private_and_whole(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    away = client("http://127.0.0.1:9/", tmp_path / "spool")
    away.on_failure(context())
    (file,) = spooled(tmp_path)
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_bytes())["event"] == "task_failed"
    assert not list((tmp_path / "spool").glob(".*.json.*"))


def test_a_full_spool_drops_the_oldest_and_says_how_many(
    recorder: Recorder, tmp_path: Path
) -> None:
    away = client("http://127.0.0.1:9/", tmp_path / "spool", spool_files=3)
    for number in range(5):
        one = context()
        one["ti"].try_number = number
        away.on_failure(one)
    assert len(spooled(tmp_path)) == 3
    client(recorder.url, tmp_path / "spool").on_success(context())
    told = [one.json for one in recorder.requests]
    assert [one["task"]["try_number"] for one in told if "task" in one][:3] == [2, 3, 4]
    assert [one["dropped"] for one in told if one["event"] == "events_dropped"] == [2]


def test_without_a_spool_it_still_sends(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file stands in the way")
    assert client(recorder.url, tmp_path / "spool").tell("task_failed", context()) == "sent"


def test_a_spool_that_is_a_link_elsewhere_is_not_used(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")
    assert client(recorder.url, tmp_path / "spool").tell("task_failed", context()) == "sent"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_many_at_once_arrive_once_each(recorder: Recorder, tmp_path: Path) -> None:
    wb = client(recorder.url, tmp_path / "spool")

    def tell(number: int) -> None:
        one = context()
        one["ti"].try_number = number
        wb.on_failure(one)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watchbill_client.flush(watchbill_client.Settings({}, **wb.settings))
    assert sorted(one.json["task"]["try_number"] for one in recorder.once()) == list(range(12))
    assert spooled(tmp_path) == []


def test_without_an_address_nothing_happens(tmp_path: Path) -> None:
    assert client("", tmp_path / "spool").tell("task_failed", context()) == "off"
    assert not (tmp_path / "spool").exists()


def test_long_texts_are_cut(recorder: Recorder, wb: Any) -> None:
    wb.on_failure(context(exception=ValueError("x" * 1_000_000)))
    assert len(recorder.requests[0].body) < 10_000
