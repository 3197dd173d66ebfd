"""Looks at files again and again; who needs what stands in them waits a little for the first look."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.clock import Clock

LOOK_EVERY = timedelta(seconds=30)
FIRST_LOOK = timedelta(seconds=10)
"""No page waits longer, be it a large manifest or a drive that hangs."""


class FileWatch(ABC):
    """What is read at the start, and again when a file has changed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked = asyncio.Event()

    @abstractmethod
    async def look(self) -> bool:
        """Read the files if one of them has changed; tell whether they were read."""

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            try:
                await self.look()
            finally:
                self._looked.set()
            await self._clock.sleep_until(self._clock.now() + LOOK_EVERY)

    async def before(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin the work once the files have been read, or could not be in a reasonable time.

        What waits from before a restart, or breaks in the first second, is decided by them too.
        """
        await self._clock.wait(self._looked, self._clock.now() + FIRST_LOOK)
        await work()
