"""What the Airflow client sends becomes alerts; the payloads were recorded from real runs."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sources.airflow import parse
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from rules.run import Run, RunState
from tests.fakes.deliveries import RECEIVED, delivery, payload

SOURCE = Source(name="airflow", kind="airflow")

FAILED = "task_failed_3_orders_callback"
RETRY = "task_retry_3_orders_callback"
SUCCEEDED = "task_succeeded_3_orders_callback"
RUN_FAILED = "dag_run_failed_3_orders_callback"
RUN_SUCCEEDED = "dag_run_succeeded_3_orders_callback"
DEADLINE = "deadline_missed_3_late_orders_callback"
IMPORT_ERROR = "import_error_3_file_listener"


def recorded(name: str, **changes: object) -> dict[str, Any]:
    """Return a recorded event; `task__state="skipped"` changes a field of a section."""
    body = json.loads(payload(f"airflow/{name}.json"))
    for place, value in changes.items():
        section, _, name = place.partition("__")
        if name:
            body[section][name] = value
        else:
            body[section] = value
    return body


def alerts_of(body: object) -> tuple[Alert, ...]:
    return parse(SOURCE, delivery(body, source="airflow")).alerts


def alert_of(name: str, **changes: object) -> Alert:
    (alert,) = alerts_of(recorded(name, **changes))
    return alert


def test_a_failed_task_tells_what_broke_in_words() -> None:
    alert = alert_of(FAILED)
    assert alert.title == "daily_orders.load failed: KeyError: 'amount' (try 2 of 2)"
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.dedup_key == "test-airflow/daily_orders/load"
    assert alert.group_key == "daily_orders/manual__a"
    assert alert.url.startswith("https://airflow.example/dags/daily_orders/runs/manual__a/")
    assert alert.occurred_at < RECEIVED
    expected = {
        "dag_id": "daily_orders",
        "task_id": "load",
        "run_id": "manual__a",
        "run_type": "manual",
        "owner": "data-orders",
        "tags": "finance,tier1",
        "try_number": "2",
        "product": "orders",
        "tier": "1",
    }
    assert expected.items() <= alert.labels.items()


@pytest.mark.parametrize("name", ["task_failed_2_orders_callback", FAILED])
def test_both_airflows_name_the_same_thing_and_run(name: str) -> None:
    alert = alert_of(name)
    assert alert.dedup_key == "test-airflow/daily_orders/load"
    assert alert.group_key == "daily_orders/manual__a"


def test_the_listener_names_the_same_thing_as_the_callback() -> None:
    heard = alert_of("task_failed_2_plain_orders_listener")
    assert (
        heard.title
        == "plain_orders.check failed: ValueError: 37 rows have no customer (try 1 of 1)"
    )
    assert heard.dedup_key == "test-airflow/plain_orders/check"
    assert heard.group_key == "plain_orders/manual__b"


def test_a_retry_is_a_remark_and_never_fires() -> None:
    alert = alert_of(RETRY)
    assert alert.status is AlertStatus.INFO
    assert alert.severity is Severity.INFO
    assert alert.title.endswith("failed and will be tried again: KeyError: 'amount' (try 1 of 2)")


@pytest.mark.parametrize("state", ["skipped", "upstream_failed", "removed"])
def test_what_never_ran_never_alerts(state: str) -> None:
    assert alerts_of(recorded(FAILED, task__state=state)) == ()


def test_success_resolves_the_same_thing() -> None:
    good = alert_of(SUCCEEDED)
    assert good.status is AlertStatus.RESOLVED
    assert good.dedup_key == alert_of(FAILED).dedup_key


def test_mapped_tasks_are_things_of_their_own() -> None:
    first, second = (alert_of(FAILED, task__map_index=index) for index in (0, 1))
    assert first.dedup_key != second.dedup_key
    assert second.title.startswith("daily_orders.load[1] failed")
    assert second.labels["map_index"] == "1"


def test_a_failed_run_folds_with_its_tasks_and_resolves_by_itself() -> None:
    failed, good = alert_of(RUN_FAILED), alerts_of(recorded(RUN_SUCCEEDED))
    assert failed.status is AlertStatus.FIRING
    assert failed.title == "DAG daily_orders failed (manual run)"
    assert failed.group_key == alert_of(FAILED).group_key
    assert failed.dedup_key != alert_of(FAILED).dedup_key
    assert failed.dedup_key in {one.dedup_key for one in good}
    assert {one.status for one in good} == {AlertStatus.RESOLVED}


def test_a_missed_deadline_is_its_own_thing_until_a_run_succeeds() -> None:
    alert = alert_of(DEADLINE)
    assert alert.status is AlertStatus.FIRING
    assert alert.title.startswith("DAG late_orders missed its deadline “by nine” of 20")
    assert alert.group_key.startswith("late_orders/manual__")
    done = alerts_of(recorded(RUN_SUCCEEDED, dag__dag_id="late_orders"))
    assert alert.dedup_key in {one.dedup_key for one in done}


def test_a_file_that_cannot_be_imported_alerts_until_its_dag_runs_again() -> None:
    alert = alert_of(IMPORT_ERROR)
    assert alert.status is AlertStatus.FIRING
    assert alert.title == (
        "bad.py cannot be imported, so its DAGs do not run: "
        "ModuleNotFoundError: No module named 'not_there'"
    )
    done = alerts_of(
        recorded(RUN_SUCCEEDED, dag__file=recorded(IMPORT_ERROR)["import_error"]["file"])
    )
    assert alert.dedup_key in {one.dedup_key for one in done}


BACKFILLS: list[dict[str, object]] = [
    {"dag_run__run_type": "backfill", "dag_run__run_id": "backfill__1"},
    {"dag_run__run_type": None, "dag_run__run_id": "backfill__1"},
]


@pytest.mark.parametrize("run", BACKFILLS)
@pytest.mark.parametrize(("name", "good"), [(FAILED, SUCCEEDED), (RUN_FAILED, RUN_SUCCEEDED)])
def test_each_interval_of_a_backfill_is_a_thing_of_one_batch(
    name: str, good: str, run: dict[str, object]
) -> None:
    alert = alert_of(name, **run)
    other = alert_of(name, **{**run, "dag_run__run_id": "backfill__2"})
    assert (alert.status, alert.labels["run_type"]) == (AlertStatus.FIRING, "backfill")
    assert alert.group_key == other.group_key == "daily_orders/backfill"
    assert len({alert.dedup_key, other.dedup_key, alert_of(name).dedup_key}) == 3
    (done,) = alerts_of(recorded(good, **run))
    assert (done.status, done.dedup_key) == (AlertStatus.RESOLVED, alert.dedup_key)


@pytest.mark.parametrize(
    ("more", "cleared"),
    [
        ({}, None),
        ({"dag_run__clear_number": 0}, None),
        ({"dag_run__clear_number": 2}, "true"),
        ({"task__max_tries": 1, "task__retries": 1}, None),
        ({"task__max_tries": 3, "task__retries": 1}, "true"),
    ],
)
def test_what_a_person_cleared_says_so(more: dict[str, object], cleared: str | None) -> None:
    assert alert_of(FAILED, **more).labels.get("cleared") == cleared


def runs_of(name: str, **more: object) -> tuple[Run, ...]:
    return parse(SOURCE, delivery(recorded(name, **more))).runs


def test_tasks_tell_that_their_run_started_and_runs_how_they_ended() -> None:
    (going,), (good,), (bad,) = map(runs_of, (FAILED, RUN_SUCCEEDED, RUN_FAILED))
    assert [one.state for one in (going, good, bad)] == [
        RunState.STARTED,
        RunState.SUCCEEDED,
        RunState.FAILED,
    ]
    assert going.pipeline == "test-airflow/daily_orders"
    assert (going.kind, going.attempt, going.nominal_at) == ("manual", 1, None)
    assert going.started_at is not None
    assert good.ended_at is not None
    assert going.labels["dag_id"] == "daily_orders"


def test_a_scheduled_run_tells_what_it_was_scheduled_for() -> None:
    times = {"dag_run__run_after": "2026-11-20T05:00:00Z", "dag_run__clear_number": 2}
    (run,) = runs_of(RUN_SUCCEEDED, instance="prod", dag_run__run_type="scheduled", **times)
    assert run.nominal_at == datetime(2026, 11, 20, 5, tzinfo=UTC)
    assert (run.pipeline, run.attempt) == ("prod/daily_orders", 3)


@pytest.mark.parametrize("name", [DEADLINE, IMPORT_ERROR])
def test_what_tells_of_no_run_gives_none(name: str) -> None:
    assert runs_of(name) == ()


def test_lost_events_are_told() -> None:
    (alert,) = alerts_of({"event": "events_dropped", "instance": "prod", "dropped": 12})
    assert alert.status is AlertStatus.INFO
    assert alert.title == "12 events of prod were lost while Watchbill could not be reached"


def test_labels_of_the_user_never_replace_facts() -> None:
    alert = alert_of(FAILED, labels={"dag_id": "other", "severity": "critical", "team": "a"})
    assert alert.labels["dag_id"] == "daily_orders"
    assert alert.labels["team"] == "a"
    assert alert.severity is Severity.CRITICAL


def test_two_airflows_are_kept_apart() -> None:
    assert alert_of(FAILED, instance="b").dedup_key != alert_of(FAILED).dedup_key


def test_a_long_error_leaves_room_for_the_tries() -> None:
    alert = alert_of(FAILED, error__message="x" * 5_000)
    assert len(alert.title) <= 300
    assert alert.title.endswith(" (try 2 of 2)")


def test_a_time_that_is_none_falls_back() -> None:
    alert = alert_of(FAILED, task__end_date="soon", sent_at="2026-11-22T13:00:00Z")
    assert alert.occurred_at == datetime(2026, 11, 22, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "task_exploded", "dag": {"dag_id": "a"}},
        {"event": "task_failed"},
        {"event": "task_failed", "dag": {"dag_id": "a"}},
        {"event": ["task_failed"], "dag": "a"},
        [],
        "nothing",
    ],
)
def test_what_is_not_an_event_is_unreadable(body: object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of(body)


@pytest.mark.parametrize("junk", [None, 7, "x", [], {"a": {"b": []}}, True, 1e300, "\x00\ud800"])
@pytest.mark.parametrize("name", [FAILED, RUN_SUCCEEDED, DEADLINE, IMPORT_ERROR])
def test_junk_in_any_field_still_gives_alerts_or_is_unreadable(name: str, junk: object) -> None:
    whole = recorded(name)
    for section in whole:
        fields = list(whole[section]) if isinstance(whole[section], dict) else []
        for changed in ({section: junk}, *({f"{section}__{field}": junk} for field in fields)):
            try:
                alerts = alerts_of(recorded(name, **changed))
            except UnreadableError:
                continue
            assert all(len(one.title) <= 300 and one.dedup_key for one in alerts)
