"""The token that Google's services sign their requests with: whose it is, for whom, until when."""

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.sources.fetch import Fetch, FetchError, fetch
from bot.sources.json_body import JsonValue, inside, list_of, object_of, text_of
from bot.sources.options import Option, word
from bot.sources.scheme import ACCEPTED, Attempt, Scheme, Verdict, refused, undecided

if TYPE_CHECKING:
    from google.auth.crypt import Verifier

CERTIFICATES = "https://www.googleapis.com/oauth2/v3/certs"
ISSUERS = frozenset({"accounts.google.com", "https://accounts.google.com"})
LEEWAY = timedelta(minutes=1)
"""How far Google's clock and ours may be apart."""
KEPT = timedelta(hours=1)
"""How old fetched keys may get; Google announces new ones days ahead."""
PAUSE = timedelta(minutes=1)
"""Between two fetches, whatever anybody sends."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_TOKEN_LENGTH = 8_192
_UNSIGNED = (
    "There is no token in it; turn authentication on in the push subscription "
    "and choose a service account."
)
_KEYS = "write a JWKS, the path of a JWKS file, or key ids with PEM texts"

Keys = Mapping[str, str]
"""Key id -> public key or certificate as PEM."""


def read_keys(value: object) -> Keys:
    """Read the option `keys`. Raises ValueError."""
    if isinstance(value, str):
        try:
            value = json.loads(Path(value).read_bytes())
        except OSError as error:
            raise ValueError(f"{value} cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise ValueError(f"{value} is not JSON; {_KEYS}") from error
    if not isinstance(value, dict) or not value:
        raise ValueError(_KEYS)
    keys = _from_jwks(value) if "keys" in value else {str(k): text_of(v) for k, v in value.items()}
    for named, pem in keys.items():
        try:
            _verifier(pem)
        except (ValueError, TypeError) as error:
            raise ValueError(f'the key "{named}" is not an RSA key; {_KEYS}') from error
    if not keys:
        raise ValueError(f"there is no RSA key in it; {_KEYS}")
    return keys


def _from_jwks(document: Mapping[str, JsonValue]) -> Keys:
    # Some 60 ms of imports that only sources with tokens need.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    found: dict[str, str] = {}
    for one in list_of(document.get("keys")):
        if inside(one, "kty") != "RSA":
            continue
        e, n = (_number(text_of(inside(one, name))) for name in ("e", "n"))
        public = RSAPublicNumbers(e, n).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        found[text_of(inside(one, "kid"))] = pem.decode()
    return found


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text))


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


@lru_cache(maxsize=64)
def _verifier(pem: str) -> "Verifier":
    # Some 130 ms of imports that only sources with tokens need.
    from google.auth.crypt import RSAVerifier

    made: Verifier = RSAVerifier.from_string(pem)  # type: ignore[no-untyped-call]
    return made


@dataclass(frozen=True, slots=True)
class _Token:
    """A token taken apart; nothing of it is believed yet."""

    header: Mapping[str, JsonValue]
    claims: Mapping[str, JsonValue]
    signed: bytes
    signature: bytes


def _taken_apart(text: str) -> _Token | None:
    parts = text.split(".")
    if len(text) > _TOKEN_LENGTH or len(parts) != 3 or not text.isascii():
        return None
    try:
        header, claims, signature = (_decoded(part) for part in parts)
        read = [json.loads(one) for one in (header, claims)]
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not all(isinstance(one, dict) for one in read):
        return None
    return _Token(read[0], read[1], f"{parts[0]}.{parts[1]}".encode(), signature)


@dataclass(slots=True)
class GoogleKeys:
    """Google's public keys, fetched when they are needed and kept for an hour."""

    fetch: Fetch = fetch
    _keys: Keys = field(default_factory=dict)
    _fetched_at: datetime = _NEVER
    _tried_at: datetime = _NEVER
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    fault: str = ""

    async def get(self, named: str, now: datetime) -> str | None:
        """Return the key; a new id and old age have them fetched, at most once a minute."""
        if named in self._keys and now - self._fetched_at < KEPT:
            return self._keys[named]
        if now - self._tried_at >= PAUSE:
            self._tried_at = now
            await self._refresh(now)
        elif self._lock.locked() and named not in self._keys:
            # The first requests of all come together.
            async with self._lock:
                pass
        return self._keys.get(named)

    async def _refresh(self, now: datetime) -> None:
        async with self._lock:
            try:
                document = json.loads(await self.fetch(CERTIFICATES))
                # In a thread, because the first time imports much.
                self._keys = await asyncio.to_thread(read_keys, document)
            except (FetchError, ValueError) as error:
                self.fault = str(error)
                return
            self._fetched_at, self.fault = now, ""


