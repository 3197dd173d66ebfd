"""Buttons and the form for elevated access: who clicks is what Slack vouches for, nothing else."""

from dataclasses import replace
from datetime import timedelta

from bot.acts.access import (
    AccessAct,
    ApproveAccess,
    AskAccess,
    ExtendAccess,
    GiveBack,
    RefuseAccess,
    RevokeAccess,
)
from bot.ports.inbox import NotStoredError
from bot.slack.access.choices import access_form, group_named
from bot.slack.blocks import Json
from bot.slack.intake import NOT_STORED, Ack, Caller, Intake, form_key, read_number
from bot.slack.submits import Form
from bot.slack.text import md
from bot.slack.views import access as views
from bot.slack.views import modals
from bot.slack.views.answers import said
from bot.slack.vouching import NotVouchedError
from rules.durations import parse_duration

_LONGEST_ID = 64


class AccessClicks:
    """Handles clicks and submitted forms about elevated groups."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def click(self, ack: Ack, body: Json) -> None:
        """A word about one grant: approve, refuse, extend, give back, revoke."""
        action = body["actions"][0]
        caller, name = self._intake.caller(body), str(action["action_id"])
        try:
            by = await self._vouched(caller.user)
            act = _act(name, by, str(action.get("value") or "")[:_LONGEST_ID])
            key = f"click:{caller.user}:{action.get('action_ts', '')}:{name}"
            await self._intake.store(act, caller.answer_to(), key)
        except (NotVouchedError, NotStoredError) as error:
            await ack()
            text = NOT_STORED if isinstance(error, NotStoredError) else str(error)
            return await self._intake.whisper(caller, said(md("{why}", why=text)))
        await ack()
        return None

    async def open_form(self, ack: Ack, body: Json) -> None:
        """A button that asks for access; its value is the incident it is for."""
        await ack()
        action, caller = body["actions"][0], self._intake.caller(body)
        number = read_number(action.get("value")) or 0
        opened = (body.get("view") or {}).get("type") == "modal"
        await self.show_form(caller, incident=number, on_top=opened)

    async def show_form(
        self, caller: Caller, *, group: str = "", incident: int = 0, on_top: bool = False
    ) -> None:
        """Open the form at once, and fill it when Slack has vouched for who clicked."""
        show = self._desk.api.push_modal if on_top else self._desk.api.open_modal
        view_id = await show(caller.trigger, modals.loading_text("Get access"))
        try:
            caller = replace(caller, key=await self._vouched(caller.user))
            view = await access_form(self._desk, caller, group=group, incident=incident)
        except NotVouchedError as error:
            view = modals.trouble("Get access", md("{why}", why=str(error)))
        await self._desk.api.change_modal(view_id, view)

    async def submitted(self, ack: Ack, body: Json) -> None:
        view, caller = body["view"], self._intake.caller(body)
        faults = await self._submitted(view, caller)
        if faults:
            await ack(response_action="errors", errors=faults)
        else:
            await ack(response_action="clear")

    async def _submitted(self, view: Json, caller: Caller) -> dict[str, str]:
        """Store what was asked for; return what is wrong, by field."""
        try:
            act = self._asked(view, await self._vouched(caller.user))
            group = group_named(self._desk, act.group)
            if group is not None and group.reason_required and not act.why:
                return {"why": "Say why."}
            await self._intake.store(act, caller.answer_to(), form_key(view))
        except NotVouchedError as error:
            return {"group": str(error)}
        except NotStoredError:
            return {"group": NOT_STORED}
        return {}

    def _asked(self, view: Json, by: str) -> AskAccess:
        form = Form(view, self._desk.directory.key_of)
        chosen, name = form.choice("for"), form.choice("group")
        shift, group = chosen == views.SHIFT, group_named(self._desk, name)
        return AskAccess(
            by=by,
            group=name,
            length=group.longest if shift and group else _length(chosen),
            why=form.text("why")[: views.LONGEST_WHY],
            incident=read_number(form.choice("incident") or form.number) or 0,
            until_shift_ends=shift,
        )

    async def _vouched(self, user: str) -> str:
        return await self._desk.directory.vouching.key_of(user)


def _length(chosen: str) -> timedelta:
    try:
        return parse_duration(chosen)
    except ValueError:
        return timedelta(hours=1)


def _act(name: str, by: str, grant: str) -> AccessAct:
    match name:
        case views.APPROVE:
            return ApproveAccess(by=by, grant=grant)
        case views.REFUSE:
            return RefuseAccess(by=by, grant=grant)
        case views.EXTEND:
            return ExtendAccess(by=by, grant=grant)
        case views.REVOKE:
            return RevokeAccess(by=by, grant=grant)
        case _:
            return GiveBack(by=by, grant=grant)
