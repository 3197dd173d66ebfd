"""The only reader of the clock."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait for another time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    async def sleep_until(self, when: datetime) -> None:
        """Return at `when`, or at once when it has passed."""
        ...

    async def wait(self, event: asyncio.Event, until: datetime) -> None:
        """Return when `event` is set or at `until`, whichever comes first."""
        ...


def steady() -> float:
    """Return seconds that nobody sets, and that pass while the machine sleeps, where it tells any."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if boot is None else time.clock_gettime(boot)


class SystemClock:
    """The machine's clock, corrected by `offset`; `speed` makes a demo's night pass in minutes.

    `offset` is what the database's clock is ahead of ours: replicas that correct by it agree. From
    then on nobody who sets the machine's clock makes one wake people before their time.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        start: datetime | None = None,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = steady,
    ) -> None:
        self.offset = timedelta(0)
        self._speed = speed
        self._follows = speed == 1.0 and start is None
        self._seconds, self._steady = wall, steady
        self._began = wall()
        self._start = start or datetime.fromtimestamp(self._began, UTC)

    def now(self) -> datetime:
        elapsed = self._seconds() - self._began
        if self._speed != 1.0:
            elapsed *= self._speed
        return self._start + timedelta(seconds=elapsed) + self.offset

    def correct(self, ahead: timedelta) -> None:
        """Go by a clock that is `ahead` of ours; one that was set or runs faster follows none."""
        if not self._follows:
            return
        self._start, self._began = self.now() - self.offset, self._steady()
        self._seconds = self._steady
        self.offset += ahead

    def skip_to(self, when: datetime) -> None:
        """Set the clock forward, as a demo does; who sleeps by now is not woken by it."""
        self.offset += max(timedelta(), when - self.now())

    async def sleep_until(self, when: datetime) -> None:
        await asyncio.sleep(self._real_seconds(when))

    async def wait(self, event: asyncio.Event, until: datetime) -> None:
        # not asyncio.wait_for: before Python 3.12 whoever is cancelled as the event comes goes on
        try:
            async with asyncio.timeout(self._real_seconds(until)):
                await event.wait()
        except TimeoutError:
            return

    def _real_seconds(self, when: datetime) -> float:
        return max(0.0, (when - self.now()).total_seconds() / self._speed)
