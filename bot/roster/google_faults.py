"""Why a spreadsheet cannot be read now, in words that say what to do."""

import json
import re
from datetime import timedelta

_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_LONGEST_WAIT = timedelta(minutes=10)
_LONGEST_MESSAGE = 300
_ENABLE = re.compile(r"https://console\.(?:developers|cloud)\.google\.com/\S+")


class SheetFaultError(Exception):
    """It cannot be read now; the text says why and what to do.

    `later` when it may go away by itself; `after` when Google said how long to wait. `tabs` when
    the tabs are not those that were there before, `denied` when the account may not do it.
    """

    def __init__(
        self,
        why: str,
        *,
        later: bool = False,
        after: timedelta | None = None,
        tabs: bool = False,
        denied: bool = False,
    ) -> None:
        super().__init__(why)
        self.denied = denied
        self.later = later
        self.after = after
        self.tabs = tabs


def later(why: str, after: timedelta | None = None) -> SheetFaultError:
    return SheetFaultError(why, later=True, after=after)


def fault_of(status: int, content: bytes, retry_after: str | None, who: str) -> SheetFaultError:
    """Return what an answer that is no success means; `who` is the service account's address."""
    reason, message = _told(content)
    if status >= 500 or status in {408, 429} or (status == 403 and reason in _TOO_FAST):
        return later(f"Google answers {status} {reason}".strip() + ".", _wait(retry_after))
    match status:
        case 400 if "parse range" in message or "grid" in message:
            return SheetFaultError(f"Google answers 400: {message}", tabs=True)
        case 400 if "not supported for this document" in message:
            words = "this is an Office file in Drive. Open it, choose File, Save as Google Sheets,"
            return SheetFaultError(f"{words} and name the new sheet in `roster`.")
        case 401:
            words = "Google does not accept the credentials. Make a new key for the service account"
            return SheetFaultError(f"{words} and name it in google.credentials.")
        case 403 if reason in {"accessNotConfigured", "SERVICE_DISABLED"} or "disabled" in message:
            where = _ENABLE.search(message)
            at = f": {where[0]}" if where else " in the Google Cloud console"
            words = f"the Google Sheets API is off in the service account's project. Enable it{at}"
            return SheetFaultError(words)
        case 403:
            words = f"the service account may not read the sheet. Share it with {who}"
            return SheetFaultError(f"{words} (Viewer is enough).", denied=True)
        case 404:
            words = "there is no such sheet. Take the id from its address, between /d/ and /edit,"
            return SheetFaultError(f"{words} and share it with {who}.")
        case _:
            return SheetFaultError(f"Google answers {status} {message or reason}".strip())


def grant_fault(text: str) -> SheetFaultError:
    """Return why Google gives the service account no access token."""
    folded = text.casefold()
    if "short-lived" in folded or "iat" in folded or "reasonable timeframe" in folded:
        words = "Google refuses our signature's time. Set this machine's clock right (NTP)."
    elif "account not found" in folded:
        words = (
            "the service account is gone. Make a new one and name its key in google.credentials."
        )
    else:
        words = (
            "Google gives the service account no access: its key was deleted or is broken. "
            "Make a new key and name it in google.credentials."
        )
    return SheetFaultError(words)


def _told(content: bytes) -> tuple[str, str]:
    """Return Google's reason, a word, and its message, from the body of an error."""
    try:
        error = json.loads(content)["error"]
        message = " ".join(str(error.get("message", "")).split())[:_LONGEST_MESSAGE]
        reasons = [one.get("reason") for one in error.get("errors") or ()]
        reasons += [one.get("reason") for one in error.get("details") or ()]
        return next((str(reason) for reason in reasons if reason), ""), message
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _wait(retry_after: str | None) -> timedelta | None:
    text = (retry_after or "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        return None
    return min(timedelta(seconds=int(text)), _LONGEST_WAIT)
