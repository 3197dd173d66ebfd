"""The dead man's switch: tells an outside watchdog again and again that all is well, while it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
import structlog

from bot.clock import Clock
from bot.metrics import Metrics
from bot.web.probes import Check, ask

log = structlog.get_logger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogParts:
    """What the watchdog is built from; `checks` are what "all is well" means."""

    url: str
    every: timedelta
    checks: Mapping[str, Check]
    clock: Clock
    session: aiohttp.ClientSession
    metrics: Metrics
    timeout: aiohttp.ClientTimeout = TIMEOUT


class Watchdog:
    """Pings while every check holds. Never logs the address, which is a secret."""

    def __init__(self, parts: WatchdogParts) -> None:
        self._parts = parts
        self._trouble = ""

    async def run(self) -> None:
        while True:
            await self.ping()
            await self._parts.clock.sleep_until(self._parts.clock.now() + self._parts.every)

    async def ping(self) -> str:
        """Ping once, if all is well; returns why it was not done or not taken."""
        trouble = await self._wrong()
        result = "withheld" if trouble else "sent"
        if not trouble and (trouble := await self._get()):
            result = "failed"
        self._parts.metrics.watchdog_pings.labels(result).inc()
        self._note(trouble, result)
        return trouble

    def _note(self, trouble: str, result: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("no ping to the watchdog", action="watchdog", why=trouble, result=result)
        elif self._trouble and not trouble:
            log.info("the watchdog is pinged again", action="watchdog")
        self._trouble = trouble

    async def _wrong(self) -> str:
        for name, check in self._parts.checks.items():
            if fault := await ask(name, check):
                return f"{name}: {fault}"
        return ""

    async def _get(self) -> str:
        host = urlsplit(self._parts.url).hostname
        try:
            async with self._parts.session.get(
                self._parts.url, timeout=self._parts.timeout, allow_redirects=False
            ) as answer:
                return "" if answer.status < 300 else f"{host} answered {answer.status}"
        except (TimeoutError, OSError, ValueError, aiohttp.ClientError) as error:
            return f"{host} does not answer ({type(error).__name__})"
