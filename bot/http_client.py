"""One request to a service outside: bounded, timed out, and its failures in the outbox's words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.ports.delivering import RetryLaterError
from rules.plain_line import one_line

LARGEST = 2_000_000
LONGEST_WAIT = timedelta(hours=1)
"""Nobody's limit lasts longer."""
_QUOTED = 200
_NOT_YET = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
"""The same request may work a moment later."""
_SAID = ("errors", "errorMessages", "detail", "message", "title", "error")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `content` is its beginning where it is more than LARGEST bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_fine(self) -> bool:
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_whole(self) -> bool:
        return len(self.content) <= LARGEST

    @property
    def is_limit(self) -> bool:
        """Tell whether a refusal is a limit: GitHub says 403 as well as 429."""
        told = self.headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in self.headers
        limit = told or "rate limit" in self.said().casefold()
        return self.status == HTTPStatus.FORBIDDEN and limit

    def json(self) -> Any:
        """Return what the content says, None when it is empty or no JSON."""
        return json_of(self.content)

    def said(self) -> str:
        """Return why it was refused, in the service's own words: short, on one line."""
        found = self.json()
        if not isinstance(found, dict):
            return one_line(self.content[:_QUOTED].decode("utf-8", "replace"), _QUOTED)
        told = next((text for name in _SAID if (text := _text(found.get(name)))), "")
        code = found.get("code")
        return one_line(f"{told} [{code}]" if code and told else told, _QUOTED)


async def ask(
    session: aiohttp.ClientSession,
    verb: str,
    url: Any,
    *,
    name: str,
    within: aiohttp.ClientTimeout,
    untold_wait: timedelta | None = None,
    **request: Any,
) -> Answer:
    """Make one request of the service that people call `name`; redirections are not followed.

    Raises RetryLaterError on 408, 425, 429, 5xx, time-outs and broken connections, `unsure` when it
    may have changed something. A 429 that does not say how long waits for `untold_wait`.
    """
    writes = verb != "GET"
    try:
        async with session.request(
            verb, url, timeout=within, allow_redirects=False, **request
        ) as response:
            answer = Answer(response.status, response.headers, await _beginning(response))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise RetryLaterError(f"{name} cannot be reached") from error
    except (TimeoutError, OSError, aiohttp.ClientError) as error:
        why = f"{name} did not answer ({type(error).__name__})"
        raise RetryLaterError(why, unsure=writes) from error
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise told_to_wait(name, answer, untold_wait)
    if answer.status in _NOT_YET or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RetryLaterError(f"{name} answered {answer.status}", unsure=writes)
    return answer


def told_to_wait(name: str, answer: Answer, untold: timedelta | None = None) -> RetryLaterError:
    """Return what a service's limit means: a wait, as long as it says."""
    after = _wait(answer.headers.get("Retry-After", "")) or untold
    return RetryLaterError(f"{name} asks us to wait", after=after, throttled=True)


def json_of(content: bytes) -> Any:
    """Return what JSON says, None for nothing and for no JSON."""
    try:
        return json.loads(content) if content.strip() else None
    except (ValueError, RecursionError):
        return None


def _wait(told: str) -> timedelta | None:
    if not (told.isascii() and told.isdigit() and len(told) < 9):
        return None
    return min(timedelta(seconds=int(told)), LONGEST_WAIT)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    kept = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        kept += chunk
        if len(kept) > LARGEST:
            break
    return bytes(kept)


def _text(found: Any) -> str:
    if isinstance(found, dict):
        by_field = [f"{name}: {one}" for name, one in found.items() if isinstance(one, str)]
        return "; ".join(by_field)
    first = found[0] if isinstance(found, list) and found else found
    return str(first) if isinstance(first, str | int) else ""
