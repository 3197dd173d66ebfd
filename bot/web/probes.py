"""GET /healthz, /readyz and /metrics: what machines ask."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web

from bot.metrics import CONTENT_TYPE, Metrics
from bot.web.answers import answer

CHECK_SECONDS = 2.0

Check = Callable[[], Awaitable[str]]
"""Returns nothing when all is well, else what is wrong, in a sentence; may raise."""

_log = structlog.get_logger(__name__)


class Probes:
    """The handlers; `checks` are what must hold for the process to be of use.

    `details` are told beside them, and change nothing about readiness.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        metrics: Metrics,
        details: Mapping[str, Check] | None = None,
    ) -> None:
        self._checks = checks
        self._details = details or {}
        self._metrics = metrics

    async def healthz(self, _request: web.Request) -> web.StreamResponse:
        return answer(200, {"alive": True})

    async def readyz(self, _request: web.Request) -> web.StreamResponse:
        """Answer 200 when every check holds, else 503 with what does not."""
        async with asyncio.TaskGroup() as group:
            asked, told = (
                {name: group.create_task(ask(name, check)) for name, check in checks.items()}
                for checks in (self._checks, self._details)
            )
        faults = {name: task.result() for name, task in asked.items() if task.result()}
        checks = {name: faults.get(name, "ok") for name in asked}
        body: dict[str, object] = {"ready": not faults, "checks": checks}
        if told:
            body["details"] = {name: task.result() or "ok" for name, task in told.items()}
        return answer(503 if faults else 200, body)

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})


async def ask(name: str, check: Check) -> str:
    """Return what a check says, or in words that it does not answer or breaks."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001 - a check that breaks is a check that fails
        _log.warning("readiness check failed", check=name, error=type(error).__name__)
        return f"the check failed ({type(error).__name__})"
