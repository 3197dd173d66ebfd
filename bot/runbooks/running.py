"""Carries out the actions of runbook steps: begun once, and honest about what nobody can know."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import structlog

from bot.clock import Clock
from bot.ports.delivering import Delivered
from bot.ports.inbox import ConflictError
from bot.ports.jobs import Job, JobPriority, JsonObject, NewJob
from bot.ports.runbooks import RunbookReads
from bot.ports.store import Reader, Store, TimelineEntry
from bot.runbooks.command import Ran, UnsafeValueError, filled, run_command
from rules.incident import Incident
from rules.matching.matcher import matchable
from rules.runbooks.runbook import ActionRun, ActionState
from rules.sentence import Sentence, say

log = structlog.get_logger(__name__)

RESULT = "runbook_result"
LONGEST_ANSWER = 4_000
_CONFLICTS = 5
_MAYBE = "It may have run: the bot stopped in the middle. Look before you run it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A declared action: either a command with its environment, or an address to POST to."""

    command: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None
    url: str = ""
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Result:
    state: ActionState
    output: str


Headers = Callable[[str, bytes, str], dict[str, str]]
"""From an action's name, a body and a key to the headers of its POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningParts:
    """What running actions works with; `payload` is an incident as outside programs see it.

    `hide` returns a text without the secrets that are known to this process.
    """

    store: Store
    reader: Reader
    runbooks: RunbookReads
    clock: Clock
    session: aiohttp.ClientSession
    actions: Mapping[str, Action]
    payload: Callable[[Incident], JsonObject]
    headers: Headers
    hide: Callable[[str], str]


class ActionDeliverer:
    """Delivers jobs of kind `runbook_action`; the job's key names the run."""

    def __init__(self, parts: RunningParts) -> None:
        self._parts = parts

    async def deliver(self, job: Job) -> Delivered:
        """Run it unless it was begun before; then say that it may have run.

        That it begins is committed before anything is done, so that no crash makes it run twice.
        """
        parts = self._parts
        async with parts.store.begin() as tx:
            begun = await tx.runbooks.begin_action(job.key, parts.clock.now())
        run = await parts.runbooks.run(job.key)
        if run is None:
            return Delivered()
        if begun:
            result = await self._result(run)
        elif run.state is ActionState.RUNNING:
            result = Result(ActionState.UNKNOWN, _MAYBE)
        else:
            return Delivered()
        await self._record(run, result)
        return Delivered()

    async def _result(self, run: ActionRun) -> Result:
        action = self._parts.actions.get(run.action)
        incident = await self._parts.reader.incident(run.incident_id)
        if action is None or incident is None:
            words = "Nothing was run: `runbooks.actions` of config.yaml does not name it any more."
            return Result(ActionState.FAILED, words)
        if action.url:
            return await self._post(action, run, incident)
        return await _command(action, incident)

    async def _post(self, action: Action, run: ActionRun, incident: Incident) -> Result:
        told = {"action": run.action, "step": run.step + 1, "by": run.by, "run": run.key}
        body = json.dumps({**told, "incident": self._parts.payload(incident)}).encode()
        headers = self._parts.headers(run.action, body, run.key)
        wait = aiohttp.ClientTimeout(total=action.timeout.total_seconds())
        try:
            async with self._parts.session.post(
                action.url, data=body, headers=headers, timeout=wait, allow_redirects=False
            ) as answer:
                said, status = await _beginning(answer.content), answer.status
        except aiohttp.ClientConnectorError:
            return Result(ActionState.FAILED, "Nothing was run: nobody answers there.")
        except (TimeoutError, aiohttp.ClientError) as error:
            words = f"No answer ({type(error).__name__}): it may have run all the same."
            return Result(ActionState.UNKNOWN, words)
        text = f"Answered {status}.\n{said.decode('utf-8', 'replace')}".rstrip()
        return Result(ActionState.DONE if status < 300 else ActionState.FAILED, text)

    async def _record(self, run: ActionRun, result: Result) -> None:
        for left in range(_CONFLICTS, 0, -1):
            try:
                return await self._record_once(run, result)
            except ConflictError:
                if left == 1:
                    raise
        return None

    async def _record_once(self, run: ActionRun, result: Result) -> None:
        now, output = self._parts.clock.now(), self._parts.hide(result.output)
        incident = await self._parts.reader.incident(run.incident_id)
        async with self._parts.store.begin() as tx:
            await tx.runbooks.end_action(run.key, result.state, output, now)
            said = outcome_sentence(run, result.state)
            entry = TimelineEntry(at=now, what="ActionEnded", sentence=said, rule="runbook")
            tx.add_timeline(run.incident_id, entry)
            if incident is not None:
                tx.enqueue(_show(incident, now))
                tx.enqueue(_tell(run, incident, now))
        log.info("action ended", action="run_action", name=run.action, state=result.state.value)


def _show(incident: Incident, now: datetime) -> NewJob:
    return NewJob(
        key=f"runbook:{incident.id}",
        kind="runbook",
        lane=f"slack:{incident.channel}",
        priority=JobPriority.PERSON,
        due_at=now,
        incident_id=incident.id,
        renew=True,
    )


def _tell(run: ActionRun, incident: Incident, now: datetime) -> NewJob:
    return NewJob(
        key=f"{run.key}:result",
        kind=RESULT,
        lane=f"slack:{incident.channel}",
        priority=JobPriority.PERSON,
        due_at=now,
        payload={"run": run.key},
        incident_id=incident.id,
    )


def outcome_sentence(run: ActionRun, state: ActionState) -> Sentence:
    """Say how an action ended, for the story and the thread."""
    words = {
        ActionState.DONE: "{action}, step {n} of the runbook, ran.",
        ActionState.FAILED: "{action}, step {n} of the runbook, failed.",
        ActionState.UNKNOWN: "{action}, step {n} of the runbook, may have run.",
    }
    return say(words.get(state, "{action}, step {n} of the runbook, is under way."),
               action=run.action, n=run.step + 1)  # fmt: skip


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """Read as much as is shown, in however many pieces it comes."""
    kept = b""
    while len(kept) < LONGEST_ANSWER and (piece := await content.read(LONGEST_ANSWER - len(kept))):
        kept += piece
    return kept


async def _command(action: Action, incident: Incident) -> Result:
    try:
        command = filled(action.command, known_values(incident, action.placeholders))
    except UnsafeValueError as error:
        return Result(ActionState.FAILED, f"Nothing was run: {error}.")
    try:
        ran = await run_command(command, action.env or {}, action.timeout)
    except OSError as error:
        return Result(ActionState.FAILED, f"Nothing was run: {error.strerror or error}.")
    return _told(ran, action.timeout)


def known_values(incident: Incident, names: tuple[str, ...]) -> dict[str, str]:
    """Return what the declared placeholders stand for in this incident."""
    facts = {**matchable(incident), "number": str(incident.number)}
    return {name: facts[name] for name in names if name in facts}


def _told(ran: Ran, timeout: timedelta) -> Result:
    if ran.status is None:
        words = f"Stopped after {timeout.total_seconds():.0f} s: part of it may have run."
        return Result(ActionState.UNKNOWN, f"{words}\n{ran.output}".rstrip())
    if ran.status:
        words = f"Ended with status {ran.status}."
        return Result(ActionState.FAILED, f"{words}\n{ran.output}".rstrip())
    return Result(ActionState.DONE, ran.output.rstrip())
