"""Corrections from Slack: the incident first, then a rule that is tried before it is kept."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.acts.act import OnIncident, SaveRule
from bot.ports.inbox import NotStoredError
from bot.ports.lessons import read_past, tried
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import NOT_STORED, Ack, Caller, Intake, form_key, read_metadata
from bot.slack.submits import Form
from bot.slack.views import correct as views
from bot.slack.views.answers import said
from bot.slack.wishes import AskCorrect, AskRules
from bot.slack.wording.incident import no_incident
from rules.category import Category
from rules.incident import Incident
from rules.priority import Impact
from rules.teaching.correction import LONGEST_WHY, Remedy, breadths, rule_name, rule_yaml
from rules.teaching.learned import names_of

PATIENCE = timedelta(seconds=1.5)
"""Slack waits three seconds for an answer; a trial that takes longer than this follows later."""
_NO_RULE = "No rule can be made of it: it is not one alert that a tool reported."
_NOTHING = "Nothing is different. Change something, or cancel."
_CATEGORIES = frozenset(one.value for one in Category)
_IMPACTS = frozenset(one.value for one in Impact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person said of an incident, as a form carries it to the next."""

    number: int
    remedy: Remedy
    why: str = ""
    breadth: int = 0
    name: str = ""
    where: tuple[tuple[str, str], ...] = ()

    def metadata(self) -> str:
        remedy = self.remedy
        kept = {
            **dict(self.where),
            "n": self.number,
            "k": remedy.category or "",
            "i": remedy.impact or "",
            "a": {None: "", True: "yes", False: "no"}[remedy.actionable],
            "w": self.why,
            "b": self.breadth,
            "m": self.name,
        }
        return json.dumps({name: one for name, one in kept.items() if one}, ensure_ascii=False)


class Corrections:
    """Handles the forms of a correction."""

    def __init__(self, intake: Intake, patience: timedelta = PATIENCE) -> None:
        self._intake = intake
        self._patience = patience
        self._desk = intake.desk

    async def submitted(self, ack: Ack, body: Json) -> None:
        """Correct the incident, then show the rule that would have got it right."""
        view, caller = body["view"], self._intake.caller(body)
        told = _told(view)
        remedy = told.remedy
        if remedy == Remedy():
            await ack(response_action="errors", errors={"category": _NOTHING})
            return
        act = OnIncident(
            number=told.number,
            event="corrected",
            by=caller.key,
            note=told.why,
            category=remedy.category,
            impact=remedy.impact,
            actionable=remedy.actionable,
        )
        try:
            await self._intake.store(act, caller.answer_to(quiet=True), form_key(view))
        except NotStoredError:
            await ack(response_action="errors", errors={"category": NOT_STORED})
            return
        if not remedy.teaches:
            await ack(response_action="clear")
            return
        await self._answer(ack, str(view["id"]), told, caller)

    async def narrower(self, ack: Ack, body: Json) -> None:
        await self._step(ack, body, -1)

    async def wider(self, ack: Ack, body: Json) -> None:
        await self._step(ack, body, 1)

    async def saved(self, ack: Ack, body: Json) -> None:
        """Keep the rule that was shown; the answer comes when it is in force."""
        view, caller = body["view"], self._intake.caller(body)
        told = _carried(view)
        act = SaveRule(
            by=caller.key,
            number=told.number,
            breadth=told.breadth,
            name=told.name,
            category=told.remedy.category,
            impact=told.remedy.impact,
            actionable=told.remedy.actionable,
            why=told.why,
        )
        try:
            await self._intake.store(act, caller.answer_to(), f"view:{view['id']}:{told.name}")
        except NotStoredError:
            failed = views.no_rule_modal(told.number, NOT_STORED)
            await ack(response_action="update", view=failed)
            return
        await ack(response_action="clear")
        await self._desk.directory.learn(caller.user)

    async def _step(self, ack: Ack, body: Json, by: int) -> None:
        await ack()
        view, caller = body["view"], self._intake.caller(body)
        told = _carried(view)
        shown = await self._shown(replace(told, breadth=told.breadth + by), caller)
        await self._desk.api.change_modal(str(view["id"]), shown)

    async def _answer(self, ack: Ack, view_id: str, told: Told, caller: Caller) -> None:
        """Answer with the trial, or that it takes a while: Slack waits three seconds at most."""
        async with asyncio.TaskGroup() as group:
            trying = group.create_task(self._shown(told, caller))
            done, _ = await asyncio.wait({trying}, timeout=self._patience.total_seconds())
            if done:
                await ack(response_action="update", view=trying.result())
                return
            await ack(response_action="update", view=views.trying_modal(told.number))
            await self._desk.api.change_modal(view_id, await trying)

    async def _shown(self, told: Told, caller: Caller) -> Json:
        try:
            incident = await self._desk.reader.incident_numbered(told.number)
            shown = await self._trial(incident, told, caller) if incident else None
        except NotStoredError:
            shown = views.no_rule_modal(told.number, "The database does not answer; no rule tried.")
        return shown or views.no_rule_modal(told.number, _NO_RULE)

    async def _trial(self, incident: Incident, told: Told, caller: Caller) -> Json | None:
        """Return the form with the rule and its trial, None when no rule can be made."""
        choices = breadths(incident)
        if not choices:
            return None
        chosen = min(max(told.breadth, 0), len(choices) - 1)
        now, book, lessons = self._desk.clock.now(), self._desk.rulebook(), self._desk.lessons
        past = await read_past(lessons, now)
        trial = await tried(lessons, past, choices[chosen], told.remedy, book)
        name = rule_name(incident, choices[chosen], told.remedy)
        where = (("c", caller.channel), ("r", caller.response_url))
        carried = replace(told, breadth=chosen, name=name, where=where)
        return views.trial_modal(
            incident.number,
            choices,
            chosen,
            yaml=rule_yaml(
                incident, choices[chosen], told.remedy, by=caller.key, at=now, why=told.why
            ),
            trial=trial,
            now=now,
            metadata=carried.metadata(),
        )


