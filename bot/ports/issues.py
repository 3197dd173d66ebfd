"""What the table of production issues is asked: filters, an order, and a place to go on from."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rules.category import Category
from rules.issues.issue import Issue, Standing
from rules.issues.typical import Typical
from rules.priority import Impact, Priority, Urgency

MOST_COUNTED = 10_000
"""More matches than these are told as so many and more."""


class SortBy(StrEnum):
    """What the table can be sorted by; unknown values always come last."""

    OPENED = "opened"
    PRODUCT = "product"
    TIER = "tier"
    CATEGORY = "category"
    IMPACT = "impact"
    URGENCY = "urgency"
    PRIORITY = "priority"
    STATUS = "status"
    OWNER = "owner"
    ON_CALL = "on_call"
    TTD = "ttd"
    TTA = "tta"
    TTM = "ttm"
    TTR = "ttr"
    TTV = "ttv"
    CAUSE = "cause"
    RECURS = "recurs"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFilter:
    """Which issues; empty means all. Instants are half-open: `[since, until)` of the opening.

    `standings` are any of; every word of `text` must be a word of an issue, or begin one. With `breached`
    only those whose promise was missed are meant, or, when False, was kept.
    """

    text: str = ""
    standings: tuple[Standing, ...] = ()
    priorities: tuple[Priority, ...] = ()
    category: Category | None = None
    impact: Impact | None = None
    urgency: Urgency | None = None
    tier: int | None = None
    product: str = ""
    owner: str = ""
    on_call: str = ""
    cause: str = ""
    breached: bool | None = None
    recurring: bool = False
    to_follow_up: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueQuery:
    """A page of the table: after or before the issue of a number, or from the start.

    With `typical` it also tells how long those that match typically took.
    """

    filter: IssueFilter = field(default_factory=IssueFilter)
    sort: SortBy = SortBy.OPENED
    descending: bool = True
    after: int | None = None
    before: int | None = None
    size: int = 50
    typical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePage:
    """The issues of a page in order, and whether there are others on either side.

    `total` counts all that match; where it is not `exact`, counting ended there. `typical` is of
    all that match, or of the newest of them where they are many.
    """

    issues: Sequence[Issue]
    more_before: bool
    more_after: bool
    total: int
    exact: bool = True
    typical: Typical | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What filters can be set to, each sorted."""

    products: Sequence[str] = ()
    owners: Sequence[str] = ()
    causes: Sequence[str] = ()
    on_call: Sequence[str] = ()


class Issues(Protocol):
    """The table of production issues; every method raises NotStoredError."""

    async def page(self, query: IssueQuery, now: datetime) -> IssuePage: ...

    def all(self, query: IssueQuery, now: datetime) -> AsyncIterator[Sequence[Issue]]:
        """Return everything that matches, in pieces, in the order of the query."""
        ...

    async def choices(self) -> Choices: ...

    async def numbered(self, number: int) -> Issue | None: ...

    async def recurrences(self, number: int) -> Sequence[Issue]:
        """Return those that opened for the same thing right after this one."""
        ...

    async def use_link(self, link: str, ends_at: datetime, now: datetime) -> bool:
        """Note that a sign-in link is used, or a session over; False when it was already."""
        ...

    async def is_used(self, link: str) -> bool: ...
