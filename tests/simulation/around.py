"""A transaction that is changed as soon as it is open, for faults that are built in."""

from collections.abc import Callable
from typing import Any

from bot.ports.jobs import NewJob


def lose_one_in(store: Any, kind: str, count: int) -> None:
    """Drop one in so many jobs of a kind between the decision and the outbox."""
    begin, counted = store.store.begin, [0]

    def change(tx: Any) -> None:
        enqueue = tx.enqueue

        def enqueues(job: NewJob) -> None:
            counted[0] += job.kind == kind
            if job.kind != kind or counted[0] % count:
                enqueue(job)

        tx.enqueue = enqueues

    store.store.begin = lambda: Around(begin(), change)


class Around:
    """Stands where a store's transaction does; `change` gets it once it has begun."""

    def __init__(self, inner: Any, change: Callable[[Any], None]) -> None:
        self._inner, self._change = inner, change

    async def __aenter__(self) -> Any:
        tx = await self._inner.__aenter__()
        self._change(tx)
        return tx

    async def __aexit__(self, *how: object) -> Any:
        return await self._inner.__aexit__(*how)
