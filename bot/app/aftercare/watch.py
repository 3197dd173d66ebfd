"""Keeps the rules' runbooks as their files are: read at start, and again when one changes."""

import asyncio
from collections.abc import Callable

import structlog

from bot.app.file_watch import FileWatch
from bot.clock import Clock
from bot.config.runbooks import RunbooksSpec
from bot.runbooks.reading import Stamps, read_runbooks, stamps
from rules.runbooks.choosing import Runbooks

log = structlog.get_logger(__name__)


class RunbookWatch(FileWatch):
    """Reads in a thread; a file that cannot be read is logged and left out."""

    def __init__(self, spec: RunbooksSpec, know: Callable[[Runbooks], None], clock: Clock) -> None:
        super().__init__(clock)
        self._spec = spec
        self._know = know
        self._seen: Stamps | None = None
        self.runbooks: Runbooks | None = None
        """What was read last, None before anything could be."""

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
