"""The shape of every answer that is not a page: JSON, with a reason a person can act on."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web

from bot.ports.inbox import ConflictError, NotStoredError

AWAY = (NotStoredError, ConflictError)
"""What the database says when it is away, or too busy with others: try again."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NO_STORE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_WHY = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The request is too large.",
}

_NOT_NOW = "The database does not answer. Nothing is lost; try again in a minute."
_NOT_NOW_RETRY = 60

_encode = json.JSONEncoder(ensure_ascii=False).encode
_log = structlog.get_logger(__name__)


def answer(
    status: int, body: Mapping[str, object], *, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        status=status,
        body=_encode(body).encode(),
        content_type="application/json",
        headers=headers,
    )


def refusal(
    status: int, why: str, *, retry_after: float = 0, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return `{"error": why}`; `retry_after` is in seconds and rounded up."""
    more = dict(headers or {})
    if retry_after:
        more["Retry-After"] = str(max(1, math.ceil(retry_after)))
    return answer(status, {"error": why}, headers=more)


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal on_response_prepare: say little, allow little. A handler's own headers stay."""
    headers = response.headers
    headers.popall("Server", None)
    for name, value in NO_STORE.items():
        headers.setdefault(name, value)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what aiohttp raises, and our own faults, into JSON without a trace."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allow = error.headers.get("Allow")
        return refusal(
            error.status,
            _WHY.get(error.status, error.reason),
            headers={"Allow": allow} if allow else None,
        )
    except Exception as error:
        if _has_left(request) and isinstance(error, ConnectionError):
            raise  # nobody hears an answer, and that they went away is no fault of ours
        if has_begun(request):
            # The connection ends without an end of the answer: a second answer inside it would
            # look like a part of it.
            _log.exception("answer broken off", method=request.method, route=_route(request))
            raise
        if isinstance(error, AWAY):
            return refusal(503, _NOT_NOW, retry_after=_NOT_NOW_RETRY)
        _log.exception("request failed", method=request.method, route=_route(request))
        return refusal(500, f"Watchbill failed ({type(error).__name__}); its log says more.")


def has_begun(request: web.Request) -> bool:
    """Say whether a part of the answer has left, so that no other can be given."""
    return request.writer.output_size > 0


def _has_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"
