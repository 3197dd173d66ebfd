"""Is the sender who it says: bearer, basic, signature, or a key in the address."""

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web

SIGNATURE_HEADER = "X-Watchbill-Signature"
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Who may pass. `secrets` are the present and the previous one; none of them is empty.

    Without secrets nobody passes, or, with `open_on_loopback`, whoever is on this machine.
    """

    secrets: tuple[str, ...] = field(repr=False)
    allow_query_key: bool = False
    open_on_loopback: bool = False
    _ours: tuple[bytes, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not all(self.secrets):
            raise ValueError("an empty secret would let everybody in")
        object.__setattr__(self, "_ours", tuple(map(_bytes, self.secrets)))

    def passes_by_header(self, request: web.Request) -> bool:
        """Decide by all that does not need the body."""
        if not self.secrets:
            return self.open_on_loopback and _is_local(request)
        given = _given(request)
        if self.allow_query_key and (key := request.query.get("key")):
            given = [*given, key]
        # Every comparison is made, so that the time tells nothing.
        pairs = [(_bytes(one), ours) for one in given for ours in self._ours]
        return sum(hmac.compare_digest(one, ours) for one, ours in pairs) > 0

    def may_be_signed(self, request: web.Request) -> bool:
        return bool(self.secrets) and SIGNATURE_HEADER in request.headers

    def passes_by_signature(self, request: web.Request, body: bytes) -> bool:
        given = _bytes(request.headers.get(SIGNATURE_HEADER, "").strip().lower())
        ours = [sign(secret, body).encode() for secret in self.secrets]
        return sum(hmac.compare_digest(given, one) for one in ours) > 0


def sign(secret: str, body: bytes) -> str:
    """Return the value of the signature header for a raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _given(request: web.Request) -> Sequence[str]:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return [rest.strip()]
    if scheme.lower() != "basic":
        return []
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return []
    return [decoded.partition(":")[2]]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_local(request: web.Request) -> bool:
    # Behind a proxy everybody seems to be on this machine.
    if any(name in request.headers for name in _PROXY_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
