"""Runs, clocks and occasions as both databases keep them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.store.opening import OpenedStore
from rules.expected_runs import Occasion, Outcome, Standing
from rules.run import Run, RunState
from tests.fakes.clock import FakeClock

HOUR = timedelta(hours=1)


async def keep(store: OpenedStore, *runs: Run) -> None:
    async with store.store.begin() as tx:
        for run in runs:
            tx.record_run(run)


@pytest.mark.parametrize("ended_first", [True, False])
@pytest.mark.parametrize("together", [True, False])
async def test_facts_about_one_attempt_join(
    opened_store: OpenedStore, clock: FakeClock, *, ended_first: bool, together: bool
) -> None:
    now = clock.now()
    start = Run(
        source="a", pipeline="p", run_id="r", state=RunState.STARTED, started_at=now, kind="manual",
        labels={"x": "1"},
    )  # fmt: skip
    end = replace(start, state=RunState.SUCCEEDED, started_at=None, ended_at=now + HOUR, kind="")
    facts = [end, start] if ended_first else [start, end]
    for group in [facts] if together else [[one] for one in facts]:
        await keep(opened_store, *group)
    (found,) = await opened_store.reader.latest_runs("a", "p", 9)
    assert found == replace(end, started_at=now, kind="manual")


@pytest.mark.parametrize("together", [True, False])
async def test_what_went_well_did_so_at_its_first_end(
    opened_store: OpenedStore, clock: FakeClock, *, together: bool
) -> None:
    """Airflow 2 calls a run that is cleared the same attempt."""
    now = clock.now()
    failed = Run(
        source="a", pipeline="p", run_id="r", state=RunState.FAILED, started_at=now, ended_at=now
    )
    well = replace(failed, state=RunState.SUCCEEDED, started_at=None, ended_at=now + HOUR)
    cleared = replace(well, state=RunState.STARTED, started_at=now + 5 * HOUR, ended_at=None)
    facts = [failed, well, cleared, replace(well, ended_at=now + 6 * HOUR)]
    for group in [facts] if together else [[one] for one in facts]:
        await keep(opened_store, *group)
    (found,) = await opened_store.reader.latest_runs("a", "p", 9)
    assert found == replace(well, started_at=now)


async def test_a_start_that_was_told_is_known_by_its_attempt(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    run = Run(source="a", pipeline="p" * 3_000, run_id="ä" * 3_000, state=RunState.STARTED)
    begun, many = replace(run, started_at=now), [replace(run, run_id=str(n)) for n in range(600)]
    await keep(opened_store, begun, replace(run, attempt=2), replace(many[599], started_at=now))
    async with opened_store.store.begin() as tx:
        asked = [run, replace(run, attempt=2), replace(run, pipeline="q"), *many]
        assert await tx.starts_of(asked) == {run.identity: now, many[599].identity: now}


async def test_attempts_are_runs_of_their_own_newest_first(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    run = Run(source="a", pipeline="p" * 3_000, run_id="ä" * 3_000, state=RunState.FAILED)
    await keep(opened_store, run)
    clock.advance(hours=1)
    await keep(opened_store, replace(run, attempt=2), replace(run, source="b"))
    reader = opened_store.reader
    assert [one.attempt for one in await reader.latest_runs("a", run.pipeline, 9)] == [2, 1]
    assert len(await reader.latest_runs("", "", 2)) == 2
    assert (await opened_store.prune(clock.now() - HOUR / 2))["runs"] == 1


async def test_a_better_outcome_replaces_a_worse_one(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    told = Occasion(name="n", due_at=now, product="orders", outcome=Outcome.MISSED)
    steps = (
        (Outcome.STARTED, "r1", now + HOUR),
        (Outcome.FAILED, "r1", now + HOUR),
        (Outcome.SUCCEEDED, "r2", now + 2 * HOUR),
        (Outcome.FAILED, "r3", now + 3 * HOUR),
    )
    async with opened_store.store.begin() as tx:
        tx.record_occasion(told)
        tx.record_occasion(replace(told, due_at=now - HOUR), known_only=True)
    for at, (outcome, run_id, seen_at) in enumerate(steps):
        async with opened_store.store.begin() as tx:
            better = replace(told, outcome=outcome, run_id=run_id, seen_at=seen_at)
            tx.record_occasion(better, known_only=bool(at % 2))
    (found,) = await opened_store.reader.occasions("orders", now - 9 * HOUR)
    assert found == replace(told, outcome=Outcome.SUCCEEDED, run_id="r2", seen_at=now + HOUR)
    assert await opened_store.reader.occasions("n", now) == [found]
    assert await opened_store.reader.occasions("n", now + HOUR) == []
    assert await opened_store.reader.occasions("", now) == []


async def test_clocks_are_found_when_they_are_overdue(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now, reader = clock.now(), opened_store.reader
    waits = Standing(name="n", rule="x", due_at=now, look_at=now + HOUR)
    async with opened_store.store.begin() as tx:
        tx.save_expectation(waits)
        tx.save_expectation(Standing(name="m", rule="x", missed_at=now, missed=2))
        assert (await tx.expectations(["n", "none"])) == {"n": waits}
    assert await reader.next_wake() == now + HOUR
    assert not await reader.runs_are_overdue(now)
    assert await reader.runs_are_overdue(now + HOUR)
    assert await reader.overdue_runs() == 1
    async with opened_store.store.begin() as tx:
        assert await tx.overdue_expectations(now + HOUR, 9) == [waits]
        assert await tx.overdue_expectations(now, 9) == []
    assert [one.name for one in await reader.standings()] == ["m", "n"]
