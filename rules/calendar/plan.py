"""What to do so that a shared calendar shows the plan: pure, from desired and present."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.calendar.event import CalendarEvent, duty_of, is_ours, summary_of
from rules.people import People
from rules.rotation import OnCall

OWNER = "watchbill"
TRANSPARENT = "transparent"
_DESCRIPTION = (
    "{duty}: {people}.\n\nWatchbill keeps this event as the roster says. "
    "Change the roster or use /oncall override; changes made here are undone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An event as it should stand in the calendar."""

    id: str
    rotation: str
    start: datetime
    end: datetime
    summary: str
    description: str

    @property
    def fingerprint(self) -> str:
        """Return what changes whenever anything that we decide about the event does."""
        parts = (self.start.isoformat(), self.end.isoformat(), self.summary, self.description)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:20]


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """An event as it stands; times are None where they are whole days or not told.

    `owner`, `rotation` and `fingerprint` are our tags, empty on other people's events.
    """

    id: str
    etag: str = ""
    cancelled: bool = False
    owner: str = ""
    rotation: str = ""
    fingerprint: str = ""
    start: datetime | None = None
    end: datetime | None = None
    summary: str = ""
    description: str = ""
    transparency: str = ""
    repeats: bool = False


class Act(StrEnum):
    INSERT = "insert"
    UPDATE = "update"
    REPAIR = "repair"
    """As update, but the plan has not changed: somebody edited or deleted our event."""
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Operation:
    """One write. `etag` is what the event must still have; empty when that is not known."""

    act: Act
    id: str
    wanted: Wanted | None = None
    etag: str = ""


@dataclass(frozen=True, slots=True)
class CalendarPlan:
    """What to write, in order, and ids that we need and that hold somebody else's event."""

    operations: tuple[Operation, ...] = ()
    taken: tuple[str, ...] = ()


def wanted_of(events: Iterable[CalendarEvent], on_call: OnCall, people: People) -> list[Wanted]:
    """Return how a calendar should show events."""
    found = []
    for event in events:
        roles = on_call.roles(event.rotation)
        duty = f"On call for {duty_of(event, roles)}"
        names = ", ".join(people.by_key(person).name for person in event.people)
        found.append(
            Wanted(
                id=event.id,
                rotation=event.rotation,
                start=event.start,
                end=event.end,
                summary=summary_of(event, people, roles),
                description=_DESCRIPTION.format(duty=duty, people=names),
            )
        )
    return found


def plan(
    wanted: Iterable[Wanted], present: Iterable[Present], *, rotation: str, now: datetime
) -> CalendarPlan:
    """Return the writes that make `present` show `wanted`; nothing when it already does.

    Only events with our tag, of this rotation, are ever written to. What has ended is history
    and stays as it stands. What we do not decide (colour, place, reminders) is people's own.
    """
    there = {one.id: one for one in present}
    goal = {one.id: one for one in wanted}
    writes: list[Operation] = []
    taken: list[str] = []
    for one in goal.values():
        now_there = there.get(one.id)
        if now_there is None:
            writes.append(Operation(Act.INSERT, one.id, one))
        elif not (now_there.cancelled or _is_ours(now_there, rotation)):
            taken.append(one.id)
        elif act := _change(one, now_there, now):
            writes.append(Operation(act, one.id, one, now_there.etag))
    gone = (one for one in there.values() if one.id not in goal and _is_ours(one, rotation))
    writes += [
        Operation(Act.DELETE, one.id, None, one.etag)
        for one in gone
        if not (one.cancelled or _ended(one.end, now))
    ]
    return CalendarPlan(tuple(writes), tuple(taken))


def _is_ours(present: Present, rotation: str) -> bool:
    return present.owner == OWNER and present.rotation == rotation and is_ours(present.id)


def _change(wanted: Wanted, present: Present, now: datetime) -> Act | None:
    if wanted.end <= now and (present.cancelled or _ended(present.end, now)):
        return None
    if not present.cancelled and _shows(present, wanted):
        return None
    return Act.REPAIR if present.fingerprint == wanted.fingerprint else Act.UPDATE


def _shows(present: Present, wanted: Wanted) -> bool:
    return (
        present.start == wanted.start
        and present.end == wanted.end
        and _same(present.summary, wanted.summary)
        and _same(present.description, wanted.description)
        and present.transparency == TRANSPARENT
        and present.fingerprint == wanted.fingerprint
        and not present.repeats
    )


def _same(text: str, other: str) -> bool:
    """Compare words only: a calendar may write line ends and spaces its own way."""
    return text.split() == other.split()


def _ended(end: datetime | None, now: datetime) -> bool:
    return end is not None and end <= now
