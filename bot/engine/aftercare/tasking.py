"""Does what people ask for with tasks after an incident: done, dropped, given to, moved."""

from dataclasses import replace

from bot.acts.tasks import OnTask, TaskDeed
from bot.engine.answer import Answer
from bot.engine.jobs import mirror_task, show_tasks
from bot.engine.work import Work
from rules.events import TaskChanged
from rules.sentence import Sentence, Who, say
from rules.tasks.planning import blocking
from rules.tasks.task import Task, TaskState


async def work_on_task(work: Work, act: OnTask) -> Answer:
    """Do one deed in the open transaction; the incident learns what still blocks it."""
    task = await work.tx.tasks.task(act.task)
    incident = await work.tx.incident_numbered(task.number) if task else None
    if task is None or incident is None:
        return _refused(say("There is no such task any more."))
    done = _changed(work, task, act)
    if isinstance(done, Answer):
        return done
    after, said = done
    await work.tx.tasks.save(after)
    left = blocking(await work.tx.tasks.of_incident(incident.id))
    incident = work.apply(incident, TaskChanged(act.by, said, left), by=act.by).incident
    work.tx.enqueue(show_tasks(incident, work.now))
    if work.book.mirrors_tasks:
        work.tx.enqueue(mirror_task(after, work.now))
    return Answer(said)


def _changed(work: Work, task: Task, act: OnTask) -> tuple[Task, Sentence] | Answer:
    if (refusal := _refusal(task, act)) is not None:
        return _refused(refusal)
    ended = replace(task, ended_by=act.by, ended_at=work.now)
    title, who = task.title, Who(act.by)
    match act.deed:
        case TaskDeed.DONE:
            said = say("{who} did: {title}", who=who, title=title)
            return replace(ended, state=TaskState.DONE), said
        case TaskDeed.DROPPED:
            said = say("{who}: not needed: {title} ({why})", who=who, title=title, why=act.why)
            return replace(ended, state=TaskState.DROPPED, why=act.why), said
        case TaskDeed.REOPENED:
            opened = replace(task, state=TaskState.OPEN, ended_by="", ended_at=None, why="")
            return opened, say("{who} took up again: {title}", who=who, title=title)
        case TaskDeed.ASSIGNED if act.person:
            said = say("{title}: {who} has it.", title=title, who=Who(act.person))
            return replace(task, assignee=act.person, nudges=0, nudged_at=None), said
        case TaskDeed.MOVED if act.due_at is not None and act.due_at > work.now:
            said = say("{title}: due {at}.", title=title, at=act.due_at)
            return replace(task, due_at=act.due_at, nudges=0, nudged_at=None), said
        case _:
            return _refused(say("Say until when, or to whom."))


def _refusal(task: Task, act: OnTask) -> Sentence | None:
    """Say why a task as it is now cannot be dealt with so, None when it can."""
    title = task.title
    if act.deed is TaskDeed.REOPENED:
        return say("{title} is open.", title=title) if task.is_open else None
    if not task.is_open:
        return say("{title}: that is over already.", title=title)
    if act.deed is TaskDeed.DROPPED and not act.why:
        return say("Say why {title} is not needed.", title=title)
    if act.if_free and task.assignee not in {"", act.person}:
        return say("{title}: {who} has it already.", title=title, who=Who(task.assignee))
    return None


def _refused(sentence: Sentence) -> Answer:
    return Answer(sentence, refused=True)
