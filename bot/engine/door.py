"""One way into the engine, and how often in a row another writer was faster there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.ports.inbox import ConflictError

CONFLICTS = 5
"""What loses so often in a row against other writers would lose for ever."""


@dataclass(slots=True)
class Door:
    """What is done behind it; a conflict behind one door says nothing about another."""

    work: Callable[[], Awaitable[int]]
    conflicts: int = 0

    @property
    def may_pass(self) -> bool:
        """Tell whether the next conflict may be chance, so that trying again is all it needs."""
        return self.conflicts < CONFLICTS

    async def go_through(self) -> int:
        """Work and return how much was done. Raises what the work raises."""
        try:
            done = await self.work()
        except ConflictError:
            self.conflicts += 1
            raise
        self.conflicts = 0
        return done
