"""A calendar feed as text: one event for each span, in UTC, which all readers read alike."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rules.calendar.event import duty_of, summary_of
from rules.calendar.ledger import Published
from rules.people import People
from rules.plain_line import one_line

if TYPE_CHECKING:  # takes 0.2 s to load, and a start need not wait for the first feed
    from icalendar import Calendar, Event

REFRESH = timedelta(minutes=15)
_PRODUCT = "-//Watchbill//On call//EN"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a feed speaks: what people are called, a rotation's roles, the host in its ids."""

    people: People
    roles: Callable[[str], Sequence[str]]
    host: str


def feed_text(title: str, published: Iterable[Published], wording: Wording) -> bytes:
    """Return an iCalendar document (RFC 5545, 7986); the same input gives the same bytes."""
    calendar = _head(one_line(title))
    for one in published:
        calendar.add_component(_event(one, wording))
    text: bytes = calendar.to_ical(sorted=False)
    return text


def changed_at(published: Iterable[Published]) -> datetime:
    return max((one.changed_at for one in published), default=_EPOCH)


def _head(title: str) -> "Calendar":
    from icalendar import Calendar, vText

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", _PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # given its type, for the library escapes nothing in what it takes for an unknown property
    calendar["name"] = calendar["x-wr-calname"] = vText(title)
    calendar.add("x-wr-timezone", "UTC")
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M", encode=False)
    return calendar


def _event(one: Published, wording: Wording) -> "Event":
    from icalendar import Event

    told, event = one.event, Event()
    roles = wording.roles(told.rotation)
    names = ", ".join(one_line(wording.people.by_key(key).name) for key in told.people)
    event.add("uid", f"{told.id}@{wording.host}")
    event.add("dtstamp", one.changed_at.replace(microsecond=0))
    event.add("last-modified", one.changed_at.replace(microsecond=0))
    event.add("sequence", one.sequence)
    event.add("dtstart", told.start)
    event.add("dtend", told.end)
    event.add("summary", summary_of(told, wording.people, roles))
    event.add("description", f"On call for {duty_of(told, roles)}: {names}.")
    event.add("status", "CANCELLED" if one.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("x-microsoft-cdo-busystatus", "FREE", encode=False)
    return event
