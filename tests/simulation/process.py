"""A process among others in one loop: it dies or freezes as a whole, and its coins are the seed's."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context, ContextVar
from typing import Any

from tests.simulation.chance import Died, Fate

PROCESS: ContextVar["Process | None"] = ContextVar("PROCESS", default=None)
"""The simulated process that a task belongs to, and all that it starts."""
_MANY = 64


class Process:
    """One life of a process. A dead one runs into walls, a frozen one does nothing at all."""

    def __init__(self, name: str, fate: Fate) -> None:
        self.name = name
        self.fate = fate
        self.dead = False
        self.frozen = False
        self.falls_asleep: Callable[[], None] = lambda: None
        """Freezes the process here and now, if it may be frozen."""
        self.held_back: list[Any] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._many = _MANY

    def may_die(self) -> None:
        """Be a point at which the process may end, and the wall that a dead one runs into."""
        if self.dead:
            raise Died
        if self.fate.strikes("die"):
            self.dead = True
            raise Died

    def may_sleep(self) -> bool:
        """Be a point at which the whole process may stop for a while; tell whether it did."""
        if not self.frozen and self.fate.strikes("sleeps"):
            self.falls_asleep()
        return self.frozen

    def add(self, task: asyncio.Task[Any]) -> None:
        self.tasks.append(task)
        if len(self.tasks) > self._many:
            self.tasks = [one for one in self.tasks if not one.done()]
            self._many = _MANY + 2 * len(self.tasks)


def new_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    context: Context | None = None,
) -> asyncio.Task[Any]:
    """Make a task that its process knows of: in the order of their making they end with it."""
    task = asyncio.Task(coroutine, loop=loop, context=context)
    process = PROCESS.get() if context is None else context.get(PROCESS)
    if process is not None:
        process.add(task)
    return task


class Turns:
    """A lock whose turns come in order, and never to somebody who is frozen."""

    def __init__(self) -> None:
        self.owner: Process | None = None
        self._is_taken = False
        self._waiting: deque[tuple[asyncio.Future[None], Process | None]] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        await self._take()
        try:
            yield
        finally:
            self._give_back()

    def let_go_on(self) -> None:
        """Give the turn to whoever may have it now."""
        if not self._is_taken:
            self._give_back()

    async def _take(self) -> None:
        process = PROCESS.get()
        if not self._is_taken:
            self._is_taken, self.owner = True, process
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((future, process))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._give_back()
            raise

    def _give_back(self) -> None:
        self._is_taken, self.owner = False, None
        for waiting in list(self._waiting):
            future, process = waiting
            if future.done():
                self._waiting.remove(waiting)
            elif process is None or not process.frozen:
                self._waiting.remove(waiting)
                self._is_taken, self.owner = True, process
                future.set_result(None)
                return
