"""Faults to order: what a bad day at Google looks like."""

from dataclasses import dataclass, field
from typing import Literal

from bot.local_google.errors import GoogleError

Kind = Literal[
    "too_many_429",
    "rate_limited_403",
    "quota_exceeded_403",
    "service_disabled_403",
    "http_500",
    "http_502",
    "http_503",
    "unauthenticated_401",
    "html",
    "drop_before",
    "drop_after_commit",
    "timeout_after_commit",
    "truncated",
]

_DISABLED = (
    "Google Sheets API has not been used in project 42 before or it is disabled. Enable it by"
    " visiting https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?"
    "project=42 then retry."
)
_REFUSALS: dict[Kind, tuple[int, str, str]] = {
    "too_many_429": (429, "Quota exceeded for quota metric 'Read requests'", "rateLimitExceeded"),
    "rate_limited_403": (403, "Rate Limit Exceeded", "rateLimitExceeded"),
    "quota_exceeded_403": (403, "Calendar usage limits exceeded.", "quotaExceeded"),
    "service_disabled_403": (
        403,
        _DISABLED,
        "accessNotConfigured",
    ),
    "http_500": (500, "Internal error encountered.", "backendError"),
    "http_502": (502, "Bad Gateway", "backendError"),
    "http_503": (503, "The service is currently unavailable.", "backendError"),
    "unauthenticated_401": (
        401,
        "Request had invalid authentication credentials.",
        "authError",
    ),
}


@dataclass(slots=True)
class Fault:
    """One kind of trouble for calls of `method` ("*" for all, or a discovery id), `times` times.

    The first `after` calls still go well. `retry_after` (seconds) is told when it is given.
    """

    kind: Kind
    method: str = "*"
    times: int = 1
    after: int = 0
    retry_after: int | None = None

    @property
    def refusal(self) -> GoogleError | None:
        """The answer that replaces the real one, None for what happens on the wire."""
        if self.kind not in _REFUSALS:
            return None
        status, message, reason = _REFUSALS[self.kind]
        return GoogleError(status, message, reason=reason, retry_after=self.retry_after)


@dataclass(slots=True)
class Faults:
    """The faults that are still to come, oldest first."""

    waiting: list[Fault] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        method: str = "*",
        *,
        times: int = 1,
        after: int = 0,
        retry_after: int | None = None,
    ) -> None:
        self.waiting.append(Fault(kind, method, times, after, retry_after))

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that hits this call, which uses it up by one."""
        for fault in self.waiting:
            if fault.method not in {"*", method}:
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self.waiting.remove(fault)
            return fault
        return None
