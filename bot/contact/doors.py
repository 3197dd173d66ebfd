"""Where acknowledgements come in: the page of a link, keys of a call, replies to text messages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from bot.clock import Clock
from bot.contact.answering import Answering, Standing
from bot.contact.links import Claim, Links, Purpose
from bot.contact.replies import Replies, said
from bot.contact.twilio import is_from_twilio, spoken_answer, written_answer
from bot.ports.contact import Result
from bot.ports.inbox import ConflictError, NotStoredError
from rules.plain_line import one_line

log = structlog.get_logger(__name__)

ToldLater = Callable[[str, str, Result, str], Awaitable[bool]]

LARGEST = 64_000
READ_WITHIN = 10.0
"""Seconds in which the whole of a form must be here."""
_TRIES, _PAUSE = 3, timedelta(seconds=1)
_ACKNOWLEDGE, _ALL = "1", "2"
_FAILED: Mapping[str, tuple[Result, str]] = {
    "busy": (Result.UNANSWERED, "the line was busy"),
    "no-answer": (Result.UNANSWERED, "nobody answered the call"),
    "canceled": (Result.UNANSWERED, "the call was ended"),
    "failed": (Result.FAILED, "it could not be put through"),
    "undelivered": (Result.FAILED, "the phone did not take it"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_OLD = "This link is not complete, or too old. Acknowledge the incident in Slack."
_NOT_STORED = "It could not be written down. Please try again, or acknowledge it in Slack."
_SAY_OLD = "This call is too old. Please open Slack."
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Watchbill</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}}
button{{font:inherit;font-weight:600;padding:.9rem 1.6rem;border:0;border-radius:.5rem;
background:#0b6e4f;color:#fff}}</style>
<h1>{title}</h1>
<p>{text}</p>
{form}</html>
"""
_ASKS: Mapping[Standing, str] = {
    Standing.KEPT: "Do you take it? Then nobody else is called.",
    Standing.ASKED: "{by} has it, and you are asked to help. Have you seen it? Then you are not "
    "called again.",
}
_BUTTON = '<form method="post"><button type="submit">Acknowledge</button></form>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorParts:
    """What the doors need. Without a token of Twilio's, its doors stay shut."""

    links: Links
    answering: Answering
    replies: Replies
    told_later: ToldLater
    clock: Clock
    twilio_token: str = field(default="", repr=False)


