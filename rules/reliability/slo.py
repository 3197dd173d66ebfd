"""How a product's promises have gone, day by day: due days kept, missed, excused, and by whom."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.budget import BurnRule, DeliveryRecord, Objective, TimeBudget, burning, downtime
from rules.catalogue import LoadType, Product
from rules.category import WRONG, Category
from rules.cron import GRACE
from rules.hours import DAYS, Hours, to_instant
from rules.reliability.troubles import DueRun, Trouble
from rules.silence import MaintenanceWindow
from rules.sla import FreshBy

_DAY = timedelta(days=1)
_LONGEST = 3_660
"""Days looked back: ten years."""
_NO_DELAY = frozenset({*WRONG, Category.ACCESS, Category.ADHOC_REQUEST})
"""What does not make a delivery late: wrong data counts by itself, requests break nothing."""


class DayOutcome(StrEnum):
    KEPT = "kept"
    MISSED = "missed"
    EXCUSED = "excused"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class DueDay:
    """One due day; `incidents` are the numbers of those that broke it."""

    day: date
    deadline: datetime
    outcome: DayOutcome
    upstream: bool = False
    incidents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Due days against an objective, oldest first; only those that could be watched."""

    objective: Objective
    days: tuple[DueDay, ...] = ()

    @property
    def record(self) -> DeliveryRecord:
        return self._record(ours=False)

    @property
    def ours(self) -> DeliveryRecord:
        """The record as it would be had nothing upstream been late."""
        return self._record(ours=True)

    @property
    def upstream_misses(self) -> int:
        return sum(one.outcome is DayOutcome.MISSED and one.upstream for one in self.days)

    @property
    def pending(self) -> DueDay | None:
        """Today, as long as nothing has broken it and its deadline is ahead."""
        return next((d for d in reversed(self.days) if d.outcome is DayOutcome.PENDING), None)

    @property
    def left(self) -> int:
        """How many more misses are allowed; negative once there were too many."""
        return self.objective.allowed_misses - self.record.misses

    def _record(self, *, ours: bool) -> DeliveryRecord:
        settled = (d for d in self.days if d.outcome in {DayOutcome.KEPT, DayOutcome.MISSED})
        kept = (d.outcome is DayOutcome.KEPT or (ours and d.upstream) for d in settled)
        return DeliveryRecord(self.objective, tuple(kept))


