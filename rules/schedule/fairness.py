"""How the load is spread: hours on call by person, and by what kind of hours they are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.hours import to_instant
from rules.rotation import OnCall
from rules.schedule.coverage import within

_NONE = timedelta(0)
_HOUR = timedelta(hours=1)


class Kind(StrEnum):
    """What an hour is; one that is several counts as the last of them."""

    WEEKDAY = "weekday"
    NIGHT = "night"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


WEIGHTS: Mapping[Kind, float] = {
    Kind.WEEKDAY: 1.0,
    Kind.NIGHT: 1.5,
    Kind.WEEKEND: 2.0,
    Kind.HOLIDAY: 2.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """By what clock and calendar the hours of a rotation are weighed.

    A night begins on one evening and ends the next morning; it must pass midnight.
    """

    zone: str = "UTC"
    holidays: frozenset[date] = frozenset()
    night_begins: time = time(22)
    night_ends: time = time(6)


@dataclass(slots=True)
class Load:
    """What one person carries: time by kind, turns, and the nights and weekends touched.

    A night is named by the day of its evening, a weekend by its Saturday.
    """

    time: dict[Kind, timedelta] = field(default_factory=lambda: dict.fromkeys(Kind, _NONE))
    turns: int = 0
    nights: set[date] = field(default_factory=set)
    weekends: set[date] = field(default_factory=set)

    @property
    def hours(self) -> float:
        return sum(self.time.values(), _NONE) / _HOUR

    def weighted(self, weights: Mapping[Kind, float] = WEIGHTS) -> float:
        """Return hours, those at bad times counted more."""
        return sum(weights[kind] * (spent / _HOUR) for kind, spent in self.time.items())


def loads(
    on_call: OnCall,
    start: datetime,
    end: datetime,
    *,
    calendars: Mapping[str, Calendar] | None = None,
    roles: Collection[str] | None = None,
) -> dict[str, Load]:
    """Return the load in [start, end) of everybody who is on call then.

    `calendars` are by rotation, UTC where there is none; `roles` counts only those. Several
    people on call together carry the whole time each; one person in two roles carries both.
    """
    found: dict[str, Load] = {}
    for rotation in on_call.ever:
        calendar = (calendars or {}).get(rotation, Calendar())
        for role in on_call.roles(rotation):
            if roles is not None and role not in roles:
                continue
            for span in within(on_call, rotation, role, start, end):
                own = [found.setdefault(person, Load()) for person in span.people]
                for load in own:
                    load.turns += 1
                _carry(own, calendar, max(span.start, start), min(span.end, end))
    return found


def shares(
    weights: Mapping[str, float], availability: Mapping[str, float] | None = None
) -> dict[str, tuple[float, float]]:
    """Return each person's share of the whole, and the share that would be fair.

    `weights` is what each carries; `availability` how much of a full share each should (1.0
    when not said; also names people who carry nothing yet).
    """
    able = dict.fromkeys(weights, 1.0) | dict(availability or {})
    carried, capacity = sum(weights.values()), sum(able.values())
    return {
        person: (
            weights.get(person, 0.0) / carried if carried else 0.0,
            part / capacity if capacity else 0.0,
        )
        for person, part in able.items()
    }


def evenness(carried: Sequence[float]) -> float:
    """Return Jain's index: 1.0 when all carry the same, 1/n when one of n carries everything."""
    squares = sum(x * x for x in carried)
    return sum(carried) ** 2 / (len(carried) * squares) if squares else 1.0


def _carry(own: Sequence[Load], calendar: Calendar, start: datetime, end: datetime) -> None:
    for day, night_of, begins, ends in _parts(calendar, start, end):
        kind = _kind(calendar, day, night=night_of is not None)
        for load in own:
            load.time[kind] += ends - begins
            if night_of is not None:
                load.nights.add(night_of)
            if day.weekday() >= 5:
                load.weekends.add(day - timedelta(days=day.weekday() - 5))


def _kind(calendar: Calendar, day: date, *, night: bool) -> Kind:
    if day in calendar.holidays:
        return Kind.HOLIDAY
    if day.weekday() >= 5:
        return Kind.WEEKEND
    return Kind.NIGHT if night else Kind.WEEKDAY


def _parts(
    calendar: Calendar, start: datetime, end: datetime
) -> Iterator[tuple[date, date | None, datetime, datetime]]:
    """Cut [start, end) at local midnights and where nights begin and end.

    Yields the local day, the day whose night it is or None, beginning and end.
    """
    day = start.astimezone(ZoneInfo(calendar.zone)).date()
    while True:
        at = [
            to_instant(day, clock, calendar.zone)
            for clock in (time(0), calendar.night_ends, calendar.night_begins)
        ]
        if at[0] >= end:
            return
        following = day + timedelta(days=1)
        at.append(to_instant(following, time(0), calendar.zone))
        nights = (day - timedelta(days=1), None, day)
        for night_of, begins, ends in zip(nights, at, at[1:], strict=False):
            if max(begins, start) < min(ends, end):
                yield day, night_of, max(begins, start), min(ends, end)
        day = following
