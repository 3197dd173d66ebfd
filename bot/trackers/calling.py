"""One call of a tracker's API: bounded, timed out, and its refusals in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.ports.delivering import GiveUpError, RetryLaterError

TIMEOUT = aiohttp.ClientTimeout(total=4)
LARGEST_ANSWER = 2_000_000
LONGEST_WAIT = 3_600
"""Seconds: nobody's limit lasts longer."""
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue of a tracker; `key` is what its API calls it."""

    key: str
    url: str
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one tracker; `name` is what people call it."""

    session: aiohttp.ClientSession
    name: str
    url: str
    headers: Mapping[str, str] = field(repr=False)

    async def call(
        self, method: str, path: str, *, body: Any = None, params: Mapping[str, str] | None = None
    ) -> Any:
        """Return the JSON of the answer, None of an empty one.

        Raises RetryLaterError on 429, 5xx, time-outs and broken connections, GiveUpError on any
        other refusal, with what to do.
        """
        try:
            async with self.session.request(
                method,
                f"{self.url}{path}",
                json=body,
                params=params,
                headers=dict(self.headers),
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as answer:
                status, headers = answer.status, answer.headers
                text = await _bounded(answer)
        except aiohttp.ClientConnectorError as error:
            raise RetryLaterError(f"{self.name} does not answer") from error
        except (TimeoutError, aiohttp.ClientError) as error:
            raise RetryLaterError(f"{self.name}: {type(error).__name__}", unsure=True) from error
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return self._read(text)
        raise self._refusal(status, headers, text)

    def _read(self, text: bytes) -> Any:
        if not text.strip():
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            words = f"{self.name} answers, but not with JSON: check `task_tracker.url`"
            raise GiveUpError(words) from error

    def _refusal(
        self, status: int, headers: Mapping[str, str], text: bytes
    ) -> GiveUpError | RetryLaterError:
        limited = status == HTTPStatus.FORBIDDEN and (
            headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers
        )
        if status == HTTPStatus.TOO_MANY_REQUESTS or limited:
            said = headers.get("Retry-After", "")
            known = said.isascii() and said.isdigit() and len(said) < 9
            after = timedelta(seconds=min(int(said), LONGEST_WAIT)) if known else None
            return RetryLaterError(f"{self.name} is asked too often", after=after, throttled=True)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return RetryLaterError(f"{self.name} answered {status}", unsure=True)
        if status in _REFUSED:
            words = "refuses the token: renew `task_tracker.token`, or give it the right to issues"
            return GiveUpError(f"{self.name} {words}")
        if status == HTTPStatus.NOT_FOUND:
            return GiveUpError(f"{self.name} has no such project: check `task_tracker`")
        told = text[:200].decode("utf-8", "replace")
        return GiveUpError(f"{self.name} answered {status}: {told}")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    kept = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        kept += chunk
        if len(kept) > LARGEST_ANSWER:
            raise GiveUpError("the tracker's answer is too large to read")
    return bytes(kept)
