"""What people do in modals and in App Home: fill in, submit, close, click, look."""

from typing import Any

from bot.workspace import inputs, payloads
from bot.workspace.acting import Acting, answered
from bot.workspace.errors import SlackError
from bot.workspace.link import Ack
from bot.workspace.methods import views
from bot.workspace.model import Json, Outcome, View
from bot.workspace.records import Change

TROUBLE = "We had some trouble connecting. Try again?"


class ActingInViews(Acting):
    """People in front of a modal or of the app's home."""

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Look at the app's home: tells the app, which may publish a view."""
        who = self.person(user).id
        view = self.homes.get(who) if tab == "home" else None
        self.emit("app_home_opened", payloads.app_home_opened(self, who, tab, view))

    def view_of(self, view_id: str) -> View:
        """The open modal or home with this id."""
        for home in self.homes.values():
            if home.id == view_id:
                return home
        return self.view(view_id)

    async def click_view(
        self, view_id: str, action_id: str, value: Any = None, *, block_id: str | None = None
    ) -> Outcome:
        """Use an element of a modal or a home that asks the app at once."""
        view = self.view_of(view_id)
        block, element = inputs.find(view.payload["blocks"], action_id, block_id)
        if element["type"] in inputs.SHAPES:
            self.fill(view_id, {block["block_id"]: {element["action_id"]: value}})
            if block["type"] == "input" and not block.get("dispatch_action"):
                return Outcome(acked=True)
        view.values = inputs.state_of(view.payload["blocks"], view.values)
        action = inputs.action_of(block, element, value, self.next_ts())
        payload = payloads.block_actions_on_view(self, view.user, view, action)
        ack = await self.interact("interactive", payload)
        return answered(ack)

    def fill(self, view_id: str, values: Json) -> None:
        """Put {block_id: {action_id: value}} into the inputs without submitting."""
        view = self.view_of(view_id)
        view.values = inputs.with_values(view.payload["blocks"], view.values, values)

    async def submit(self, view_id: str, values: Json | None = None) -> Outcome:
        """Fill in {block_id: {action_id: value}} and press the modal's submit button.

        An action_id alone may stand for its block: {action_id: value}. Fields that Slack itself
        would complain about never reach the app: see `field_errors`.
        """
        view = self.view(view_id)
        blocks = view.payload["blocks"]
        self.fill(view_id, _by_block(blocks, values or {}))
        view.values = inputs.state_of(blocks, view.values)
        view.errors = inputs.missing(blocks, view.values)
        if view.errors:
            self.changed(Change("view", user=view.user))
            return Outcome(acked=False, field_errors=dict(view.errors))
        ack = await self.interact("interactive", payloads.view_submission(self, view))
        if not ack.ok:
            return Outcome(acked=False, error=TROUBLE)
        return self._submitted(view, ack)

    def _submitted(self, view: View, ack: Ack) -> Outcome:
        body = ack.payload if isinstance(ack.payload, dict) else {}
        try:
            self._follow(view, body)
        except SlackError as bad:
            detail = " ".join([bad.code, *bad.messages])
            return Outcome(acked=True, error=f"{TROUBLE} ({detail})", payload=body)
        return Outcome(acked=True, payload=body or None, field_errors=dict(view.errors))

    def _follow(self, view: View, body: Json) -> None:
        """Do what the app's response_action asks; without one, the modal closes."""
        match body.get("response_action"):
            case "errors":
                known = {block["block_id"] for block in view.payload["blocks"]}
                errors = body.get("errors") or {}
                if not errors or not set(errors) <= known:
                    raise SlackError("invalid_arguments", messages=["[ERROR] unknown block_id"])
                view.errors = dict(errors)
                self.changed(Change("view", user=view.user))
            case "update":
                views.replace(self, view, body.get("view"))
            case "push":
                views.show(self, view.user, body.get("view"), on_top=True)
            case "clear":
                views.drop_stack(self, view.user)
            case _:
                self._pop(view)

    def _pop(self, view: View) -> None:
        self.views.pop(view.id, None)
        stack = [v for v in self.stacks.get(view.user, []) if v != view.id]
        if stack:
            self.stacks[view.user] = stack
        else:
            self.stacks.pop(view.user, None)
        self.changed(Change("view", user=view.user))

    async def close_view(self, view_id: str) -> Outcome:
        """Press Close; tells the app when the view asked for it."""
        view = self.view(view_id)
        view.values = inputs.state_of(view.payload["blocks"], view.values)
        clear = view.payload.get("clear_on_close", False)
        closed = views.drop_stack(self, view.user) if clear else [view]
        self._pop(view)
        for gone in closed:
            if gone.payload.get("notify_on_close"):
                payload = payloads.view_closed(self, gone, is_cleared=clear)
                await self.interact("interactive", payload)
        return Outcome(acked=True)


def _by_block(blocks: list[Json], values: Json) -> Json:
    """Accept {action_id: value} beside {block_id: {action_id: value}}."""
    known = {block["block_id"] for block in blocks}
    out: Json = {}
    for key, value in values.items():
        if key in known:
            out.setdefault(key, {}).update(value)
        else:
            block, _ = inputs.find(blocks, key)
            out.setdefault(block["block_id"], {})[key] = value
    return out
