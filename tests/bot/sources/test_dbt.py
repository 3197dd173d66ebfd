"""dbt results become alerts; the artefacts were written by real dbt runs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.sources.dbt import parse
from bot.sources.dbt_artifacts import documents, extent
from bot.sources.kind import Source, UnreadableError
from rules.alert import Alert, AlertStatus, Severity
from tests.fakes.deliveries import PAYLOADS, delivery, payload

SOURCE = Source(name="dbt", kind="dbt")
NOT_NULL = "test.shop.not_null_fct_orders_customer_id.16fe324f7b"


def document_of(name: str, **options: Any) -> dict[str, Any]:
    (document,) = documents(PAYLOADS / "dbt" / name, **options)
    return document


def read(body: object) -> dict[str, Alert]:
    alerts = parse(SOURCE, delivery(body, source="dbt")).alerts
    return {alert.labels["unique_id"]: alert for alert in alerts}


@pytest.fixture(scope="module")
def build() -> dict[str, Alert]:
    """Return the alerts of a `dbt build` with failures of every kind."""
    return read(document_of("run_results.json"))


def test_a_failed_test_tells_where_and_how_many(build: dict[str, Alert]) -> None:
    alert = build[NOT_NULL]
    assert alert.title == "not_null on fct_orders.customer_id failed: 1 row (3 downstream skipped)"
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.dedup_key == f"shop//{NOT_NULL}"
    assert alert.group_key == alert.labels["invocation_id"] != ""
    expected = {
        "model": "fct_orders",
        "column": "customer_id",
        "test": "not_null",
        "package": "shop",
        "resource_type": "test",
        "group": "finance",
        "owner": "ana@example.com",
        "tags": "tier1",
        "relation": '"shop"."main"."fct_orders"',
        "schema": "main",
        "runbook_url": "https://example.com/runbooks/orders",
        "downstream_skipped": "3",
    }
    assert expected.items() <= alert.labels.items()


def test_a_broken_model_says_why_and_what_waits_for_it(build: dict[str, Alert]) -> None:
    alert = build["model.shop.broken"]
    assert alert.title == (
        'model broken failed: Binder Error: Referenced column "no_such_column" not found in '
        "FROM clause! (1 downstream skipped)"
    )
    assert "Skipped: after_broken" in alert.description


def test_a_broken_contract_says_so(build: dict[str, Alert]) -> None:
    alert = build["model.shop.contracted"]
    assert alert.title.endswith("This model has an enforced contract that failed.")
    assert "data type mismatch" in alert.description


def test_a_test_that_could_not_run_says_nothing_of_the_data(build: dict[str, Alert]) -> None:
    alert = build["test.shop.cannot_run"]
    assert alert.title.startswith("cannot_run on dim_customers could not be evaluated: Binder")
    assert alert.labels["evaluation"] == "error"
    assert "evaluation" not in build[NOT_NULL].labels


def test_a_warning_fires_as_one(build: dict[str, Alert]) -> None:
    alert = build["test.shop.unique_stg_orders_id.beb6e97f2f"]
    assert (alert.status, alert.severity) == (AlertStatus.FIRING, Severity.WARNING)
    assert alert.title == "unique on stg_orders.id warned: 1 row"


def test_skipped_nodes_never_alert(build: dict[str, Alert]) -> None:
    quiet = {"model.shop.revenue", "model.shop.after_broken", "exposure.shop.revenue_dashboard"}
    assert quiet.isdisjoint(build)


def test_what_passes_resolves_the_same_thing(build: dict[str, Alert]) -> None:
    again = document_of("run_results.json")
    for row in again["results"]:
        row["status"] = "pass" if row["unique_id"] == NOT_NULL else row["status"]
    good = read(again)[NOT_NULL]
    assert good.status is AlertStatus.RESOLVED
    assert good.dedup_key == build[NOT_NULL].dedup_key
    assert build["model.shop.fct_orders"].status is AlertStatus.RESOLVED


def test_a_failed_unit_test_is_told_without_colours() -> None:
    (alert,) = read(document_of("run_results_unit_test.json")).values()
    assert alert.title == "unit test revenue_adds_up on revenue failed"
    assert "actual differs from expected" in alert.description
    assert "\x1b" not in alert.description
    assert "[32m" not in alert.description


def test_a_stale_source_is_stale_since_its_limit_passed() -> None:
    (alert,) = read(document_of("sources.json")).values()
    assert alert.title == (
        "source raw.raw_orders is stale: nothing loaded for 690 d 8 h, error after 24 hours"
    )
    assert alert.occurred_at == datetime(2025, 1, 2, 6, tzinfo=UTC)
    assert alert.labels["dbt_source"] == "raw.raw_orders"
    assert alert.labels["tags"] == "landing"


@pytest.mark.parametrize("count", [-62_135_596_801, 10**400, 0], ids=["past", "vast", "none"])
@pytest.mark.parametrize("period", ["minute", "hour", "day"])
def test_a_limit_that_no_time_can_hold_is_none(count: int, period: str) -> None:
    document = document_of("sources.json")
    document["results"][0]["criteria"]["error_after"] = {"count": count, "period": period}
    (alert,) = read(document).values()
    assert alert.title == "source raw.raw_orders is stale: nothing loaded for 690 d 8 h"
    assert alert.occurred_at == datetime(2026, 11, 22, 14, 0, 13, 261849, tzinfo=UTC)


def test_a_source_that_warns_and_one_that_cannot_be_read() -> None:
    document = document_of("sources.json")
    row = document["results"][0]
    broken = {"unique_id": "source.shop.raw.gone", "status": "runtime error", "error": "No table"}
    document["results"] = [{**row, "status": "warn"}, broken]
    warned, gone = read(document).values()
    assert warned.severity is Severity.WARNING
    assert warned.occurred_at == datetime(2025, 1, 1, 18, tzinfo=UTC)
    assert warned.title.endswith("warn after 12 hours")
    assert gone.title == "Freshness of source raw.gone could not be evaluated: No table"
    assert gone.labels["evaluation"] == "error"


def test_a_fresh_source_resolves_and_leaves_its_model_results_alone() -> None:
    document = document_of("sources.json")
    stale = read(document)
    document["results"][0]["status"] = "pass"
    (fresh,) = read(document).values()
    assert fresh.status is AlertStatus.RESOLVED
    assert fresh.dedup_key == stale[fresh.labels["unique_id"]].dedup_key
    assert fresh.dedup_key.endswith("/freshness")


def test_a_bare_artefact_is_read_too() -> None:
    alerts = read(payload("dbt/run_results.json"))
    assert alerts[NOT_NULL].title == "not_null_fct_orders_customer_id failed: 1 row"
    assert alerts[NOT_NULL].dedup_key == f"shop//{NOT_NULL}"
    assert read(payload("dbt/sources.json")).keys() == {"source.shop.raw.raw_orders"}


def test_targets_are_kept_apart() -> None:
    dev = read(document_of("run_results.json", target="dev"))[NOT_NULL]
    assert dev.dedup_key == f"shop/dev/{NOT_NULL}"
    assert dev.labels["target"] == "dev"


def test_the_environment_dbt_records_becomes_labels() -> None:
    document = document_of("run_results.json")
    document["metadata"]["env"] = {"DAG_RUN": "scheduled__1", "MODEL": "x"}
    alert = read(document)[NOT_NULL]
    assert alert.labels["env_dag_run"] == "scheduled__1"
    assert alert.labels["model"] == "fct_orders"


@pytest.mark.parametrize(
    "body", [{}, {"results": {}}, {"results": [1, {"status": "fail"}]}, [], b"x"]
)
def test_what_is_no_artefact_is_unreadable(body: object) -> None:
    with pytest.raises(UnreadableError):
        read(body)


@pytest.mark.parametrize("junk", [None, 7, "x", [], {"a": []}, True, 1e300, [["x"]]])
def test_junk_in_any_field_still_gives_alerts(junk: object) -> None:
    whole = json.loads(json.dumps(document_of("run_results.json")))
    for name in whole:
        if name != "results":
            parse(SOURCE, delivery({**whole, name: junk}))
    row = next(one for one in whole["results"] if one["unique_id"] == NOT_NULL)
    for name in row:
        changed = {**whole, "results": [{**row, name: junk}, *whole["results"]]}
        assert parse(SOURCE, delivery(changed)).alerts
    for name in row["node"]:
        changed = {**whole, "results": [{**row, "node": {**row["node"], name: junk}}]}
        (alert,) = parse(SOURCE, delivery(changed)).alerts
        assert alert.status is AlertStatus.FIRING


def test_a_long_chain_of_skips_is_counted_in_one_pass() -> None:
    count = 20_000
    rows: list[dict[str, Any]] = [{"unique_id": "model.p.m0", "status": "error"}]
    rows += [
        {
            "unique_id": f"model.p.m{number}",
            "status": "skipped",
            "node": {"name": f"m{number}", "depends_on": [f"model.p.m{number - 1}"]},
        }
        for number in range(1, count)
    ]
    (alert,) = parse(SOURCE, delivery({"results": rows, "metadata": {}})).alerts
    assert alert.labels["downstream_skipped"] == str(count - 1)


def test_a_cycle_of_skips_ends() -> None:
    rows = [
        {"unique_id": "model.p.a", "status": "error"},
        {
            "unique_id": "model.p.b",
            "status": "skipped",
            "node": {"depends_on": ["model.p.a", "model.p.c"]},
        },
        {"unique_id": "model.p.c", "status": "skipped", "node": {"depends_on": ["model.p.b"]}},
    ]
    (alert,) = parse(SOURCE, delivery({"results": rows})).alerts
    assert alert.labels["downstream_skipped"] == "2"


def test_no_compiled_sql_leaves_the_job(tmp_path: Path) -> None:
    assert b"compiled_code" in payload("dbt/run_results.json")
    assert "compiled" not in json.dumps(document_of("run_results.json"))


LOADED_AGAIN = ("full_refresh", "event_time_start", "event_time_end", "backfill")
DAYS = {
    "event_time_start": "2026-11-20T00:00:00+00:00",
    "event_time_end": "2026-11-21T00:00:00+00:00",
}


def loaded_by(body: object) -> dict[str, dict[str, str]]:
    """Return what each thing's labels tell of how much was loaded."""
    return {
        alert.labels.get("model", ""): {n: v for n, v in alert.labels.items() if n in LOADED_AGAIN}
        for name, alert in read(body).items()
        if name.startswith("model.")
    }


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(
    ("name", "daily", "merged"),
    [
        ("broken", DAYS, {"event_time_start": "2026-11-19T00:00:00", "event_time_end": "2026-11-22T00:00:00"}),
        ("plain", {"event_time_start": "2026-11-21T00:00:00+00:00", "event_time_end": "2026-11-23T00:00:00+00:00"}, {}),
        ("window", {**DAYS, "backfill": "true"}, None),
        (
            "full",
            {"full_refresh": "true", "event_time_start": "2026-11-18T00:00:00+00:00", "event_time_end": "2026-11-23T00:00:00+00:00"},
            {"full_refresh": "true"},
        ),
    ],
)  # fmt: skip
def test_what_was_loaded_again(
    name: str, daily: dict[str, str], merged: dict[str, str] | None, *, bare: bool
) -> None:
    path = PAYLOADS / "dbt" / "incremental" / f"{name}.json"
    body = json.loads(path.read_text()) if bare else document_of(f"incremental/{name}.json")
    found = loaded_by(body)
    assert (found["orders_daily"], found.get("orders_merged")) == (daily, merged)


