"""Addresses and codes that acknowledge: signed, for one person and one page, and only for a while."""

import binascii
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.clock import Clock
from rules.contacting.method import Method

LIFETIME = timedelta(hours=24)
_LONGEST = 2_000
_DIGITS = 6


class Purpose(StrEnum):
    """What a token is good for; one never passes for another."""

    ACK = "ack"
    PRESS = "press"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says, once its signature and its time are checked."""

    person: str
    incident_id: str
    page: str
    method: Method


class Links:
    """Makes and reads tokens. `base_url` is "" where others cannot reach us: then there are none."""

    def __init__(self, secret: str, base_url: str, clock: Clock) -> None:
        if not secret:
            raise ValueError("links need a secret to be signed with")
        self._secret = hmac.new(secret.encode(), b"watchbill contact", hashlib.sha256).digest()
        self._base_url = base_url.rstrip("/")
        self._clock = clock

    def ack(self, claim: Claim, since: datetime) -> str:
        """Return the address whose page acknowledges; it is the same for the same page."""
        return self._address("/ack/", Purpose.ACK, claim, since)

    def press(self, claim: Claim, since: datetime) -> str:
        """Return the address that hears which key was pressed."""
        return self._address("/contact/twilio/pressed/", Purpose.PRESS, claim, since)

    def status(self, claim: Claim, since: datetime) -> str:
        """Return the address that hears what became of a call or text message."""
        return self._address("/contact/twilio/status/", Purpose.STATUS, claim, since)

    def here(self, path: str) -> str:
        """Return the whole address of a path of ours, as others call it."""
        return self._base_url + path

    def code(self, person: str, page: str) -> str:
        """Return the digits that acknowledge a page by a text message; "" where none is heard."""
        if not self._base_url:
            return ""
        digest = hmac.new(self._secret, f"code\n{person}\n{page}".encode(), hashlib.sha256).digest()
        return f"{int.from_bytes(digest[:8]) % 10**_DIGITS:0{_DIGITS}d}"

    def read(self, purpose: Purpose, token: str) -> Claim | None:
        """Return what a token says; None when it is forged, for something else, or too old."""
        body, dot, mac = token.partition(".")
        if not dot or len(token) > _LONGEST or not token.isascii():
            return None
        if not hmac.compare_digest(self._mac(purpose, body), mac):
            return None
        try:
            person, incident_id, page, method, ends = json.loads(
                urlsafe_b64decode(body + "=" * (-len(body) % 4))
            )
            claim = Claim(person, incident_id, page, Method(method))
            ends_at = datetime.fromtimestamp(ends, UTC)
        except (binascii.Error, ValueError, TypeError, OverflowError):
            return None
        return claim if self._clock.now() < ends_at else None

    def _address(self, path: str, purpose: Purpose, claim: Claim, since: datetime) -> str:
        if not self._base_url:
            return ""
        ends = int((since + LIFETIME).timestamp())
        said = [claim.person, claim.incident_id, claim.page, claim.method.value, ends]
        body = urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode())
        text = body.decode().rstrip("=")
        return f"{self._base_url}{path}{text}.{self._mac(purpose, text)}"

    def _mac(self, purpose: Purpose, body: str) -> str:
        mac = hmac.new(self._secret, f"{purpose}\n{body}".encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(mac[:18]).decode()
