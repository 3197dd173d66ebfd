"""Shows the runbook in the thread, what its actions said, and who is reminded of gaps."""

from bot.acts.runbooks import RunAction, RunbookAct, TickStep
from bot.ports.delivering import Delivered
from bot.ports.inbox import NotStoredError
from bot.ports.jobs import Job
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import NOT_STORED, OUTDATED, Ack, Intake
from bot.slack.scene import Scene
from bot.slack.text import md, outside, spoken
from bot.slack.thread import keep_in_thread, thread_of
from bot.slack.views.answers import said
from bot.slack.views.runbook import (
    RUNBOOK_RUN,
    RUNBOOK_STEP,
    RUNBOOK_TICKS,
    TAKE_BACK,
    result_message,
    runbook_message,
)
from bot.slack.wording.incident import no_incident
from rules.runbooks.choosing import subject_of
from rules.runbooks.gaps import gap_sentence
from rules.runbooks.runbook import Guide, RunbookUse, StepOutcome

ACTIONS = (RUNBOOK_STEP, RUNBOOK_RUN, *RUNBOOK_TICKS)
_MOST_GAPS = 20
_NOTHING = Delivered()


async def show_runbook(desk: Desk, job: Job) -> Delivered:
    """Make the thread's checklist show what was tried; one message for each incident."""
    incident = await desk.incident(job)
    guide = await desk.runbooks.guide(incident.id)
    if guide is not None:
        people = {tick.by for tick in guide.ticks} | {run.by for run in guide.runs}
        await desk.directory.learn_names(sorted(people))
    scene, messages = await desk.scene(incident)
    begin = incident.is_open and not incident.muted and not incident.hidden
    body = runbook_message(scene, guide, desk.actions)
    return await keep_in_thread(desk, job, messages, "runbook", body if begin else None, body)


async def show_result(desk: Desk, job: Job) -> Delivered:
    """Post what an action said, under the incident."""
    run = await desk.runbooks.run(str(job.payload["run"]))
    if run is None:
        return _NOTHING
    incident = await desk.incident(job)
    root = thread_of(await desk.reader.messages(incident.id))
    await desk.post(job, root.channel, result_message(run), root.ts)
    return _NOTHING


async def answer_gaps(desk: Desk) -> Json:
    """The answer to `/oncall runbook gaps`."""
    gaps = await desk.runbooks.gaps()
    if not gaps:
        return said(md("No runbook is missing or stale."))
    now = desk.clock.now()
    lines = []
    for gap in gaps[:_MOST_GAPS]:
        owner = md(" Owner: {owner}.", owner=outside(gap.owner, 80)) if gap.owner else ""
        text = spoken(gap_sentence(gap), desk.directory, now)
        lines.append(kit.section(md("• {text}{owner}", text=text, owner=owner)))
    head = md("*{n} runbooks are missing or stale*", n=len(gaps))
    rest = len(gaps) - _MOST_GAPS
    more = kit.context(md("and {rest} more: `watchbill runbooks gaps`", rest=rest))
    return kit.message(head, [kit.section(head), *lines, *(more if rest > 0 else [])])


async def answer_runbook(desk: Desk, number: int) -> Json:
    """The answer to `/oncall runbook <n>`."""
    incident = await desk.reader.incident_numbered(number)
    if incident is None:
        return said(no_incident(number))
    scene, _ = await desk.scene(incident, ask=False)
    guide = await desk.runbooks.guide(incident.id) or _fitting(scene)
    return runbook_message(scene, guide, desk.actions)


def _fitting(scene: Scene) -> Guide | None:
    """Return the runbook of what called nobody, and so was given none."""
    incident, book = scene.incident, scene.book
    runbook = book.runbooks.of(subject_of(incident, book.catalogue))
    if runbook is None:
        return None
    return Guide(
        RunbookUse(
            incident_id=incident.id, number=incident.number, runbook=runbook, chosen_at=scene.now
        )
    )


class RunbookClicks:
    """Handles the buttons and menus of the checklist."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def click(self, ack: Ack, body: Json) -> None:
        """Store what was clicked, then acknowledge; success shows in the checklist itself."""
        caller = self._intake.caller(body)
        action = body["actions"][0]
        act = _act(action, caller.key)
        if act is None:
            await ack()
            return await self._intake.whisper(caller, said(md(OUTDATED)))
        key = f"click:{caller.user}:{action.get('action_ts', '')}:{action['action_id']}"
        try:
            await self._intake.store(act, caller.answer_to(quiet=True), key)
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        await self._intake.desk.directory.learn(caller.user)
        return None


def _act(action: Json, by: str) -> RunbookAct | None:
    """Read what a button stands for; None for one that is not of this version."""
    word = str(action.get("action_id", ""))
    option = (action.get("selected_option") or {}).get("value")
    parts = str(option or action.get("value") or "")[:100].split(":")
    numbers = [
        int(part) for part in parts[:3] if part.isascii() and part.isdigit() and len(part) < 10
    ]
    match word, parts, numbers:
        case _, [_, _], [number, step] if word in RUNBOOK_TICKS:
            return TickStep(by=by, number=number, step=step, outcome=RUNBOOK_TICKS[word])
        case "runbook_step", [_, _, said_], [number, step]:
            if said_ == TAKE_BACK:
                return TickStep(by=by, number=number, step=step, outcome=None)
            known = next((one for one in StepOutcome if one.value == said_), None)
            return TickStep(by=by, number=number, step=step, outcome=known) if known else None
        case "runbook_run", [_, _, _, *named], [number, step, attempt] if len(named) < 2:
            what = "".join(named)
            return RunAction(by=by, number=number, step=step, attempt=attempt, action=what)
        case _:
            return None
