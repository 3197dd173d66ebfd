"""JSON over HTTPS: one request at a time, with a time-out, a size limit and no repeats."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from bot.ports.delivering import GiveUpError, RetryLaterError

TIMEOUT = 10.0
LARGEST_ANSWER = 8_000_000
LONGEST_WAIT = timedelta(hours=1)
_NAMED = 100
_SEGMENT = re.compile(r"[^\x00-\x1f/\\\ud800-\udfff]{1,320}")

Headers = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Throttle:
    """We are too fast; `after` when it was told for how long to wait."""

    after: timedelta | None = None


Limit = Callable[[int, Mapping[str, str]], Throttle | None]
"""From a status and headers in lower case to whether we are too fast."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer below 500; `body` is its JSON, None when there is none. Headers are lower case."""

    status: int
    body: Any
    headers: Mapping[str, str]


def usual_limit(status: int, headers: Mapping[str, str]) -> Throttle | None:
    return Throttle(wait_of(headers)) if status == 429 else None


class Rest:
    """One service's interface. `headers` are made for each call, so that tokens can be renewed."""

    def __init__(
        self,
        service: str,
        url: str,
        session: aiohttp.ClientSession,
        headers: Headers,
        *,
        limit: Limit = usual_limit,
        timeout: float = TIMEOUT,
    ) -> None:
        self.service = service
        self._session = session
        self._url = url.rstrip("/")
        self._headers = headers
        self._limit = limit
        self._timeout = timeout

    async def call(
        self,
        verb: str,
        *segments: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Reply:
        """Make one request. Raises RetryLaterError (`unsure` for a write) or GiveUpError."""
        url = URL(self._url + path_of(*segments), encoded=True)
        if query:
            url = url.with_query(dict(query))
        return await self._send(verb, url, body)

    async def follow(self, address: str) -> Reply:
        """Read the page that an answer named; it must be of the same service."""
        ours, theirs = urlsplit(self._url), urlsplit(address)
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            raise GiveUpError(f"{self.service} sends us to another server; that is not followed.")
        return await self._send("GET", URL(address, encoded=True), None)

    async def _send(self, verb: str, url: URL, body: Mapping[str, object] | None) -> Reply:
        writes, headers = verb != "GET", self._headers()
        limit = aiohttp.ClientTimeout(total=self._timeout)
        try:
            async with self._session.request(
                verb, url, json=body, headers=headers, allow_redirects=False, timeout=limit
            ) as answer:
                content = await _bounded(answer, self.service)
                told = _joined(answer.headers.items())
                return self._read(answer.status, told, content, writes=writes)
        except aiohttp.ClientConnectorError as error:
            raise RetryLaterError(_unreached(self.service, error)) from error
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise RetryLaterError(_unreached(self.service, error), unsure=writes) from error

    def _read(
        self, status: int, headers: Mapping[str, str], content: bytes, *, writes: bool
    ) -> Reply:
        if throttle := self._limit(status, headers):
            words = f"{self.service} asks us to wait ({status})."
            raise RetryLaterError(words, after=throttle.after, throttled=True)
        if status >= 500:
            words = f"{self.service} answers {status}."
            raise RetryLaterError(words, after=wait_of(headers), unsure=writes)
        if 300 <= status < 400:
            words = f"{self.service} has moved ({status}). Correct its address in the options."
            raise GiveUpError(words)
        try:
            body = json.loads(content) if content.strip() else None
        except ValueError:
            if status < 300:
                words = f"{self.service}'s answer cannot be read."
                raise RetryLaterError(words, unsure=writes) from None
            body = None
        return Reply(status, body, headers)


def path_of(*segments: str) -> str:
    """Return a path, in which a segment stays one segment. Raises GiveUpError."""
    for segment in segments:
        if segment in {"", ".", ".."} or not _SEGMENT.fullmatch(segment):
            raise GiveUpError(f"{segment[:_NAMED]!r} cannot be a name here. Correct it.")
    return "".join("/" + quote(segment, safe="@:") for segment in segments)


def next_page(reply: Reply) -> str:
    """Return the address of the next page from a Link header, "" at the end."""
    for link in reply.headers.get("link", "").split(","):
        address, _, parameters = link.partition(";")
        if 'rel="next"' in parameters:
            return address.strip().strip("<>")
    return ""


def reset_of(headers: Mapping[str, str], name: str) -> timedelta | None:
    """Read how long a limit lasts from the instant of its end, by the other side's own clock."""
    text = headers.get(name, "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        return None
    try:
        now = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    seconds = max(1, int(text) - int(now.timestamp()))
    return min(timedelta(seconds=seconds), LONGEST_WAIT)


def wait_of(headers: Mapping[str, str]) -> timedelta | None:
    """Read Retry-After in seconds, an hour at the most."""
    text = headers.get("retry-after", "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return None
    return min(timedelta(seconds=int(text)), LONGEST_WAIT)


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by lower name; one that comes several times is one list, as HTTP has it."""
    found: dict[str, str] = {}
    for written, value in headers:
        name = written.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


async def _bounded(answer: aiohttp.ClientResponse, service: str) -> bytes:
    found = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        found += chunk
        if len(found) > LARGEST_ANSWER:
            raise GiveUpError(f"{service}'s answer is too large; give this group fewer members.")
    return bytes(found)


def _unreached(service: str, error: Exception) -> str:
    named = "time-out" if isinstance(error, TimeoutError) else type(error).__name__
    return f"{service} cannot be reached ({named})."
