"""What went wrong with Google, in three kinds: later, refused, or only this one event."""

import json
from datetime import timedelta
from enum import StrEnum

_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_SPENT = frozenset({"quotaExceeded", "dailyLimitExceeded"})
"""Too many in a day or so: it may be asked again, but never soon."""
_LONGEST_WAIT = timedelta(hours=1)
SHARE = (
    "Share it with the service account's address, with the right to change events;"
    " docs/calendar.md says how."
)


class LaterError(Exception):
    """Google cannot take it now; `after` when it said how long to wait."""

    def __init__(self, why: str, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


class RefusedError(Exception):
    """It cannot work as it is; the text says what to do."""


class TokenExpiredError(LaterError):
    """The sync token is too old; everything must be listed again."""


class Outcome(StrEnum):
    DONE = "done"
    CONFLICT = "conflict"
    """Somebody changed or removed the event since it was listed."""
    EXISTS = "exists"
    LATER = "later"
    REFUSED = "refused"


def reason_of(content: bytes) -> tuple[str, str]:
    """Return Google's reason, a word, and its message, from the body of an error."""
    try:
        error = json.loads(content)["error"]
        first = (error.get("errors") or [{}])[0]
        return str(first.get("reason", "")), str(error.get("message", ""))[:300]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "", ""


def wait_of(retry_after: str | None) -> timedelta | None:
    """Read a Retry-After header in seconds, an hour at the most."""
    text = (retry_after or "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return None
    return min(timedelta(seconds=int(text)), _LONGEST_WAIT)


def is_later(status: int, reason: str) -> bool:
    return status >= 500 or status in {408, 429} or (status == 403 and reason in _TOO_FAST)


def fault_of(
    status: int, reason: str, message: str, retry_after: str | None, calendar: str
) -> Exception:
    """Return what an answer about the whole calendar means."""
    if is_later(status, reason):
        return LaterError(f"Google answers {status} {reason}".strip(), wait_of(retry_after))
    if status == 410:
        return TokenExpiredError("Google wants everything to be listed again")
    if status in {403, 404} and reason not in _SPENT:
        return RefusedError(f"Google does not let us use the calendar {calendar}. {SHARE}")
    if status == 401:
        words = "Google does not accept the credentials; make a new key for the service account."
        return RefusedError(words)
    return RefusedError(f"Google answers {status} {reason}: {message}".strip())


def outcome_of(status: int, reason: str) -> Outcome:
    """Return what an answer about one event means."""
    if is_later(status, reason) or (status == 403 and reason in _SPENT):
        return Outcome.LATER
    if status == 409:
        return Outcome.EXISTS
    if status in {404, 410, 412}:
        return Outcome.CONFLICT
    return Outcome.REFUSED
