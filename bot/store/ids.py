"""Identifiers that sort by the time they were made (UUID version 7, RFC 9562)."""

import secrets
from datetime import datetime

_COUNTER_BITS = 42
_last = 0


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
    return (
        f"{high >> 12:012x}7{high & 0xFFF:03x}{0b10 << 62 | low << 32 | secrets.randbits(32):016x}"
    )
