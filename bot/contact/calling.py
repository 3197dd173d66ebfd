"""One call of a service that reaches people: bounded, timed out, its refusals in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.ports.delivering import GiveUpError, RetryLaterError

TIMEOUT = aiohttp.ClientTimeout(total=4)
LARGEST = 1_000_000
_UNTOLD_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = 3_600
_QUOTED = 200


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service is and how it knows us; `name` is what people call it."""

    session: aiohttp.ClientSession
    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    hints: Mapping[int, str] = field(default_factory=dict)
    timeout: aiohttp.ClientTimeout = TIMEOUT

    async def post(
        self,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Write once and return the answer's JSON, None without any.

        Raises RetryLaterError on 429, 5xx, time-outs and broken connections (`unsure` when it may
        have been taken), GiveUpError on any other refusal, with what to do.
        """
        return await self._send("POST", path, data=form or body, headers=headers)

    async def get(self, path: str, query: Mapping[str, str]) -> Any:
        """Read; raises as `post` does."""
        return await self._send("GET", path, params=query)

    async def lines(self, path: str, query: Mapping[str, str]) -> list[Any]:
        """Read JSON documents, one a line; what is none is left out."""
        text = await self._text("GET", path, params=query)
        return [found for line in text.splitlines() if (found := _json(line)) is not None]

    async def _send(self, verb: str, path: str, **how: Any) -> Any:
        return _json(await self._text(verb, path, **how))

    async def _text(
        self, verb: str, path: str, *, headers: Mapping[str, str] | None = None, **how: Any
    ) -> bytes:
        try:
            async with self.session.request(
                verb,
                self.url + path,
                headers={**self.headers, **(headers or {})},
                timeout=self.timeout,
                allow_redirects=False,
                **how,
            ) as answer:
                status, wait = answer.status, answer.headers.get("Retry-After", "")
                text = await _whole(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise RetryLaterError(f"{self.name} cannot be reached") from error
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            why = f"{self.name} did not answer ({type(error).__name__})"
            raise RetryLaterError(why, unsure=verb == "POST") from error
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return text
        raise self._refusal(verb, status, wait, text)

    def _refusal(
        self, verb: str, status: int, wait: str, text: bytes
    ) -> GiveUpError | RetryLaterError:
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return RetryLaterError(
                f"{self.name} asks us to wait", after=_wait(wait), throttled=True
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return RetryLaterError(f"{self.name} answered {status}", unsure=verb == "POST")
        hint = self.hints.get(status, "")
        told = said(text)
        words = ": ".join(part for part in (hint, told) if part)
        return GiveUpError(f"{self.name} answered {status}{f' ({words})' if words else ''}")


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """Return all of a body, or its first megabyte: half of one would name no message."""
    kept = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        kept += chunk
        if len(kept) >= LARGEST:
            break
    return bytes(kept)


def said(text: bytes) -> str:
    """Return what a service says of a refusal, short and on one line."""
    found = _json(text)
    if isinstance(found, dict):
        errors = found.get("errors")
        told = errors[0] if isinstance(errors, list) and errors else None
        told = told or found.get("message") or found.get("error") or ""
        code = found.get("code")
        return one_line(f"{told} [{code}]" if code and told else str(told), _QUOTED)
    return one_line(text[:_QUOTED].decode("utf-8", "replace"), _QUOTED)


def one_line(text: str, longest: int) -> str:
    """Return a text from outside on one line, printable, and not longer than that."""
    bare = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(bare.split())
    return short if len(short) <= longest else f"{short[: longest - 1].rstrip()}…"


def _wait(told: str) -> timedelta:
    if told.isascii() and told.isdigit() and len(told) < 9:
        return timedelta(seconds=min(int(told), _LONGEST_WAIT))
    return _UNTOLD_WAIT


def _json(text: bytes) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        return None
