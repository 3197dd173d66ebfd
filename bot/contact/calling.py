"""One call of a service that reaches people: bounded, timed out, its refusals in words."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import structlog

from bot.http_client import Answer, ask, json_of
from bot.ports.delivering import GiveUpError

log = structlog.get_logger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=4)
_UNTOLD_WAIT = timedelta(seconds=30)


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

        Raises RetryLaterError where it may work later or was not answered (`unsure` when it may
        have been taken), GiveUpError on any other refusal, with what to do.
        """
        return (await self._send("POST", path, data=form or body, headers=headers)).json()

    async def get(self, path: str, query: Mapping[str, str]) -> Any:
        """Read; raises as `post` does."""
        return (await self._send("GET", path, params=query)).json()

    async def lines(self, path: str, query: Mapping[str, str]) -> list[Any]:
        """Read JSON documents, one a line; what is none is left out."""
        answer = await self._send("GET", path, params=query)
        lines = answer.content.splitlines()
        return [found for line in lines if (found := json_of(line)) is not None]

    async def _send(
        self, verb: str, path: str, *, headers: Mapping[str, str] | None = None, **how: Any
    ) -> Answer:
        answer = await ask(
            self.session,
            verb,
            self.url + path,
            name=self.name,
            within=self.timeout,
            untold_wait=_UNTOLD_WAIT,
            headers={**self.headers, **(headers or {})},
            **how,
        )
        if answer.is_fine:
            return answer
        hint = self.hints.get(answer.status, "")
        words = ": ".join(part for part in (hint, answer.said()) if part)
        raise GiveUpError(f"{self.name} answered {answer.status}{f' ({words})' if words else ''}")


async def looked_up(earlier: Awaitable[str]) -> str:
    """Return what an earlier attempt is called, "" for none. Raises RetryLaterError.

    Where we may not look nothing is found: a page twice is better than none.
    """
    try:
        return await earlier
    except GiveUpError as refused:
        log.warning("cannot look for an earlier attempt", action="contact", why=str(refused))
        return ""