async def answer_corrections(desk: Desk, question: AskCorrect | AskRules) -> Json:
    """Answer a typed word: a button to the form, or the rules that corrections taught."""
    if isinstance(question, AskRules):
        rules = await desk.lessons.learned_rules()
        return views.rules_answer(rules, names_of(rules), desk.directory, desk.clock.now())
    incident = await desk.reader.incident_numbered(question.number)
    if incident is None:
        return said(no_incident(question.number))
    return views.correct_answer(incident)


def form_metadata(incident: Incident, caller: Caller) -> str:
    """Carry what the incident was when the form opened: what differs is the correction."""
    return Told(
        number=incident.number,
        remedy=Remedy(
            category=incident.category,
            impact=incident.stakes.impact if incident.stakes else None,
            actionable=incident.is_actionable,
        ),
        where=(("c", caller.channel), ("r", caller.response_url)),
    ).metadata()


def _told(view: Json) -> Told:
    """Read the first form: only what differs from what it was when the form opened."""
    form, was = Form(view, lambda user: user), _carried(view)
    category, impact = _category(form.choice("category")), _impact(form.choice("impact"))
    pages = {"yes": True, "no": False}.get(form.choice("actionable"))
    return Told(
        number=was.number,
        remedy=Remedy(
            category=None if category is was.remedy.category else category,
            impact=None if impact is was.remedy.impact else impact,
            actionable=None if pages is was.remedy.actionable else pages,
        ),
        why=" ".join(form.text("why").split())[:LONGEST_WHY],
        where=was.where,
    )


def _carried(view: Json) -> Told:
    kept = read_metadata(view)
    return Told(
        number=_number(kept.get("n")),
        remedy=Remedy(
            category=_category(str(kept.get("k") or "")),
            impact=_impact(str(kept.get("i") or "")),
            actionable={"yes": True, "no": False}.get(str(kept.get("a"))),
        ),
        why=str(kept.get("w") or ""),
        breadth=_number(kept.get("b")),
        name=str(kept.get("m") or ""),
        where=tuple((name, str(kept[name])) for name in ("c", "r") if kept.get(name)),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _category(written: str) -> Category | None:
    return Category(written) if written in _CATEGORIES else None


def _impact(written: str) -> Impact | None:
    return Impact(written) if written in _IMPACTS else None
