"""Tries rows again that were given up: one now and then, and all once the roster takes it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from bot.app.roster.row_jobs import ROSTER_ROW, RowDeliverer
from bot.clock import Clock
from bot.ports.store import Reader

EVERY = timedelta(minutes=10)
_MOST = 500
_NEVER = datetime.min.replace(tzinfo=UTC)


class RowsGivenUp:
    """`retry` makes a job due again. Several processes may try: a job is revived once."""

    def __init__(
        self,
        reader: Reader,
        retry: Callable[[str], Awaitable[bool]],
        writer: RowDeliverer,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._retry = retry
        self._writer = writer
        self._clock = clock
        self._tried_at = _NEVER
        self._heard_of = _NEVER

    async def tick(self) -> int:
        """Revive what is to be tried; return how many rows. Raises NotStoredError."""
        now, written_at = self._clock.now(), self._writer.written_at or _NEVER
        back = written_at > self._heard_of
        if not back and now - self._tried_at < EVERY:
            return 0
        dead = await self._reader.dead_jobs(_MOST, ROSTER_ROW)
        self._tried_at, self._heard_of = now, written_at
        # the oldest first, as the rows were made; while none gets through, one is enough to know
        waiting = [job for job, _ in dead][::-1]
        return sum([await self._retry(job.id) for job in (waiting if back else waiting[:1])])

    async def standing(self) -> str:
        """Say what is not in the roster yet and why, "" when nothing is missing."""
        dead = await self._reader.dead_jobs(_MOST, ROSTER_ROW)
        if not dead:
            return ""
        count = len({job.payload["override"] for job, _ in dead})
        rows = "1 override is" if count == 1 else f"{count} overrides are"
        return f"{rows} in force without a row, tried again every ten minutes: {dead[0][1]}"
