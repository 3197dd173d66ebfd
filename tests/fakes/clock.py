"""A clock that stands still until a test moves it."""

import asyncio
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Time as the test says; waiting returns when the test has moved past the moment."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._moved: asyncio.Event | None = None

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now
        if self._moved is not None:
            self._moved.set()
            self._moved = None

    def advance(self, **delta: float) -> datetime:
        self.set(self._now + timedelta(**delta))
        return self._now

    async def sleep_until(self, when: datetime) -> None:
        while self._now < when:
            await self._next_move()

    async def wait(self, event: asyncio.Event, until: datetime) -> None:
        while self._now < until and not event.is_set():
            moved = asyncio.ensure_future(self._next_move())  # noqa: TID251 - two waits, one winner
            flagged = asyncio.ensure_future(event.wait())  # noqa: TID251
            _, pending = await asyncio.wait({moved, flagged}, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _next_move(self) -> None:
        if self._moved is None:
            self._moved = asyncio.Event()
        await self._moved.wait()
