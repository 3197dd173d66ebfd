"""What the engine and the readers need of the store about runs and what is expected of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rules.expected_runs import Occasion, Standing
from rules.run import Run, RunIdentity


class RunWrites(Protocol):
    """The part of a transaction that keeps runs; loads lock, writes wait for its end."""

    def record_run(self, run: Run) -> None:
        """Keep what is told of one attempt; facts about it join in any order."""
        ...

    async def starts_of(self, runs: Sequence[Run]) -> Mapping[RunIdentity, datetime]:
        """Return when attempts began of which that was told before, by identity."""
        ...

    async def overdue_expectations(self, now: datetime, limit: int) -> Sequence[Standing]:
        """Lock up to `limit` expectations whose deadline has come, skipping others' locks."""
        ...

    async def expectations(self, names: Sequence[str]) -> Mapping[str, Standing]:
        """Lock the expectations of these names; those that are not there are left out."""
        ...

    def save_expectation(self, standing: Standing) -> None: ...
    def record_occasion(self, occasion: Occasion, *, known_only: bool = False) -> None:
        """Keep an occasion; a better outcome replaces a worse one, the first start stays.

        With `known_only` an occasion that nobody waited for stays unknown.
        """
        ...


class RunReads(Protocol):
    """The reader's part about runs."""

    async def standings(self) -> Sequence[Standing]:
        """Return where every expectation's clock stands, by name."""
        ...

    async def occasions(self, product_or_name: str, since: datetime) -> Sequence[Occasion]:
        """Return the occasions since then of a product, or of one expectation; oldest first."""
        ...

    async def latest_runs(self, source: str, pipeline: str, limit: int) -> Sequence[Run]:
        """Return the runs last heard of, newest first; an empty text stands for any."""
        ...

    async def runs_are_overdue(self, now: datetime) -> bool:
        """Tell whether any deadline of an expected run has come and was not judged yet."""
        ...

    async def overdue_runs(self) -> int:
        """Return how many expected runs have not started although their deadline has passed."""
        ...
