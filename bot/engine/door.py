"""One way into the engine, and how often in a row another writer was faster there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.ports.inbox import ConflictError, NotStoredError, UnstorableError

CONFLICTS = 5


@dataclass(slots=True)
class Door:
    """What is done behind it; a conflict behind one door says nothing about another."""

    work: Callable[[], Awaitable[int]]
    conflicts: int = 0

    def may_pass(self, error: Exception) -> bool:
        """Tell whether trying again may be all it needs, for nothing that was done is at fault.

        What loses `CONFLICTS` times in a row against other writers would lose for ever.
        """
        if isinstance(error, ConflictError):
            return self.conflicts < CONFLICTS
        return isinstance(error, NotStoredError) and not isinstance(error, UnstorableError)

    async def go_through(self) -> int:
        """Work and return how much was done. Raises what the work raises."""
        try:
            done = await self.work()
        except ConflictError:
            self.conflicts += 1
            raise
        self.conflicts = 0
        return done
