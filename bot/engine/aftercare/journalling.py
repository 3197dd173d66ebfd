"""Writes the journal: entries and notes as people send them, prompts and reminders as time goes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.acts.journal import AddToJournal, JournalAct, WaiveJournal, WriteJournal
from bot.engine.answer import Answer, no_incident
from bot.engine.jobs import job_of
from bot.engine.work import Work
from bot.journal_jobs import JOURNAL_ASK, JOURNAL_REMIND, remind_job, shown_job
from bot.ports.jobs import Job
from bot.ports.store import TimelineEntry
from rules.effects import ShowIncident
from rules.hours import Hours
from rules.incident import Incident
from rules.journal.entry import (
    LONGEST_FIELD,
    LONGEST_NOTE,
    LONGEST_WHY,
    Facts,
    JournalEntry,
    Note,
    Told,
)
from rules.journal.facts import facts_of
from rules.journal.prompt import (
    JournalPrompt,
    Next,
    PromptState,
    again_after_proof,
    is_behind,
    next_step,
    outside,
    person_to_ask,
)
from rules.sentence import Sentence, say

Quiet = Callable[[str], Hours | None]
"""Tells a person's quiet hours, None when they have none."""


async def journal(work: Work, act: JournalAct) -> Answer:
    """Do one act on the journal in the open transaction."""
    if act.number is None:
        assert isinstance(act, AddToJournal)
        return _note_alone(work, act)
    incident = await work.tx.incident_numbered(act.number)
    if incident is None:
        return Answer(no_incident(act.number), refused=True)
    match act:
        case WriteJournal():
            return await _write(work, act, incident)
        case WaiveJournal():
            return await _waive(work, act, incident)
        case AddToJournal():
            return await _add_note(work, act, incident)


async def asked(work: Work, job: Job, quiet: Quiet) -> None:
    """Note that somebody was asked or reminded, and plan what comes next.

    What is written already only gets what became known since, but for another fix.
    """
    tx, now = work.tx, work.now
    incident = tx.incident(job.incident_id)
    entry = await tx.journal.entry(incident.id)
    prompt = await tx.journal.prompt_of(incident.id)
    if entry is not None and entry.is_written and not is_behind(entry, incident):
        tx.journal.save_entry(entry.with_facts(await _facts(work, incident, entry)))
        return
    if incident.is_open or (prompt is not None and prompt.state is PromptState.WAIVED):
        return
    if job.payload.get("proved"):
        if prompt is not None and again_after_proof(prompt, now):
            due = Next(outside(now, quiet(prompt.person)))
            tx.enqueue(replace(remind_job(prompt, 1, due), renew=True))
        return
    sent, person = int(job.payload.get("sent", 0)), str(job.payload["person"])
    if job.kind == JOURNAL_ASK:
        prompt = _prompt(incident, person, job.key, now)
    if prompt is None or prompt.key != job.payload.get("prompt", job.key):
        return
    if job.payload.get("ends"):
        prompt = replace(prompt, state=PromptState.ENDED, changed_at=now)
    elif prompt.state is PromptState.OPEN:
        then = next_step(work.book.journal, sent, now, quiet(person))
        tx.enqueue(remind_job(prompt, sent + 1, then))
    tx.journal.save_prompt(prompt)


async def _write(work: Work, act: WriteJournal, incident: Incident) -> Answer:
    told = _cut(act.told)
    if not told:
        return Answer(say("Nothing was written."), refused=True)
    old = await work.tx.journal.entry_of(incident.number)
    if old is not None:
        told = replace(told, **{name: getattr(old.told, name) for name in act.unasked})
    entry = (await _entry(work, incident, old, act.by)).write(told, act.by, work.now)
    work.tx.journal.save_entry(entry)
    await _close_prompt(work, incident, PromptState.WRITTEN, act.by)
    _tell(work, incident, act.by, say("The journal entry was written."))
    saved = say("#{number} is in the journal. Thank you.", number=incident.number)
    is_newer = old is not None and old.is_written and old.version != act.seen_version
    if old is not None and is_newer and old.changed_by != act.by:
        saved = say(
            "#{number}: somebody else wrote meanwhile. Your text counts now; theirs is kept as "
            "version {version}.", number=incident.number, version=old.version,
        )  # fmt: skip
    return Answer(saved)


async def _waive(work: Work, act: WaiveJournal, incident: Incident) -> Answer:
    why = " ".join(act.why.split())[:LONGEST_WHY]
    if not why:
        return Answer(say("Say why no entry is needed."), refused=True)
    entry = await work.tx.journal.entry_of(incident.number)
    if entry is not None and entry.is_written and not is_behind(entry, incident):
        return Answer(say("#{number} has its entry already.", number=act.number), refused=True)
    await _close_prompt(work, incident, PromptState.WAIVED, act.by, why)
    _tell(work, incident, act.by, say("No journal entry is needed: {why}", why=why))
    return Answer(say("Nobody is asked about #{number} any more.", number=incident.number))


