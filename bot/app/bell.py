"""Rings outside bells directly: no database, no outbox and no Slack in between."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import structlog

from bot.clock import Clock
from bot.ports.contact import Backend, Receipts, Summons
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.ports.jobs import JsonObject
from bot.webhook import TIMEOUT, WebhookTarget, signed
from rules.contacting.method import Method

log = structlog.get_logger(__name__)

TRIES = 3
PAUSE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class PersonTarget:
    """Somebody at all their addresses, each with the back-end that pages go by.

    `receipts` are the services that ring on until somebody acknowledges there.
    """

    name: str
    ways: Mapping[Method, tuple[Backend, str]]
    receipts: Mapping[Method, Receipts] = field(default_factory=dict)


Target = WebhookTarget | PersonTarget


class Bell:
    """Gives the same document to every target, by its name: a webhook or somebody's address."""

    def __init__(
        self, session: aiohttp.ClientSession, targets: Mapping[str, Target], clock: Clock
    ) -> None:
        self._session = session
        self._targets = targets
        self._clock = clock
        self._ringing: dict[str, Receipts] = {}
        """What may ring on, by its key."""

    async def ring(
        self, document: JsonObject, key: str, only: Collection[str] | None = None
    ) -> Sequence[str]:
        """Return the names of the targets that took it, after at most TRIES each; never raises.

        `only` some of them are rung where it is given.
        """
        body = json.dumps(document, ensure_ascii=False).encode()
        if document.get("state") == "clear":
            await self._hush()
        return [
            name
            for name, target in self._targets.items()
            if (only is None or name in only)
            and await self._reach(name, target, document, body, key)
        ]

    async def _hush(self) -> None:
        """Let nothing ring on that an alarm began."""
        ringing, self._ringing = self._ringing, {}
        for key, service in ringing.items():
            try:
                await service.cancel(key)
            except (RetryLaterError, GiveUpError) as error:
                log.warning("an alarm may ring on", action="ring", error=str(error))

    async def _reach(
        self, name: str, target: Target, document: JsonObject, body: bytes, key: str
    ) -> bool:
        for turn in range(TRIES):
            if turn:
                await self._clock.sleep_until(self._clock.now() + PAUSE * turn)
            if isinstance(target, WebhookTarget):
                fault = await self._post(target, body, key)
            else:
                fault = await self._send(target, document, key)
            if not fault:
                return True
            log.warning("the alarm was not taken", action="ring", target=name, error=fault)
        return False

    async def _send(self, target: PersonTarget, document: JsonObject, key: str) -> str:
        """Reach somebody by every way; one that works is enough. Good news wakes nobody."""
        ways = dict(target.ways)
        calm = document.get("state") == "clear"
        if calm and len(ways) > 1:
            ways.pop(Method.VOICE, None)
        faults = []
        for method, (backend, address) in ways.items():
            summons = Summons(
                key=f"{key}:{method}",
                person=target.name,
                address=address,
                number=0,
                title=str(document.get("text", "")),
                priority="",
                why="",
                alarm=True,
                calm=calm,
            )
            if not calm and method in target.receipts:
                self._ringing[summons.key] = target.receipts[method]
            try:
                await backend.send(summons)
            except (RetryLaterError, GiveUpError) as error:
                faults.append(str(error))
        return "; ".join(faults) if len(faults) == len(ways) else ""

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
