"""Shows tasks after incidents where people look, reminds them, and takes what they do."""

import json
from collections.abc import Sequence

from bot.acts.tasks import OnTask, TaskDeed
from bot.ports.delivering import Delivered
from bot.ports.inbox import NotStoredError
from bot.ports.jobs import Job
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.direct import write_to
from bot.slack.intake import NOT_STORED, OUTDATED, Ack, Caller, Intake, form_key, read_metadata
from bot.slack.submits import Form
from bot.slack.text import md
from bot.slack.thread import keep_in_thread
from bot.slack.views.answers import said
from bot.slack.views.modals import trouble
from bot.slack.views.tasks import (
    TASK_DONE,
    TASK_FORMS,
    TASK_MENU,
    TASK_TAKE,
    assign_modal,
    drop_modal,
    move_modal,
    nudge_message,
    tasks_answer,
    tasks_message,
)
from rules.tasks.task import Task

ACTIONS = (TASK_DONE, TASK_TAKE, TASK_MENU)
_MOST_LISTED = 100
_NOTHING = Delivered()
_MODALS = dict(zip(TASK_FORMS, (assign_modal, drop_modal, move_modal), strict=True))


async def show_tasks(desk: Desk, job: Job) -> Delivered:
    """Make the thread's list of tasks show how they stand; one message for each incident."""
    incident = await desk.incident(job)
    tasks = await desk.tasks.of_incident(incident.id)
    if not tasks:
        return _NOTHING
    await _learn(desk, tasks)
    messages = tuple(await desk.reader.messages(incident.id))
    body = tasks_message(incident.number, tasks, desk.directory, desk.clock.now())
    first = body if any(task.is_open for task in tasks) else None
    return await keep_in_thread(desk, job, messages, "tasks", first, body)


async def nudge(desk: Desk, job: Job) -> Delivered:
    """Remind one person of a task in a direct message, if it is still theirs to do."""
    person = str(job.payload["person"])
    task = await desk.tasks.task(str(job.payload["task"]))
    if task is None or not task.is_open or task.assignee != person:
        return _NOTHING
    nudge_number = int(job.payload["nudge"])
    body = nudge_message(task, nudge_number, desk.directory, desk.clock.now())
    await write_to(desk, job, person, body)
    return _NOTHING


async def answer_tasks(desk: Desk, person: str) -> Json:
    """The answer to `/oncall tasks`; of one person, or everybody's."""
    tasks = await desk.tasks.open_tasks(assignee=person, limit=_MOST_LISTED)
    return tasks_answer(tasks, bool(person), desk.directory, desk.clock.now())


class TaskClicks:
    """Handles the buttons, menus and forms of tasks."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def click(self, ack: Ack, body: Json) -> None:
        """Done, take and open again are stored first, then acknowledged; the rest has a form."""
        action = body["actions"][0]
        caller = self._intake.caller(body)
        option = (action.get("selected_option") or {}).get("value")
        word, task_id = str(action["action_id"]), str(action.get("value") or "")[:600]
        if option:
            word, _, task_id = str(option)[:600].partition(":")
        if word in TASK_FORMS:
            return await self._form(ack, caller, word, task_id)
        act = _act(word, task_id, caller.key)
        if act is None:
            await ack()
            return await self._intake.whisper(caller, said(md(OUTDATED)))
        key = f"click:{caller.user}:{action.get('action_ts', '')}:{word}:{task_id[-80:]}"
        try:
            await self._intake.store(act, caller.answer_to(), key)
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        await self._desk.directory.learn(caller.user)
        return None

    async def submitted(self, ack: Ack, body: Json) -> None:
        """A form was sent: stored before it closes."""
        view, caller = body["view"], self._intake.caller(body)
        task_id = str(read_metadata(view).get("task") or "")
        act = self._read(str(view["callback_id"]), view, task_id, caller.key)
        if isinstance(act, dict):
            await ack(response_action="errors", errors=act)
            return
        try:
            await self._intake.store(act, caller.answer_to(), form_key(view))
        except NotStoredError:
            first = next(b["block_id"] for b in view["blocks"] if b["type"] == "input")
            await ack(response_action="errors", errors={first: NOT_STORED})
        else:
            await ack(response_action="clear")

    async def _form(self, ack: Ack, caller: Caller, word: str, task_id: str) -> None:
        await ack()
        task = await self._desk.tasks.task(task_id)
        if task is None:
            view = trouble("Not found", md("That task is not kept any more."))
        else:
            view = _MODALS[word](task, _metadata(caller, task))
        await self._desk.api.open_modal(caller.trigger, view)

    def _read(self, form: str, view: Json, task_id: str, by: str) -> OnTask | dict[str, str]:
        """Read a form; what is wrong comes back by field."""
        fields = Form(view, self._desk.directory.key_of)
        match form:
            case "task_assign":
                person = fields.person("person")
                if not person:
                    return {"person": "Choose somebody."}
                return OnTask(by=by, task=task_id, deed=TaskDeed.ASSIGNED, person=person)
            case "task_move":
                due = fields.instant("due")
                if due is None or due <= self._desk.clock.now():
                    return {"due": "Choose a time that is still to come."}
                return OnTask(by=by, task=task_id, deed=TaskDeed.MOVED, due_at=due)
            case _:
                why = fields.text("why")[:300]
                if not why:
                    return {"why": "Say why."}
                return OnTask(by=by, task=task_id, deed=TaskDeed.DROPPED, why=why)


def _act(word: str, task_id: str, by: str) -> OnTask | None:
    match word:
        case "task_done":
            return OnTask(by=by, task=task_id, deed=TaskDeed.DONE)
        case "task_take":
            # two who see that nobody has it may both click
            return OnTask(by=by, task=task_id, deed=TaskDeed.ASSIGNED, person=by, if_free=True)
        case "task_reopen":
            return OnTask(by=by, task=task_id, deed=TaskDeed.REOPENED)
        case _:
            return None


def _metadata(caller: Caller, task: Task) -> str:
    return json.dumps({**json.loads(caller.metadata(task.number)), "task": task.id})


async def _learn(desk: Desk, tasks: Sequence[Task]) -> None:
    named = [key for task in tasks for key in (task.assignee, task.ended_by) if key]
    await desk.directory.learn_names(named)
