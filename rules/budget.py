"""How much of a promise has been broken, and how much may still be: budgets of time and of days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import ceil

from rules.decision import Reason
from rules.hours import Hours
from rules.sentence import Sentence, say
from rules.sla import FreshBy, due_days

_MICROSECOND = timedelta(microseconds=1)
_ROUND = (99.9, 99.5, 99.0, 98.0, 95.0, 90.0, 80.0, 50.0)
"""Objectives to advise."""


def allowed_share(percent: float) -> Fraction:
    """Return what may go wrong: exactly 1/1000 for 99.9; raises ValueError outside 0 to 100."""
    if not 0 < percent <= 100:
        raise ValueError(f"an objective is above 0 % and at most 100 %, not {percent}")
    return 1 - Fraction(str(percent)) / 100


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """Of `total` time, `bad` was bad; `percent` should have been good.

    Serves availability (the total is the window) and lateness (the total is the time in which
    consumers read). `achieved` is in percent, `used` a share: 1.0 is all of the budget.
    """

    percent: float
    total: timedelta
    bad: timedelta = timedelta(0)

    @property
    def allowed(self) -> timedelta:
        return _MICROSECOND * round(self.total // _MICROSECOND * allowed_share(self.percent))

    @property
    def left(self) -> timedelta:
        return self.allowed - self.bad

    @property
    def used(self) -> float:
        return _share(self.bad // _MICROSECOND, self.allowed // _MICROSECOND)

    @property
    def achieved(self) -> float:
        return 100.0 if not self.total else 100 * (1 - self.bad / self.total)

    @property
    def burn(self) -> float:
        """How many times faster than allowed the budget was used over `total`."""
        return self.used


def downtime(
    outages: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime
) -> timedelta:
    """Add up outages within a window; what two of them share counts once."""
    total, reached = timedelta(0), start
    for begin, finish in sorted(outages):
        begin, finish = max(begin, reached), min(finish, end)
        if finish > begin:
            total += finish - begin
            reached = finish
    return total


def time_within(hours: Hours, start: datetime, end: datetime) -> timedelta:
    """Return how much of the time from `start` to `end` lies within the hours."""
    total = timedelta(0)
    while (start := hours.opens_after(start)) < end:
        closes = hours.closes_after(start)
        assert closes is not None, "hours hold when they open"
        total += min(closes, end) - start
        start = closes
    return total


@dataclass(frozen=True, slots=True)
class Objective:
    """`percent` of the deliveries due, over a rolling window of `due_days` of them."""

    percent: float
    due_days: int

    @property
    def budget(self) -> Fraction:
        """How many misses the objective allows, in parts of a miss."""
        return self.due_days * allowed_share(self.percent)

    @property
    def allowed_misses(self) -> int:
        return int(self.budget)


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """How the latest due days went against an objective: oldest first, True is in time.

    `achieved` is in percent; `used` and `left` are shares of the budget, and `left` is negative
    once more was missed than allowed. Wrong data belongs in a record of its own, against the
    objective for quality, so that late and wrong are never mixed.
    """

    objective: Objective
    outcomes: tuple[bool, ...] = ()

    @property
    def counted(self) -> tuple[bool, ...]:
        return self.outcomes[-self.objective.due_days :]

    @property
    def misses(self) -> int:
        return self.counted.count(False)

    @property
    def achieved(self) -> float:
        due = len(self.counted)
        return 100.0 if not due else 100 * (due - self.misses) / due

    @property
    def used(self) -> float:
        return _share(self.misses, self.objective.budget)

    @property
    def left(self) -> float:
        return 1 - self.used

    def burn(self, last: int) -> float:
        """Return how many times faster than allowed the `last` due days used the budget."""
        recent = self.counted[-last:]
        missed = Fraction(recent.count(False), len(recent) or 1)
        return _share(missed, allowed_share(self.objective.percent))


def outcomes(
    promise: FreshBy,
    complete_at: Mapping[date, datetime],
    days: tuple[date, date],
    *,
    now: datetime,
    excused: frozenset[date] = frozenset(),
) -> tuple[bool, ...]:
    """Return for each due day in `days` (half-open), whose deadline has passed, if it was kept.

    `complete_at` is when each business day's data was complete; `excused` are the days taken by
    maintenance that was announced before, or, for a second reckoning, missed by an upstream.
    """
    kept: list[bool] = []
    for day in due_days(promise, *days):
        deadline = promise.deadline_on(day)
        assert deadline is not None, "due days have deadlines"
        done = complete_at.get(day)
        if day in excused or (deadline >= now and (done is None or done > now)):
            continue
        kept.append(done is not None and done <= deadline)
    return tuple(kept)


def unreachable(objective: Objective) -> Sentence | None:
    """Say why an objective cannot be used as stated; None when it can.

    A budget of less than one miss is spent by the first.
    """
    if objective.budget >= 1:
        return None
    share = allowed_share(objective.percent)
    reachable = next((p for p in _ROUND if objective.due_days * allowed_share(p) >= 1), None)
    advice = [f"promise {reachable:g}%"] if reachable else []
    advice += [f"count over {ceil(1 / share)} days"] if share else []
    return say(
        "This objective cannot be reached with one delivery a day: {percent}% over {given} due "
        "days allows {allowed} misses; {advice}.",
        percent=f"{objective.percent:.10g}",
        given=objective.due_days,
        allowed=f"{float(objective.budget):.3g}",
        advice=" or ".join(advice) or "promise less",
    )


class Alarm(StrEnum):
    """A page is for working hours: the promise of the day has its own incident."""

    TICKET = "ticket"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class FewEventRules:
    """When a promise that falls due once a day has been broken too often.

    A page at `misses` within the last `of_last` due days, or once less than `left_below`
    percent of the budget is left; a ticket at any other miss.
    """

    misses: int = 2
    of_last: int = 5
    left_below: float = 34


def alarm(
    record: DeliveryRecord, rules: FewEventRules | None = None
) -> tuple[Alarm, Reason] | None:
    """Judge the newest due day by all before it; None when it was kept."""
    rules = rules or FewEventRules()
    if not record.counted or record.counted[-1]:
        return None
    recent = record.counted[-rules.of_last :]
    if recent.count(False) >= rules.misses:
        words = say(
            "{misses} of the last {days} due days were missed.",
            misses=recent.count(False),
            days=len(recent),
        )
        return Alarm.PAGE, Reason("slo.misses", words)
    if record.left * 100 < rules.left_below:
        words = say(
            "{left} % of the budget is left, for {days} due days.",
            left=f"{max(0.0, record.left * 100):.0f}",
            days=record.objective.due_days,
        )
        return Alarm.PAGE, Reason("slo.budget", words)
    words = say(
        "Missed; {misses} of {allowed} allowed misses are used.",
        misses=record.misses,
        allowed=record.objective.allowed_misses,
    )
    return Alarm.TICKET, Reason("slo.miss", words)


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Alarm when `spends` of the whole budget goes within `within`, and is still going."""

    spends: float
    within: timedelta
    alarm: Alarm

    @property
    def short(self) -> timedelta:
        """The recent window that must burn as fast, so that what is over alarms no more."""
        return self.within / 12

    def threshold(self, window: timedelta) -> float:
        """Return the burn at which this alarms, for an objective over `window`."""
        return self.spends * (window / self.within)


