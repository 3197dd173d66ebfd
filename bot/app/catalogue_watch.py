"""Keeps the rules' catalogue as its files are: read at start, and again when one changes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from subprocess import SubprocessError

import structlog

from bot.app.file_watch import FileWatch
from bot.app.rules_in_force import RulesInForce
from bot.clock import Clock

log = structlog.get_logger(__name__)

_Stamps = tuple[tuple[str, int, int], ...]


class CatalogueWatch(FileWatch):
    """Reads in a thread, for manifests are large; what is wrong is logged and left out."""

    def __init__(self, files: Sequence[str], rules: RulesInForce, clock: Clock) -> None:
        super().__init__(clock)
        self._files = tuple(files)
        self._rules = rules
        self._seen: _Stamps | None = None

    async def look(self) -> bool:
        """Read the files if one of them has changed; tell whether they were read."""
        stamps = await asyncio.to_thread(_stamps, self._files)
        if stamps == self._seen:
            return False
        # the readers are heavy, and most starts have no catalogue
        from bot.catalogue.reading import read_catalogue

        self._seen = stamps
        try:
            read = await asyncio.to_thread(read_catalogue, self._files)
        except (OSError, ValueError, RuntimeError, SubprocessError) as error:
            # paging goes on with what was known before
            log.warning("catalogue not read", action="read_catalogue", error=str(error))
            return False
        for fault in (*read.faults, *read.warnings):
            log.warning("catalogue", action="read_catalogue", fault=str(fault))
        if read.faults and not (read.catalogue.products or read.catalogue.assets):
            # a file that is just being replaced must not make everything unknown
            return False
        await self._rules.know(read.catalogue, read.lineage)
        log.info(
            "catalogue read",
            action="read_catalogue",
            products=len(read.catalogue.products),
            assets=len(read.catalogue.assets),
        )
        return True


def _stamps(files: Sequence[str]) -> _Stamps:
    found = []
    for path in map(Path, files):
        parts = sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]
        for part in parts:
            try:
                stat = part.stat()
            except (OSError, ValueError):
                found.append((str(part), 0, 0))
            else:
                found.append((str(part), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
