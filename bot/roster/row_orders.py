"""What a writer of rows is asked for, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Put(Enum):
    """WRITTEN was read back; MISSING is a row that stood there and is gone; NO_PLACE a file
    that has no tab for overrides.
    """

    WRITTEN = "written"
    MISSING = "missing"
    NO_PLACE = "no place"


@dataclass(frozen=True, slots=True)
class RowOrder:
    """Make the row with this id say so; texts by the meaning of their column.

    `whole` is what a new row says, `changed` what one that stands there is to say instead. With
    `seen` it stood there before, so it is not written anew.
    """

    id: str
    whole: Mapping[str, str]
    changed: Mapping[str, str]
    seen: bool = False


class RowWriter(Protocol):
    """Writes rows of overrides where the roster is kept. Blocks; doing it twice is harmless.

    Raises SheetFaultError, whose text says why and what to do.
    """

    def put(self, order: RowOrder) -> Put: ...
