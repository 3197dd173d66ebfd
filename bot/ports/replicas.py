"""A word from one replica to the others: a hint to look at once, never the only way."""

from enum import StrEnum
from typing import Protocol


class Word(StrEnum):
    """What there is to look at: work that anybody may take, or what people asked for."""

    WORK = "work"
    ASKED = "asked"


class Replicas(Protocol):
    """The other processes on the same database. Words may be lost, and are then found by polling."""

    def tell(self, word: Word) -> None:
        """Let the others know soon; the same word said twice meanwhile is said once."""
        ...

    async def say(self, word: Word) -> None:
        """Let the others know now, before this process ends; never raises."""
        ...

    async def run(self) -> None:
        """Hear the others, and connect again whenever that ends."""
        ...
