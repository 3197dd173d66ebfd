"""An HTTP door for tests in other processes: act as people, order faults, look at everything."""

import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.workspace.errors import ActionRefusedError, SlackError
from bot.workspace.model import Json, Outcome
from bot.workspace.state import Workspace
from bot.workspace.wire import channel_json, group_json, message_json, user_json

Action = Callable[[Json], Awaitable[Any]]


class Control:
    """POST /control/<action> with JSON arguments and `Authorization: Bearer <token>`.

    Actions are named like the methods of Workspace and take their arguments by name.
    """

    def __init__(self, workspace: Workspace, token: str) -> None:
        self._workspace = workspace
        self._token = token
        self._actions: dict[str, Action] = {
            "click": self._click,
            "command": self._command,
            "shortcut": self._shortcut,
            "submit": self._submit,
            "click_view": self._click_view,
            "close_view": self._close_view,
            "open_home": self._open_home,
            "say": self._say,
            "messages": self._messages,
            "state": self._state,
            "faults": self._faults,
            "sockets": self._sockets,
            "calls": self._calls,
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/control/{action}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise web.HTTPUnauthorized(text="wrong control token\n")
        action = self._actions.get(request.match_info["action"])
        if action is None:
            known = ", ".join(sorted(self._actions))
            raise web.HTTPNotFound(text=f"no such action; there are {known}\n")
        try:
            body = json.loads(await request.read() or b"{}")
            answer = await action(body)
        except (SlackError, ActionRefusedError) as refused:
            return web.json_response({"error": str(refused)}, status=409)
        except (ValueError, KeyError, TypeError) as bad:
            text = f"bad arguments: {type(bad).__name__} {bad}"
            return web.json_response({"error": text}, status=400)
        return web.json_response(answer)

    async def _click(self, body: Json) -> Json:
        return _outcome(await self._workspace.click(**body))

    async def _command(self, body: Json) -> Json:
        return _outcome(await self._workspace.command(**body))

    async def _shortcut(self, body: Json) -> Json:
        message = None
        if "ts" in body:
            message = self._workspace.message(body["channel"], body["ts"])
        return _outcome(await self._workspace.shortcut(body["user"], body["callback_id"], message))

    async def _submit(self, body: Json) -> Json:
        return _outcome(await self._workspace.submit(**body))

    async def _click_view(self, body: Json) -> Json:
        return _outcome(await self._workspace.click_view(**body))

    async def _close_view(self, body: Json) -> Json:
        return _outcome(await self._workspace.close_view(**body))

    async def _open_home(self, body: Json) -> Json:
        await self._workspace.open_home(**body)
        return {}

    async def _say(self, body: Json) -> Json:
        message = self._workspace.say(**body)
        return message_json(self._workspace, message)

    async def _messages(self, body: Json) -> list[Json]:
        """{channel, viewer?}: everything there, threads and metadata included."""
        found = self._workspace.messages(body["channel"], viewer=body.get("viewer"))
        return [
            message_json(self._workspace, m, metadata=True) | {"ephemeral": m.only_for is not None}
            for m in found
        ]

    async def _state(self, _body: Json) -> Json:
        workspace = self._workspace
        return {
            "users": [user_json(workspace, user) for user in workspace.users.values()],
            "channels": [channel_json(workspace, c) for c in workspace.channels.values()],
            "groups": [group_json(workspace, g, include_users=True)
                       for g in workspace.groups.values()],
            "views": [asdict(view) for view in workspace.views.values()],
            "homes": [asdict(view) for view in workspace.homes.values()],
            "connections": len(workspace.sockets.connections),
        }  # fmt: skip

    async def _faults(self, body: Json) -> Json:
        """The arguments of Faults.add, or {"clear": true}; `until` is ISO 8601."""
        if body.pop("clear", False):
            self._workspace.faults.clear()
        if body:
            if "until" in body:
                body["until"] = datetime.fromisoformat(body["until"])
            self._workspace.faults.add(**body)
        return {}

    async def _sockets(self, body: Json) -> Json:
        """{"drop": true}, {"refuse": n}, {"refresh": true}, {"deaf": bool}."""
        sockets = self._workspace.sockets
        if body.get("drop"):
            sockets.drop_all()
        sockets.refuse(int(body.get("refuse", 0)))
        if body.get("refresh"):
            await sockets.ask_to_refresh()
        sockets.deaf = bool(body.get("deaf", sockets.deaf))
        return {"connections": len(sockets.connections), "opened": sockets.opened}

    async def _calls(self, body: Json) -> list[Json]:
        """{method?}: the log, oldest first."""
        wanted = body.get("method")
        return [
            asdict(call) | {"at": call.at.isoformat()}
            for call in self._workspace.calls
            if wanted in {None, call.method}
        ]


def _outcome(outcome: Outcome) -> Json:
    return asdict(outcome)
