"""A machine starts the bot, and starts it again after each death; it can also be frozen whole."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from bot.ports.inbox import NotStoredError
from tests.simulation.bot import Bot
from tests.simulation.chance import Died
from tests.simulation.process import PROCESS, Process
from tests.simulation.time import VirtualLoop
from tests.simulation.world import World

_PATIENCE = 10.0
"""Seconds for which somebody outside waits for an answer."""

Request = Callable[[Bot], Coroutine[Any, Any, bool]]


class Machine:
    """One of the places where the bot runs."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.deaths = 0
        self.on_sleep: Callable[[Machine], None] = lambda _: None
        """Called when it has fallen asleep by itself; who wakes it hears of it so."""
        self._world = world
        self._process = Process(name, world.fate)
        self.bot: Bot | None = None
        self._task: asyncio.Task[Any] | None = None
        self._gone_since: float | None = None

    @property
    def is_up(self) -> bool:
        return self.bot is not None and not self._process.dead and not self._process.frozen

    @property
    def is_frozen(self) -> bool:
        return self._process.frozen

    def start(self) -> None:
        self._process = process = Process(self.name, self._world.fate)
        process.falls_asleep = self._falls_asleep
        self.bot = Bot(self._world, process)
        self._task = self._begin(process, self.bot.run())
        self._is_back()
        self._world.note(self.name, "starts")

    def has_died(self) -> bool:
        """Tell whether its process has ended; raises what it died of when that was no simulated death."""
        if self._task is None:
            return True
        if self._task.done() and not self._process.dead:
            error = self._task.exception()
            if error is None or not only_simulated(error):
                raise RuntimeError("the bot ended by itself") from error
        return self._process.dead or self._task.done()

    @property
    def whole(self) -> "asyncio.Task[Any] | None":
        """Ends with the process."""
        return self._task

    async def asked(self, request: Request) -> bool:
        """Make a request of the bot; what it dies of, or is frozen in, is answered by nobody."""
        if self.bot is None or self._process.dead:
            return False
        task = self._begin(self._process, request(self.bot))
        await asyncio.wait({task}, timeout=_PATIENCE)
        if not task.done() or task.cancelled() or task.exception() is not None:
            return False
        return bool(task.result())

    def _falls_asleep(self) -> None:
        if self.freeze():
            self.on_sleep(self)

    def freeze(self) -> bool:
        """Stop everything in the process where it is; not while it has the turn to write.

        A database that serves several ends the transaction of one that does not go on.
        """
        if not self.is_up or self._world.disk.turns.owner is self._process:
            return False
        self._process.frozen = True
        self._is_gone()
        self._world.note(self.name, "is frozen")
        return True

    def thaw(self) -> None:
        """Let it go on where it was: all its timers that are over ring now."""
        process = self._process
        if process.frozen:
            process.frozen = False
            self._is_back()
            self._world.note(self.name, "goes on")
            held_back, process.held_back = process.held_back, []
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.go_on(held_back)
            self._world.disk.turns.let_go_on()

    async def kill(self) -> None:
        """End the process where it is, and give back what the operating system would."""
        process, self.bot = self._process, None
        process.dead = True
        self.thaw()
        if self._task is not None:
            tasks = [task for task in process.tasks if not task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.deaths += 1
            self._is_gone()
            self._world.note(self.name, "is dead")
        self._task = None

    def _is_gone(self) -> None:
        self._gone_since = self._world.fate.now()

    def _is_back(self) -> None:
        fate = self._world.fate
        if self._gone_since is not None:
            fate.away.append((self._gone_since, fate.now()))
            fate.inside.append(fate.now())
            self._gone_since = None

    def _begin(self, process: Process, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        context = copy_context()
        context.run(PROCESS.set, process)
        # a process of its own: it ends with nobody else
        return asyncio.get_running_loop().create_task(work, context=context)


def only_simulated(error: BaseException) -> bool:
    """Tell whether an error is nothing but simulated deaths."""
    if isinstance(error, BaseExceptionGroup):
        return all(only_simulated(one) for one in error.exceptions)
    return isinstance(error, Died | asyncio.CancelledError | NotStoredError)
