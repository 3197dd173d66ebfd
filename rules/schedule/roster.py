"""What a roster can say: rotations, layers, shifts, overrides, swaps, absences and holidays.

Readers of files produce these values; `rules.schedule.resolution` turns them into spans. `where` is the
address of the cell a value comes from ("Rotations!C3"), `source` the row in words ("row 14").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import zip_longest
from operator import attrgetter

from rules.hours import DAYS, Hours
from rules.people import People

LOOK_AHEAD = timedelta(days=14)
EXPLICIT = 10
"""The priority of shifts: they lie over layers of a lower one."""
ALWAYS = datetime.min.replace(tzinfo=UTC)
_EARLIEST = 1970


class Unit(StrEnum):
    """What a turn is measured in. Hours are elapsed time; the others follow the wall clock."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class AdvanceOn(StrEnum):
    """Whether a turn in which the layer never is on call counts (calendar) or not (active)."""

    CALENDAR = "calendar"
    ACTIVE = "active"


class OnHolidays(StrEnum):
    """What a layer's windows do on a holiday; the holiday is the day on which a window opens."""

    AS_USUAL = "as usual"
    OFF = "off"
    ALSO = "also"
    ONLY = "only"


class OverrideKind(StrEnum):
    """COVER sets the role, REPLACE acts only where its target is on call."""

    COVER = "cover"
    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


class OverrideState(StrEnum):
    """Whether somebody has ended it before its time."""

    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day off; `place` is "" where it holds for everybody."""

    day: date
    name: str = ""
    place: str = ""
    where: str = ""

    def is_of(self, place: str) -> bool:
        """Whether it is one where only the holidays of a place count, all of them by ""."""
        return not (place and self.place) or self.place.casefold() == place.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """People who take turns in a role.

    Turn k begins `k * every` units after `starts`, a local time of `zone` without tzinfo, and
    belongs to `order[k % len(order)]`; nobody before `starts`. A turn may be several people, or
    none. `windows` restrict the turns (each by its own zone; none: always on call); a window
    whose first day is in `skip_dates` stays shut, and `on_holidays` says what holidays do, all
    of them or, with `place`, those of that place. [effective_from, effective_until) cuts the
    turns without moving them. Of two layers the one of higher priority is on top, of equals the
    later one. Raises ValueError for values that mean nothing.
    """

    role: str
    order: tuple[tuple[str, ...], ...]
    unit: Unit
    starts: datetime
    every: int = 1
    zone: str = "UTC"
    priority: int = 0
    windows: tuple[Hours, ...] = ()
    skip_dates: frozenset[date] = frozenset()
    on_holidays: OnHolidays = OnHolidays.AS_USUAL
    place: str = ""
    advance_on: AdvanceOn = AdvanceOn.CALENDAR
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    source: str = ""
    where: str = ""

    def __post_init__(self) -> None:
        if not self.order:
            raise ValueError("a layer needs somebody to take turns")
        if self.every < 1:
            raise ValueError(f"a turn lasts at least one {self.unit}, not {self.every}")
        if self.starts.tzinfo is not None:
            raise ValueError("`starts` is a local time, without a zone of its own")
        # Turns are counted from here, so a slip of the pen must not mean millions of them.
        if self.starts.year < _EARLIEST:
            raise ValueError(f"turns start in {_EARLIEST} or later, not in {self.starts.year}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One stretch of a role as the roster has it, [start, end) in UTC.

    `people` are keys; empty when the roster says on purpose that nobody is.
    """

    rotation: str
    role: str
    start: datetime
    end: datetime
    people: tuple[str, ...]
    source: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody changes who has a role for a while, [starts_at, ends_at); the latest is on top.

    `person` is who is on call by it, or with REMOVE who is not; `instead_of` the target of
    REPLACE. `by` may be empty for one that was written into the roster. `origin` is where it
    was made; one that somebody ended, `changed_by` at `changed_at`, ends there and is kept.
    """

    id: str
    rotation: str
    role: str
    person: str
    starts_at: datetime
    ends_at: datetime
    by: str
    created_at: datetime
    kind: OverrideKind = OverrideKind.COVER
    instead_of: str = ""
    where: str = ""
    why: str = ""
    origin: str = ""
    state: OverrideState = OverrideState.ACTIVE
    changed_by: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One leg of a swap: `taker` instead of `giver` in [starts_at, ends_at), once approved."""

    id: str
    rotation: str
    role: str
    giver: str
    taker: str
    starts_at: datetime
    ends_at: datetime
    approved_at: datetime | None = None
    where: str = ""


