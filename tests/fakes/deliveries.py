"""Deliveries and arrivals as tests need them, without a server."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.ports.inbox import Delivery
from bot.sources.kind import Arrival, Source

RECEIVED = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent.parent / "payloads"


def payload(name: str) -> bytes:
    """Return a file of tests/payloads."""
    return (PAYLOADS / name).read_bytes()


def delivery(
    body: bytes | str | object,
    *,
    content_type: str = "application/json",
    source: str = "tool",
    headers: Mapping[str, str] | None = None,
) -> Delivery:
    """Return a delivery; what is neither bytes nor text is sent as JSON."""
    return Delivery(
        id="d1",
        source=source,
        key="k1",
        body=_raw(body),
        content_type=content_type,
        headers=headers or {},
        received_at=RECEIVED,
    )


def arrival(
    source: Source,
    body: bytes | str | object,
    *,
    at: datetime = RECEIVED,
    headers: Mapping[str, str] | None = None,
) -> Arrival:
    return Arrival(
        source=source,
        body=_raw(body),
        content_type="application/json",
        headers=headers or {},
        at=at,
    )


def _raw(body: bytes | str | object) -> bytes:
    if isinstance(body, bytes):
        return body
    return (
        body.encode("utf-8", "surrogatepass")
        if isinstance(body, str)
        else json.dumps(body).encode()
    )