@dataclass(frozen=True, slots=True)
class Burn:
    """Allowed downtime that goes too fast by a rule; `began_at` is when the last outage did."""

    rule: BurnRule
    began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How a product stands; None where it has no such objective. `since` is the first day watched.

    Late and wrong are never mixed: `fresh` counts late deliveries, `quality` wrong ones. `burns`
    is there while outages of its own use up the allowed downtime too fast.
    """

    product: str
    name: str
    since: datetime
    fresh: Tally | None = None
    quality: Tally | None = None
    available: TimeBudget | None = None
    burns: Burn | None = None

    @property
    def worst_left(self) -> float:
        """The share of the budget left where least is left; 1.0 is all of it."""
        shares = [tally.record.left for tally in (self.fresh, self.quality) if tally]
        shares += [1 - self.available.used] if self.available else []
        return min(shares, default=1.0)


def has_objective(product: Product) -> bool:
    promises = product.promises
    return any(
        one is not None
        for one in (promises.fresh_objective, promises.quality, promises.availability)
    )


def look_back(product: Product) -> timedelta:
    """Return how far back its objectives can count, holidays and maintenance allowed for."""
    promises = product.promises
    counted = [one.due_days for one in (promises.fresh_objective, promises.quality) if one]
    a_week = len(promises.fresh_by.days) if promises.fresh_by else len(DAYS)
    days = max(counted, default=0) * len(DAYS) * _DAY / max(1, a_week)
    available = promises.availability_over if promises.availability is not None else 0 * _DAY
    return max(days * 1.25 + 14 * _DAY if counted else days, available)


def reliability(
    product: Product,
    troubles: Sequence[Trouble],
    runs: Sequence[DueRun],
    *,
    windows: Iterable[MaintenanceWindow] = (),
    since: datetime,
    now: datetime,
) -> Reliability:
    """Return how the product's objectives stand at `now`, by what was watched from `since`.

    `troubles` and `runs` are those of this product only.
    """
    promises = product.promises
    watch = _Watch(product, tuple(windows), since, now)
    fresh = quality = available = burns = None
    if promises.fresh_by and promises.fresh_objective:
        late = [one for one in troubles if one.category not in _NO_DELAY]
        fresh = watch.tally(promises.fresh_by, promises.fresh_objective, _Late(late, runs))
    if promises.fresh_by and promises.quality:
        wrong = [one for one in troubles if one.category in WRONG]
        quality = watch.tally(promises.fresh_by, promises.quality, _Wrong(wrong))
    if promises.availability is not None:
        down = [one for one in troubles if one.category is Category.AVAILABILITY]
        of = promises.availability, promises.availability_over
        available = watch.budget(*of, down)
        burns = watch.burn(*of, [one for one in down if not one.upstream])
    return Reliability(
        product=product.id,
        name=product.name,
        since=since,
        fresh=fresh,
        quality=quality,
        available=available,
        burns=burns,
    )


@dataclass(frozen=True, slots=True)
class _Late:
    troubles: Sequence[Trouble]
    runs: Sequence[DueRun]


@dataclass(frozen=True, slots=True)
class _Wrong:
    troubles: Sequence[Trouble]


@dataclass(frozen=True, slots=True)
class _Watch:
    product: Product
    windows: tuple[MaintenanceWindow, ...]
    since: datetime
    now: datetime

    def tally(self, promise: FreshBy, objective: Objective, broken: _Late | _Wrong) -> Tally:
        """Look back from today until the window is full, or nobody watched."""
        days: list[DueDay] = []
        counted = 0
        for day, deadline in self._due(promise):
            if counted >= objective.due_days:
                break
            match broken:
                case _Late():
                    days.append(self._late(day, deadline, promise, broken))
                case _Wrong():
                    days.append(self._wrong(day, deadline, promise, broken))
            counted += days[-1].outcome in {DayOutcome.KEPT, DayOutcome.MISSED}
        return Tally(objective, tuple(reversed(days)))

    def budget(self, percent: float, over: timedelta, down: Sequence[Trouble]) -> TimeBudget:
        return TimeBudget(percent, over, downtime(self._out(down, over), self.now - over, self.now))

    def burn(self, percent: float, over: timedelta, down: Sequence[Trouble]) -> Burn | None:
        outages = self._out(down, over)
        rule = burning(percent, over, outages, self.now)
        return Burn(rule, max(begin for begin, _ in outages)) if rule else None

    def _out(self, down: Sequence[Trouble], over: timedelta) -> list[tuple[datetime, datetime]]:
        return [piece for one in down for piece in self._counted(one, self.now - over)]

    def _counted(self, one: Trouble, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the stretches of an outage since then that no announced maintenance covers."""
        at, end = max(one.began_at, start), one.ended_at or self.now
        covered = [span for window in self.windows for span in window.within(one.labels, at, end)]
        for begin, finish in sorted(covered):
            if at < begin:
                yield at, begin
            at = max(at, finish)
        if at < end:
            yield at, end

    def _due(self, promise: FreshBy) -> Iterator[tuple[date, datetime]]:
        """Yield due days, today first, back to the first deadline that was watched."""
        today = self.now.astimezone(ZoneInfo(promise.zone)).date()
        for n in range(_LONGEST):
            day = today - n * _DAY
            deadline = promise.deadline_on(day)
            if to_instant(day, time(23, 59), promise.zone) < self.since:
                return
            if deadline is not None and deadline >= self.since:
                yield day, deadline

    def _late(self, day: date, deadline: datetime, promise: FreshBy, broken: _Late) -> DueDay:
        if deadline > self.now:
            return DueDay(day, deadline, DayOutcome.PENDING)
        before = to_instant(day - _DAY, promise.at, promise.zone)
        met = [one for one in broken.troubles if one.open_at(deadline)]
        counts = [one for one in met if not self._excused(one.labels, deadline)]
        missing = self._missing(
            [run for run in broken.runs if before < run.due_at <= deadline], deadline
        )
        announced = self._excused(_labels_of(self.product), deadline)
        if announced or (met and not counts):
            return DueDay(day, deadline, DayOutcome.EXCUSED)
        return _judged(day, deadline, counts, missing=missing)

    def _missing(self, due: Iterable[DueRun], deadline: datetime) -> bool:
        """Tell whether what was due had not ended well by the deadline.

        Of runs that come oftener than once a day, what a later one loads again counts no more, nor
        does one that could not be over yet; of an incremental load each counts by itself.
        """
        product = self.product
        takes = product.run_takes or product.grace or GRACE
        named: dict[str, list[bool]] = defaultdict(list)
        over: Counter[str] = Counter()
        for run in sorted(due, key=lambda one: one.due_at):
            named[run.name].append(run.good_at is None or run.good_at > deadline)
            over[run.name] += run.due_at + takes <= deadline
        each = product.load_type is LoadType.INCREMENTAL
        lasts = ((bad, max(1, over[name])) for name, bad in named.items())
        return any(any(bad[:last]) if each else all(bad[last - 1 :]) for bad, last in lasts)

    def _wrong(self, day: date, deadline: datetime, promise: FreshBy, broken: _Wrong) -> DueDay:
        """Judge what readers read of that day: from its deadline on, or in their hours."""
        consumers = self.product.consumer_hours
        start = to_instant(day, time(0), promise.zone) if consumers else deadline
        end = to_instant(day + _DAY, time(0), promise.zone)
        met = [one for one in broken.troubles if self._read(one, start, end, consumers)]
        counts = [one for one in met if not self._excused(one.labels, max(start, one.began_at))]
        if not met and end > self.now:
            return DueDay(day, deadline, DayOutcome.PENDING)
        if met and not counts:
            return DueDay(day, deadline, DayOutcome.EXCUSED)
        return _judged(day, deadline, counts)

    def _read(self, one: Trouble, start: datetime, end: datetime, consumers: Hours | None) -> bool:
        begin, finish = max(start, one.began_at), min(end, one.ended_at or self.now, self.now)
        return begin < finish and (consumers is None or consumers.opens_after(begin) < finish)

    def _excused(self, labels: Mapping[str, str], when: datetime) -> bool:
        return any(window.mutes_until(labels, when) is not None for window in self.windows)


def _judged(
    day: date, deadline: datetime, counts: Sequence[Trouble], *, missing: bool = False
) -> DueDay:
    if not counts and not missing:
        return DueDay(day, deadline, DayOutcome.KEPT)
    upstream = bool(counts) and all(one.upstream for one in counts)
    numbers = tuple(sorted({one.number for one in counts}))
    return DueDay(day, deadline, DayOutcome.MISSED, upstream, numbers)


def _labels_of(product: Product) -> Mapping[str, str]:
    return {"product": product.id, "data_product": product.id}
