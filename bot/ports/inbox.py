"""What the engine and the web need of the store about deliveries: stored raw, taken later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rules.alert import Alert
from rules.run import Run
from rules.seen_lineage import SeenLineage


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One request to be stored raw before it is answered.

    `key` makes a repeated delivery harmless; it is unique for ever. `headers` hold only what a
    parser may need and never a secret.
    """

    source: str
    key: str
    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    id: str
    source: str
    key: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    received_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What one delivery said. A readable delivery with nothing to tell has no alerts."""

    alerts: tuple[Alert, ...] = ()
    lineage: tuple[SeenLineage, ...] = ()
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    id: str
    repeated: bool


class Inbox(Protocol):
    """Durable acceptance: returns only after the commit. Raises `NotStoredError`."""

    async def accept(self, delivery: NewDelivery) -> Accepted: ...


class NotStoredError(Exception):
    """The store could not commit; the sender must send again."""


class UnstorableError(NotStoredError):
    """The database never takes it as it is: what it is made of is at fault, and no other work."""


class ConflictError(Exception):
    """Another writer was faster; the transaction must be run again from the start."""


class LockedError(ConflictError):
    """Somebody has held for too long what it needs; it will go well once they let go."""
