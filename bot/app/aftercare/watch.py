"""Keeps the rules' runbooks as their files are: read at start, and again when one changes."""

import asyncio
from collections.abc import Callable

import structlog

from bot.app.file_watch import FileWatch
from bot.clock import Clock
from bot.config.runbooks import RunbooksSpec
from bot.runbooks.reading import RunbooksRead, Stamps, read_runbooks, stamps
from rules.runbooks.choosing import Runbooks

log = structlog.get_logger(__name__)


class RunbookWatch(FileWatch):
    """Reads in a thread; a file that cannot be read is logged and left out."""

    def __init__(self, spec: RunbooksSpec, know: Callable[[Runbooks], None], clock: Clock) -> None:
        super().__init__(clock)
        self._spec = spec
        self._know = know
        self._seen: Stamps | None = None
        self._was_empty = False
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
        if self._is_being_replaced(read):
            return False
        self.runbooks = read.runbooks
        self._know(read.runbooks)
        log.info("runbooks read", action="read_runbooks", count=len(read.runbooks))
        return True

    def _is_being_replaced(self, read: RunbooksRead) -> bool:
        """Tell whether every runbook would become unknown for no more than a moment, perhaps."""
        if len(read.runbooks) or not self.runbooks:
            self._was_empty = False
            return False
        if read.faults:
            return True
        # empty and nothing wrong with it: the next look decides
        self._was_empty = not self._was_empty
        if self._was_empty:
            self._seen = None
        return self._was_empty
