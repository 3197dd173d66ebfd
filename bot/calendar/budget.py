"""How many calls a minute we make of a service that counts them."""

from datetime import timedelta

from bot.clock import Clock


class Budget:
    """Up to `per_minute` calls at once, and as many again within a minute; more must wait."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most = float(per_minute)
        self._left = self._most
        self._clock = clock
        self._at = clock.now()

    async def take(self, calls: int) -> None:
        """Return when so many calls may be made."""
        wanted = min(float(calls), self._most)
        while (missing := wanted - self._refilled()) > 0:
            pause = timedelta(minutes=missing / self._most)
            await self._clock.sleep_until(self._clock.now() + pause)
        self._left -= calls

    def spend(self, calls: int) -> None:
        """Count calls that were made already."""
        self._left -= calls

    def _refilled(self) -> float:
        now = self._clock.now()
        elapsed = max(0.0, (now - self._at).total_seconds())
        self._at = now
        self._left = min(self._most, self._left + elapsed * self._most / 60)
        # a hair less than a call is a call: time is counted in microseconds
        return self._left + 1e-3
