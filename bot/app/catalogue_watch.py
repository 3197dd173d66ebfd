"""Keeps the rules' catalogue as its files are: read at start, and again when one changes."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import SubprocessError
from typing import TYPE_CHECKING

import structlog

from bot.app.file_watch import FileWatch
from bot.app.rules_in_force import RulesInForce
from bot.clock import Clock

if TYPE_CHECKING:
    from bot.catalogue.reading import CatalogueRead

log = structlog.get_logger(__name__)

_Stamps = tuple[tuple[str, int, int], ...]


class CatalogueWatch(FileWatch):
    """Reads in a thread, for manifests are large; what is wrong is logged and left out.

    What was known stays while a file that said it cannot be read: it may be half written.
    """

    def __init__(
        self,
        files: Sequence[str],
        rules: RulesInForce,
        clock: Clock,
        read: "Callable[[Sequence[str]], CatalogueRead] | None" = None,
    ) -> None:
        super().__init__(clock)
        self._read = read
        self._files = tuple(files)
        self._rules = rules
        self._seen: _Stamps | None = None
        self._known: frozenset[str] = frozenset()

    async def look(self) -> bool:
        """Read the files if one of them has changed; tell whether they were read."""
        stamps = await asyncio.to_thread(_stamps, self._files)
        if stamps == self._seen:
            return False
        # the readers are heavy, and most starts have no catalogue
        from bot.catalogue.reading import read_catalogue

        try:
            read = await asyncio.to_thread(self._read or read_catalogue, self._files)
        except (OSError, ValueError, RuntimeError, SubprocessError) as error:
            # paging goes on with what was known before; the machine may be short of something
            log.warning("catalogue not read", action="read_catalogue", error=str(error))
            if isinstance(error, ValueError):
                self._seen = stamps
            return False
        self._seen = stamps
        for fault in (*read.faults, *read.warnings):
            log.warning("catalogue", action="read_catalogue", fault=str(fault))
        known = _known(read)
        if read.faults and (not known or self._known - known):
            # a file that is just being replaced must not make what it says unknown
            log.warning("catalogue kept as it was", action="read_catalogue")
            return False
        self._known = known
        await self._rules.know(read.catalogue, read.lineage, complete=not read.faults)
        log.info(
            "catalogue read",
            action="read_catalogue",
            products=len(read.catalogue.products),
            assets=len(read.catalogue.assets),
        )
        return True


def _known(read: "CatalogueRead") -> frozenset[str]:
    """Return what the files tell of, as far as they could be read: products and manifests."""
    products = {f"product {one.product.id}" for one in read.placed}
    return frozenset(products | {f"manifest {name}" for name, _ in read.manifests})


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
