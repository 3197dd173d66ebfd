"""How a vendor proves that a request is its own: what a kind's signature scheme is made of."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

FRESH = timedelta(minutes=5)
"""A signed time further away than this is a replay, or a clock that is wrong."""

_WRONG = (
    "does not fit the body; use the same secret on both sides, "
    "and let nothing between them change the body."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A request that wants to pass. Header names are lower-case; `body` is as it came.

    Headers of one name are joined by ", ". `secrets` are the present and the previous one, and
    may be none.
    """

    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...] = field(repr=False)
    now: datetime
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it passes; `why` is told to the sender and `stale` says that only time is wrong.

    With `later` nobody could tell, and the sender is asked to come again: many senders give a
    message up for good when they are told that it is not theirs. `notes` are stored with the
    delivery's headers, for the parser.
    """

    accepted: bool
    why: str = ""
    stale: bool = False
    later: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


ACCEPTED = Verdict(accepted=True)


def refused(why: str) -> Verdict:
    return Verdict(accepted=False, why=why)


def undecided(why: str) -> Verdict:
    """Ask the sender to come again, because what decides could not be had."""
    return Verdict(accepted=False, why=why, later=True)


def wrong(header: str) -> Verdict:
    """Refuse a signature that nobody with our secret can have made."""
    return refused(f"{header} {_WRONG}")


def stale(header: str) -> Verdict:
    minutes = int(FRESH.total_seconds() // 60)
    why = f"{header} is more than {minutes} minutes from this machine's clock; send it anew."
    return Verdict(accepted=False, why=why, stale=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A kind's own way to authenticate.

    `claims` reads the headers, lower-case, and says that the sender has chosen this way; then
    `authenticate` alone decides, at once or after it has fetched a key. It must not raise. Who
    does not claim it may still use the general ways, unless the scheme is `mandatory`. One that
    is `keyless` needs no secret of ours.
    """

    claims: Callable[[Mapping[str, str]], bool]
    authenticate: Callable[[Attempt], Verdict | Awaitable[Verdict]]
    mandatory: bool = False
    keyless: bool = False


def has(header: str) -> Callable[[Mapping[str, str]], bool]:
    """Return the claim of a scheme that has a header of its own."""
    return lambda headers: header in headers


def hmac_hex(secret: str, *parts: bytes) -> str:
    """Return the lower-case hexadecimal HMAC-SHA256 of the parts, one after another."""
    made = hmac.new(secret.encode("utf-8", "surrogatepass"), digestmod=hashlib.sha256)
    for part in parts:
        made.update(part)
    return made.hexdigest()


def any_fits(given: Iterable[str], ours: Iterable[str]) -> bool:
    """Compare every pair, always all of them, so that the time tells nothing."""
    expected = [one.encode("utf-8", "surrogatepass") for one in ours]
    pairs = [(one.encode("utf-8", "surrogatepass"), our) for one in given for our in expected]
    return sum(hmac.compare_digest(one, our) for one, our in pairs) > 0


def by_hmac(header: str, *, prefix: str = "") -> Callable[[Attempt], Verdict]:
    """Return the check of a hexadecimal HMAC-SHA256 of the raw body in `header`.

    `prefix` stands before every signature, like `sha256=`; several are separated by commas.
    """
    name = header.lower()

    def authenticate(attempt: Attempt) -> Verdict:
        given = signatures(attempt.headers.get(name, ""), prefix)
        fits = any_fits(given, (hmac_hex(secret, attempt.body) for secret in attempt.secrets))
        return ACCEPTED if fits else wrong(header)

    return authenticate


def signatures(value: str, prefix: str) -> list[str]:
    """Return the signatures of a header, without their prefix and in lower case; at most ten."""
    listed = [one.strip().lower() for one in value.split(",", 10)[:10]]
    return [one.removeprefix(prefix) for one in listed if one.startswith(prefix) and one != prefix]


def is_fresh(said: str, now: datetime) -> bool:
    """Tell whether Unix seconds, or milliseconds, are within five minutes of `now`."""
    if not (said.isascii() and said.isdecimal() and len(said) <= 13):
        return False
    seconds = int(said) / (1000 if len(said) > 11 else 1)
    return abs(datetime.fromtimestamp(seconds, UTC) - now) <= FRESH
