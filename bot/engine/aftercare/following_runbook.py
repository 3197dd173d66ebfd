"""Keeps what came of a runbook's steps, and lets their actions run: each click once."""

from bot.acts.runbooks import RunAction, RunbookAct, TickStep
from bot.engine.accompanying import guide as choose
from bot.engine.answer import Answer, no_incident
from bot.engine.jobs import show_runbook
from bot.engine.work import Work
from bot.ports.jobs import JobPriority, NewJob
from bot.ports.store import TimelineEntry
from rules.incident import Incident
from rules.runbooks.runbook import (
    UNDER_WAY,
    ActionRun,
    Guide,
    RunbookStep,
    StepOutcome,
    Tick,
    action_key,
)
from rules.sentence import Sentence, Who, say

RUN_ACTION = "runbook_action"
_WORDS = {
    StepOutcome.WORKED: say("{who}: step {n} of the runbook worked: {text}"),
    StepOutcome.DID_NOT_HELP: say("{who}: step {n} of the runbook did not help: {text}"),
    StepOutcome.SKIPPED: say("{who} skipped step {n} of the runbook: {text}"),
    None: say("{who} took back what was said of step {n} of the runbook: {text}"),
}


async def follow_runbook(work: Work, act: RunbookAct) -> Answer:
    """Do one act on an incident's runbook in the open transaction."""
    incident = await work.tx.incident_numbered(act.number)
    if incident is None:
        return _refused(no_incident(act.number))
    guide = await _guide(work, incident)
    step = guide.step(act.step) if guide else None
    if guide is None or step is None:
        return _refused(say("#{number} has no such step in its runbook.", number=act.number))
    match act:
        case TickStep():
            return _tick(work, incident, step, act)
        case RunAction():
            return _run(work, incident, guide, act)


async def _guide(work: Work, incident: Incident) -> Guide | None:
    """Return its runbook; what called nobody gets it when somebody goes by it after all."""
    known = await work.tx.runbooks.guide(incident.id)
    if known is not None:
        return known
    choose(work.tx, incident, work.book, work.now)
    return await work.tx.runbooks.guide(incident.id)


def _tick(work: Work, incident: Incident, step: RunbookStep, act: TickStep) -> Answer:
    if act.outcome is None:
        work.tx.runbooks.untick(incident.id, act.step)
    else:
        tick = Tick(act.step, act.outcome, act.by, work.now)
        work.tx.runbooks.tick(incident.id, tick)
    words = _WORDS[act.outcome].template
    said = say(words, who=Who(act.by), n=act.step + 1, text=step.text)
    _noted(work, incident, "StepTried", said, act.by)
    return Answer(said)


def _run(work: Work, incident: Incident, guide: Guide, act: RunAction) -> Answer:
    step, latest = guide.step(act.step), guide.latest_run(act.step)
    if step is None or not step.action:
        return _refused(say("That step has nothing to run."))
    if act.action not in {"", step.action}:
        return _refused(_changed(act))
    if not incident.is_open:
        return _refused(say("#{number} is resolved; nothing was run.", number=incident.number))
    if latest and latest.state in UNDER_WAY:
        return _refused(say("{action} runs already; see the thread.", action=step.action))
    if act.attempt != (latest.attempt if latest else 0) + 1:
        return _refused(say("{action} was run from this button already; see the thread.",
                            action=step.action))  # fmt: skip
    run = ActionRun(
        key=action_key(incident.id, act.step, act.attempt),
        incident_id=incident.id,
        step=act.step,
        attempt=act.attempt,
        action=step.action,
        by=act.by,
        asked_at=work.now,
    )
    work.tx.runbooks.ask(run)
    work.tx.enqueue(
        NewJob(
            key=run.key,
            kind=RUN_ACTION,
            lane="",
            priority=JobPriority.PERSON,
            due_at=work.now,
            incident_id=incident.id,
        )
    )
    said = say("{who} started {action}, step {n} of the runbook.",
               who=Who(act.by), action=run.action, n=act.step + 1)  # fmt: skip
    _noted(work, incident, "ActionAsked", said, act.by)
    return Answer(said)


def _changed(act: RunAction) -> Sentence:
    """Say that the runbook is another one by now than when the button was made."""
    return say(
        "Step {n} of the runbook no longer runs {action}: `/oncall runbook {number}` shows it as "
        "it is.", n=act.step + 1, action=act.action, number=act.number,
    )  # fmt: skip


def _noted(work: Work, incident: Incident, what: str, said: Sentence, by: str) -> None:
    entry = TimelineEntry(at=work.now, what=what, sentence=said, by=by, rule="runbook")
    work.tx.add_timeline(incident.id, entry)
    work.tx.enqueue(show_runbook(incident, work.now))


def _refused(sentence: Sentence) -> Answer:
    return Answer(sentence, refused=True)
