"""JSON over HTTP to one orchestrator: a time-out, a size limit, and what each failure means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.http_client import ask, told_to_wait
from bot.ports.delivering import GiveUpError

TIMEOUT = 10.0
_UNTOLD_WAIT = timedelta(minutes=1)
"""GitHub asks for as long where its limit names no time."""
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

    async def get(self, path: str, *, fine: tuple[int, ...] = (), **query: str) -> Reply:
        """Read; raises RetryLaterError or GiveUpError, but for answers of `fine`."""
        return _checked(self.name, await self._send("GET", path, query, None), fine)

    async def post(self, path: str, body: object, *, fine: tuple[int, ...] = ()) -> Reply:
        """Write once; a failure that may have been carried out is `unsure`.

        Answers of `fine` are returned; other refusals raise GiveUpError.
        """
        return _checked(self.name, await self._send("POST", path, {}, body), fine)

    async def _send(self, verb: str, path: str, query: Mapping[str, str], body: object) -> Reply:
        url = URL(self.url + path, encoded=True)
        answer = await ask(
            self._session,
            verb,
            url.with_query(dict(query)) if query else url,
            name=self.name,
            within=self._timeout,
            json=body,
            headers=self._headers,
        )
        if answer.is_limit:
            raise told_to_wait(self.name, answer, _UNTOLD_WAIT)
        if not answer.is_whole:  # a part of it would tell of fewer runs than there are
            raise GiveUpError(f"{self.name}'s answer is too large to read")
        return Reply(answer.status, answer.json())


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
