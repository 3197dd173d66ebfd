"""Faults to order: what a bad day at Slack looks like, for tests and for the demo."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.clock import Clock

Kind = Literal[
    "ratelimited",
    "error",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "html",
    "drop_before",
    "drop_after_commit",
    "timeout_after_commit",
]


@dataclass
class Fault:
    """One kind of trouble for calls of `method` ("*" for all), in one channel or everywhere."""

    method: str
    kind: Kind
    channel: str | None
    left: int | None
    until: datetime | None
    retry_after: int
    error: str

    def hits(self, method: str, channel: str | None, now: datetime) -> bool:
        return (
            self.method in {"*", method}
            and self.channel in {None, channel}
            and (self.left is None or self.left > 0)
            and (self.until is None or now < self.until)
        )


class Faults:
    """The faults that are still to come, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: list[Fault] = []

    def add(
        self,
        *,
        method: str,
        kind: Kind,
        channel: str | None = None,
        times: int | None = None,
        until: datetime | None = None,
        retry_after: int = 1,
        error: str = "internal_error",
    ) -> Fault:
        """Order a fault for the next `times` calls, or `until` then; once when neither is given.

        `channel` is a channel id; `retry_after` (seconds) belongs to "ratelimited", `error` (one
        of Slack's codes) to "error".
        """
        left = 1 if times is None and until is None else times
        fault = Fault(method, kind, channel, left, until, retry_after, error)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def take(self, method: str, channel: str | None) -> Fault | None:
        """The fault that hits this call, which uses it up by one."""
        now = self._clock.now()
        for fault in self._faults:
            if fault.hits(method, channel, now):
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None
