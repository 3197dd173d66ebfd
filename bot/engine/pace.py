"""How many things one transaction decides: as many as are quick, fewer where one of them fails."""

from dataclasses import dataclass
from datetime import timedelta

MOST = 200
TURN = timedelta(milliseconds=30)
"""So long others may wait for a SQLite file, and for this process, until they have their turn."""
_FEW = 2
_SLOWEST = timedelta(milliseconds=200)
"""A single one that takes longer is large itself, and no sign of a slow database."""


@dataclass(slots=True)
class Pace:
    """Learns by what went well, and by what failed."""

    quick: int = MOST
    suspects: int = MOST
    least: timedelta = timedelta(0)
    """What the last took that decided one, or one and another: so long does any transaction take."""

    @property
    def batch(self) -> int:
        return min(self.quick, self.suspects)

    @property
    def narrows(self) -> bool:
        """Tell whether one that fails is being looked for."""
        return self.suspects < MOST

    def went_well(self, count: int, took: timedelta) -> None:
        """Learn that so many were decided in that time."""
        if 0 < count <= _FEW:
            self.least = min(took, _SLOWEST)
        if count and took - self.least > TURN:
            self.quick = max(1, min(self.quick, count) // 2)
        elif count >= self.quick:
            self.quick = min(MOST, 2 * self.quick)
        self.suspects = min(MOST, 2 * self.suspects)

    def failed(self, count: int) -> None:
        """Learn that one of so many cannot be decided: fewer next time, at last one alone."""
        self.suspects = max(1, min(self.batch, count) // 2)

    def found(self) -> None:
        """Learn that the one that fails is out of the way."""
        self.suspects = MOST
