"""The Great Expectations action, on a stand-in for GX: what leaves, in how many bodies, and what not."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bot.sources import registry
from bot.sources.kind import Source
from rules.alert import AlertStatus
from tests.fakes.deliveries import delivery
from tests.integrations.recorder import SECRET, Recorder, recording

FOLDER = Path(__file__).parents[2] / "integrations" / "great_expectations"


class StandIn:
    """GX's base class, as far as the action uses it: settings by keyword."""

    def __init__(self, **settings: object) -> None:
        for name, value in settings.items():
            setattr(self, name, value)


def _field(*, default_factory: Any) -> Any:
    return default_factory()


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    modules: dict[str, dict[str, object]] = {
        "great_expectations": {},
        "great_expectations.checkpoint": {},
        "great_expectations.checkpoint.actions": {"ValidationAction": StandIn},
        "great_expectations.compatibility": {},
        "great_expectations.compatibility.pydantic": {"Field": _field},
    }
    for name, members in modules.items():
        made = ModuleType(name)
        for member, value in members.items():
            setattr(made, member, value)
        monkeypatch.setitem(sys.modules, name, made)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("watchbill_great_expectations")
    del sys.modules["watchbill_great_expectations"]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    with recording() as found:
        monkeypatch.setenv("WATCHBILL_URL", found.url)
        monkeypatch.setenv("WATCHBILL_SECRET", SECRET)
        yield found


def result(column: str, *, success: bool = False, **kwargs: object) -> dict[str, Any]:
    return {
        "success": success,
        "expectation_config": {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": column, "batch_id": "b", **kwargs},
            "meta": {},
            "severity": "warning",
        },
        "result": {
            "element_count": 3,
            "unexpected_count": 1,
            "observed_value": ["ana@example.com"],
            "partial_unexpected_list": ["ana@example.com"],
            "partial_unexpected_counts": [{"value": "ana@example.com", "count": 1}],
            "unexpected_list": ["ana@example.com"],
            "unexpected_index_query": "mail == 'ana@example.com'",
            "details": {"observed": "ana@example.com"},
        },
    }


def checked(*results: dict[str, Any]) -> SimpleNamespace:
    whole = {
        "success": False,
        "suite_name": "suite",
        "meta": {
            "active_batch_definition": {"datasource_name": "d", "data_asset_name": "a"},
            "batch_spec": {"query": "select 'ana@example.com'"},
        },
        "results": list(results),
    }
    run_id = {"run_name": None, "run_time": "2026-11-23T02:40:10+00:00"}
    return SimpleNamespace(
        name="daily",
        run_id=SimpleNamespace(to_json_dict=lambda: run_id),
        run_results={"one": SimpleNamespace(to_json_dict=lambda: whole)},
    )


def test_no_value_of_the_data_leaves(action: Any, recorder: Recorder) -> None:
    said = action.WatchbillAction(name="w", product="orders").run(checked(result("mail")))
    assert said == {"watchbill": "sent", "sent": 1}
    (came,) = recorder.requests
    assert b"ana@example.com" not in came.body
    assert came.headers["x-watchbill-signature"].startswith("sha256=")
    (alert,) = registry.read(
        Source(name="gx", kind="great_expectations"), delivery(came.body)
    ).alerts
    assert alert.status is AlertStatus.FIRING
    assert alert.labels["product"] == "orders"


def test_values_leave_when_they_are_asked_for(action: Any, recorder: Recorder) -> None:
    action.WatchbillAction(name="w", send_values=True).run(checked(result("mail")))
    (came,) = recorder.requests
    found = came.json["validation"]["results"][0]["result"]
    assert found["partial_unexpected_list"] == ["ana@example.com"]
    assert "unexpected_list" not in found


def test_many_results_go_in_several_bodies_failures_first(action: Any, recorder: Recorder) -> None:
    good = [result(f"c{n}", success=True) for n in range(700)]
    alike = [result("amount", min_value=0), result("amount", max_value=9, success=True)]
    said = action.WatchbillAction(name="w").run(checked(alike[0], *good, alike[1]))
    assert said["sent"] == 2
    bodies = [one.json["validation"]["results"] for one in recorder.requests]
    assert [len(one) for one in bodies] == [500, 202]
    assert bodies[0][0]["success"] is False
    assert bodies[0][0]["alike"] is bodies[1][-1]["alike"] is True
    assert len({one.delivery for one in recorder.requests}) == 2


def test_no_body_is_larger_than_the_door(action: Any, recorder: Recorder) -> None:
    many = [result(f"c{n}", value_set=[f"item-{n}-{i}" for i in range(3_000)]) for n in range(40)]
    alike = [result("amount", value_set=[*range(3_000), last]) for last in ("a", "b")]
    said = action.WatchbillAction(name="w").run(
        checked(*many, *alike, result("s", note="x" * 2_000_000))
    )
    assert said["watchbill"] == "sent"
    assert max(len(one.body) for one in recorder.requests) < 1_000_000
    source = Source(name="gx", kind="great_expectations")
    keys = [
        alert.dedup_key
        for one in recorder.requests
        for alert in registry.read(source, delivery(one.body)).alerts
    ]
    assert len(set(keys)) == 43


def test_a_validation_that_is_refused_does_not_silence_the_others(
    action: Any, recorder: Recorder
) -> None:
    several = checked(result("a"))
    several.run_results["two"] = checked(result("b")).run_results["one"]
    recorder.status = 413
    said = action.WatchbillAction(name="w").run(several)
    assert recorder.refused == 2
    assert (said["sent"], "larger" in said["watchbill"]) == (0, True)
    recorder.status = 503
    action.WatchbillAction(name="w", wait=False).run(several)
    assert recorder.refused == 3


def test_a_checkpoint_never_fails_because_of_watchbill(
    action: Any, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.status = 401
    said = action.WatchbillAction(name="w").run(checked(result("c")))
    assert "The secret is not the one of this source" in said["watchbill"]
    recorder.status = 503
    assert (
        "503" in action.WatchbillAction(name="w", wait=False).run(checked(result("c")))["watchbill"]
    )
    assert action.WatchbillAction(name="w").run(None)["watchbill"].startswith("AttributeError")
    monkeypatch.delenv("WATCHBILL_URL")
    assert action.WatchbillAction(name="w").run(checked())["watchbill"] == "off"


def test_a_raised_exception_is_cut(action: Any) -> None:
    info = {"metric": {"raised_exception": True, "exception_message": "x" * 9_000}}
    broken = {**result("c"), "exception_info": info}
    (slim,) = action.slim_validation({"results": [broken]})["results"]
    assert len(slim["exception_info"]["exception_message"]) == 2_000
    assert json.dumps(slim)
