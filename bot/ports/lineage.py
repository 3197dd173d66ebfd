"""What the engine and the rules in force need of the store about lineage that was seen live."""

from typing import Protocol

from rules.seen_lineage import Seen, SeenLineage


class LineageWrites(Protocol):
    """The part of a transaction that remembers lineage; written at its end."""

    def see_lineage(self, source: str, seen: SeenLineage) -> None:
        """Remember what a source told of jobs and datasets."""
        ...


class LineageReads(Protocol):
    async def lineage_version(self) -> int:
        """Return a number that changes whenever what live events tell of lineage does."""
        ...

    async def seen_lineage(self) -> Seen: ...