def test_what_is_sent_holds_no_command_line() -> None:
    document = document_of("incremental/broken.json")
    assert document["args"] == {
        "event_time_start": "2026-11-19T00:00:00",
        "event_time_end": "2026-11-22T00:00:00",
    }
    assert "vars" not in json.dumps(document)


def test_a_command_tells_what_all_of_its_models_loaded() -> None:
    def told(name: str) -> dict[str, str]:
        body = document_of(f"incremental/{name}.json")
        (run,) = parse(SOURCE, delivery(body, source="dbt")).runs
        return {n: v for n, v in run.labels.items() if n in LOADED_AGAIN}

    assert told("full") == {"full_refresh": "true"}
    assert told("plain") == {}
    assert told("window") == {**DAYS, "backfill": "true"}


def test_a_model_that_is_never_refreshed_is_not(tmp_path: Path) -> None:
    manifest = json.loads((PAYLOADS / "dbt/incremental/manifest.json").read_text())
    manifest["nodes"]["model.shop.orders_merged"]["config"]["full_refresh"] = False
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    body = document_of("incremental/full.json", manifest=tmp_path / "manifest.json")
    assert loaded_by(body)["orders_merged"] == {}
    assert loaded_by(body)["orders_daily"]["full_refresh"] == "true"
    (run,) = parse(SOURCE, delivery(body, source="dbt")).runs
    assert "full_refresh" not in run.labels


