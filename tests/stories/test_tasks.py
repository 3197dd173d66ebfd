"""After the fire: what is left to do, by whom, until when."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.acts.tasks import OnTask, TaskDeed
from rules.catalogue import Catalogue, LoadType, Product
from rules.documents.tasks_parts import task_rules
from rules.documents.tasks_spec import TaskRuleSpec
from rules.rulebook import RuleBook
from rules.tasks.task import Task, TaskState
from tests.stories.conftest import Tell
from tests.stories.fixes import MONDAY_RUN, fixed_on_friday, waits
from tests.stories.fixes import task as task_of
from tests.stories.story import Story, rulebook
from tests.stories.test_runbooks import Tended, story_of

BACKFILL = {
    "name": "backfill",
    "title": "Backfill {interval} of {product}",
    "match": {"load_type": "incremental"},
    "due": "1d",
    "blocks": True,
}


def book(*rules: dict[str, Any]) -> RuleBook:
    specs = [TaskRuleSpec.model_validate(one) for one in rules or (BACKFILL,)]
    orders = Product(id="orders", name="Orders", load_type=LoadType.INCREMENTAL)
    return rulebook(catalogue=Catalogue([orders]), tasks=task_rules([specs]))


async def tasks(story: Story, number: int = 1) -> list[Task]:
    return list(await story.store.tasks.of_incident((await story.incident(number)).id))


async def broke_and_was_fixed(story: Story) -> Task:
    await story.fires(labels={"product": "orders"})
    await story.after(hours=2)
    await story.does("ana", "resolved")
    (task,) = await tasks(story)
    return task


def on(task: Task, deed: TaskDeed, by: str = "ana", **more: Any) -> OnTask:
    return OnTask(by=by, task=task.id, deed=deed, **more)


async def test_a_resolved_incident_leaves_its_backfill_with_the_interval(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    assert task.title == "Backfill 2026-11-23 03:00 to 2026-11-23 05:00 UTC of Orders"
    assert task.assignee == "ana"
    await story.after(seconds=10)
    assert len(story.sent("tasks")) == 1
    assert story.sent("mirror_task") == []


async def test_an_open_blocking_task_keeps_the_incident_from_being_closed(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    incident = await story.incident()
    assert (incident.blocking_tasks, incident.is_closed) == (1, False)
    await story.asks(on(task, TaskDeed.DONE, by="bo"))
    incident = await story.incident()
    assert incident.blocking_tasks == 0
    assert incident.is_closed == (not incident.is_pending)
    (done,) = await tasks(story)
    assert (done.state, done.ended_by, done.ended_at) == (
        TaskState.DONE, "bo", story.clock.now(),
    )  # fmt: skip


async def test_what_does_not_block_leaves_the_incident_alone(tell: Tell) -> None:
    story = tell(book({**BACKFILL, "blocks": False}))
    await broke_and_was_fixed(story)
    assert (await story.incident()).blocking_tasks == 0


async def test_a_crash_makes_no_task_twice_and_a_reopened_incident_asks_again(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    await story.asks(on(task, TaskDeed.DONE))
    story.restart()
    await story.does("ana", "reopened")
    await story.does("ana", "resolved")
    (again,) = await tasks(story)
    assert again.state is TaskState.OPEN
    assert (await story.incident()).blocking_tasks == 1


async def test_tasks_are_given_moved_dropped_and_taken_up_again(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    await story.asks(on(task, TaskDeed.ASSIGNED, person="bo"))
    later = task.due_at + timedelta(days=3)
    await story.asks(on(task, TaskDeed.MOVED, due_at=later))
    (moved,) = await tasks(story)
    assert (moved.assignee, moved.due_at) == ("bo", later)
    await story.asks(on(task, TaskDeed.DROPPED))
    assert story.said()[-1].startswith("Say why")
    await story.asks(on(task, TaskDeed.DROPPED, why="the full load mends it"))
    (dropped,) = await tasks(story)
    assert (dropped.state, dropped.why) == (TaskState.DROPPED, "the full load mends it")
    await story.asks(on(task, TaskDeed.DONE))
    assert story.said()[-1].endswith("that is over already.")
    await story.asks(on(task, TaskDeed.REOPENED))
    (opened,) = await tasks(story)
    assert (opened.is_open, opened.why) == (True, "")


async def test_who_has_it_is_reminded_when_due_then_daily_three_times(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    tended = Tended(story)
    await tended.days(0.75)
    assert story.sent("nudge") == []
    await tended.days(0.5)
    assert [job.payload["nudge"] for job in story.sent("nudge")] == [1]
    await tended.days(20)
    assert [job.payload["nudge"] for job in story.sent("nudge")] == [1, 2, 3]
    await story.asks(on(task, TaskDeed.ASSIGNED, person="bo"))
    await tended.days(1)
    assert story.sent("nudge")[-1].payload == {"person": "bo", "task": task.id, "nudge": 1}


async def test_a_thousand_that_nobody_ticked_off_hold_no_reminder_back(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    old = task.due_at - timedelta(days=30)
    forgotten = [
        replace(task, id=f"old-{n}", rule=f"old-{n}", due_at=old, nudges=task.most_nudges)
        for n in range(1_000)
    ]
    async with story.store.store.begin() as tx:
        tx.tasks.plan(forgotten)
    await Tended(story).days(1.25)
    assert [job.payload["task"] for job in story.sent("nudge")] == [task.id]


async def test_who_was_given_it_back_is_reminded_anew(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    tended = Tended(story)
    await tended.days(1.25)
    await story.asks(on(task, TaskDeed.ASSIGNED, person="bo"))
    await story.asks(on(task, TaskDeed.ASSIGNED, by="bo", person="ana"))
    await tended.days(1)
    assert [job.payload["person"] for job in story.sent("nudge")] == ["ana", "ana"]


async def test_what_is_over_is_given_to_nobody_and_moved_nowhere(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    await story.asks(on(task, TaskDeed.DONE, by="bo"))
    for late in (
        on(task, TaskDeed.ASSIGNED, person="cy"),
        on(task, TaskDeed.MOVED, due_at=task.due_at + timedelta(days=3)),
    ):
        await story.asks(late)
        assert story.said()[-1].endswith("that is over already.")
    (done,) = await tasks(story)
    assert (done.assignee, done.due_at) == ("ana", task.due_at)


async def test_of_two_who_take_it_at_once_the_first_has_it(tell: Tell) -> None:
    story = tell(book({**BACKFILL, "assign": "nobody"}))
    task = await broke_and_was_fixed(story)
    for who in ("bo", "ana"):
        await story.asks(on(task, TaskDeed.ASSIGNED, by=who, person=who, if_free=True))
    (taken,) = await tasks(story)
    assert taken.assignee == "bo"
    assert story.said()[-1].endswith("bo has it already.")
    await story.asks(on(task, TaskDeed.ASSIGNED, by="ana", person="ana"))
    (given,) = await tasks(story)
    assert given.assignee == "ana", "the form gives it to whom it names"


async def test_what_is_done_is_not_reminded_of(tell: Tell) -> None:
    story = tell(book())
    task = await broke_and_was_fixed(story)
    await story.asks(on(task, TaskDeed.DONE))
    await Tended(story).days(10)
    assert story.sent("nudge") == []


def to_be_proved() -> RuleBook:
    """A book by which the fix waits for Monday's run, and its tidying up for somebody."""
    rule = TaskRuleSpec.model_validate({"name": "tidy", "title": "Tidy up", "blocks": True})
    return replace(waits(), tasks=task_rules([[rule]]))