@dataclass(frozen=True, slots=True)
class PushTokens:
    """Judges the token of a push request."""

    google: GoogleKeys = field(default_factory=GoogleKeys)

    async def authenticate(self, attempt: Attempt) -> Verdict:
        """Check the signature (RS256 only), issuer, audience, account and times."""
        scheme, _, text = attempt.headers.get("authorization", "").partition(" ")
        token = _taken_apart(text.strip())
        if scheme.lower() != "bearer" or token is None:
            return refused(_UNSIGNED)
        if token.header.get("alg") != "RS256":
            return refused("The token is not signed by RS256, which Google uses.")
        pem = await self._key(attempt, text_of(token.header.get("kid")))
        if pem is None:
            return _no_key(attempt, self.google.fault)
        if not _fits(pem, token):
            return refused("The token's signature does not fit.")
        why = _wrong_claim(token.claims, attempt.options)
        return refused(why) if why else _in_time(token.claims, attempt.now)

    async def _key(self, attempt: Attempt, named: str) -> str | None:
        if "keys" in attempt.options:
            return text_of(object_of(attempt.options["keys"]).get(named)) or None
        return await self.google.get(named, attempt.now)


def _no_key(attempt: Attempt, fault: str) -> Verdict:
    if "keys" in attempt.options:
        return refused("The token is signed by a key that is not under `keys` of the source.")
    if fault:
        return undecided(f"Google's keys could not be fetched ({fault}); send it again.")
    return refused("The token is not signed by a key of Google's.")


def _fits(pem: str, token: _Token) -> bool:
    fits: bool = _verifier(pem).verify(  # type: ignore[no-untyped-call]
        token.signed, token.signature
    )
    return fits


def _wrong_claim(claims: Mapping[str, JsonValue], options: Mapping[str, object]) -> str:
    for name in ("audience", "email"):
        if not options.get(name):
            return f"This source has no `{name}` under `options`; nothing passes until it has."
    if claims.get("iss") not in ISSUERS:
        return "The token is not issued by accounts.google.com."
    if claims.get("aud") != options["audience"]:
        return "The token is for another audience; compare it with `audience` of the source."
    if claims.get("email") != options["email"] or claims.get("email_verified") is not True:
        return "The token is another account's; compare it with `email` of the source."
    return ""


def _in_time(claims: Mapping[str, JsonValue], now: datetime) -> Verdict:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not all(isinstance(one, int | float) for one in (issued, expires)):
        return refused("The token does not say from when and until when it holds.")
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    # Not by subtraction: these can be too large for a date.
    if not (isinstance(issued, int | float) and issued - leeway <= at):
        return Verdict(accepted=False, why="The token holds from later on.", stale=True)
    if not (isinstance(expires, int | float) and at < expires + leeway):
        return Verdict(accepted=False, why="The token has expired.", stale=True)
    return ACCEPTED


def scheme(tokens: PushTokens) -> Scheme:
    return Scheme(
        claims=lambda headers: "authorization" in headers,
        authenticate=tokens.authenticate,
        mandatory=True,
        keyless=True,
    )


SCHEME = scheme(PushTokens())
OPTIONS = {
    "audience": Option(
        "The audience of the push subscription, as it is written there; needed.", word, needed=True
    ),
    "email": Option(
        "The service account that the push subscription authenticates as; needed.",
        word,
        needed=True,
    ),
    "keys": Option(
        "Keys that sign the tokens: a JWKS, the path of a JWKS file, or key ids with PEM texts; "
        "Google's own, fetched and kept for an hour, when left out.",
        read_keys,
    ),
}
