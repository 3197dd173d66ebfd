"""Typed words: questions are answered at once, acts are stored and answered when done."""

from typing import assert_never

from bot.acts.act import AnswerTo
from bot.ports.inbox import NotStoredError
from bot.slack.blocks import Json
from bot.slack.calendar_link import calendar_answer
from bot.slack.commands import parse
from bot.slack.correcting import answer_corrections
from bot.slack.duty_answers import answer_on_call
from bot.slack.intake import NOT_STORED, Ack, Intake
from bot.slack.issues import answer_issues
from bot.slack.loads import answer_load
from bot.slack.text import md
from bot.slack.views import answers
from bot.slack.views.incident import root_message
from bot.slack.views.slo import slo_answer
from bot.slack.views.timeline import MOST_READ, timeline_answer
from bot.slack.wishes import (
    AskCalendar,
    AskCorrect,
    AskExplain,
    AskHelp,
    AskIssues,
    AskList,
    AskLoad,
    AskNext,
    AskPeople,
    AskRules,
    AskShow,
    AskSilences,
    AskSlo,
    AskWho,
    CommandError,
    Question,
)
from rules.incident import State

_OPEN = (State.TRIGGERED, State.ACKNOWLEDGED)
_MOST_LISTED = 100


class Words:
    """Answers what is typed after `/oncall`, in a direct message, or to @Watchbill."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def command(self, ack: Ack, body: Json) -> None:
        """The slash command; only the one who typed it sees the answer."""
        caller = self._intake.caller(body)
        message = await self.hear(
            str(body.get("text") or ""),
            caller.user,
            caller.answer_to(),
            f"command:{caller.trigger}",
        )
        if message is None:
            await ack()
        else:
            await ack(response_type="ephemeral", **message)
        await self._desk.directory.learn(caller.user)

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
        try:
            typed = parse(text, self._intake.typist(user))
        except CommandError as error:
            return answers.error_answer(error)
        match typed.wish:
            case AskCalendar():
                link = self._desk.calendar_link(self._desk.directory.key_of(user))
                return calendar_answer(link, private=private)
            case (
                AskWho()
                | AskNext()
                | AskList()
                | AskShow()
                | AskSilences()
                | AskExplain()
                | AskIssues()
                | AskSlo()
                | AskCorrect()
                | AskRules()
                | AskPeople()
                | AskLoad()
                | AskHelp()
            ) as question:
                return await self.answer(question, user)
            case act:
                try:
                    await self._intake.store(act, to, key)
                except NotStoredError:
                    return answers.said(md(NOT_STORED))
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
            case AskIssues():
                return await answer_issues(desk)
            case AskCorrect() | AskRules():
                return await answer_corrections(desk, question)
            case AskLoad(rotation):
                return await answer_load(desk, rotation)
            case AskHelp():
                return answers.help_answer()
            case _:
                assert_never(question)

    async def _list(self, which: str, user: str) -> Json:
        states = tuple(State) if which == "all" else _OPEN
        mine = self._desk.directory.key_of(user) if which == "mine" else ""
        found = await self._desk.reader.incidents(
            states=states, limit=_MOST_LISTED, assigned_to=mine
        )
        names, now = self._desk.directory, self._desk.clock.now()
        return answers.list_answer(found, which, names, now)

    async def _one(self, number: int, *, explain: bool) -> Json:
        incident = await self._desk.reader.incident_numbered(number)
        if incident is None:
            text = md("There is no incident #{number}. Try `/oncall list all`.", number=number)
            return answers.said(text)
        scene, _ = await self._desk.scene(incident, ask=False)
        if not explain:
            return root_message(scene)
        entries = await self._desk.reader.timeline(incident.id, MOST_READ)
        return timeline_answer(scene, entries)
