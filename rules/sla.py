"""What a data product promises, when each promise falls due, and how urgent that makes a fault."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.decision import Reason
from rules.hours import DAYS, Hours, to_instant
from rules.priority import Urgency
from rules.sentence import say

_LOOK_AHEAD = 400
"""Days; a promise without a due day in over a year is never due."""
_WINDOWS = 16
"""Consumer windows looked through: two weeks of days and then some."""


@dataclass(frozen=True, slots=True)
class FreshBy:
    """Complete at `at`, local time in `zone`, on each of `days` that is not a holiday."""

    at: time
    zone: str
    days: tuple[str, ...] = DAYS
    holidays: frozenset[date] = field(default=frozenset())

    def due_on(self, day: date) -> bool:
        return DAYS[day.weekday()] in self.days and day not in self.holidays

    def deadline_on(self, day: date) -> datetime | None:
        """Return the deadline of a business day, None on a day when nothing is due."""
        return to_instant(day, self.at, self.zone) if self.due_on(day) else None


@dataclass(frozen=True, slots=True)
class MaxAge:
    """Data never older than `age`."""

    age: timedelta


@dataclass(frozen=True, slots=True)
class Availability:
    """Readable for `percent` of any `window`."""

    percent: float
    window: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TimeToDetect:
    """A fault is known `within` this time of its beginning."""

    within: timedelta


@dataclass(frozen=True, slots=True)
class TimeToRepair:
    """A fault is repaired, and that verified, `within` this time of its detection."""

    within: timedelta


Promise = FreshBy | MaxAge | Availability | TimeToDetect | TimeToRepair


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a repair takes: until somebody is on it, to fix it, for the runs that remain."""

    respond: timedelta = timedelta(minutes=10)
    fix: timedelta = timedelta(minutes=30)
    run: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if min(self.respond, self.fix, self.run) < timedelta(0):
            raise ValueError("an effort cannot be negative")

    @property
    def total(self) -> timedelta:
        return self.respond + self.fix + self.run


@dataclass(frozen=True, slots=True)
class UrgencyThresholds:
    """The slack at or below which a fault is that urgent; above all of them it is low."""

    critical: timedelta = timedelta(0)
    high: timedelta = timedelta(hours=1)
    medium: timedelta = timedelta(hours=4)

    def __post_init__(self) -> None:
        if not self.critical <= self.high <= self.medium:
            raise ValueError("the thresholds must grow: critical, high, medium")

    def of(self, slack: timedelta) -> Urgency:
        for urgency, limit in self._limits():
            if slack <= limit:
                return urgency
        return Urgency.LOW

    def below(self, slack: timedelta) -> timedelta | None:
        """Return the next threshold that shrinking slack will reach, None below all."""
        return max((limit for _, limit in self._limits() if limit < slack), default=None)

    def _limits(self) -> tuple[tuple[Urgency, timedelta], ...]:
        return (
            (Urgency.CRITICAL, self.critical),
            (Urgency.HIGH, self.high),
            (Urgency.MEDIUM, self.medium),
        )


def next_deadline(
    promise: Promise, now: datetime, *, since: datetime | None = None
) -> datetime | None:
    """Return when the promise next falls due, None when it never does by itself.

    For a local time this is the first deadline at or after `now`. The others count from
    `since`: the instant as of which data is complete (`MaxAge`), when the fault began
    (`TimeToDetect`) or was detected (`TimeToRepair`); what they return may have passed.
    """
    match promise:
        case FreshBy():
            return next(_deadlines(promise, now), None)
        case MaxAge(span) | TimeToDetect(span) | TimeToRepair(span):
            return None if since is None else since + span
        case Availability():
            return None


def deadline_at_stake(promise: FreshBy, now: datetime, *, settled: date | None) -> datetime | None:
    """Return the deadline of the first due day after `settled`, even when it has passed.

    `settled` is the last business day whose data is complete; None when nobody knows.
    """
    if settled is None:
        return next_deadline(promise, now)
    days = (settled + timedelta(days=n) for n in range(1, _LOOK_AHEAD))
    return next(filter(None, map(promise.deadline_on, days)), None)


def due_days(promise: FreshBy, start: date, end: date) -> tuple[date, ...]:
    """Return the business days from `start` to before `end` on which data is due."""
    days = (start + timedelta(days=n) for n in range((end - start).days))
    return tuple(filter(promise.due_on, days))


def slack(deadline: datetime, now: datetime, effort: Effort) -> timedelta:
    """Return how long the repair may wait; negative once it comes too late."""
    return deadline - now - effort.total


def urgency(
    deadline: datetime | None,
    now: datetime,
    effort: Effort,
    thresholds: UrgencyThresholds | None = None,
) -> tuple[Urgency, Reason]:
    """Return how urgent a fault is by the deadline at stake, which the caller keeps fixed."""
    if deadline is None:
        return Urgency.LOW, Reason("urgency.low", say("Low: no deadline is at stake."))
    left = slack(deadline, now, effort)
    found = (thresholds or UrgencyThresholds()).of(left)
    if deadline <= now:
        template = "{urgency}: the deadline, {deadline}, has passed."
    elif left <= timedelta(0):
        template = (
            "{urgency}: a repair takes {effort}, and the deadline, {deadline}, is {remaining} away."
        )
    else:
        template = "{urgency}: {slack} to spare before {deadline}, as a repair takes {effort}."
    sentence = say(
        template,
        urgency=found.capitalize(),
        deadline=deadline,
        remaining=deadline - now,
        slack=left,
        effort=effort.total,
    )
    return found, Reason(f"urgency.{found}", sentence)


def next_change(
    deadline: datetime | None,
    effort: Effort,
    thresholds: UrgencyThresholds,
    now: datetime,
) -> datetime | None:
    """Return the first instant after `now` at which the urgency is another, None if it stays."""
    if deadline is None:
        return None
    limit = thresholds.below(slack(deadline, now, effort))
    return None if limit is None else deadline - effort.total - limit


def last_responsible_moment(deadline: datetime, effort: Effort, margin: timedelta) -> datetime:
    """Return until when a person may be left in peace and the promise still be kept."""
    return deadline - effort.total - margin


def wrong_data_deadline(consumers: Hours | None, now: datetime) -> datetime:
    """Return `now` while consumers may read the wrong data, else when they next will.

    Without known hours they may read it at any time.
    """
    return now if consumers is None else consumers.opens_after(now)


def next_change_of_wrong_data(
    consumers: Hours | None,
    effort: Effort,
    thresholds: UrgencyThresholds,
    now: datetime,
) -> datetime | None:
    """Return when the urgency of published wrong data next changes: it rises and it falls.

    It rises as the consumers' next window nears, and falls when their window closes.
    """
    if consumers is None:
        return None

    def urgency_at(when: datetime) -> Urgency:
        return thresholds.of(slack(consumers.opens_after(when), when, effort))

    before = urgency_at(now)
    when = now
    for _ in range(_WINDOWS):
        closes = consumers.closes_after(when)
        if closes is None:
            opens = consumers.opens_after(when)
            when = next_change(opens, effort, thresholds, when) or opens
        else:
            when = closes
        if urgency_at(when) != before:
            return when
    return None


def _deadlines(promise: FreshBy, now: datetime) -> Iterator[datetime]:
    today = now.astimezone(ZoneInfo(promise.zone)).date()
    for n in range(-1, _LOOK_AHEAD):
        deadline = promise.deadline_on(today + timedelta(days=n))
        if deadline is not None and deadline >= now:
            yield deadline