async def _add_note(work: Work, act: AddToJournal, incident: Incident) -> Answer:
    text = act.text.strip()[:LONGEST_NOTE]
    if not text:
        return Answer(say("There is no text to add."), refused=True)
    old = await work.tx.journal.entry_of(incident.number)
    if old is not None and is_behind(old, incident):
        entry = old  # who resolved it now did not do what stands there
    else:
        entry = await _entry(work, incident, old, act.by)
    noted = entry.with_note(_note(act, text, work.now))
    if noted is entry:
        return Answer(say("#{number} has that message already.", number=incident.number))
    work.tx.journal.save_entry(noted)
    _tell(work, incident, act.by, say("A message was added to the journal."))
    return Answer(say("Added to the journal of #{number}.", number=incident.number))


def _note_alone(work: Work, act: AddToJournal) -> Answer:
    text = act.text.strip()[:LONGEST_NOTE]
    if not text:
        return Answer(say("There is no text to add."), refused=True)
    first = next(line.strip() for line in text.splitlines() if line.strip())
    entry = JournalEntry(
        id=work.new_id(),
        number=None,
        at=work.now,
        changed_at=work.now,
        changed_by=act.by,
        by=act.by,
        written_at=work.now,
        facts=Facts(title=first[:200]),
        notes=(_note(act, text, work.now),),
    )
    work.tx.journal.save_entry(entry)
    return Answer(say("Added to the journal. `/oncall journal` with a word of it finds it."))


async def _entry(work: Work, incident: Incident, old: JournalEntry | None, by: str) -> JournalEntry:
    facts = await _facts(work, incident, old)
    if old is not None:
        return old.with_facts(facts)
    return JournalEntry(
        id=incident.id,
        incident_id=incident.id,
        number=incident.number,
        at=incident.opened_at,
        changed_at=work.now,
        changed_by=by,
        version=0,
        facts=facts,
    )


async def _facts(work: Work, incident: Incident, old: JournalEntry | None) -> Facts:
    """Read what is known by now; access counts although it has ended, as the ledger tells."""
    guide = await work.tx.runbooks.guide(incident.id)
    steps = [
        f"{step.text}: {tick.outcome.value.replace('_', ' ')}"
        for tick in (guide.ticks if guide else ())
        if guide and (step := guide.step(tick.step))
    ]
    used = await work.tx.access.used_for(incident.number)
    noted = old.facts.grants if old else ()
    return facts_of(incident, steps=steps, grants=dict.fromkeys([*noted, *used]))


async def _close_prompt(
    work: Work, incident: Incident, state: PromptState, by: str, why: str = ""
) -> None:
    tx, now = work.tx, work.now
    prompt = await tx.journal.prompt_of(incident.id)
    if prompt is None:
        prompt = _prompt(incident, person_to_ask(incident) or by, "", now)
    prompt = replace(prompt, state=state, by=by, why=why, changed_at=now)
    tx.journal.save_prompt(prompt)
    tx.cancel_jobs(incident.id, (JOURNAL_ASK, JOURNAL_REMIND))
    tx.enqueue(shown_job(incident.id, incident.channel, now))


def _prompt(incident: Incident, person: str, key: str, now: datetime) -> JournalPrompt:
    return JournalPrompt(
        incident_id=incident.id,
        number=incident.number,
        person=person,
        title=incident.title[:200],
        key=key,
        asked_at=now,
        changed_at=now,
    )


def _tell(work: Work, incident: Incident, by: str, sentence: Sentence) -> None:
    """Write it into the incident's story, and let its message show it."""
    line = TimelineEntry(at=work.now, what="Journal", sentence=sentence, by=by)
    work.tx.add_timeline(incident.id, line)
    work.tx.enqueue(job_of(ShowIncident(at_once=True), incident, work.now, work.now))


def _note(act: AddToJournal, text: str, now: datetime) -> Note:
    return Note(text=text, by=act.by, at=now, author=act.author[:200], link=act.link[:1500])


def _cut(told: Told) -> Told:
    return Told(
        symptom=told.symptom.strip()[:LONGEST_FIELD],
        cause_class=told.cause_class[:40],
        cause=told.cause.strip()[:LONGEST_FIELD],
        fix=told.fix.strip()[:LONGEST_FIELD],
        needed=told.needed,
        needed_why=told.needed_why.strip()[:LONGEST_FIELD],
        follow_up=told.follow_up.strip()[:LONGEST_FIELD],
    )
