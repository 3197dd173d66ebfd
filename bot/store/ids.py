"""Identifiers that sort by the time they were made (UUID version 7, RFC 9562)."""

import secrets
from array import array
from collections.abc import Iterator
from datetime import datetime

_COUNTER_BITS = 42
_last = 0


def _many_bits() -> Iterator[int]:
    """Yield 32 random bits at a time; asking the system for each would give up the interpreter."""
    while True:
        yield from array("I", secrets.token_bytes(4_096))


_bits = _many_bits()


def new_id(now: datetime) -> str:
    """Return 32 hex digits; later calls of one process always sort after earlier ones."""
    global _last  # noqa: PLW0603 - the counter that keeps order within a millisecond
    milliseconds = int(now.timestamp() * 1000)
    if milliseconds > _last >> _COUNTER_BITS:
        _last = milliseconds << _COUNTER_BITS | secrets.randbits(_COUNTER_BITS - 1)
    else:
        _last += 1
    high, low = _last >> 30, _last & (1 << 30) - 1
    # 48 bits of time, version, 12 bits of counter; variant, 30 bits of counter, 32 random bits
    upper = (high >> 12) << 16 | 7 << 12 | high & 0xFFF
    return f"{upper << 64 | 0b10 << 62 | low << 32 | next(_bits):032x}"