BURN_RULES: Sequence[BurnRule] = (
    BurnRule(0.02, timedelta(hours=1), Alarm.PAGE),
    BurnRule(0.05, timedelta(hours=6), Alarm.PAGE),
    BurnRule(0.10, timedelta(days=3), Alarm.TICKET),
)
"""For promises measured in time, with many events; a daily delivery has too few for them."""


def burning(
    percent: float,
    window: timedelta,
    outages: Sequence[tuple[datetime, datetime]],
    now: datetime,
    *,
    rules: Sequence[BurnRule] = BURN_RULES,
) -> BurnRule | None:
    """Return the first rule whose long and short windows both burn too fast up to `now`.

    `outages` are all of the last `window`; a rule that looks back further says nothing.
    """

    def burn(span: timedelta) -> float:
        return TimeBudget(percent, span, downtime(outages, now - span, now)).burn

    for rule in rules:
        if rule.within > window:
            continue
        threshold = rule.threshold(window)
        if burn(rule.within) >= threshold and burn(rule.short) >= threshold:
            return rule
    return None


def _share(part: Fraction | int, whole: Fraction | int) -> float:
    """Return part of whole; all of nothing is spent by anything at all."""
    if not whole:
        return float("inf") if part else 0.0
    return float(Fraction(part) / Fraction(whole))
