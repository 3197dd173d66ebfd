"""A dbt command with many results: sent in parts, read failures first, one run."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.sources import registry
from bot.sources.dbt import parse
from bot.sources.dbt_artifacts import documents
from bot.sources.kind import Source
from rules.run import RunState
from tests.fakes.deliveries import delivery

SOURCE = Source(name="dbt", kind="dbt")


def parts_of(tmp_path: Path, *statuses: str) -> list[dict[str, Any]]:
    """Return what is sent of a command with 1,500 good results and these."""
    rows = [{"unique_id": f"model.shop.m{n}", "status": "success"} for n in range(1_500)]
    rows += [{"unique_id": f"model.shop.x{n}", "status": one} for n, one in enumerate(statuses)]
    file = tmp_path / "run_results.json"
    file.write_text(json.dumps({"metadata": {"invocation_id": "i"}, "results": rows}))
    return list(documents(file))


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (("error",), RunState.FAILED),
        (("fail", "skipped"), RunState.FAILED),
        (("warn", "skipped", "no-op"), RunState.SUCCEEDED),
    ],
)
def test_every_part_of_a_command_tells_how_all_of_it_went(
    tmp_path: Path, statuses: tuple[str, ...], state: RunState
) -> None:
    sent = parts_of(tmp_path, *statuses)
    runs = [run for part in sent for run in parse(SOURCE, delivery(part, source="dbt")).runs]
    assert [run.state for run in runs] == [state, state]
    assert len({run.identity for run in runs}) == 1


def test_a_later_part_that_does_not_tell_how_all_went_is_no_run(tmp_path: Path) -> None:
    first, second = parts_of(tmp_path, "error")
    for one in (first, second):
        del one["failed"]
    (run,) = parse(SOURCE, delivery(first, source="dbt")).runs
    assert run.state is RunState.FAILED
    assert parse(SOURCE, delivery(second, source="dbt")).runs == ()


def test_of_too_many_results_those_that_failed_are_read() -> None:
    rows = [{"unique_id": f"model.shop.m{n}", "status": "success"} for n in range(1_500)]
    rows.append({"unique_id": "model.shop.bad", "status": "error"})
    read_of_it = registry.read(SOURCE, delivery({"metadata": {}, "results": rows}, source="dbt"))
    assert read_of_it.alerts[0].title == "model bad failed"
    assert read_of_it.alerts[-1].unreadable
