"""The Web API over HTTP: /api/<method>, response_urls and uploads."""

import asyncio
import json

from aiohttp import web

from bot.workspace import methods
from bot.workspace.errors import SlackError
from bot.workspace.faults import Fault
from bot.workspace.methods import chat, conversations, extras, files, people, views
from bot.workspace.methods.registry import METHODS, Args
from bot.workspace.model import Call, Json
from bot.workspace.responses import respond
from bot.workspace.state import Workspace

# Importing a family registers its methods.
FAMILIES = (methods, chat, conversations, extras, files, people, views)
HANG_SECONDS = 60.0
LARGEST_BODY = 2_000_000


class WebApi:
    """Answers the calls of one app, with Slack's errors and whatever faults were ordered."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/{method}", self.call),
            web.get("/api/{method}", self.call),
            web.post("/response/{token}", self.response_url),
            web.post("/upload/{file_id}", self.upload),
            web.put("/upload/{file_id}", self.upload),
            web.get("/files/{file_id}", self.file),
        ]

    # ------------------------------------------------------------ methods

    async def call(self, request: web.Request) -> web.StreamResponse:
        workspace, name = self._workspace, request.match_info["method"]
        started = workspace.stopwatch()
        try:
            values = await _arguments(request)
        except ValueError:
            return _answer({"ok": False, "error": "invalid_json"}, 200, workspace)
        token = _token(request, values)
        fault = workspace.faults.take(name, values.get("channel"))
        answer, status = self._run(name, values, token, fault)
        workspace.log(
            Call(
                at=workspace.clock.now(),
                method=name,
                args=_shortened(values),
                answer="ok" if answer.get("ok") else str(answer.get("error")),
                status=status,
                ms=(workspace.stopwatch() - started) * 1000,
            )
        )
        if fault is not None:
            spoiled = await self._spoil(request, fault)
            if spoiled is not None:
                return spoiled
        return _answer(answer, status, workspace)

    def _run(self, name: str, values: Json, token: str, fault: Fault | None) -> tuple[Json, int]:
        """Do the call, unless the fault comes first."""
        try:
            if fault is not None and fault.kind == "ratelimited":
                raise SlackError("ratelimited", status=429, retry_after=fault.retry_after)
            if fault is not None and fault.kind == "error":
                raise SlackError(fault.error)
            if fault is not None and not fault.kind.endswith("_after_commit"):
                status = int(fault.kind[5:]) if fault.kind.startswith("http_") else 200
                return {"ok": False, "error": fault.kind}, status
            return {"ok": True, **self._invoke(name, values, token)}, 200
        except SlackError as error:
            return _refusal(error), error.status

    def _invoke(self, name: str, values: Json, token: str) -> Json:
        workspace = self._workspace
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method")
        if name == "api.test":
            return method.handler(workspace, Args(values, token=token))
        if not token:
            raise SlackError("not_authed")
        if token not in {workspace.bot_token, workspace.app_token, workspace.user_token}:
            raise SlackError("invalid_auth")
        if method.app_level != (token == workspace.app_token):
            raise SlackError("not_allowed_token_type")
        if workspace.rate_limits is not None:
            wait = workspace.rate_limits.take(name, values.get("channel"))
            if wait is not None:
                raise SlackError("ratelimited", status=429, retry_after=wait)
        allowed = method.app_level or not method.scopes or workspace.scopes & set(method.scopes)
        if not allowed:
            raise SlackError("missing_scope", needed=method.scopes[0])
        return method.handler(workspace, Args(values, token=token))

    async def _spoil(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        """What the client gets instead of an answer; None when the answer may go out."""
        if fault.kind == "html":
            page = "<html><body>Something went wrong</body></html>"
            return web.Response(text=page, content_type="text/html")
        if fault.kind.startswith("http_"):
            return web.Response(text="upstream error", status=int(fault.kind[5:]))
        if fault.kind == "timeout_after_commit":
            try:
                async with asyncio.timeout(HANG_SECONDS):
                    await self.closing.wait()
            except TimeoutError:
                pass
        if fault.kind.startswith(("drop", "timeout")):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return None

    # ------------------------------------------------------------ beside the methods

    async def response_url(self, request: web.Request) -> web.StreamResponse:
        workspace = self._workspace
        started = workspace.stopwatch()
        body: object = None
        try:
            body = await request.json()
            respond(workspace, workspace.spend_response(request.match_info["token"]), body)
            answer: Json = {"ok": True}
            status = 200
        except ValueError:
            answer, status = {"ok": False, "error": "invalid_payload"}, 400
        except SlackError as error:
            answer, status = _refusal(error), error.status
        ms = (workspace.stopwatch() - started) * 1000
        args = _shortened(body) if isinstance(body, dict) else {}
        word = "ok" if answer["ok"] else str(answer["error"])
        workspace.log(Call(workspace.clock.now(), "response_url", args, word, status, ms))
        return web.json_response(answer, status=status)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take a file's bytes; what is not as long as was announced is refused."""
        workspace = self._workspace
        found = workspace.uploads.get(request.match_info["file_id"])
        if found is None:
            raise web.HTTPNotFound(text="no such upload")
        fault = workspace.faults.take("upload", None)
        if fault is not None and fault.kind == "ratelimited":
            wait = {"Retry-After": str(fault.retry_after)}
            return web.Response(status=429, text="slow down", headers=wait)
        if fault is not None and (spoiled := await self._spoil(request, fault)) is not None:
            return spoiled
        content = await _content(request)
        if len(content) != found["length"]:
            return web.Response(status=400, text=f"{found['length']} bytes were announced")
        found["content"] = content
        return web.Response(text=f"OK - {len(content)}")

    async def file(self, request: web.Request) -> web.StreamResponse:
        found = self._workspace.uploads.get(request.match_info["file_id"])
        if found is None or found["content"] is None:
            raise web.HTTPNotFound(text="no such file")
        if kind := files.picture_type(found["content"]):
            return web.Response(body=found["content"], content_type=kind)
        # Never as a page of this origin, whatever somebody uploaded.
        return web.Response(
            body=found["content"],
            content_type="application/octet-stream",
            headers={"Content-Disposition": "attachment"},
        )


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    form = await request.post()
    part = next((v for v in form.values() if isinstance(v, web.FileField)), None)
    return part.file.read() if part else b""


