"""Is the sender who it says: the vendor's own scheme, bearer, basic, signature, or a key."""

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from bot.sources.scheme import ACCEPTED, Attempt, Scheme, Verdict, any_fits, refused

SIGNATURE_HEADER = "X-Watchbill-Signature"
UNAUTHORIZED = (
    "The secret is missing or wrong; send `Authorization: Bearer <secret>` "
    "or sign the body in X-Watchbill-Signature."
)
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Who may pass. `secrets` are the present and the previous one; none of them is empty.

    Without secrets nobody passes, or, with `open_on_loopback`, whoever is on this machine. Who
    claims the vendor's own `scheme` is judged by it alone.
    """

    secrets: tuple[str, ...] = field(repr=False)
    allow_query_key: bool = False
    open_on_loopback: bool = False
    scheme: Scheme | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    _ours: tuple[bytes, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not all(self.secrets):
            raise ValueError("an empty secret would let everybody in")
        object.__setattr__(self, "_ours", tuple(map(_bytes, self.secrets)))

    def passes_by_header(self, request: web.Request) -> bool:
        """Decide by all that does not need the body."""
        if not self.secrets and self.open_on_loopback and _is_local(request):
            return True
        if self._general_ways_are_shut(request):
            return False
        given = _given(request)
        if self.allow_query_key and (key := request.query.get("key")):
            given = [*given, key]
        # Every comparison is made, so that the time tells nothing.
        pairs = [(_bytes(one), ours) for one in given for ours in self._ours]
        return sum(hmac.compare_digest(one, ours) for one, ours in pairs) > 0

    def may_pass_by_body(self, request: web.Request) -> bool:
        """Say whether the body is worth reading."""
        if self.is_claimed(request):
            return True
        signed = bool(self.secrets) and SIGNATURE_HEADER in request.headers
        return signed and not self._general_ways_are_shut(request)

    async def judge(self, request: web.Request, body: bytes, now: datetime) -> Verdict:
        """Decide by the signature, for whom `may_pass_by_body` has let through."""
        if self.scheme is not None and self.is_claimed(request):
            said = self.scheme.authenticate(
                Attempt(
                    headers=_headers(request),
                    body=body,
                    secrets=self.secrets,
                    now=now,
                    query=request.query,
                    options=self.options,
                )
            )
            return await said if isinstance(said, Awaitable) else said
        given = request.headers.get(SIGNATURE_HEADER, "").strip().lower()
        ours = [sign(secret, body) for secret in self.secrets]
        return ACCEPTED if any_fits([given], ours) else refused(UNAUTHORIZED)

    def is_claimed(self, request: web.Request) -> bool:
        """Say whether the vendor's own scheme, and nothing else, decides."""
        # A scheme that works with a secret has nothing to work with.
        if self.scheme is None or not (self.secrets or self.scheme.keyless):
            return False
        return self.scheme.claims(_headers(request))

    def _general_ways_are_shut(self, request: web.Request) -> bool:
        return self.scheme is not None and (self.scheme.mandatory or self.is_claimed(request))


def sign(secret: str, body: bytes) -> str:
    """Return the value of the signature header for a raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _headers(request: web.Request) -> Mapping[str, str]:
    return {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}


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
