"""JSON over HTTP to one orchestrator: a time-out, a size limit, and what each failure means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.ports.delivering import GiveUpError, RetryLaterError

TIMEOUT = 10.0
_LARGEST = 2_000_000
_LONGEST_WAIT = 3_600
_QUOTED = 100


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer below 500 that asks for no patience; `body` is its JSON, None without any."""

    status: int
    body: Any

    def get(self, name: str) -> str:
        """Return a field of an object as text, "" where there is none."""
        found = self.body.get(name) if isinstance(self.body, dict) else None
        return str(found) if isinstance(found, str | int) else ""


class Api:
    """One orchestrator's interface below one address, with its token."""

    def __init__(
        self,
        name: str,
        url: str,
        session: aiohttp.ClientSession,
        headers: Mapping[str, str],
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self._session = session
        self._headers = headers
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def get(self, path: str, **query: str) -> Reply:
        """Read; raises RetryLaterError or GiveUpError."""
        return _checked(self.name, await self._send("GET", path, query, None))

    async def post(self, path: str, body: object, *, fine: tuple[int, ...] = ()) -> Reply:
        """Write once; a failure that may have been carried out is `unsure`.

        Answers of `fine` are returned; other refusals raise GiveUpError.
        """
        return _checked(self.name, await self._send("POST", path, {}, body), fine)

    async def _send(self, verb: str, path: str, query: Mapping[str, str], body: object) -> Reply:
        url = URL(self.url + path, encoded=True)
        try:
            async with self._session.request(
                verb,
                url.with_query(dict(query)) if query else url,
                json=body,
                headers=self._headers,
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                content = await _whole(self.name, answer)
                wait = answer.headers.get("Retry-After", "")
                status = answer.status
        except aiohttp.ClientConnectorError as error:
            raise RetryLaterError(f"{self.name} cannot be reached") from error
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            why = f"{self.name}: {type(error).__name__}"
            raise RetryLaterError(why, unsure=verb == "POST") from error
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = min(int(wait), _LONGEST_WAIT) if wait.isdecimal() and len(wait) < 9 else None
            after = timedelta(seconds=seconds) if seconds is not None else None
            raise RetryLaterError(f"{self.name} asks us to wait", after=after, throttled=True)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RetryLaterError(f"{self.name} answered {status}", unsure=verb == "POST")
        return Reply(status, _json(content))


async def _whole(name: str, answer: aiohttp.ClientResponse) -> bytes:
    """Return all of a body: a part of it would tell of fewer runs than there are."""
    kept = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        kept += chunk
        if len(kept) > _LARGEST:
            raise GiveUpError(f"{name}'s answer is too large to read")
    return bytes(kept)


def segment(text: str) -> str:
    """Return a text from outside as one segment of a path; raises GiveUpError for no such text."""
    if not text or text in {".", ".."} or len(text) > 250:
        raise GiveUpError(f"{text[:40]!r} cannot be part of an address")
    return quote(text, safe="")


def _checked(name: str, reply: Reply, fine: tuple[int, ...] = ()) -> Reply:
    if reply.status < HTTPStatus.MULTIPLE_CHOICES or reply.status in fine:
        return reply
    hint = _HINTS.get(reply.status, "look there for why")
    said = next((s for f in _SAID if (s := reply.get(f))), "")
    told = f" ({said[:_QUOTED]})" if said else ""
    raise GiveUpError(f"{name} answered {reply.status}{told}: {hint}")


_SAID = ("detail", "message", "title", "error")
_HINTS: Mapping[int, str] = {
    401: "the token in orchestrators is not valid, renew it",
    403: "the token in orchestrators may not start runs",
    404: "there is no such pipeline, or the token may not see it",
    409: "it runs already, or is paused",
}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content.strip() else None
    except (ValueError, RecursionError):
        return None
