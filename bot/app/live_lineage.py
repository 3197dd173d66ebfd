"""The catalogue in force: what the files say, joined with what live events tell of lineage."""

import asyncio
from datetime import UTC, datetime

import structlog

from bot.clock import Clock
from bot.ports.store import Reader
from rules.catalogue import Catalogue
from rules.lineage import Lineage
from rules.products.live_catalogue import Live, with_seen
from rules.seen_lineage import Seen

log = structlog.get_logger(__name__)

REST = 10
"""A join is followed by so many times its own length without one: a flood costs a tenth at most."""


class LiveLineage:
    """Joins in a thread, and only when the files or what was seen have changed."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._files: tuple[Catalogue, Lineage | None] = (Catalogue(), None)
        self._seen = Seen()
        self._rest_until = datetime.min.replace(tzinfo=UTC)
        self._joining = asyncio.Lock()
        self.live = Live(*_none())

    @property
    def lineage(self) -> Lineage | None:
        """Return the lineage, None where neither a file nor an event has told of any."""
        known = self._files[1] is not None or self._seen.assets
        return self.live.lineage if known else None

    async def know(self, catalogue: Catalogue, lineage: Lineage) -> None:
        """Take what the files say now."""
        async with self._joining:
            self._files = catalogue, lineage
            await self._join()

    async def refresh(self) -> bool:
        """Take what was seen since, on whichever replica; tell whether anything was."""
        async with self._joining:
            if self._clock.now() < self._rest_until:
                return False
            if await self._reader.lineage_version() == self._seen.version:
                return False
            self._seen = await self._reader.seen_lineage()
            await self._join()
        return True

    async def _join(self) -> None:
        began = self._clock.now()
        self.live = await asyncio.to_thread(with_seen, *self._files, self._seen)
        took = self._clock.now() - began
        self._rest_until = self._clock.now() + REST * took
        if self._seen.assets:
            log.info(
                "lineage joined",
                action="join_lineage",
                seen=len(self.live.seen),
                edges=len(self.live.edges),
                unclear=len(self.live.unclear),
                seconds=round(took.total_seconds(), 3),
            )


def _none() -> tuple[Catalogue, Lineage]:
    nothing = Catalogue()
    return nothing, Lineage(nothing, {})