def test_a_check_is_as_good_as_what_was_loaded_before_it() -> None:
    def of_test(name: str, *, models: bool) -> str:
        body = document_of(f"incremental/{name}.json")
        if not models:
            body["results"] = [r for r in body["results"] if r["unique_id"].startswith("test.")]
        found = read(body)
        (label,) = (a.labels.get("full_refresh", "") for n, a in found.items() if "not_null" in n)
        return label

    assert of_test("full", models=True) == "true"
    assert of_test("full", models=False) == of_test("plain", models=True) == ""


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("dbt run --full-refresh", {"full_refresh": True}),
        ("dbt build -f", {"full_refresh": True}),
        ("dbt build --no-full-refresh --select full-refresh", {}),
        (
            "dbt run --event-time-start=2026-11-20 --event-time-end '2026-11-21'",
            {"event_time_start": "2026-11-20", "event_time_end": "2026-11-21"},
        ),
        ("dbt run --event-time-start", {}),
    ],
)
def test_the_command_line_tells_it_too(command: str, found: dict[str, object]) -> None:
    assert extent({"invocation_command": command}) == found
    assert extent({"invocation_command": command, "full_refresh": False}) == {
        name: value for name, value in found.items() if name != "full_refresh"
    }


def test_meta_does_not_count_as_a_full_refresh() -> None:
    manifest = json.loads((PAYLOADS / "dbt/incremental/manifest.json").read_text())
    body = json.loads((PAYLOADS / "dbt/incremental/plain.json").read_text())
    node = {**manifest["nodes"]["model.shop.orders_merged"], "meta": {"full_refresh": "true"}}
    for result in body["results"]:
        result["node"] = node
    assert all("full_refresh" not in alert.labels for alert in read(body).values())


@pytest.mark.parametrize(
    "told", [[], "x", {"successful": 3}, {"successful": [1, [2], ["", ""], [None, {}]]}]
)
def test_broken_batches_tell_nothing(told: object) -> None:
    body = json.loads((PAYLOADS / "dbt/incremental/plain.json").read_text())
    for result in body["results"]:
        result["batch_results"] = told
    assert loaded_by(body)["orders_daily"] == {}


def test_a_command_that_runs_nothing_ends_nothing() -> None:
    bare = json.loads(payload("dbt/run_results.json"))
    bare["args"]["which"] = "generate"
    for body in (bare, {**document_of("run_results.json"), "command": "compile"}):
        with pytest.raises(UnreadableError, match="before it is overwritten"):
            read(body)