class Doors:
    """The handlers. A link's page only asks; what acknowledges is the POST, which no scanner sends."""

    def __init__(self, parts: DoorParts) -> None:
        self._parts = parts

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/ack/{token}", self.ask),
            web.post("/ack/{token}", self.acknowledge),
            web.post("/contact/twilio/pressed/{token}", self.pressed),
            web.post("/contact/twilio/status/{token}", self.status),
            web.post("/contact/twilio/sms", self.replied),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Show what the link would acknowledge, with one button; nothing changes."""
        claim = self._parts.links.read(Purpose.ACK, request.match_info["token"])
        if claim is None:
            return _page(410, "Too old", _OLD)
        try:
            found = await self._parts.answering.look(claim.incident_id, claim.person, claim.page)
        except NotStoredError:
            return _page(503, "Not now", _NOT_STORED)
        if found.standing not in _ASKS:
            return _page(200, f"#{found.number}" if found.number else "Watchbill", said(found))
        title = f"#{found.number}: {one_line(found.title, 200)}"
        question = _ASKS[found.standing].format(by=found.by)
        return _page(200, title, question, _BUTTON)

    async def acknowledge(self, request: web.Request) -> web.StreamResponse:
        claim = self._parts.links.read(Purpose.ACK, request.match_info["token"])
        if claim is None:
            return _page(410, "Too old", _OLD)
        try:
            text = await self._acknowledged(claim)
        except (NotStoredError, ConflictError):
            return _page(503, "Not now", _NOT_STORED)
        return _page(200, "Watchbill", text)

    async def pressed(self, request: web.Request) -> web.StreamResponse:
        """Hear which key was pressed during a call."""
        form = await self._from_twilio(request)
        claim = self._parts.links.read(Purpose.PRESS, request.match_info["token"])
        if claim is None:
            return _twiml(spoken_answer(_SAY_OLD))
        digit = form.get("Digits", "")
        if digit not in {_ACKNOWLEDGE, _ALL}:
            again = self._parts.links.here(request.raw_path)
            return _twiml(spoken_answer("Press 1 to acknowledge.", again))
        try:
            text = await self._acknowledged(claim)
            if digit == _ALL:
                more = await self._parts.answering.acknowledge_all(
                    claim.person, claim.method, claim.incident_id
                )
                text = f"{text} And {more} more." if more else text
        except (NotStoredError, ConflictError):
            return _twiml(spoken_answer(_NOT_STORED))
        with suppress(NotStoredError, ConflictError):  # the acknowledgement itself is stored
            sid = form.get("CallSid", "")
            await self._parts.told_later(claim.incident_id, sid, Result.ACKNOWLEDGED, "")
        return _twiml(spoken_answer(text.replace("#", "Incident ")))

    async def status(self, request: web.Request) -> web.StreamResponse:
        """Hear what became of a call or a text message."""
        form = await self._from_twilio(request)
        claim = self._parts.links.read(Purpose.STATUS, request.match_info["token"])
        sid = form.get("CallSid") or form.get("MessageSid") or ""
        word = (form.get("CallStatus") or form.get("MessageStatus") or "").lower()
        if claim is None or not sid or word not in _FAILED:
            return web.Response(status=204)
        result, why = _FAILED[word]
        code = one_line(form.get("ErrorCode", ""), 20)
        told = f"{why} (Twilio {code})" if code else why
        known = stored = False
        for turn in range(_TRIES):  # Twilio can be faster than our own commit
            if turn:
                await self._parts.clock.sleep_until(self._parts.clock.now() + _PAUSE)
            try:
                known = await self._parts.told_later(claim.incident_id, sid, result, told)
                stored = True
            except (NotStoredError, ConflictError):
                stored = False
            if known:
                break
        return web.Response(status=204 if stored else 503)

    async def replied(self, request: web.Request) -> web.StreamResponse:
        """Hear a reply to a text message."""
        form = await self._from_twilio(request)
        try:
            text = await self._parts.replies.hear(form.get("From", ""), form.get("Body", ""))
        except (NotStoredError, ConflictError):
            text = _NOT_STORED
        return _twiml(written_answer(text))

    async def _acknowledged(self, claim: Claim) -> str:
        log.info("acknowledged", action="contact", by=claim.person, via=claim.method)
        answering = self._parts.answering
        return said(
            await answering.acknowledge(claim.incident_id, claim.person, claim.method, claim.page)
        )

    async def _from_twilio(self, request: web.Request) -> Mapping[str, str]:
        """Return a form that Twilio signed. Raises HTTPForbidden, HTTPNotFound and others."""
        token = self._parts.twilio_token
        if not token:
            raise web.HTTPNotFound
        body = await _read(request)
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        url = self._parts.links.here(request.raw_path)
        given = request.headers.get("X-Twilio-Signature", "")
        if not is_from_twilio(token, url, pairs, given):
            log.warning("not from Twilio", action="contact", path=request.path.split("/")[-2])
            raise web.HTTPForbidden
        return dict(pairs)


async def _read(request: web.Request) -> bytes:
    parts = bytearray()
    try:
        async with asyncio.timeout(READ_WITHIN):
            async for part in request.content.iter_chunked(LARGEST):
                parts += part
                if len(parts) > LARGEST:
                    raise web.HTTPRequestEntityTooLarge(LARGEST, len(parts))
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    return bytes(parts)


def _page(status: int, title: str, text: str, form: str = "") -> web.Response:
    return web.Response(
        status=status,
        text=_PAGE.format(title=escape(title), text=escape(text), form=form),
        content_type="text/html",
        charset="utf-8",
        headers=_HEADERS,
    )


def _twiml(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/xml", charset="utf-8")
