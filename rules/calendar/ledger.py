"""What subscribers were told: an event keeps its id, and every change of it counts up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.calendar.event import CalendarEvent

CANCELLED_FOR = timedelta(days=30)
"""How long a feed tells that an event is gone."""


@dataclass(frozen=True, slots=True)
class Published:
    """An event as last told; `sequence` counts its changes, the latest was at `changed_at`.

    `former` names people who had it before, and when they lost it.
    """

    event: CalendarEvent
    sequence: int
    changed_at: datetime
    cancelled: bool = False
    former: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that is told now; `changed` must be stored again, `forgotten` ids dropped."""

    published: tuple[Published, ...] = ()
    changed: tuple[Published, ...] = ()
    forgotten: tuple[str, ...] = ()


def publish(
    before: Iterable[Published], events: Iterable[CalendarEvent], now: datetime, since: datetime
) -> Publication:
    """Return what to tell once `events` are the plan; what has ended stays as it was told.

    `since` is how far back feeds tell: what ended before it is forgotten.
    """
    known = {one.event.id: one for one in before}
    wanted = {event.id: event for event in events}
    kept: list[Published] = []
    changed: list[Published] = []
    forgotten: list[str] = []
    for key in (*wanted, *(key for key in known if key not in wanted)):
        old = known.get(key)
        new = _told(old, wanted.get(key), now, since)
        if new is None:
            forgotten.append(key)
            continue
        kept.append(new)
        if new != old:
            changed.append(new)
    kept.sort(key=lambda one: (one.event.start, one.event.rotation, one.event.role, one.event.id))
    return Publication(tuple(kept), tuple(changed), tuple(forgotten))


def of_rotation(published: Iterable[Published], rotation: str) -> list[Published]:
    return [one for one in published if one.event.rotation == rotation]


def of_person(published: Iterable[Published], person: str) -> list[Published]:
    """Return a person's own events; what they had and lost is there as cancelled."""
    found = []
    for one in published:
        lost = dict(one.former).get(person)
        if person in one.event.people:
            found.append(one)
        elif lost is not None:
            found.append(replace(one, cancelled=True))
    return found


def _told(
    old: Published | None, event: CalendarEvent | None, now: datetime, since: datetime
) -> Published | None:
    if old is None:
        return Published(event, 0, now) if event else None
    if event is None:
        return _gone(old, now, since)
    ended = old.event.end <= now and event.end <= now
    if not old.cancelled and (event == old.event or ended):
        return _tidied(old, now)
    left = tuple(person for person in old.event.people if person not in event.people)
    former = (*_fresh(old, now, event.people), *((person, now) for person in left))
    return Published(event, old.sequence + 1, now, former=tuple(dict(former).items()))


def _gone(old: Published, now: datetime, since: datetime) -> Published | None:
    if old.cancelled:
        return None if old.changed_at + CANCELLED_FOR <= now else old
    if old.event.end <= now:
        return None if old.event.end <= since else old
    return replace(old, cancelled=True, sequence=old.sequence + 1, changed_at=now)


def _tidied(old: Published, now: datetime) -> Published:
    former = _fresh(old, now, ())
    return old if len(former) == len(old.former) else replace(old, former=former)


def _fresh(old: Published, now: datetime, but: Sequence[str]) -> tuple[tuple[str, datetime], ...]:
    return tuple(
        (person, at) for person, at in old.former if person not in but and at + CANCELLED_FOR > now
    )
