"""Keeps the workspace to this machine: loopback only, known Host and Origin only."""

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


class NotLoopbackError(ValueError):
    """The workspace was asked to listen where others could reach it."""


def require_loopback(host: str) -> None:
    """Raise NotLoopbackError unless `host` is this machine's own loopback address."""
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise NotLoopbackError(
            f"The local workspace has no passwords, so it listens on this machine only;"
            f" {host!r} is not a loopback address. Use 127.0.0.1."
        )


def _is_local(netloc: str) -> bool:
    try:
        name = urlsplit(f"//{netloc}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def refuses_strangers() -> Middleware:
    """Refuse other names for this machine (DNS rebinding) and other pages' requests."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_local(request.headers.get("Host", "")):
            raise web.HTTPForbidden(text="This server answers to 127.0.0.1 and localhost only.\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"{request.scheme}://{request.host}":
            raise web.HTTPForbidden(text="This server answers its own page only.\n")
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    return middleware
