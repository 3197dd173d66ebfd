"""The contract that every kind of source meets: a stored body in, alerts out."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from bot.ports import inbox
from bot.ports.inbox import Delivery
from bot.sources.options import Options
from bot.sources.scheme import Scheme

Parsed = inbox.Parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a parser needs to know of a configured source; secrets stay with the door.

    `timezone` is meant where a body gives times without an offset; `options` are as the kind's
    own options have read them.
    """

    name: str
    kind: str
    mapping: Mapping[str, object] = field(default_factory=dict)
    timezone: tzinfo = UTC
    options: Mapping[str, object] = field(default_factory=dict)


class UnreadableError(Exception):
    """No alert can be made of the body.

    `why` is a constant sentence per fault, because unreadable deliveries that fail alike are
    one thing to a person; what differs between deliveries goes into `detail`.
    """

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"{why} {detail}".strip())
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An authenticated request before it is stored. Header names are lower-case."""

    source: Source
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a vendor that verifies an address wants to hear; nothing is stored then."""

    body: str
    content_type: str = "text/plain"
    status: int = 200


def digest(*parts: str | bytes) -> str:
    """Return 32 hexadecimal digits that stand for `parts`; their borders count."""
    seen = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        seen.update(len(raw).to_bytes(8))
        seen.update(raw)
    return seen.hexdigest()


def bucket(at: datetime, seconds: int) -> str:
    """Return the same text for all instants of one aligned stretch of `seconds`."""
    return str(int(at.timestamp()) // seconds)


RETRY_SECONDS = 10


def key_by_body(arrival: Arrival, *, seconds: int = RETRY_SECONDS) -> str:
    """Name a delivery by its bytes, anew every `seconds`.

    A body without an identity may come again and mean it (broken, whole, broken), so only a
    quick retry is taken for one. The time comes first: keys of one minute stand together in
    their index, and a store of a million is as quick to add to as an empty one.
    """
    return f"{bucket(arrival.at, seconds)}-{digest(arrival.body)}"


def no_handshake(arrival: Arrival) -> Answer | None:  # noqa: ARG001 - the signature is the contract
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """One kind of source.

    `parse` raises UnreadableError; anything else it raises is a fault of ours, and is caught by
    `registry.read`. `delivery_key` is unique within the source and equal for a retry of the same
    delivery; it must not raise on any bytes. `headers` are the lower-case names that are stored
    with the body because `parse` reads them. `scheme` is the vendor's own way to sign, if it has
    one; `options` are the settings that only this kind has. With `asked_first` senders
    want an answer to OPTIONS before they send. `too_many` is the status at which its senders wait
    and send again: many give up at any 4xx, also at 429.
    """

    name: str
    parse: Callable[[Source, Delivery], Parsed]
    delivery_key: Callable[[Arrival], str] = key_by_body
    handshake: Callable[[Arrival], Answer | None] = no_handshake
    headers: frozenset[str] = frozenset()
    scheme: Scheme | None = None
    options: Options = field(default_factory=dict)
    asked_first: bool = False
    too_many: int = 429
