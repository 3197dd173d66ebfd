"""Asks for journal entries: in the incident's thread, and in direct messages that remind."""

from dataclasses import replace

from bot.journal_jobs import JOURNAL_ASK, JOURNAL_REMIND, JOURNAL_SHOWN
from bot.ports.delivering import Delivered
from bot.ports.jobs import Job
from bot.slack.api import SlackRefusedError
from bot.slack.desk import Desk
from bot.slack.direct import write_to
from bot.slack.scene import root_of
from bot.slack.views.journal import question, reminder
from rules.incident import Incident
from rules.journal.entry import JournalEntry
from rules.journal.prompt import PromptState, is_behind

ROLE = "journal"
_NOTHING = Delivered()
_MOST = 200
_GONE = frozenset({"message_not_found", "channel_not_found", "is_archived", "cant_update_message"})


async def ask(desk: Desk, job: Job) -> Delivered:
    """Ask in the thread, without mentioning anybody, unless it is written or open again.

    What resolved itself is asked about in App Home and by reminder only: nobody is in its thread.
    """
    if job.payload.get("proved"):
        return _NOTHING
    incident = await desk.incident(job)
    journal = desk.recall.journal
    entry = await journal.entry(incident.id)
    root = root_of(await desk.reader.messages(incident.id))
    if not incident.resolved_by or root is None or _is_told(entry, incident):
        return _NOTHING
    prompt = await journal.prompt_of(incident.id)
    if prompt is not None and prompt.state is PromptState.WAIVED:
        return _NOTHING
    body = question(incident, prompt, entry, desk.directory)
    ref = await desk.post(job, root.channel, body, root.ts)
    return Delivered((replace(ref, role=ROLE),))


async def remind(desk: Desk, job: Job) -> Delivered:
    """Remind one person, if they have still to write; the end of reminding says nothing.

    After a storm that is one message: the reminder of the oldest names the others.
    """
    incident = await desk.incident(job)
    journal = desk.recall.journal
    prompt, entry = await journal.prompt_of(incident.id), await journal.entry(incident.id)
    waits = prompt is not None and prompt.state is PromptState.OPEN and not incident.is_open
    if job.payload.get("ends") or not waits or _is_told(entry, incident):
        return _NOTHING
    if prompt is None or prompt.key != job.payload["prompt"]:
        return _NOTHING
    person = str(job.payload["person"])
    waiting = sorted(await journal.open_prompts(person, _MOST), key=lambda one: one.number)
    if waiting and waiting[0].number < prompt.number:
        return _NOTHING
    of = len(desk.rulebook().journal.remind)
    is_last = int(job.payload["sent"]) >= of
    behind = entry if is_behind(entry, incident) else None
    body = reminder(prompt, waiting[1:], is_last=is_last, behind=behind, names=desk.directory)
    ref = await write_to(desk, job, person, body)
    return Delivered((replace(ref, role=ROLE, person=person),))


async def shown(desk: Desk, job: Job) -> Delivered:
    """Make every message that asked show how it stands."""
    incident = await desk.incident(job)
    journal = desk.recall.journal
    entry, prompt = await journal.entry(incident.id), await journal.prompt_of(incident.id)
    people = [
        one for one in (entry.changed_by if entry else "", prompt.by if prompt else "") if one
    ]
    await desk.directory.learn_names(people)
    body = question(incident, prompt, entry, desk.directory)
    for message in await desk.reader.messages(incident.id):
        if message.role != ROLE:
            continue
        try:
            await desk.edit(job, message.channel, message.ts, body)
        except SlackRefusedError as refused:
            if refused.code not in _GONE:
                raise
    return _NOTHING


def _is_told(entry: JournalEntry | None, incident: Incident) -> bool:
    return entry is not None and entry.is_written and not is_behind(entry, incident)


WORKS = {JOURNAL_ASK: ask, JOURNAL_REMIND: remind, JOURNAL_SHOWN: shown}
