"""Keeps the rules' runbooks as their files are: read at start, and again when one changes."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta

import structlog

from bot.app.catalogue_watch import FIRST_LOOK
from bot.clock import Clock
from bot.config.runbooks import RunbooksSpec
from bot.runbooks.reading import Stamps, read_runbooks, stamps
from rules.runbooks.choosing import Runbooks

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(seconds=30)


class RunbookWatch:
    """Reads in a thread; a file that cannot be read is logged and left out."""

    def __init__(self, spec: RunbooksSpec, know: Callable[[Runbooks], None], clock: Clock) -> None:
        self._spec = spec
        self._know = know
        self._clock = clock
        self._seen: Stamps | None = None
        self._looked = asyncio.Event()
        self.runbooks: Runbooks | None = None
        """What was read last, None before anything could be."""

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            try:
                await self.look()
            finally:
                self._looked.set()
            await self._clock.sleep_until(self._clock.now() + LOOK_EVERY)

    async def before(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin the work once the files have been read, or could not be in a reasonable time.

        What breaks in the first second has its runbook too; no page waits for a drive that hangs.
        """
        await self._clock.wait(self._looked, self._clock.now() + FIRST_LOOK)
        await work()

    async def look(self) -> bool:
        """Read the folders if a file of them has changed; tell whether they were read."""
        spec = self._spec
        seen = await asyncio.to_thread(stamps, spec.folders)
        if seen == self._seen:
            return False
        self._seen = seen
        read = await asyncio.to_thread(
            read_runbooks, spec.folders, tuple(spec.actions), link=spec.link
        )
        for fault in (*read.faults, *read.warnings):
            log.warning("runbook", action="read_runbooks", fault=str(fault))
        if read.faults and not len(read.runbooks) and self.runbooks is not None:
            # a checkout that is just being replaced must not make every runbook unknown
            return False
        self.runbooks = read.runbooks
        self._know(read.runbooks)
        log.info("runbooks read", action="read_runbooks", count=len(read.runbooks))
        return True