async def test_done_before_the_proof_it_is_closed_by_the_proof(tell: Tell) -> None:
    story = tell(to_be_proved())
    await fixed_on_friday(story)
    (tidy,) = await tasks(story)
    await story.asks(on(tidy, TaskDeed.DONE))
    incident = await story.incident()
    assert (incident.is_pending, incident.blocking_tasks, incident.closed_at) == (True, 0, None)
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task_of(story, MONDAY_RUN, well=True)
    assert (await story.incident()).closed_at == MONDAY_RUN + timedelta(minutes=10)


async def test_proved_before_it_is_done_it_is_closed_by_the_last_task(tell: Tell) -> None:
    story = tell(to_be_proved())
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task_of(story, MONDAY_RUN, well=True)
    incident = await story.incident()
    assert incident.verified_at == MONDAY_RUN + timedelta(minutes=10)
    assert (incident.is_closed, incident.closed_at) == (False, None)
    await story.after(hours=3)
    (tidy,) = await tasks(story)
    await story.asks(on(tidy, TaskDeed.DONE, by="bo"))
    assert (await story.incident()).closed_at == story.clock.now()
    told = await story_of(story)
    assert told.count("Nothing that blocks is left to do: it is closed.") == 1
    await story.after(hours=1)
    await story.asks(on(tidy, TaskDeed.REOPENED))
    incident = await story.incident()
    assert (incident.is_closed, incident.closed_at) == (False, None)


async def test_what_needs_no_proof_is_closed_by_the_last_task(tell: Tell) -> None:
    story = tell(to_be_proved())
    await fixed_on_friday(story)
    await story.does("ana", "waived", note="the DAG is retired")
    assert (await story.incident()).closed_at is None
    (tidy,) = await tasks(story)
    await story.after(hours=1)
    await story.asks(on(tidy, TaskDeed.DROPPED, why="nothing to tidy"))
    assert (await story.incident()).closed_at == story.clock.now()


async def test_a_task_done_after_the_fix_did_not_hold_closes_nothing(tell: Tell) -> None:
    story = tell(to_be_proved())
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task_of(story, MONDAY_RUN, well=False)
    (tidy,) = await tasks(story)
    await story.asks(on(tidy, TaskDeed.DONE))
    incident = await story.incident()
    assert (incident.is_open, incident.closed_at) == (True, None)
    await story.does("bo", "resolved")
    (tidy,) = await tasks(story)
    assert tidy.is_open
    assert (await story.incident()).blocking_tasks == 1
