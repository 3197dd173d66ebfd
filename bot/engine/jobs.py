"""Effects as jobs of the outbox: which lane, how urgent, and what makes two of them one."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.contact_jobs import CONTACT, RECEIPT, contact_job
from bot.journal_jobs import JOURNAL_ASK, JOURNAL_REMIND, JOURNAL_SHOWN, ask_job
from bot.ports.jobs import Job, JobPriority, JsonObject, NewJob
from bot.ports.store import TimelineEntry
from bot.wire import sentence_to_json
from rules.effects import (
    AskAcker,
    AskJournal,
    CallWebhook,
    Contact,
    Effect,
    Page,
    PageChannel,
    PageUserGroup,
    ShowConsequences,
    ShowIncident,
    ShowPage,
    ShowPicture,
    ShowRunbook,
    ShowTasks,
    Tell,
    TriggerRun,
)
from rules.incident import Incident
from rules.sentence import say
from rules.tasks.task import Task

MACHINE_DEBOUNCE = timedelta(seconds=5)
"""Edits that machines cause wait this long, so that many of them make one."""

LINK_WAIT = timedelta(seconds=2)
"""A page that left before the channel's message is edited then, to link to it."""

PICTURE_WAIT = timedelta(seconds=2)
"""A picture follows the message that it is about, and whatever pages people."""

PAGE_KINDS = ("page", CONTACT, "page_user_group", "page_channel", "webhook")
"""What an acknowledgement stops."""


def job_of(effect: Effect, incident: Incident, now: datetime, since: datetime) -> NewJob:
    """Return the job that carries out an effect; `since` is when its cause reached us."""
    channel = f"slack:{incident.channel}"
    match effect:
        case ShowRunbook() | ShowTasks() | AskJournal():
            return _accompanying(effect, incident, now)
        case ShowIncident() | ShowPage() | ShowConsequences() | ShowPicture():
            return _showing(effect, incident, now)
        case Page(person, key, reason, force):
            payload: JsonObject = {
                "person": person,
                "reason": sentence_to_json(reason),
                "force": force,
                "since": since.isoformat(),
            }
            return _once(incident, key, "page", f"dm:{person}", now, payload)
        case PageUserGroup(group, key):
            return _once(incident, key, "page_user_group", channel, now, {"group": group})
        case PageChannel(other, key):
            return _once(incident, key, "page_channel", f"slack:{other}", now, {"channel": other})
        case Contact() | CallWebhook() | TriggerRun():
            return _elsewhere(effect, incident, now, since)
        case AskAcker(person, key):
            return _once(incident, key, "ask_acker", f"dm:{person}", now, {"person": person})
        case Tell(sentence, key, loud):
            payload = {"sentence": sentence_to_json(sentence), "loud": loud}
            # never ahead of the message whose thread it goes into, or both would wait for ever
            urgency = JobPriority.PERSON if loud else JobPriority.NOTE
            return replace(_once(incident, key, "tell", channel, now, payload), priority=urgency)
        case _:
            assert_never(effect)


def _elsewhere(
    effect: Contact | CallWebhook | TriggerRun, incident: Incident, now: datetime, since: datetime
) -> NewJob:
    """Return the job of what goes past Slack."""
    match effect:
        case Contact():
            return contact_job(effect, incident.id, now, since)
        case CallWebhook(webhook, key):
            return _once(incident, key, "webhook", "", now, {"webhook": webhook})
        case TriggerRun(key):
            return _once(incident, key, "trigger_run", "", now, {})


def _accompanying(
    effect: ShowRunbook | ShowTasks | AskJournal, incident: Incident, now: datetime
) -> NewJob:
    match effect:
        case ShowRunbook():
            return show_runbook(incident, now, at_once=False)
        case ShowTasks():
            return show_tasks(incident, now, at_once=False)
        case AskJournal(person, key, proved):
            return ask_job(incident.id, incident.channel, person, key, now, proved=proved)