async def _arguments(request: web.Request) -> Json:
    values: Json = dict(request.query)
    if request.method == "GET":
        return values
    if request.content_type == "application/json":
        body = json.loads(await request.read() or b"{}")
        if not isinstance(body, dict):
            raise ValueError("not an object")
        return values | body
    form = await request.post()
    return values | {key: str(value) for key, value in form.items()}


def _token(request: web.Request, values: Json) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ").strip() or str(values.pop("token", "") or "")


def _refusal(error: SlackError) -> Json:
    out: Json = {"ok": False, "error": error.code}
    if error.messages:
        out["errors"] = [message.removeprefix("[ERROR] ") for message in error.messages]
        out["response_metadata"] = {"messages": error.messages}
    if error.needed:
        out |= {"needed": error.needed, "provided": ""}
    if error.retry_after is not None:
        out["retry_after"] = error.retry_after
    return out


def _answer(answer: Json, status: int, workspace: Workspace) -> web.Response:
    headers = {"x-oauth-scopes": ",".join(sorted(workspace.scopes))}
    if "retry_after" in answer:
        headers["Retry-After"] = str(answer.pop("retry_after"))
    return web.json_response(answer, status=status, headers=headers)


def _shortened(values: Json) -> Json:
    """Arguments for the log: no token, long texts cut."""
    out: Json = {}
    for key, value in values.items():
        if key != "token":
            text = value if isinstance(value, str) else json.dumps(value)
            out[key] = text if len(text) <= 2000 else f"{text[:2000]}…"
    return out
