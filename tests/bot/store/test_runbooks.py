"""Runbooks in use, ticks, actions and gaps, on both databases."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import event

from bot.store.opening import OpenedStore
from rules.runbooks.gaps import GapKind, RunbookGap
from rules.runbooks.runbook import (
    ActionRun,
    ActionState,
    Matches,
    Runbook,
    RunbookStep,
    RunbookUse,
    StepOutcome,
    Tick,
    action_key,
)
from tests.fakes.clock import FakeClock

BOOK = Runbook(
    id="orders/late",
    title="Orders is late \U0001f986",
    owner="cy@example.com",
    reviewed_on=date(2026, 10, 1),
    matches=Matches(product=("orders",)),
    steps=(RunbookStep("Look at the log"), RunbookStep("Clear the task", "clear-task")),
    verify="rows of today",
)


def use(clock: FakeClock, number: int = 1, book: Runbook = BOOK) -> RunbookUse:
    at = clock.now() + timedelta(minutes=number)
    return RunbookUse(incident_id=f"i{number}", number=number, runbook=book, chosen_at=at)


def run(clock: FakeClock, attempt: int = 1) -> ActionRun:
    return ActionRun(
        key=action_key("i1", 1, attempt), incident_id="i1", step=1, attempt=attempt,
        action="clear-task", by="ana", asked_at=clock.now(),
    )  # fmt: skip


async def test_an_incident_keeps_the_runbook_it_got_first(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.store.begin() as tx:
        tx.runbooks.attach(use(clock))
    async with opened_store.store.begin() as tx:
        tx.runbooks.attach(use(clock, book=replace(BOOK, title="changed")))
    guide = await opened_store.runbooks.guide("i1")
    assert guide is not None
    assert guide.use == use(clock)
    assert await opened_store.runbooks.guide("i2") is None


async def test_the_last_word_on_a_step_counts_and_may_be_taken_back(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = Tick(0, StepOutcome.DID_NOT_HELP, "ana", clock.now())
    second = Tick(0, StepOutcome.WORKED, "bo", clock.now() + timedelta(minutes=5))
    async with opened_store.store.begin() as tx:
        tx.runbooks.attach(use(clock))
        tx.runbooks.tick("i1", first)
    async with opened_store.store.begin() as tx:
        tx.runbooks.tick("i1", second)
        guide = await tx.runbooks.guide("i1")
        assert guide is not None
        assert guide.ticks == (second,)
    async with opened_store.store.begin() as tx:
        tx.runbooks.untick("i1", 0)
    guide = await opened_store.runbooks.guide("i1")
    assert guide is not None
    assert guide.ticks == ()


async def test_an_action_is_begun_once(opened_store: OpenedStore, clock: FakeClock) -> None:
    async with opened_store.store.begin() as tx:
        tx.runbooks.attach(use(clock))
        tx.runbooks.ask(run(clock))
        tx.runbooks.ask(run(clock))
    key = run(clock).key
    async with opened_store.store.begin() as tx:
        assert await tx.runbooks.begin_action(key, clock.now())
    async with opened_store.store.begin() as tx:
        assert not await tx.runbooks.begin_action(key, clock.now())
        await tx.runbooks.end_action(key, ActionState.DONE, "cleared\0", clock.now())
    async with opened_store.store.begin() as tx:
        tx.runbooks.ask(run(clock))  # the same click, again
        await tx.runbooks.end_action(key, ActionState.FAILED, "late", clock.now())
    found = await opened_store.runbooks.run(key)
    assert found is not None
    assert (found.state, found.output) == (ActionState.DONE, "cleared\ufffd")
    assert (found.started_at, found.ended_at) == (clock.now(), clock.now())


async def test_how_a_runbook_last_did_is_told_by_its_latest_tried_use(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.store.begin() as tx:
        for number in (1, 2, 3):
            tx.runbooks.attach(use(clock, number))
        tx.runbooks.tick("i1", Tick(0, StepOutcome.WORKED, "ana", clock.now()))
        tx.runbooks.tick("i2", Tick(0, StepOutcome.DID_NOT_HELP, "ana", clock.now()))
    last = await opened_store.runbooks.last_uses()
    assert [(one.number, one.failed) for one in last.values()] == [(2, True)]
    async with opened_store.store.begin() as tx:
        tx.runbooks.tick("i3", Tick(1, StepOutcome.WORKED, "ana", clock.now()))
    assert not (await opened_store.runbooks.last_uses())["orders/late"].failed


async def test_a_gap_opens_once_and_anew_after_it_was_closed(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    gap = RunbookGap(
        key="missing:orders", kind=GapKind.MISSING, subject="orders", owner="cy", number=1,
        facts={"product": ["orders"]}, opened_at=clock.now(),
    )  # fmt: skip
    later = replace(gap, number=2, opened_at=clock.now() + timedelta(days=1))
    async with opened_store.store.begin() as tx:
        tx.runbooks.open_gap(gap)
    async with opened_store.store.begin() as tx:
        tx.runbooks.open_gap(later)
        tx.runbooks.nudged_gap(gap.key, clock.now())
    (found,) = await opened_store.runbooks.gaps()
    assert found == replace(gap, nudges=1, nudged_at=clock.now())
    async with opened_store.store.begin() as tx:
        tx.runbooks.close_gap(gap.key, clock.now())
    assert await opened_store.runbooks.gaps() == []
    async with opened_store.store.begin() as tx:
        tx.runbooks.open_gap(later)
        assert await tx.runbooks.open_gaps() == [later]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_how_runbooks_did_last_is_found_without_reading_or_sorting_all_uses(
    opened_store: OpenedStore,
) -> None:
    asked: list[str] = []

    def keep(_c: object, _k: object, statement: str, *_: object) -> None:
        asked.append(statement)

    engine = opened_store.database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    await opened_store.runbooks.last_uses()
    event.remove(engine, "before_cursor_execute", keep)
    async with opened_store.database.read() as connection:
        numbered = asked[0].replace("?", "1")
        plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {numbered}")).all()
    steps = [str(row.detail) for row in plan]
    assert not [one for one in steps if one.startswith(("SCAN runbook_", "USE TEMP"))], steps
