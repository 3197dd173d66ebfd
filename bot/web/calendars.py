"""GET /calendar/...ics: feeds for whoever holds their secret address."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import web

from bot.clock import Clock
from bot.ports.inbox import NotStoredError
from bot.web.answers import refusal
from bot.web.rate import TokenBucket

_NOTHING = "There is no such calendar, or its address was revoked. /oncall calendar tells yours."
_BUSY = "Too many requests; wait."
_LATER = "The calendar cannot be read now; try again."
_RETRY = 10
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class CalendarText:
    """A feed as bytes, plain and gzipped; `tag` changes whenever a byte does."""

    plain: bytes
    packed: bytes
    tag: str
    changed_at: datetime


ServeFeed = Callable[[str, str, str], Awaitable[CalendarText | None]]
"""Of a kind (rotation or person), a name and a key: the feed, None where the key opens nothing."""


class CalendarFeeds:
    """The handlers. `limit` is requests a minute of one feed; `misses` all with a wrong address."""

    def __init__(
        self, serve: ServeFeed, clock: Clock, *, limit: int = 600, misses: int = 60
    ) -> None:
        self._serve = serve
        self._clock = clock
        self._limit = limit
        self._feeds: dict[tuple[str, str], TokenBucket] = {}
        self._misses = TokenBucket(misses, clock.now())

    async def rotation(self, request: web.Request) -> web.StreamResponse:
        return await self._show(request, "rotation")

    async def person(self, request: web.Request) -> web.StreamResponse:
        return await self._show(request, "person")

    async def _show(self, request: web.Request, kind: str) -> web.StreamResponse:
        name, key = request.match_info["name"], request.query.get("key", "")
        try:
            short = len(name) <= _LONGEST and len(key) <= _LONGEST
            found = await self._serve(kind, name, key) if short else None
        except NotStoredError:
            return refusal(503, _LATER, retry_after=_RETRY)
        # Counted when the address is known to be right: strangers must not use up readers' turns,
        # nor readers of one feed those of another. There are only as many as have an address.
        bucket = self._misses if found is None else self._of((kind, name))
        if wait := bucket.take(self._clock.now()):
            return refusal(429, _BUSY, retry_after=wait)
        return refusal(404, _NOTHING) if found is None else _answer(request, found)

    def _of(self, feed: tuple[str, str]) -> TokenBucket:
        return self._feeds.setdefault(feed, TokenBucket(self._limit, self._clock.now()))


def _answer(request: web.Request, text: CalendarText) -> web.Response:
    tag = f'W/"{text.tag}"'
    headers = {
        "ETag": tag,
        "Last-Modified": format_datetime(text.changed_at.astimezone(UTC), usegmt=True),
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding",
    }
    if _has_it(request, tag, text.changed_at):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = "text/calendar; charset=utf-8"
    if "gzip" in request.headers.get("Accept-Encoding", "").lower():
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=text.packed, headers=headers)
    return web.Response(body=text.plain, headers=headers)


def _has_it(request: web.Request, tag: str, changed_at: datetime) -> bool:
    given = request.headers.get("If-None-Match")
    if given is not None:
        opaque = tag.removeprefix("W/")
        known = {one.strip().removeprefix("W/") for one in given.split(",")}
        return "*" in known or opaque in known
    since = request.headers.get("If-Modified-Since")
    if since is None:
        return False
    try:
        at = parsedate_to_datetime(since)
        return at.tzinfo is not None and changed_at.replace(microsecond=0) <= at
    except (ValueError, TypeError, IndexError):
        return False
