"""The page in the browser: drawn here, kept live by small fragments, acted on by small posts."""

import hmac
import json
import secrets
from importlib import resources
from typing import Any

from aiohttp import web

from bot.workspace.drawing import Drawing, environment
from bot.workspace.errors import ActionRefusedError, SlackError
from bot.workspace.live import Live
from bot.workspace.model import Channel, Json, Outcome
from bot.workspace.page_actions import PageActions
from bot.workspace.state import Workspace

HOME = "home"
FRAGMENTS = frozenset({"sidebar", "messages", "thread", "modal", "home", "calls", "heading"})
STATIC = {
    "app.css": "text/css",
    **dict.fromkeys(
        ("app.js", "wire.js", "live.js", "elements.js", "composer.js"), "text/javascript"
    ),
    "icon.svg": "image/svg+xml",
}


class Page:
    """Routes of the page. Posts need the token that only the page itself knows."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._env = environment()
        self._token = secrets.token_urlsafe(24)
        self._actions = PageActions(workspace)
        self.live = Live(workspace)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.show),
            web.get("/archives/{channel}/{message}", self.permalink),
            web.get("/fragment/{part}", self.fragment),
            web.get("/live", self.live.handle),
            web.get("/static/{name}", self.static),
            web.post("/act/{action}", self.act),
        ]

    # ------------------------------------------------------------ looking

    async def show(self, request: web.Request) -> web.Response:
        context = self._context(request)
        if context is None:
            return web.Response(text="This workspace has no people yet: seed it first.\n")
        place: Channel | None = context["channel"]
        if place is not None:
            self._workspace.read(context["me"].viewer.id, place.id)
        elif not request.query.get("quiet"):
            await self._workspace.open_home(context["me"].viewer.id)
        return self._drawn("page.html", context | {"token": self._token})

    async def fragment(self, request: web.Request) -> web.Response:
        part = request.match_info["part"]
        context = self._context(request)
        if part not in FRAGMENTS or context is None:
            raise web.HTTPNotFound(text="no such part\n")
        return self._drawn(f"{part}.html", context)

    async def permalink(self, request: web.Request) -> web.Response:
        digits = request.match_info["message"].removeprefix("p")
        channel = self._workspace.channels.get(request.match_info["channel"])
        if channel is None or not digits.isdigit():
            raise web.HTTPNotFound(text="no such message\n")
        ts = f"{digits[:-6]}.{digits[-6:]}"
        message = channel.messages.get(ts)
        thread = f"&thread={message.thread_ts}" if message and message.thread_ts else ""
        people = [user for user in channel.members if user != self._workspace.bot_user_id]
        viewer = people[0] if people else self._first_person()
        raise web.HTTPFound(f"/?as={viewer}&channel={channel.id}{thread}#m-{ts}")

    def _first_person(self) -> str:
        people = [u.id for u in self._workspace.users.values() if not u.is_bot]
        return people[0] if people else ""

    def _context(self, request: web.Request) -> Json | None:
        """Who looks at what; None when there is nobody to look."""
        wanted = request.query.get("as", "")
        user = self._workspace.users.get(wanted)
        viewer = wanted if user is not None and not user.is_bot else self._first_person()
        if not viewer:
            return None
        me = Drawing(self._workspace, viewer)
        where = request.query.get("channel", "")
        channel = self._channel(me, where)
        thread = request.query.get("thread") or None
        if channel is None or thread not in channel.messages:
            thread = None
        return {
            "me": me,
            "ws": self._workspace,
            "channel": channel,
            "thread": thread,
            "at_home": channel is None,
            "im": self._workspace.im(viewer),
            "log_open": request.query.get("log") == "1",
            "people_json": self._people_json(),
            "commands_json": self._commands_json(),
        }

    def _channel(self, me: Drawing, where: str) -> Channel | None:
        """The channel asked for; the first one when it is unknown; None for the home."""
        if where == HOME:
            return None
        found = self._workspace.channels.get(where)
        if found is not None and me.may_see(found):
            return found
        return next(iter(me.channels()), None)

    def _people_json(self) -> list[Json]:
        users = [u for u in self._workspace.users.values() if not u.deleted]
        groups = self._workspace.groups.values()
        return [{"name": u.name, "label": u.real_name} for u in users] + [
            {"name": g.handle, "label": g.name} for g in groups
        ]

    def _commands_json(self) -> list[Json]:
        return [
            {
                "name": command.name,
                "description": command.description,
                "usage": command.usage,
                "words": [list(word) for word in command.words],
            }
            for command in self._workspace.commands
        ]

    def _drawn(self, template: str, context: Json) -> web.Response:
        text = self._env.get_template(template).render(context)
        return web.Response(text=text, content_type="text/html")

    async def static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in STATIC:
            raise web.HTTPNotFound(text="no such file\n")
        file = resources.files("bot.workspace") / "static" / name
        return web.Response(body=file.read_bytes(), content_type=STATIC[name], charset="utf-8")

    # ------------------------------------------------------------ acting

    async def act(self, request: web.Request) -> web.Response:
        """{as, ...} as JSON, with the page's token; answers {error?, field_errors?}."""
        given = request.headers.get("X-Workspace-Token", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise web.HTTPForbidden(text="Reload the page: its token is not of this server.\n")
        try:
            body: Any = json.loads(await request.read())
            outcome = await self._actions.run(request.match_info["action"], body)
        except (SlackError, ActionRefusedError) as refused:
            outcome = Outcome(acked=False, error=_words(str(refused)))
        except (ValueError, KeyError, TypeError, AttributeError) as bad:
            raise web.HTTPBadRequest(text=f"bad arguments: {bad}\n") from bad
        answer = {"error": outcome.error, "field_errors": outcome.field_errors}
        return web.json_response(answer)


def _words(error: str) -> str:
    known = {
        "message_not_found": "This message is no longer there.",
        "view_not_found": "This dialog is no longer open.",
        "thread_not_found": "This thread is no longer there.",
        "channel_not_found": "There is no such channel.",
    }
    return known.get(error, error)
