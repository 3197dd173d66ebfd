"""Tasks after an incident: in its thread, as an answer, in App Home, and as a reminder."""

from collections.abc import Sequence
from datetime import datetime

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, at, join, link, md, outside
from rules.tasks.task import Task, TaskState

TASK_DONE, TASK_TAKE, TASK_MENU = "task_done", "task_take", "task_menu"
TASK_FORMS = ("task_assign", "task_drop", "task_move")
_MARKS = {TaskState.OPEN: "☐", TaskState.DONE: "☑️", TaskState.DROPPED: "🚫"}
_MOST = 12


def tasks_message(number: int, tasks: Sequence[Task], names: Names, now: datetime) -> Json:
    """What is left to do after an incident, and what was done."""
    left = sum(task.is_open for task in tasks)
    head = (
        md("*Left to do after #{number}*", number=number)
        if left
        else md("*Everything after #{number} is done.*", number=number)
    )
    blocking = sum(task.is_open and task.blocks for task in tasks)
    hint = md("What says *blocks* keeps the incident from being closed.") if blocking else Mrkdwn()
    blocks = [block for task in tasks[:_MOST] for block in task_blocks(task, names, now)]
    rest = len(tasks) - _MOST
    more = md("and {rest} more: `/oncall tasks`", rest=rest) if rest > 0 else Mrkdwn()
    return kit.message(head, [kit.section(head), *blocks, *kit.context(more, hint)])


def tasks_answer(tasks: Sequence[Task], mine: bool, names: Names, now: datetime) -> Json:  # noqa: FBT001 - which list
    """The answer to `/oncall tasks`."""
    if not tasks:
        text = md("Nothing is left to do for you.") if mine else md("Nothing is left to do.")
        return kit.message(text, [kit.section(text)])
    head = md("*{n} left to do*", n=len(tasks))
    return kit.message(head, [kit.section(head), *open_tasks(tasks, names, now)])


def open_tasks(
    tasks: Sequence[Task], names: Names, now: datetime, *, most: int = _MOST
) -> list[Json]:
    """Open tasks of many incidents, with their buttons."""
    shown = [block for task in tasks[:most] for block in task_blocks(task, names, now, number=True)]
    rest = len(tasks) - most
    return [*shown, *(kit.context(md("and {rest} more", rest=rest)) if rest > 0 else [])]


def nudge_message(task: Task, nudge: int, names: Names, now: datetime) -> Json:
    """Remind the one who has it, for the `nudge`-th time; the last reminder says so."""
    last = nudge >= task.most_nudges
    head = md(
        "Left to do after #{number}: {title}", number=task.number, title=outside(task.title, 300)
    )
    hint = md("This is the last reminder.") if last else Mrkdwn()
    return kit.message(head, [*task_blocks(task, names, now, number=True), *kit.context(hint)])


def task_blocks(task: Task, names: Names, now: datetime, *, number: bool = False) -> list[Json]:
    """One task with what can be done about it."""
    line = kit.section(_line(task, names, now, number=number), _accessory(task))
    if not task.is_open:
        return [line]
    buttons = [kit.button("Done", TASK_DONE, task.id)]
    if not task.assignee:
        buttons.append(kit.button("I take it", TASK_TAKE, task.id))
    return [line, kit.actions(f"task:{task.id}"[:255], *buttons)]


def _line(task: Task, names: Names, now: datetime, *, number: bool) -> Mrkdwn:
    of = md(" (#{number})", number=task.number) if number else Mrkdwn()
    title = md("{mark} {title}{of}", mark=Mrkdwn(_MARKS[task.state]),
               title=outside(task.title, 300), of=of)  # fmt: skip
    who = md("{who}", who=outside(names.name(task.assignee), 80)) if task.assignee else Mrkdwn()
    facts = [who or md("nobody has it")]
    if task.is_open:
        late = md("⚠️ was due {when}", when=at(task.due_at, now))
        facts.append(late if task.due_at < now else md("due {when}", when=at(task.due_at, now)))
        facts += [md("*blocks*")] if task.blocks else []
    elif task.ended_at:
        by = outside(names.name(task.ended_by), 80)
        word = "done" if task.state is TaskState.DONE else "not needed"
        facts = [md("{word}, {by}, {when}", word=word, by=by, when=at(task.ended_at, now))]
        facts += [md("{why}", why=task.why)] if task.why else []
    if task.mirror_url:
        facts.append(link(task.mirror_url, task.mirror_key or "issue"))
    return join("\n", [title, join(" · ", facts)])


def _accessory(task: Task) -> Json:
    if not task.is_open:
        return kit.overflow(TASK_MENU, [("Open again", f"task_reopen:{task.id}")])
    choices = [
        ("Give to…", f"task_assign:{task.id}"),
        ("Another day…", f"task_move:{task.id}"),
        ("Not needed…", f"task_drop:{task.id}"),
    ]
    return kit.overflow(TASK_MENU, choices)


def assign_modal(task: Task, metadata: str) -> Json:
    element = kit.users_select("person", "Choose somebody")
    return kit.modal("task_assign", "Give the task to", [_about(task),
                     kit.input_block("person", "Who does it?", element)],
                     submit="Give", metadata=metadata)  # fmt: skip


def drop_modal(task: Task, metadata: str) -> Json:
    element = kit.text_input("why", placeholder="The next full load repairs it", longest=300)
    return kit.modal("task_drop", "Not needed", [_about(task),
                     kit.input_block("why", "Why is it not needed?", element)],
                     submit="Drop it", metadata=metadata)  # fmt: skip


def move_modal(task: Task, metadata: str) -> Json:
    element = kit.datetime_picker("due", task.due_at)
    return kit.modal("task_move", "Another day", [_about(task),
                     kit.input_block("due", "Due when?", element)],
                     submit="Move it", metadata=metadata)  # fmt: skip


def _about(task: Task) -> Json:
    return kit.section(md("#{number}: {title}", number=task.number, title=outside(task.title, 300)))
