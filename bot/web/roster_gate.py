"""Who may say that the roster has changed: a signed body that says when, and of which sheet."""

import json
from collections.abc import Mapping

from bot.sources.scheme import ACCEPTED, Attempt, Scheme, Verdict, any_fits, is_fresh, refused
from bot.sources.scheme import stale as too_old
from bot.web.authentication import SIGNATURE_HEADER, Gate, sign

_HEADER = SIGNATURE_HEADER.lower()
_WRONG = (
    f"Sign the body with `roster_secret` in {SIGNATURE_HEADER}; docs/roster-google.md says how."
)
_NO_TIME = 'The body must be a JSON object with "at", the time in seconds or milliseconds.'


def roster_gate(secret: str, sheet: str = "", *, open_on_loopback: bool = False) -> Gate:
    """Return the gate; with `sheet`, an announcement of another spreadsheet is refused."""
    return Gate(
        secrets=(secret,) if secret else (),
        open_on_loopback=open_on_loopback,
        scheme=Scheme(claims=_claims, authenticate=_authenticate, mandatory=True),
        options={"sheet": sheet},
    )


def _claims(headers: Mapping[str, str]) -> bool:
    return _HEADER in headers


def _authenticate(attempt: Attempt) -> Verdict:
    given = attempt.headers.get(_HEADER, "").strip().lower()
    if not any_fits([given], [sign(secret, attempt.body) for secret in attempt.secrets]):
        return refused(_WRONG)
    try:
        said = json.loads(attempt.body)
    except (ValueError, RecursionError):
        return refused(_NO_TIME)
    at = said.get("at") if isinstance(said, dict) else None
    if not isinstance(at, int) or isinstance(at, bool):
        return refused(_NO_TIME)
    if not is_fresh(str(at), attempt.now):
        return too_old('"at"')
    ours, theirs = attempt.options.get("sheet"), said.get("id")
    if ours and theirs and theirs != ours:
        return refused("This is not the spreadsheet that `roster` names.")
    return ACCEPTED
