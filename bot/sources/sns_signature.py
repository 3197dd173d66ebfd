"""Amazon SNS's signature: who signed, for which topic, when; and the word that we want its messages."""

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from bot.sources.fetch import Fetch, FetchError, fetch
from bot.sources.json_body import JsonValue, read_object, text_of
from bot.sources.kind import UnreadableError
from bot.sources.options import Option, words
from bot.sources.scheme import Attempt, Scheme, Verdict, has, refused, undecided

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

TYPE_HEADER = "x-amz-sns-message-type"
CONFIRMED_NOTE = "x-watchbill-sns-confirmed"
"""Stored with a confirmed subscription: `yes`, or why it could not be confirmed."""

NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"
OLDEST = timedelta(hours=1)
"""SNS tries for less than an hour; what is older is a replay."""
AHEAD = timedelta(minutes=5)
CERTIFICATES = 16
FETCHES = 10
MINUTE = timedelta(minutes=1)
"""At most so many certificates are fetched in so long."""

_HOST = re.compile(
    r"sns\.(?:cn-[a-z]+-\d\.amazonaws\.com\.cn|[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com)"
)
_PEM_PATH = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED[CONFIRMATION]

_log = structlog.get_logger(__name__)

Envelope = Mapping[str, JsonValue]


def string_to_sign(envelope: Envelope) -> bytes:
    """Return what SNS signs: names and values of the type's fields, a line each."""
    names = _SIGNED[text_of(envelope.get("Type"))]
    lines = [
        f"{name}\n{text_of(envelope[name])}\n" for name in names if envelope.get(name) is not None
    ]
    return "".join(lines).encode("utf-8", "surrogatepass")


def is_amazons(url: str) -> bool:
    """Tell whether an address is SNS's own: https, its host, no port and nobody's name."""
    try:
        parts = urlsplit(url)
        ours = parts.scheme == "https" and parts.netloc == parts.hostname
    except ValueError:
        return False
    return ours and url.isprintable() and bool(_HOST.fullmatch(parts.hostname or ""))


@dataclass(slots=True)
class Certificates:
    """SNS's certificates by address, each fetched once; at most sixteen are kept."""

    fetch: Fetch = fetch
    _kept: dict[str, "Certificate"] = field(default_factory=dict)
    _asked: list[datetime] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, url: str, now: datetime) -> "Certificate":
        """Raises FetchError; the address must have been checked."""
        if url not in self._kept:
            async with self._lock:
                if url not in self._kept:
                    await self._get(url, now)
        found = self._kept[url]
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            raise FetchError("the certificate is not valid now")
        return found

    async def _get(self, url: str, now: datetime) -> None:
        # Whoever knows a topic's name could otherwise have us fetch without end.
        self._asked = [one for one in self._asked if now - one < MINUTE]
        if len(self._asked) >= FETCHES:
            raise FetchError("too many certificates were asked for")
        self._asked.append(now)
        # Some 65 ms of imports that only SNS sources need.
        from cryptography.x509 import load_pem_x509_certificate

        try:
            found = load_pem_x509_certificate(await self.fetch(url))
        except ValueError as error:
            raise FetchError("it is not a certificate") from error
        while len(self._kept) >= CERTIFICATES:
            del self._kept[next(iter(self._kept))]
        self._kept[url] = found


