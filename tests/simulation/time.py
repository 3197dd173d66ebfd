"""Time that passes only when nothing else is left to do: hours of life in a moment, in one order."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Any

_NEVER = 24 * 3600
_ONE = 1e-6
"""What a sleep is longer, so that the rounding of instants never ends it too early."""


class _Skipping(selectors.DefaultSelector):
    """Does not wait: it tells how long there was nothing to do."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        self.skipped += max(0.0, min(timeout, _NEVER))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop without threads, sockets or waiting."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        return self._skipping.skipped

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Work at once: what a thread would do meanwhile is over before anybody looks."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the caller's to catch
            future.set_exception(error)
        return future


class VirtualClock:
    """The loop's time as a clock on the wall, which may be set forward or back."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.jumped = timedelta(0)

    def now(self) -> datetime:
        elapsed = timedelta(seconds=asyncio.get_running_loop().time())
        return self.start + elapsed + self.jumped

    async def sleep_until(self, when: datetime) -> None:
        await pause(self._seconds(when))

    async def wait(self, event: asyncio.Event, until: datetime) -> None:
        try:
            await asyncio.wait_for(event.wait(), self._seconds(until))
        except TimeoutError:
            return

    def _seconds(self, when: datetime) -> float:
        return max(0.0, (when - self.now()).total_seconds()) + _ONE


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - the loop's time is virtual
