"""Events as calendars show them: one per resolved span, with an id that outlives its people."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rules.people import People
from rules.plain_line import one_line
from rules.rotation import OnCall, Span

_PREFIX = "oc"
_DIGITS = 32
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"
ID_LENGTH = len(_PREFIX) + _DIGITS


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """A stretch of [start, end) in UTC that `people`, persons' keys, are on call for."""

    id: str
    rotation: str
    role: str
    start: datetime
    end: datetime
    people: tuple[str, ...]


def event_id(rotation: str, role: str, start: datetime, ordinal: int = 0) -> str:
    """Return what names the slot, whoever fills it: lower-case base32hex, as Google wants ids."""
    slot = "\0".join((rotation, role, start.astimezone(UTC).isoformat(), str(ordinal)))
    digest = hashlib.sha256(slot.encode("utf-8", "surrogatepass")).digest()
    number = int.from_bytes(digest[: _DIGITS * 5 // 8])
    return _PREFIX + "".join(_ALPHABET[number >> 5 * at & 31] for at in reversed(range(_DIGITS)))


def is_ours(identifier: str) -> bool:
    """Whether an id has the form of `event_id`; an event that a person copied has another."""
    return len(identifier) == ID_LENGTH and identifier.startswith(_PREFIX)


def events_of(spans: Iterable[Span], start: datetime, end: datetime) -> tuple[CalendarEvent, ...]:
    """Return an event for each span that touches [start, end), whole; gaps have none.

    Calendars know no fractions of a second: both ends are cut to whole seconds.
    """
    found: dict[str, CalendarEvent] = {}
    for span in spans:
        begins, ends = (at.astimezone(UTC).replace(microsecond=0) for at in (span.start, span.end))
        if not span.people or ends <= start or begins >= end or ends <= begins:
            continue
        ordinal = 0
        while (key := event_id(span.rotation, span.role, begins, ordinal)) in found:
            ordinal += 1
        found[key] = CalendarEvent(key, span.rotation, span.role, begins, ends, span.people)
    return tuple(found.values())


def gaps_of(
    on_call: OnCall, rotation: str, role: str, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of [start, end) in which nobody has the role."""
    at = start
    for span in on_call.spans(rotation, role):
        if not span.people or span.end <= at or span.start >= end:
            continue
        if span.start > at:
            yield at, span.start
        at = max(at, span.end)
    if at < end:
        yield at, end


def summary_of(event: CalendarEvent, people: People, roles: Sequence[str] = ()) -> str:
    """Return one line: who, and for what; the role is named unless it is the only one."""
    who = ", ".join(one_line(people.by_key(key).name) for key in event.people)
    return f"{who} · {duty_of(event, roles)}"


def duty_of(event: CalendarEvent, roles: Sequence[str] = ()) -> str:
    only = tuple(roles) == (event.role,) == ("primary",)
    return one_line(event.rotation if only else f"{event.rotation} {event.role}")
