"""Rings outside bells directly: no database, no outbox and no Slack in between."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import aiohttp
import structlog

from bot.clock import Clock
from bot.ports.jobs import JsonObject
from bot.webhook import TIMEOUT, WebhookTarget, signed

log = structlog.get_logger(__name__)

TRIES = 3
PAUSE = timedelta(seconds=2)


class Bell:
    """POSTs the same document to every target, by its name."""

    def __init__(
        self, session: aiohttp.ClientSession, targets: Mapping[str, WebhookTarget], clock: Clock
    ) -> None:
        self._session = session
        self._targets = targets
        self._clock = clock

    async def ring(self, document: JsonObject, key: str) -> Sequence[str]:
        """Return the names of the targets that took it, after at most TRIES each; never raises."""
        body = json.dumps(document, ensure_ascii=False).encode()
        return [
            name
            for name, target in self._targets.items()
            if await self._reach(name, target, body, key)
        ]

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._targets)

    async def _reach(self, name: str, target: WebhookTarget, body: bytes, key: str) -> bool:
        for turn in range(TRIES):
            if turn:
                await self._clock.sleep_until(self._clock.now() + PAUSE * turn)
            if not (fault := await self._post(target, body, key)):
                return True
            log.warning("the alarm was not taken", action="ring", webhook=name, error=fault)
        return False

    async def _post(self, target: WebhookTarget, body: bytes, key: str) -> str:
        try:
            async with self._session.post(
                target.url,
                data=body,
                headers=signed(target, body, key),
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as answer:
                return "" if answer.status < 300 else f"answered {answer.status}"
        except (TimeoutError, OSError, ValueError, aiohttp.ClientError) as error:
            return type(error).__name__
