"""A checked request, as the methods of the local Google get it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`caller` is the service account's address; `body` is {} where there is none."""

    caller: str
    path: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: dict[str, Any]
    now: datetime

    def all(self, name: str) -> Sequence[str]:
        return self.query.get(name, ())

    def one(self, name: str, default: str = "") -> str:
        return next(iter(self.all(name)), default)