Change = Override | Swap
"""What people change about the rotation: both decide who is on call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Somebody is not there in [start, end)."""

    person: str
    start: datetime
    end: datetime
    kind: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPlan:
    """One rotation as one version of the roster has it, in force from `valid_from`.

    The first version is in force ALWAYS, so that it answers for the time before it was read;
    a rotation that left the roster gets a last version with neither layers nor shifts. `roles`
    is the order in which they are paged; others follow, `primary` and `secondary` first.
    `stand_ins` names the role whose people move up when everybody of a role is away.
    `fallback` are the people to page when no role has anybody. `overrides` are those that the
    version itself holds; they end with it.
    """

    name: str
    zone: str = "UTC"
    layers: tuple[Layer, ...] = ()
    shifts: tuple[Shift, ...] = ()
    roles: tuple[str, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    away: tuple[Away, ...] = ()
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    fallback: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    valid_from: datetime = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Everything that decides who is on call.

    `plans` may hold several versions of a rotation; what was in force at an instant answers
    for it. `people` serves the words only. With `known`, everybody else is passed over.
    `weights` are the shares of people who do not carry a whole one.
    """

    plans: Sequence[RotationPlan] = ()
    overrides: Sequence[Override] = ()
    swaps: Sequence[Swap] = ()
    away: Sequence[Away] = ()
    people: People = field(default_factory=People)
    known: frozenset[str] | None = None
    weights: Mapping[str, float] = field(default_factory=dict)

    def with_changes(self, changes: Iterable[Change]) -> "Schedule":
        """Return the schedule with what people changed, beside the changes it has already."""
        added = tuple(changes)
        overrides = [one for one in added if isinstance(one, Override)]
        swaps = [one for one in added if isinstance(one, Swap)]
        return replace(self, overrides=(*self.overrides, *overrides), swaps=(*self.swaps, *swaps))

    @property
    def absences(self) -> tuple[Away, ...]:
        """Return who is away when, by the versions then in force; what touches is one absence."""
        found: dict[tuple[str, str], Away] = {}
        apart: list[Away] = []
        for one in sorted((*self.away, *self._away_by_plans()), key=attrgetter("start", "end")):
            last = found.get((one.person, one.kind))
            if last is None or one.start > last.end:
                apart += [last] if last else []
                found[one.person, one.kind] = one
            else:
                found[one.person, one.kind] = replace(last, end=max(last.end, one.end))
        return tuple(sorted((*apart, *found.values()), key=attrgetter("start", "end", "person")))

    def _away_by_plans(self) -> Iterator[Away]:
        versions: dict[str, list[RotationPlan]] = {}
        for plan in sorted(self.plans, key=attrgetter("valid_from")):
            versions.setdefault(plan.name, []).append(plan)
        for own in versions.values():
            for plan, later in zip_longest(own, own[1:]):
                for one in plan.away:
                    begins = max(one.start, plan.valid_from)
                    ends = min(one.end, later.valid_from) if later else one.end
                    if begins < ends:
                        yield replace(one, start=begins, end=ends)

    def without_away(self) -> "Schedule":
        """Return the schedule as if everybody were there: who would have been on call."""
        plans = tuple(replace(plan, away=()) for plan in self.plans)
        return replace(self, plans=plans, away=())


def plans_of(shifts: Iterable[Shift], zones: Mapping[str, str] | None = None) -> list[RotationPlan]:
    """Return plans of nothing but shifts, one for each rotation that has any or has a zone."""
    zones = zones or {}
    by_rotation: dict[str, list[Shift]] = {name: [] for name in zones}
    for shift in shifts:
        by_rotation.setdefault(shift.rotation, []).append(shift)
    return [
        RotationPlan(name=name, zone=zones.get(name, "UTC"), shifts=tuple(own))
        for name, own in by_rotation.items()
    ]


def first_hand_off(start: date, at: time, weekday: str = "") -> datetime:
    """Return the local hand-off on `start`, or on the last `weekday` ("mon") before it."""
    back = (start.weekday() - DAYS.index(weekday)) % 7 if weekday else 0
    return datetime.combine(start - timedelta(days=back), at)