def _showing(
    effect: ShowIncident | ShowPage | ShowConsequences | ShowPicture,
    incident: Incident,
    now: datetime,
) -> NewJob:
    channel, id_ = f"slack:{incident.channel}", incident.id
    match effect:
        case ShowIncident(at_once):
            return _show(incident, f"show:{id_}", "show", channel, now, at_once=at_once)
        case ShowPage(person):
            job = _show(incident, f"show_page:{id_}:{person}", "show_page", f"dm:{person}", now)
            return replace(job, payload={"person": person})
        case ShowConsequences():
            key = f"consequences:{id_}"
            return _show(incident, key, "consequences", channel, now, at_once=False)
        case ShowPicture(key):
            job = _once(incident, key, "picture", "pictures", now, {})
            return replace(job, priority=JobPriority.PICTURE, due_at=now + PICTURE_WAIT)


def show_runbook(incident: Incident, now: datetime, *, at_once: bool = True) -> NewJob:
    """Return the job that makes the checklist in the thread show what was tried."""
    key, channel = f"runbook:{incident.id}", f"slack:{incident.channel}"
    return _show(incident, key, "runbook", channel, now, at_once=at_once)


def show_tasks(incident: Incident, now: datetime, *, at_once: bool = True) -> NewJob:
    """Return the job that makes the thread's list of tasks show how they stand."""
    key, channel = f"tasks:{incident.id}", f"slack:{incident.channel}"
    return _show(incident, key, "tasks", channel, now, at_once=at_once)


def mirror_task(task: Task, now: datetime) -> NewJob:
    """Return the job that makes a tracker's issue agree with a task."""
    return NewJob(
        key=f"mirror_task:{task.id}",
        kind="mirror_task",
        lane="tracker",
        priority=JobPriority.NOTE,
        due_at=now,
        payload={"task": task.id},
        incident_id=task.incident_id,
        renew=True,
    )


def link_page(page: Job, now: datetime) -> NewJob:
    """Return the job that puts the link to the channel's message into a page that went before it."""
    return NewJob(
        key=f"show_page:{page.incident_id}:{page.payload['person']}",
        kind="show_page",
        # not the lane of the pages: the next one must not wait a second for this edit
        lane=f"edits:{page.payload['person']}",
        priority=JobPriority.MACHINE,
        due_at=now + LINK_WAIT,
        payload={name: page.payload[name] for name in ("person", "reason")},
        incident_id=page.incident_id,
        renew=True,
    )


_WHAT: dict[str, str] = {
    "show": "The channel message",
    "show_page": "The edit of a page",
    "consequences": "The list of consequences",
    "page_user_group": "The page of a user group",
    "page_channel": "The message in another channel",
    "webhook": "The webhook",
    CONTACT: "The page by another method",
    RECEIPT: "The question whether a page was acknowledged",
    "ask_acker": "The question to the acker",
    "tell": "A note",
    "trigger_run": "The start of a run",
    "picture": "The picture of the blast radius",
    "runbook": "The checklist of the runbook",
    "runbook_action": "The action of a runbook",
    "runbook_result": "What the action of a runbook said",
    "tasks": "The list of tasks",
    "nudge": "The reminder of a task",
    "mirror_task": "The copy of a task in the tracker",
    JOURNAL_ASK: "The question for a journal entry",
    JOURNAL_REMIND: "The reminder of the journal",
    JOURNAL_SHOWN: "The edit of the question for a journal entry",
}


def given_up(job: Job, why: str, now: datetime) -> TimelineEntry:
    """Return the line of the story that says what was never delivered, and why."""
    sentence = say("{what} was given up: {why}", what=_WHAT.get(job.kind, job.kind), why=why)
    return TimelineEntry(at=now, what="GivenUp", sentence=sentence, rule="outbox")


def _show(
    incident: Incident, key: str, kind: str, lane: str, now: datetime, *, at_once: bool = True
) -> NewJob:
    return NewJob(
        key=key,
        kind=kind,
        lane=lane,
        priority=JobPriority.PERSON if at_once else JobPriority.MACHINE,
        due_at=now if at_once else now + MACHINE_DEBOUNCE,
        incident_id=incident.id,
        renew=True,
    )


def _once(
    incident: Incident, key: str, kind: str, lane: str, now: datetime, payload: JsonObject
) -> NewJob:
    return NewJob(
        key=key,
        kind=kind,
        lane=lane,
        priority=JobPriority.PAGE,
        due_at=now,
        payload=payload,
        incident_id=incident.id,
    )
