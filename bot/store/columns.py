"""How values stand in columns: UTC instants, and texts both databases can hold and index."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_KEY = 500
"""PostgreSQL indexes no value beyond a third of a page (2,704 bytes)."""


def to_micros(at: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return from_micros(value)


def stored_text(text: str) -> str:
    """Return `text` as every database takes it: no NUL, no lone surrogate."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def stored_key(key: str) -> str:
    """Return `key` as stored; one too long for an index keeps its start and a hash of it all."""
    if len(key) <= _LONGEST_KEY and key.isascii() and "\0" not in key:
        return key
    clean = stored_text(key)
    if len(clean) <= _LONGEST_KEY:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()
    return f"{clean[: _LONGEST_KEY - len(digest)]}{digest}"
