"""Tasks after incidents, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.store.opening import OpenedStore
from rules.tasks.task import Task, TaskState
from tests.fakes.clock import FakeClock


def task(clock: FakeClock, rule: str = "backfill", **more: Any) -> Task:
    usual = Task(
        id=f"i1-{rule}", incident_id="i1", number=1, rule=rule, title="Backfill it",
        due_at=clock.now() + timedelta(days=1), created_at=clock.now(), assignee="ana",
    )  # fmt: skip
    return replace(usual, **more)


async def planned(opened_store: OpenedStore, *tasks: Task) -> None:
    async with opened_store.store.begin() as tx:
        tx.tasks.plan(tasks)


async def test_tasks_are_read_as_they_were_planned(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    soon = task(clock, "tell", due_at=clock.now() + timedelta(hours=1), assignee="", blocks=True)
    await planned(opened_store, task(clock), soon)
    assert await opened_store.tasks.of_incident("i1") == [soon, task(clock)]
    assert await opened_store.tasks.open_tasks() == [soon, task(clock)]
    assert await opened_store.tasks.open_tasks(assignee="ana") == [task(clock)]
    assert await opened_store.tasks.open_tasks(limit=1) == [soon]
    assert await opened_store.tasks.next_due() == task(clock).due_at
    assert await opened_store.tasks.task("i1-none") is None


async def test_an_open_task_is_planned_once_and_told_anew(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await planned(opened_store, task(clock, assignee="bo"))
    await planned(opened_store, task(clock, title="Backfill more"))
    (found,) = await opened_store.tasks.of_incident("i1")
    assert (found.title, found.assignee) == ("Backfill more", "bo")


async def test_what_blocks_begins_anew_when_the_incident_is_resolved_again(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    ended: dict[str, Any] = {
        "state": TaskState.DONE,
        "ended_by": "ana",
        "ended_at": clock.now(),
        "nudges": 2,
    }
    await planned(opened_store, task(clock, blocks=True), task(clock, "tell"))
    async with opened_store.store.begin() as tx:
        await tx.tasks.save(task(clock, blocks=True, **ended))
        await tx.tasks.save(task(clock, "tell", **ended))
    assert await opened_store.tasks.open_tasks() == []
    assert await opened_store.tasks.next_due() is None
    await planned(opened_store, task(clock, blocks=True), task(clock, "tell"))
    first, second = await opened_store.tasks.of_incident("i1")
    assert (first.state, first.ended_by, first.nudges) == (TaskState.OPEN, "", 0)
    assert second.state is TaskState.DONE


async def test_who_is_reminded_no_more_is_not_waited_for(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await planned(opened_store, task(clock), task(clock, "tell", assignee=""), task(clock, "fix"))
    async with opened_store.store.begin() as tx:
        await tx.tasks.save(task(clock, "fix", nudges=3, most_nudges=3))
        assert [one.rule for one in await tx.tasks.waiting()] == ["backfill"]


async def test_what_a_person_changes_leaves_reminders_and_issue_as_they_are(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await planned(opened_store, task(clock))
    async with opened_store.store.begin() as tx:
        await tx.tasks.mirrored("i1-backfill", "acme/data#7", "https://github.example/7")
        await tx.tasks.save(task(clock, assignee="bo"))
        await tx.tasks.nudged("i1-backfill", clock.now())
    found = await opened_store.tasks.task("i1-backfill")
    assert found is not None
    assert (found.mirror_key, found.assignee, found.nudges) == ("acme/data#7", "bo", 1)
    assert found.nudged_at == clock.now()