@dataclass(frozen=True, slots=True)
class SnsSignatures:
    """Judges SNS's requests, and confirms subscriptions of the topics that may send."""

    certificates: Certificates = field(default_factory=Certificates)
    confirm: Fetch = fetch

    async def authenticate(self, attempt: Attempt) -> Verdict:
        try:
            envelope = read_object(attempt.body)
        except UnreadableError:
            return refused("The body is not an SNS message; turn raw message delivery off.")
        why = _wrong_envelope(envelope, attempt)
        if why:
            return refused(why)
        if wrong := await self._wrong_signature(envelope, attempt):
            return wrong
        if not _is_recent(text_of(envelope.get("Timestamp")), attempt.now):
            minutes = int(OLDEST.total_seconds() // 60)
            return Verdict(
                accepted=False, why=f"The message is more than {minutes} minutes old.", stale=True
            )
        if envelope.get("Type") != CONFIRMATION:
            return Verdict(accepted=True)
        return Verdict(accepted=True, notes={CONFIRMED_NOTE: await self._confirm(envelope)})

    async def _wrong_signature(self, envelope: Envelope, attempt: Attempt) -> Verdict | None:
        url = text_of(envelope.get("SigningCertURL"))
        if not is_amazons(url) or not _PEM_PATH.fullmatch(urlsplit(url).path):
            return refused("The certificate is not at an address of SNS.")
        try:
            signature = base64.b64decode(text_of(envelope.get("Signature")), validate=True)
            certificate = await self.certificates.get(url, attempt.now)
        except FetchError as error:
            why = f"The certificate of SNS could not be fetched ({error}); send it again."
            return undecided(why)
        except (binascii.Error, ValueError):
            return refused("The signature is not base64.")
        old = text_of(envelope.get("SignatureVersion")) == "1"
        fits = _fits(certificate, signature, string_to_sign(envelope), old=old)
        return None if fits else refused("The signature of SNS does not fit the message.")

    async def _confirm(self, envelope: Envelope) -> str:
        topic, url = text_of(envelope.get("TopicArn")), text_of(envelope.get("SubscribeURL"))
        if not is_amazons(url):
            return "the link is not an address of SNS"
        try:
            await self.confirm(url)
        except FetchError as error:
            _log.warning("SNS subscription not confirmed", topic=topic, error=str(error))
            return str(error)
        _log.info("SNS subscription confirmed", topic=topic)
        return "yes"


def _wrong_envelope(envelope: Envelope, attempt: Attempt) -> str:
    topics = attempt.options.get("topics")
    if not isinstance(topics, tuple) or not topics:
        return "This source has no `topics` under `options`; nothing passes until it has."
    if envelope.get("TopicArn") not in topics:
        return "The topic is not under `options.topics` of the source."
    kind = envelope.get("Type")
    if not isinstance(kind, str) or kind not in _SIGNED:
        return "It is no type of message that SNS sends."
    if attempt.headers.get(TYPE_HEADER) != kind:
        return f"{TYPE_HEADER} names another type than the message."
    version = text_of(envelope.get("SignatureVersion"))
    if version == "1" and attempt.options.get("allow_signature_version_1"):
        return ""
    if version != "2":
        return "Set SignatureVersion to 2 in the topic's attributes; only that is accepted."
    return ""


def _fits(certificate: "Certificate", signature: bytes, signed: bytes, *, old: bool) -> bool:
    # Some 65 ms of imports that only SNS sources need.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    public = certificate.public_key()
    if not isinstance(public, RSAPublicKey):
        return False
    try:
        # SHA1 only where the configuration allows the old version.
        public.verify(signature, signed, PKCS1v15(), SHA1() if old else SHA256())  # noqa: S303
    except InvalidSignature:
        return False
    return True


def _is_recent(said: str, now: datetime) -> bool:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return False
    return at.tzinfo is not None and now - OLDEST <= at <= now + AHEAD


def scheme(signatures: SnsSignatures) -> Scheme:
    return Scheme(
        claims=has(TYPE_HEADER),
        authenticate=signatures.authenticate,
        mandatory=True,
        keyless=True,
    )


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")  # noqa: TRY004 - the contract of options
    return value


SCHEME = scheme(SnsSignatures())
OPTIONS = {
    "topics": Option("The ARNs of the topics that may send; needed.", words, needed=True),
    "allow_signature_version_1": Option(
        "`true` also takes the old signature over SHA1; `false` when left out.", _yes_or_no
    ),
}
