"""A token bucket: so many a minute, all of them at once if need be."""

from datetime import datetime


class TokenBucket:
    """Holds `per_minute` tokens when full and fills up within a minute."""

    def __init__(self, per_minute: int, now: datetime) -> None:
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._tokens = self._capacity
        self._at = now

    def take(self, now: datetime) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        elapsed = (now - self._at).total_seconds()
        self._at = now
        if elapsed > 0:
            self._tokens = min(self._capacity, self._tokens + elapsed * self._per_second)
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._per_second
