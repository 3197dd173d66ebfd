"""Carries one body to a hook: signed, with a time-out, tried again; standard library only.

It is copied into dbt jobs beside integrations/dbt/watchbill_dbt.py (Python 3.9 and later), so
it imports nothing of the bot.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

TIMEOUT = 10.0
"""Seconds for one attempt."""
WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts."""
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Parcel:
    """What is carried where; `delivery` makes sending the same thing twice harmless."""

    url: str
    body: bytes
    secret: str = ""
    delivery: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True)
class Receipt:
    """What came back: a status of 0 means that nobody answered."""

    status: int
    text: str
    retry_after: float = 0.0

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Say whether trying again is of no use."""
        again = self.status in (0, 408, 425, 429) or self.status >= 500
        return not again


def signature(secret: str, body: bytes) -> str:
    """Return the value of X-Watchbill-Signature: HMAC-SHA256 over the raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def carry(
    parcel: Parcel, *, sleep: Callable[[float], object], say: Callable[[str], object]
) -> Receipt:
    """Post until it is accepted, refused for good, or tried five times."""
    receipt = post(parcel)
    for number, wait in enumerate(WAITS, start=2):
        if receipt.accepted or receipt.final:
            break
        wait = min(max(wait, receipt.retry_after), LONGEST_WAIT)
        say(f"{receipt.text} Trying again in {wait:.0f} s ({number} of {len(WAITS) + 1}).")
        sleep(wait)
        receipt = post(parcel)
    return receipt


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the signed body to another host."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        del args, kwargs


def post(parcel: Parcel) -> Receipt:
    """Post once; whatever happens comes back as a receipt."""
    if not parcel.url.lower().startswith(("http://", "https://")):
        return Receipt(400, f"{parcel.url!r} is not an http:// or https:// address.")
    try:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            parcel.url, data=parcel.body, headers=_headers(parcel), method="POST"
        )
        opener = urllib.request.build_opener(_NoRedirect())
        with opener.open(request, timeout=TIMEOUT) as answer:
            return Receipt(answer.status, _delivery(answer.read(2_000)))
    except urllib.error.HTTPError as error:
        with error:
            wait = _seconds(error.headers.get("Retry-After"))
        return Receipt(error.code, f"Watchbill answered {error.code}.", wait)
    except urllib.error.URLError as error:
        return Receipt(0, f"Nobody answers at {parcel.url} ({error.reason}).")
    except (OSError, http.client.HTTPException) as error:
        return Receipt(0, f"No answer from {parcel.url} ({str(error) or type(error).__name__}).")
    except ValueError as error:
        return Receipt(400, f"The address or the secret cannot be used ({error}).")


def _headers(parcel: Parcel) -> dict[str, str]:
    headers = {"Content-Type": parcel.content_type, "User-Agent": "watchbill-send"}
    if parcel.delivery:
        headers["X-Watchbill-Delivery"] = parcel.delivery
    if parcel.secret:
        headers["X-Watchbill-Signature"] = signature(parcel.secret, parcel.body)
    return headers


def _delivery(answer: bytes) -> str:
    try:
        found = json.loads(answer)
    except ValueError:
        return ""
    return str(found.get("delivery", ""))[:80] if isinstance(found, dict) else ""


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def advice(receipt: Receipt, url: str) -> str:
    """Return what to do about a receipt that is not an acceptance."""
    known = {
        0: "Is the bot running, and may this machine reach it?",
        400: "Check the address.",
        401: "The secret is not the one of this source in Watchbill's config.yaml.",
        403: "The secret is not the one of this source in Watchbill's config.yaml.",
        404: "Watchbill has no source of this name: compare the last word of the address with "
        "`sources` in its config.yaml.",
        413: "The file is larger than Watchbill takes.",
        415: "The address does not take JSON: is it a Watchbill hook (…/hooks/<source>)?",
        429: "Watchbill is asked too often; wait a minute.",
    }
    if 300 <= receipt.status < 400:
        return f"{url} leads elsewhere: use the address it leads to."
    if receipt.status >= 500:
        return "The bot cannot store it now: see its /readyz."
    return known.get(receipt.status, "See the bot's log.")
