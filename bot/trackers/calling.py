"""One call of a tracker's API: bounded, timed out, and its refusals in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.http_client import Answer, ask, told_to_wait
from bot.ports.delivering import GiveUpError, RetryLaterError

TIMEOUT = aiohttp.ClientTimeout(total=4)
_UNTOLD_WAIT = timedelta(minutes=1)
"""GitHub asks for as long where its limit names no time."""
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
        answer = await ask(
            self.session,
            method,
            f"{self.url}{path}",
            name=self.name,
            within=TIMEOUT,
            untold_wait=_UNTOLD_WAIT,
            json=body,
            params=params,
            headers=dict(self.headers),
        )
        if not answer.is_fine:
            raise self._refusal(answer)
        if not answer.is_whole:
            raise GiveUpError(f"{self.name}'s answer is too large to read")
        found = answer.json()
        if found is None and answer.content.strip():
            words = f"{self.name} answers, but not with JSON: check `task_tracker.url`"
            raise GiveUpError(words)
        return found

    def _refusal(self, answer: Answer) -> GiveUpError | RetryLaterError:
        if answer.is_limit:
            return told_to_wait(self.name, answer, _UNTOLD_WAIT)
        if answer.status in _REFUSED:
            words = "refuses the token: renew `task_tracker.token`, or give it the right to issues"
            return GiveUpError(f"{self.name} {words}")
        if answer.status == HTTPStatus.NOT_FOUND:
            words = "has no such project or issue, or hides it from the token"
            return GiveUpError(f"{self.name} {words}: check `task_tracker`")
        return GiveUpError(f"{self.name} answered {answer.status}: {answer.said()}")
