"""Typed words: questions are answered at once, acts are stored and answered when done."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, assert_never

from bot.acts.act import Act, AnswerTo
from bot.ports.inbox import NotStoredError
from bot.slack.access.choices import grants_answer
from bot.slack.access.clicks import AccessClicks
from bot.slack.access.words import form_offered, vouched
from bot.slack.blocks import Json
from bot.slack.calendar_link import calendar_answer
from bot.slack.commands import parse
from bot.slack.correcting import answer_corrections
from bot.slack.duty.answers import answer_on_call
from bot.slack.intake import NOT_STORED, Ack, Caller, Intake
from bot.slack.issues import answer_issues
from bot.slack.journal.answers import answer_journal
from bot.slack.rota.loads import answer_load
from bot.slack.runbooks import answer_gaps, answer_runbook
from bot.slack.tasks import answer_tasks
from bot.slack.text import md
from bot.slack.views import answers
from bot.slack.views.incident import root_message
from bot.slack.views.slo import slo_answer
from bot.slack.views.timeline import MOST_READ, timeline_answer
from bot.slack.vouching import NotVouchedError
from bot.slack.wishes import (
    AskAccessForm,
    AskCalendar,
    AskCorrect,
    AskExplain,
    AskGrants,
    AskHelp,
    AskIssues,
    AskJournalPages,
    AskList,
    AskLoad,
    AskNext,
    AskPeople,
    AskRules,
    AskRunbook,
    AskShow,
    AskSilences,
    AskSlo,
    AskTasks,
    AskWho,
    CommandError,
    Question,
)
from bot.slack.wording.incident import no_incident
from rules.incident import State

_OPEN = (State.TRIGGERED, State.ACKNOWLEDGED)
_MOST_LISTED = 100
PATIENCE = timedelta(seconds=2)
"""Slack waits three seconds for an answer; one that takes longer than this follows later."""


class Words:
    """Answers what is typed after `/oncall`, in a direct message, or to @Watchbill."""

    def __init__(self, intake: Intake, patience: timedelta = PATIENCE) -> None:
        self._intake = intake
        self._desk = intake.desk
        self._patience = patience

    async def command(self, ack: Ack, body: Json) -> None:
        """The slash command; only the one who typed it sees the answer."""
        caller, text = self._intake.caller(body), str(body.get("text") or "")
        wish = self._wish(text, caller.user)
        if isinstance(wish, AskAccessForm):
            await ack()
            await AccessClicks(self._intake).show_form(caller, group=wish.group)
            return
        hearing = self.hear(text, caller.user, caller.answer_to(), f"command:{caller.trigger}")
        if isinstance(wish, Question):
            await self._answer_in_time(ack, caller, hearing)
        else:  # an act is stored before Slack hears that we have it
            await _answered(ack, await hearing)
        await self._desk.directory.learn(caller.user)

    async def _answer_in_time(
        self, ack: Ack, caller: Caller, hearing: Coroutine[Any, Any, Json | None]
    ) -> None:
        """Answer a question, later by another way when Slack or the database is slow to tell."""
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            acking = group.create_task(_acked_if_slow(ack, done, self._patience))
            message = await hearing
            done.set()
        if not acking.result():
            await _answered(ack, message)
        elif message is not None:
            await self._intake.whisper(caller, message)

    async def unknown(self, ack: Ack, body: Json) -> None:
        """A command that the app's settings name and we do not."""
        name = str(body.get("command", ""))
        text = md("{name} is not one of mine. Try `/oncall help`.", name=name)
        await ack(response_type="ephemeral", **answers.said(text))

    async def hear(
        self, text: str, user: str, to: AnswerTo, key: str, *, private: bool = True
    ) -> Json | None:
        """Carry out what was typed; return the answer, None when it comes later.

        `private` says that only the one who asked will see the answer.
        """
        await self._desk.directory.meet(user)
        try:
            typed = parse(text, self._intake.typist(user))
        except CommandError as error:
            return answers.error_answer(error)
        match typed.wish:
            case AskCalendar():
                link = self._desk.calendar_link(self._desk.directory.key_of(user))
                return calendar_answer(link, private=private)
            case AskIssues():
                return await answer_issues(self._desk, user if private else "")
            case (
                AskWho()
                | AskNext()
                | AskList()
                | AskShow()
                | AskSilences()
                | AskExplain()
                | AskSlo()
                | AskCorrect()
                | AskRules()
                | AskPeople()
                | AskLoad()
                | AskGrants()
                | AskRunbook()
                | AskTasks()
                | AskJournalPages()
                | AskHelp()
            ) as question:
                return await self.answer(question, user)
            case AskAccessForm():
                return form_offered()
            case act:
                if why := await self._stored(act, user, to, key):
                    return answers.said(md("{why}", why=why))
        return answers.said(md("{note}", note=typed.note)) if typed.note else None

    async def answer(self, question: Question, user: str) -> Json:
        """Answer a question from what is stored; asks Slack nothing but names it lacks."""
        desk = self._desk
        now, names = desk.clock.now(), desk.directory
        match question:
            case AskWho() | AskNext() | AskPeople():
                return await answer_on_call(desk, question)
            case AskList(which):
                return await self._list(which, user)
            case AskShow(number) | AskExplain(number):
                return await self._one(number, explain=isinstance(question, AskExplain))
            case AskSilences():
                return answers.silences_answer(await desk.reader.silences(now), names, now)
            case AskSlo(product):
                return slo_answer(desk.rulebook(), product, names, now)
            case AskIssues() | AskGrants() | AskRunbook() | AskTasks() | AskJournalPages():
                return await self._listed(question, user)
            case AskCorrect() | AskRules():
                return await answer_corrections(desk, question)
            case AskLoad(rotation):
                return await answer_load(desk, rotation)
            case AskHelp():
                return answers.help_answer()
            case _:
                assert_never(question)

    async def _stored(self, act: Act, user: str, to: AnswerTo, key: str) -> str:
        """Store an act; return why that could not be, "" when it is."""
        try:
            await self._intake.store(await vouched(self._desk, act, user), to, key)
        except NotStoredError:
            return NOT_STORED
        except NotVouchedError as error:
            return str(error)
        return ""

    def _wish(self, text: str, user: str) -> object:
        try:
            return parse(text, self._intake.typist(user)).wish
        except CommandError:
            return None

    async def _listed(
        self,
        question: AskIssues | AskGrants | AskRunbook | AskTasks | AskJournalPages,
        user: str,
    ) -> Json:
        desk = self._desk
        match question:
            case AskIssues():
                return await answer_issues(desk)
            case AskJournalPages():
                return await answer_journal(desk, question, user)
            case AskGrants():
                return await grants_answer(desk, user)
            case AskRunbook(number):
                return await (answer_runbook(desk, number) if number else answer_gaps(desk))
            case AskTasks(mine):
                return await answer_tasks(desk, desk.directory.key_of(user) if mine else "")

    async def _list(self, which: str, user: str) -> Json:
        states = tuple(State) if which == "all" else _OPEN
        mine = self._desk.directory.key_of(user) if which == "mine" else ""
        reader = self._desk.reader
        if which == "pending":
            found = await reader.pending_incidents(_MOST_LISTED)
        else:
            found = await reader.incidents(states=states, limit=_MOST_LISTED, assigned_to=mine)
        names, now = self._desk.directory, self._desk.clock.now()
        count: int | None = len(found)
        if len(found) == _MOST_LISTED:
            count = await reader.open_count() if which == "open" else None
        return answers.list_answer(found, which, names, now, count=count)

    async def _one(self, number: int, *, explain: bool) -> Json:
        incident = await self._desk.reader.incident_numbered(number)
        if incident is None:
            return answers.said(no_incident(number))
        scene, _ = await self._desk.scene(incident, ask=False)
        if not explain:
            return root_message(scene)
        entries = await self._desk.reader.timeline(incident.id, MOST_READ)
        return timeline_answer(scene, entries)


async def _acked_if_slow(ack: Ack, done: asyncio.Event, patience: timedelta) -> bool:
    try:
        async with asyncio.timeout(patience.total_seconds()):
            await done.wait()
    except TimeoutError:
        await ack()
        return True
    return False


async def _answered(ack: Ack, message: Json | None) -> None:
    if message is None:
        await ack()
    else:
        await ack(response_type="ephemeral", **message)
