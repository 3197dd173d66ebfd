"""The two doors beside POST /hooks/{source}: heartbeats, and CloudEvents' question before it sends."""

import re
from collections.abc import Mapping

from aiohttp import web

from bot.sources import text
from bot.sources.heartbeat import NAME_HEADER, STATUS_HEADER, status_word
from bot.web.body import RefusedError

ORIGIN_HEADER = "WebHook-Request-Origin"
RATE_HEADER = "WebHook-Request-Rate"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def heartbeat_of(request: web.Request) -> Mapping[str, str]:
    """Return what marks a delivery as a heartbeat, or nothing for any other one.

    Raises RefusedError for a name or a `?status=` that nobody could mean.
    """
    name = request.match_info.get("heartbeat")
    if name is None:
        return {}
    if not _NAME.fullmatch(name):
        why = "A heartbeat's name has at most 128 letters, digits, dots, - and _."
        raise RefusedError(400, why, "broken")
    said = request.query.get("status")
    if said is None:
        return {NAME_HEADER: name}
    status = status_word(said)
    if not status:
        raise RefusedError(400, "`status` of a heartbeat is `ok` or `fail`.", "broken")
    return {NAME_HEADER: name, STATUS_HEADER: status}


def agreement(request: web.Request, rate_limit: int) -> Mapping[str, str]:
    """Return the headers that let the origin send, at no more than the source's rate.

    Anybody may ask: what is sent must know the secret all the same. Raises RefusedError.
    """
    origin = text.line(request.headers.get(ORIGIN_HEADER, ""), 253)
    if not origin:
        raise RefusedError(400, f"{ORIGIN_HEADER} is missing.", "broken")
    asked = request.headers.get(RATE_HEADER, "").strip()
    rate = min(int(asked), rate_limit) if asked.isdecimal() and len(asked) < 10 else rate_limit
    return {
        "Allow": "POST, OPTIONS",
        "WebHook-Allowed-Origin": origin,
        "WebHook-Allowed-Rate": str(max(1, rate)),
    }
