"""A query of the table as the address writes it, and back: what people share as a link."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from multidict import MultiMapping

from bot.ports.issues import Choices, IssueFilter, IssueQuery, SortBy
from rules.category import Category
from rules.issues.issue import Standing, searched
from rules.priority import Impact, Priority, Urgency

SIZES = (25, 50, 100, 200)
LONGEST = 200
STATUSES: Mapping[str, tuple[Standing, ...]] = {
    "open": (Standing.TRIGGERED, Standing.ACKNOWLEDGED),
    "triggered": (Standing.TRIGGERED,),
    "acknowledged": (Standing.ACKNOWLEDGED,),
    "resolved": (Standing.RESOLVED,),
    "closed": (Standing.CLOSED,),
}
T = TypeVar("T")
_PROMISES = {"missed": True, "kept": False}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for; `given` is what it says, `faults` what was left out and why."""

    query: IssueQuery
    given: Mapping[str, tuple[str, ...]]
    faults: tuple[str, ...] = ()

    def first(self, name: str) -> str:
        return next(iter(self.given.get(name, ())), "")

    def address(self, path: str = "/issues", **changes: object) -> str:
        """Return the address of this view with changes; None leaves a thing out, pages begin anew."""
        turned = {"after", "before"}
        pairs = [
            (name, value)
            for name, values in self.given.items()
            if name not in changes and name not in turned
            for value in values
        ]
        pairs += [(name, str(value)) for name, value in changes.items() if value is not None]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def sorted_by(self, by: str) -> str:
        """Return the address that sorts by a column, the other way round where it already is."""
        here = self.query.sort.value == by
        down = not self.query.descending if here else by not in _UPWARDS
        return self.address(sort=by, dir="desc" if down else "asc")

    def direction_of(self, by: str) -> str:
        """Return the sort of a column as `aria-sort` says it, "" for none."""
        if self.query.sort.value != by:
            return ""
        return "descending" if self.query.descending else "ascending"

    @property
    def narrows(self) -> bool:
        return self.query.filter != IssueFilter()


_UPWARDS = frozenset(
    {"product", "tier", "category", "impact", "urgency", "priority", "status", "owner", "on_call",
     "cause", "follow_up"}
)  # fmt: skip
_NAMES = (
    "q", "status", "priority", "category", "impact", "urgency", "tier", "product", "owner",
    "on_call", "cause", "promise", "recurring", "follow_up", "since", "until", "sort", "dir",
    "size", "after", "before",
)  # fmt: skip


def asked(said: MultiMapping[str], zone: ZoneInfo) -> Asked:
    """Read an address; days are those of `zone`. What cannot be meant is told and left out."""
    given = {
        name: tuple(v for one in said.getall(name, ())[:10] if (v := one.strip()[:LONGEST]))
        for name in _NAMES
    }
    given = {name: values for name, values in given.items() if values}
    read = _Reading(given)
    which = IssueFilter(
        text=read.words("q"),
        standings=read.known("status", STATUSES.__getitem__) or (),
        priorities=tuple(p for p in read.each("priority", Priority) if p is not None),
        category=read.known("category", Category),
        impact=read.known("impact", Impact),
        urgency=read.known("urgency", Urgency),
        tier=read.known("tier", _tier),
        product=read.text("product"),
        owner=read.text("owner"),
        on_call=read.text("on_call"),
        cause=read.text("cause"),
        breached=read.known("promise", _PROMISES.__getitem__),
        recurring=read.text("recurring") == "yes",
        to_follow_up=read.text("follow_up") == "yes",
        since=_begin(read.known("since", date.fromisoformat), zone),
        until=_end(read.known("until", date.fromisoformat), zone),
    )
    sort = read.known("sort", SortBy) or SortBy.OPENED
    query = IssueQuery(
        filter=which,
        sort=sort,
        descending=read.text("dir") != "asc" if "dir" in given else sort.value not in _UPWARDS,
        after=read.number("after"),
        before=read.number("before"),
    )
    size = read.number("size")
    query = replace(query, size=size) if size in SIZES else query
    return Asked(query, given, tuple(read.faults))


def meant(wanted: Asked, choices: Choices, name: Callable[[str], str]) -> Asked:
    """Return what is asked once owner and product are those that are meant, as people write them."""
    which = wanted.query.filter
    which = replace(
        which,
        owner=known_as(which.owner, choices.owners, name),
        product=known_as(which.product, choices.products, name),
    )
    return replace(wanted, query=replace(wanted.query, filter=which))


def known_as(written: str, known: Sequence[str], name: Callable[[str], str]) -> str:
    """Return the one of `known` that is written so, or called so, in any case; else what is written."""
    if not written or written in known:
        return written
    plain = written.casefold()
    return next((one for one in known if plain in {one.casefold(), name(one).casefold()}), written)


class _Reading:
    def __init__(self, given: Mapping[str, tuple[str, ...]]) -> None:
        self._given = given
        self.faults: list[str] = []

    def text(self, name: str) -> str:
        return next(iter(self._given.get(name, ())), "")

    def words(self, name: str) -> str:
        written = self.text(name)
        if not written or searched(written):
            return written
        words = f"“{written[:40]}” has no letter or digit to search for; it was left out."
        self.faults.append(words)
        return ""

    def known(self, name: str, read: Callable[[str], T]) -> T | None:
        written = self.text(name)
        return self._one(name, written, read) if written else None

    def each(self, name: str, read: Callable[[str], T]) -> list[T | None]:
        return [self._one(name, written, read) for written in self._given.get(name, ())]

    def number(self, name: str) -> int | None:
        return self.known(name, _number)

    def _one(self, name: str, written: str, read: Callable[[str], T]) -> T | None:
        try:
            return read(written)
        except (ValueError, KeyError):
            label = name.replace("_", " ")
            self.faults.append(f"“{written[:40]}” is no {label} we know; it was left out.")
            return None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError(text)
    return int(text)


def _tier(text: str) -> int:
    if not (tier := _number(text)):
        raise ValueError(text)
    return tier


def _begin(day: date | None, zone: ZoneInfo) -> datetime | None:
    if day is None or day == date.min:  # which begins before the calendar, east of Greenwich
        return None
    return datetime.combine(day, time(), zone)


def _end(day: date | None, zone: ZoneInfo) -> datetime | None:
    """Return the instant the day is over: `until` a day means with all of it."""
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time(), zone)
