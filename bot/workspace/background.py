"""Work that outlives the request that began it: one TaskGroup, opened and closed with the server."""

import asyncio
from collections.abc import Coroutine


class Background:
    """Runs coroutines until `close`; a coroutine that raises brings the server down loudly."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()

    def start(self, work: Coroutine[None, None, None]) -> None:
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        if self._group is None:
            return
        for task in list(self._tasks):
            task.cancel()
        group, self._group = self._group, None
        await group.__aexit__(None, None, None)
