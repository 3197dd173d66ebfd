"""The catalogue's files with what the database has seen live, and the words that mark it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.cli.stored import exists
from bot.clock import SystemClock
from bot.config.settings import Config
from bot.ports.inbox import NotStoredError
from bot.store.errors import StoreInUseError, StoreUnfitError
from bot.store.opening import open_store
from rules.catalogue import Asset
from rules.products.live_catalogue import Live, with_seen
from rules.seen_lineage import Seen

if TYPE_CHECKING:  # the readers are heavy, and other commands would wait for them
    from bot.catalogue.reading import CatalogueRead


async def seen_lineage(config: Config) -> tuple[Seen, str]:
    """Return what live events told, and why that is nothing where the database cannot be read."""
    if not exists(config.database):
        return Seen(), ""
    try:
        store = await open_store(config.database, SystemClock(), beside=True)
        try:
            return await store.reader.seen_lineage(), ""
        finally:
            await store.close()
    except (StoreInUseError, StoreUnfitError, NotStoredError) as error:
        return Seen(), str(error)


def joined(read: "CatalogueRead", seen: Seen) -> "CatalogueRead":
    """Return what the files say, with what was seen."""
    live = with_seen(read.catalogue, read.lineage, seen)
    return replace(read, catalogue=live.catalogue, lineage=live.lineage, live=live)


@dataclass(frozen=True, slots=True)
class Marks:
    """Says of assets and edges that they were seen live, and when last."""

    live: Live | None
    now: datetime

    def asset(self, asset: Asset) -> str:
        """Return words for an asset that no file knows, nothing for others."""
        sighting = self.live.seen.get(asset.id) if self.live else None
        return self._words(sighting.last_at) if sighting and asset.seen_by else ""

    def edge(self, upstream: str, downstream: str) -> str:
        """Return words for an edge that no file has, nothing for others."""
        edge = self.live.edges.get((upstream, downstream)) if self.live else None
        return self._words(edge.last_at) if edge else ""

    def asset_map(self, asset: Asset) -> dict[str, Any]:
        """Return when and by whom it was seen, as JSON; `only_live`: no file knows it."""
        sighting = self.live.seen.get(asset.id) if self.live else None
        if sighting is None:
            return {}
        told = {"by": asset.seen_by or sighting.source, "only_live": bool(asset.seen_by)}
        times = {"first_at": sighting.first_at, "last_at": sighting.last_at}
        return {"seen": {**told, **{name: at.isoformat() for name, at in times.items()}}}

    def edge_map(self, upstream: str, downstream: str) -> dict[str, Any]:
        edge = self.live.edges.get((upstream, downstream)) if self.live else None
        return {"seen": {"by": edge.source, "last_at": edge.last_at.isoformat()}} if edge else {}

    def lines(self, asset: Asset) -> Iterator[tuple[str, str]]:
        """Yield names and values of what an asset's page says of sightings."""
        sighting = self.live.seen.get(asset.id) if self.live else None
        if sighting:
            only = "only live" if asset.seen_by else "live too"
            by = asset.seen_by or sighting.source
            yield "seen", f"{only}, by {by}, last {ago(self.now - sighting.last_at)}"

    def _words(self, last_at: datetime) -> str:
        return f"seen live, last {ago(self.now - last_at)}"


def ago(length: timedelta) -> str:
    """Return `12 min ago`, `5 h ago` or `3 days ago`."""
    minutes = max(0, length // timedelta(minutes=1))
    if minutes < 90:
        return f"{minutes} min ago"
    if minutes < 48 * 60:
        return f"{minutes // 60} h ago"
    return f"{minutes // (24 * 60)} days ago"
