"""Time that passes only when nothing else is left to do: hours of life in a moment, in one order."""

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.process import PROCESS, new_task

_MOST_ROUNDS = 100_000
_ONE = 1e-6
"""What a sleep is longer, so that the rounding of instants never ends it too early."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop without threads, sockets or waiting, in which a process can be stopped."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._rounds = 0
        super().__init__()
        self.set_exception_handler(lambda _loop, _context: None)
        self.set_task_factory(new_task)  # type: ignore[arg-type]

    def time(self) -> float:
        return self._passed

    def _run_once(self) -> None:
        """Run what is ready; when nothing is, the time of the next timer has come."""
        ready: Any = self._ready  # type: ignore[attr-defined]
        timers: list[Any] = self._scheduled  # type: ignore[attr-defined]
        if not ready:
            while timers and timers[0]._cancelled:
                heapq.heappop(timers)._scheduled = False
            if not timers:
                raise RuntimeError("everybody waits for somebody else")
            if timers[0].when() > self._passed:
                self._passed, self._rounds = timers[0].when(), 0
        self._rounds += 1
        if self._rounds > _MOST_ROUNDS:
            raise RuntimeError("time stands still: somebody runs in circles")
        while timers and timers[0].when() <= self._passed:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(PROCESS)
            if process is not None and process.frozen:
                process.held_back.append(handle)
            else:
                handle._run()

    def go_on(self, held_back: list[Any]) -> None:
        """Run what was held back while a process was frozen, in its order."""
        self._ready.extend(held_back)  # type: ignore[attr-defined]

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

    def __init__(self, start: datetime, loop: asyncio.AbstractEventLoop) -> None:
        self.start = start
        self.jumped = timedelta(0)
        self._loop = loop

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self._loop.time()) + self.jumped

    async def sleep_until(self, when: datetime) -> None:
        await pause(self._seconds(when))

    async def wait(self, event: asyncio.Event, until: datetime) -> None:
        try:
            async with asyncio.timeout(self._seconds(until)):
                await event.wait()
        except TimeoutError:
            return

    def _seconds(self, when: datetime) -> float:
        return max(0.0, (when - self.now()).total_seconds()) + _ONE


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - the loop's time is virtual
