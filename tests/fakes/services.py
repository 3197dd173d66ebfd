"""Twilio, Pushover, ntfy and a plain hook as far as they are called, on a real local server."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import web

SID, TOKEN = "AC" + "0" * 32, "twilio-auth-token-of-tests"
PUSHOVER_TOKEN, PUSHOVER_USER = "a" * 30, "u" * 30
NTFY_TOKEN = "tk_ntfy"
TAKEN_AT = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)

Fault = Callable[[], web.StreamResponse]


def refuses(status: int, document: Any = None, **headers: str) -> Fault:
    """Answer once with this status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.json_response(document or {}, status=status, headers=named)


def breaks_off() -> web.StreamResponse:
    """Close the connection without an answer."""
    raise ConnectionAbortedError


@dataclass
class Services:
    """What was sent, in order; `faults` are answered first, one a call.

    Its clock says `now`. With `taken` a fault comes after the service has taken what was sent; `hangs` never answers. `write_only`: what
    was sent may not be read.
    """

    url: str = ""
    now: datetime = TAKEN_AT
    sent: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    taken: bool = False
    hangs: bool = False
    write_only: bool = False
    receipts: dict[str, dict[str, int]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.sent if one["kind"] == kind]

    def app(self) -> web.Application:
        app = web.Application()
        at = f"/2010-04-01/Accounts/{SID}"
        app.router.add_post(f"{at}/Messages.json", self._twilio)
        app.router.add_get(f"{at}/Messages.json", self._messages)
        app.router.add_post(f"{at}/Calls.json", self._twilio)
        app.router.add_post("/1/messages.json", self._pushover)
        app.router.add_get(r"/1/receipts/{receipt:\w+}.json", self._receipt)
        app.router.add_post(r"/1/receipts/cancel_by_tag/{tag:\w+}.json", self._cancel)
        app.router.add_post("/", self._ntfy)
        app.router.add_get("/{topic}/json", self._kept)
        app.router.add_post("/hook", self._hook)
        return app

    async def _answer(self, request: web.Request, document: dict[str, Any]) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path}")
        if self.hangs:
            await asyncio.Event().wait()
        if self.faults and not self.taken:
            return self._fault(request)
        self.sent.append({**document, "at": self.now})
        if self.faults:
            return self._fault(request)
        return web.json_response(document["answer"], status=document.get("status", 200))

    def _fault(self, request: web.Request) -> web.StreamResponse:
        try:
            return self.faults.pop(0)()
        except ConnectionAbortedError:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

    async def _twilio(self, request: web.Request) -> web.StreamResponse:
        basic = "Basic " + b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != basic:
            self.calls.append("refused")
            said = {"code": 20003, "message": "Authenticate", "status": 401}
            return web.json_response(said, status=401)
        form = {name: str(value) for name, value in (await request.post()).items()}
        kind = "sms" if "Messages" in request.path else "call"
        needed = {"To", "Body"} if kind == "sms" else {"To", "From", "Twiml"}
        if missing := needed - form.keys():
            said = {"code": 21604, "message": f"A {missing} is required.", "status": 400}
            return web.json_response(said, status=400)
        if not form["To"].startswith("+"):
            said = {"code": 21211, "message": f"Invalid 'To' Phone Number: {form['To']}"}
            return web.json_response(said, status=400)
        sid = f"{'SM' if kind == 'sms' else 'CA'}{len(self.sent):032d}"
        document = {"kind": kind, **form, "answer": {"sid": sid, "status": "queued"}, "status": 201}
        return await self._answer(request, document)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(f"GET {request.path}")
        if self.write_only:
            return web.json_response({"code": 20003, "message": "Forbidden"}, status=403)
        found = [
            {
                "sid": one["answer"]["sid"],
                "body": one["Body"],
                "date_created": format_datetime(one["at"]),
            }
            for one in self.of("sms")
            if one["To"] == request.query["To"]
            # what is queued has no date of sending yet, and none of ours leaves the queue
            and "DateSent>" not in request.query
        ]
        return web.json_response({"messages": found})

    async def _pushover(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if (form.get("token"), form.get("user")) != (PUSHOVER_TOKEN, PUSHOVER_USER):
            said = {"user": "invalid", "errors": ["user identifier is not valid"], "status": 0}
            return web.json_response(said, status=400)
        answer: dict[str, Any] = {"status": 1, "request": f"request{len(self.sent)}"}
        if form.get("priority") == "2":
            if int(form["retry"]) < 30 or int(form["expire"]) > 10_800:
                return web.json_response({"status": 0, "errors": ["retry"]}, status=400)
            answer["receipt"] = f"receipt{len(self.sent)}"
            self.receipts[answer["receipt"]] = {"acknowledged": 0, "expired": 0}
        return await self._answer(request, {"kind": "pushover", **form, "answer": answer})

    async def _receipt(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(f"GET {request.path}")
        if self.faults:
            return self._fault(request)
        found = self.receipts.get(request.match_info["receipt"])
        if found is None or request.query.get("token") != PUSHOVER_TOKEN:
            return web.json_response({"status": 0, "errors": ["receipt not found"]}, status=404)
        return web.json_response({"status": 1, **found})

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        form, tag = await request.post(), request.match_info["tag"]
        if form.get("token") != PUSHOVER_TOKEN:
            return web.json_response({"status": 0, "errors": ["token is invalid"]}, status=400)
        tagged = [one for one in self.of("pushover") if one.get("tags") == tag]
        self.cancelled += [one["answer"]["receipt"] for one in tagged]
        return web.json_response({"status": 1})

    async def _ntfy(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {NTFY_TOKEN}":
            said = {"code": 40101, "http": 401, "error": "unauthorized"}
            return web.json_response(said, status=401)
        body = await request.json()
        answer = {"id": f"ntfy{len(self.sent)}", "event": "message", **body}
        return await self._answer(request, {"kind": "ntfy", **body, "answer": answer})

    async def _kept(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(f"GET {request.path}")
        if self.write_only:
            return web.json_response({"code": 40301, "error": "forbidden"}, status=403)
        topic = request.match_info["topic"]
        lines = [web.json_response(one["answer"]).text or "" for one in self.of("ntfy")
                 if one["topic"] == topic
                 and one["at"].timestamp() >= int(request.query["since"])]  # fmt: skip
        return web.Response(text="\n".join(["no json", *lines]))

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        return await self._answer(request, {"kind": "hook", "raw": raw, "answer": {}})


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[Services]:
    """Serve on a port of this machine."""
    runner = web.AppRunner(services.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    services.url = f"http://{host}:{port}"
    try:
        yield services
    finally:
        await runner.cleanup()
