"""Buttons and forms about the rotation: stored before Slack is told, answered when done."""

import json
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from bot.acts.act import Act
from bot.acts.roster import AskCover, AskSwap, DrawLoad, EndOverride, OnCover, OnSwap
from bot.ports.inbox import NotStoredError
from bot.slack.blocks import Json
from bot.slack.intake import NOT_STORED, Ack, Caller, Intake, form_key, read_metadata
from bot.slack.rota.loads import APPLY, asked_of, proposal_of
from bot.slack.submits import Form
from bot.slack.text import md
from bot.slack.views import rota as views
from bot.slack.views.answers import said
from rules.people import People
from rules.schedule.held import Slot
from rules.schedule.who import Turn, next_turns
from rules.spoken_time import read_moment

_AHEAD = timedelta(days=90)
_MOST_TURNS = 30
_LONGEST_ID = 64
_LONGEST_WHY = 300
_ENDS_BEFORE = "It must end after it starts."


class RotaClicks:
    """Handles clicks and submitted forms about cover, swaps and overrides."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def click(self, ack: Ack, body: Json) -> None:
        """A button of a cover request, a swap or an override."""
        action = body["actions"][0]
        caller, name = self._intake.caller(body), str(action["action_id"])
        its_id = str(action.get("value") or "")[:_LONGEST_ID]
        key = f"click:{caller.user}:{action.get('action_ts', '')}:{name}"
        quiet = name in {"cover_again", "cover_withdraw"}
        try:
            await self._intake.store(_act(name, caller.key, its_id), caller.answer_to(quiet=quiet),
                                     key)  # fmt: skip
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        await self._desk.directory.learn(caller.user)
        return None

    async def load(self, ack: Ack, body: Json) -> None:
        """A button beneath the load: a picture of it, or the proposal put in force."""
        action = body["actions"][0]
        caller, name = self._intake.caller(body), str(action["action_id"])
        act: Act | None = None
        if name == APPLY:
            act = proposal_of(action.get("value"), caller.key)
        elif asked := asked_of(action.get("value")):
            act = DrawLoad(by=caller.key, starts_at=asked.start, ends_at=asked.end,
                           rotation=asked.rotation)  # fmt: skip
        if act is None:
            await ack()
            return await self._intake.whisper(caller, said(md("Ask again: `/oncall load`.")))
        key = f"click:{caller.user}:{action.get('action_ts', '')}:{name}"
        try:
            await self._intake.store(act, caller.answer_to(), key)
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        return None

    async def home(self, ack: Ack, body: Json) -> None:
        """A button beside a shift of App Home: a form for that shift."""
        await ack()
        caller, action = self._intake.caller(body), body["actions"][0]
        slot = views.slot_of_value(action.get("value"))
        if slot is None:
            return await self._intake.whisper(caller, said(md("That shift is not known any more.")))
        kept = {**json.loads(caller.metadata()), "s": views.slot_value(slot)}
        if action["action_id"] == views.HOME_COVER:
            zone = self._desk.directory.zone_of(caller.user)
            local = _local(slot.starts_at, zone), _local(slot.ends_at, zone)
            view = views.cover_modal(slot, local, json.dumps(kept))
        else:
            view = self._swap_form(slot, caller, kept)
        await self._desk.api.open_modal(caller.trigger, view)
        return None

    async def cover_form(self, ack: Ack, body: Json) -> None:
        view, caller = body["view"], self._intake.caller(body)
        slot = views.slot_of_value(read_metadata(view).get("s"))
        await self._desk.directory.meet(caller.user)
        form, typist = Form(view, self._desk.directory.key_of), self._intake.typist(caller.user)
        if slot is None:
            await ack(response_action="clear")
            return None
        try:
            start = read_moment(form.text("from"), typist.now, typist.zone).at
        except ValueError as error:
            await ack(response_action="errors", errors={"from": str(error)})
            return None
        try:
            begins = max(start, typist.now)
            end = read_moment(form.text("to"), begins, typist.zone, said_at=typist.now).at
        except ValueError as error:
            await ack(response_action="errors", errors={"to": str(error)})
            return None
        if end <= max(start, typist.now):
            await ack(response_action="errors", errors={"to": _ENDS_BEFORE})
            return None
        part = Slot(rotation=slot.rotation, role=slot.role, starts_at=start, ends_at=end)
        act = AskCover(by=caller.key, slot=part, why=form.text("why")[:_LONGEST_WHY])
        return await self._submit(ack, act, caller, view, "from")

    async def swap_form(self, ack: Ack, body: Json) -> None:
        view, caller = body["view"], self._intake.caller(body)
        kept = read_metadata(view)
        mine = views.slot_of_value(kept.get("s"))
        form = Form(view, self._desk.directory.key_of)
        chosen = form.choice("theirs")
        offered = kept.get("o") or []
        if mine is None or not chosen.isdigit() or int(chosen) >= len(offered):
            await ack(response_action="clear")
            return None
        other, role, start, end = offered[int(chosen)]
        theirs = views.slot_of_value(json.dumps([mine.rotation, role, start, end]))
        if theirs is None:
            await ack(response_action="clear")
            return None
        act = AskSwap(by=caller.key, other=str(other), mine=mine, theirs=theirs,
                      why=form.text("why")[:_LONGEST_WHY])  # fmt: skip
        return await self._submit(ack, act, caller, view, "theirs")

    async def _submit(self, ack: Ack, act: Act, caller: Caller, view: Json, field: str) -> None:
        try:
            await self._intake.store(act, caller.answer_to(), form_key(view))
        except NotStoredError:
            await ack(response_action="errors", errors={field: NOT_STORED})
            return
        await ack(response_action="clear")

    def _swap_form(self, slot: Slot, caller: Caller, kept: dict[str, Any]) -> Json:
        now = self._desk.clock.now()
        offered = self._offers(slot, caller.key, now)
        carried: list[list[str | int]] = []
        # what is chosen is a number: the metadata tells what stood there, 3,000 characters at most
        for turn in offered:
            end = turn.end or turn.start
            row: list[str | int] = [
                turn.people[0].key,
                turn.role,
                int(turn.start.timestamp()),
                int(end.timestamp()),
            ]
            if len(json.dumps({**kept, "o": [*carried, row]})) > 2900:
                break
            carried.append(row)
        metadata = json.dumps({**kept, "o": carried})
        names = self._desk.directory
        return views.swap_modal(slot, offered[: len(carried)], names, now, metadata)

    def _offers(self, slot: Slot, person: str, now: datetime) -> list[Turn]:
        turns = next_turns(
            self._desk.on_call(), People(), now, rotation=slot.rotation, count=_MOST_TURNS
        )
        return views.offers([t for t in turns if t.start < now + _AHEAD], person, slot)


def _act(name: str, by: str, its_id: str) -> Act:
    if name == views.UNDO:
        return EndOverride(by=by, override_id=its_id)
    if name in views.COVER_ACTIONS:
        return OnCover(by=by, request_id=its_id, what=cast("Any", views.COVER_ACTIONS[name]))
    return OnSwap(by=by, swap_id=its_id, what=cast("Any", views.SWAP_ACTIONS[name]))


def _local(at: datetime, zone: str) -> str:
    """Write an instant as the person would type it."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
