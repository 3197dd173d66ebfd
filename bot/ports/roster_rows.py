"""What is kept of the roster's rows of overrides: what each said when both sides last agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rules.schedule.merging import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBase:
    """The common value of one row as of `at`; reads that began before say nothing about it.

    `over_at` is when it may be forgotten; `conflict` what was told of it last, "" when nothing.
    """

    id: str
    base: Base
    at: datetime
    over_at: datetime
    conflict: str = ""


class RowWrites(Protocol):
    """The part of a transaction that keeps them; what is saved is written at once."""

    async def rows(self, since: datetime) -> Sequence[RowBase]:
        """Return what is known of rows that are not over since then."""
        ...

    async def row(self, its_id: str) -> RowBase | None: ...
    async def save(self, row: RowBase) -> None: ...
    async def forget(self, its_id: str) -> None: ...
    async def forget_over(self, before: datetime) -> None:
        """Forget rows that were over before then."""
        ...

    async def changes_number(self) -> int:
        """Return a number that changes with whatever people change about the rotation."""
        ...


class RowReads(Protocol):
    """Read-only answers; every method may raise NotStoredError."""

    async def rows(self, since: datetime) -> Sequence[RowBase]: ...
    async def changes_number(self) -> int: ...
