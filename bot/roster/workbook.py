"""What every reader of a roster gives: named tabs of cells, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.roster.dates import SlashOrder
from bot.roster.table import Table


@dataclass(frozen=True, slots=True)
class Workbook:
    """Tabs in their order; a file that is one table has one tab whose name is "".

    `version` is a hash of what was read: equal versions hold the same cells. `slashes` is the
    order of 03/04/2026 where the file's locale tells it. `zone` is the spreadsheet's own zone,
    "" when it has none. `author` is who changed it last and `changed_at` when, where known.
    """

    tabs: Mapping[str, Table]
    version: str
    slashes: SlashOrder = SlashOrder.UNKNOWN
    zone: str = ""
    author: str = ""
    changed_at: datetime | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    """Tab to the address at which people open it, where there is one."""


class RosterSource(Protocol):
    """Where the roster is read from: a file, a folder, or a sheet of Google's."""

    @property
    def name(self) -> str:
        """What messages call it: "roster.xlsx"."""
        ...

    def look(self) -> object:
        """Return what changes whenever the content may have; cheap, called every second.

        None means that it cannot be seen now.
        """
        ...

    def read(self) -> Workbook:
        """Read it whole. Raises TableError, whose text says why it cannot be used."""
        ...
