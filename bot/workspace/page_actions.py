"""What the page may ask for, by name."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from bot.workspace.errors import ActionRefusedError
from bot.workspace.model import Json, Outcome
from bot.workspace.mrkdwn_dates import zone_of
from bot.workspace.state import Workspace

DONE = Outcome(acked=True)
LONGEST_TEXT = 12_000


class PageActions:
    """Translates the page's small JSON bodies into what people do in a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._actions: dict[str, Callable[[Json], Awaitable[Outcome]]] = {
            "send": self._send,
            "click": self._click,
            "click_view": self._click_view,
            "submit": self._submit,
            "close": self._close,
            "shortcut": self._shortcut,
            "react": self._react,
            "read": self._read,
            "dismiss": self._dismiss,
        }

    async def run(self, name: str, body: Json) -> Outcome:
        """Raises KeyError for an unknown name or a missing argument."""
        return await self._actions[name](body)

    async def _send(self, body: Json) -> Outcome:
        text = str(body["text"]).strip()
        if not text:
            return DONE
        if len(text) > LONGEST_TEXT:
            raise ActionRefusedError(f"A message has at most {LONGEST_TEXT:,} characters.")
        if text.startswith("/"):
            if body.get("thread"):
                raise ActionRefusedError("Commands do not work in threads. Use the channel.")
            return await self._workspace.command(body["as"], body["channel"], text)
        self._workspace.type_text(body["as"], body["channel"], text, body.get("thread") or None)
        return DONE

    async def _click(self, body: Json) -> Outcome:
        return await self._workspace.click(
            body["as"],
            body["channel"],
            body["ts"],
            body["action"],
            self._value(body, body.get("value")),
            block_id=body.get("block"),
        )

    def _value(self, body: Json, value: Any) -> Any:
        """A date and time as the browser gives it, in the person's zone, as a UNIX timestamp."""
        if isinstance(value, dict) and "local" in value:
            if not value["local"]:
                return None
            zone = zone_of(self._workspace.user(body["as"]).tz)
            wall = datetime.fromisoformat(value["local"]).replace(tzinfo=zone)
            return int(wall.timestamp())
        return value

    def _own_view(self, body: Json) -> str:
        view = self._workspace.view_of(body["view"])
        if view.user != body["as"]:
            raise ActionRefusedError("This dialog belongs to somebody else.")
        return view.id

    async def _click_view(self, body: Json) -> Outcome:
        view = self._own_view(body)
        return await self._workspace.click_view(
            view,
            body["action"],
            self._value(body, body.get("value")),
            block_id=body.get("block"),
        )

    async def _submit(self, body: Json) -> Outcome:
        values = {
            block: {action: self._value(body, value) for action, value in held.items()}
            for block, held in body["values"].items()
        }
        return await self._workspace.submit(self._own_view(body), values)

    async def _close(self, body: Json) -> Outcome:
        return await self._workspace.close_view(self._own_view(body))

    async def _shortcut(self, body: Json) -> Outcome:
        message = None
        if body.get("ts"):
            message = self._workspace.message(body["channel"], body["ts"])
        return await self._workspace.shortcut(body["as"], body["callback"], message)

    async def _react(self, body: Json) -> Outcome:
        self._workspace.react(body["as"], body["channel"], body["ts"], body["name"])
        return DONE

    async def _read(self, body: Json) -> Outcome:
        self._workspace.read(body["as"], body["channel"])
        return DONE

    async def _dismiss(self, body: Json) -> Outcome:
        self._workspace.dismiss(body["as"], body["channel"], body["ts"])
        return DONE
