"""Runs that are waited for: which one an occasion was served by, and what is missed when."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from zoneinfo import ZoneInfo

from rules.alert import Alert, AlertStatus, Severity
from rules.cron import GRACE, Schedule
from rules.run import BACKFILL, Run, RunState
from rules.sentence import duration_text

EXPECTED = "@expected"
"""The source of alerts about runs that have not started."""
EARLY = timedelta(minutes=5)
"""A run may start so much before it is due; of short intervals, a tenth."""
MOST_OCCASIONS = 1_000
"""So many missed occasions are kept of one absence, the newest."""
_BACK_WITHIN = timedelta(hours=1)


class Outcome(StrEnum):
    """What came of an occasion, the better the later."""

    MISSED = "missed"
    STARTED = "started"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


_OUTCOMES: Mapping[RunState, Outcome] = {
    RunState.STARTED: Outcome.STARTED,
    RunState.FAILED: Outcome.FAILED,
    RunState.CANCELLED: Outcome.FAILED,
    RunState.SUCCEEDED: Outcome.SUCCEEDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Something that must start by each due time plus `grace`.

    With a `pipeline` it is that one of `source`; without, any run about `product`. `labels` are
    those of its alert, by which the catalogue finds what it is about.
    """

    name: str
    schedule: Schedule
    grace: timedelta = GRACE
    source: str = ""
    pipeline: str = ""
    product: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        """Return the same text as long as the same is expected at the same times."""
        of, at = (self.source, self.pipeline, self.product), self.schedule
        holidays = sorted(day.isoformat() for day in at.holidays)
        told = json.dumps([of, at.cron, at.zone, self.grace.total_seconds(), holidays])
        return blake2b(told.encode(), digest_size=16).hexdigest()

    @property
    def dedup_key(self) -> str:
        return f"expected:{self.name}"

    def late_at(self, due: datetime) -> datetime:
        """Return when it is late that was due then."""
        return self.schedule.latest_of(due) + self.grace

    def occasion_of(self, moment: datetime) -> datetime | None:
        """Return the due time that a run of `moment` is for: the last one, or one just ahead."""
        last = self.schedule.due_until(moment)
        ahead = self.schedule.due_after(moment)
        if ahead is None:
            return last
        early = EARLY if last is None else min(EARLY, (ahead - last) / 10)
        return ahead if ahead - moment <= early else last


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the clock of an expectation stands.

    `due_at` is the occasion waited for, `look_at` when it is judged, None while nobody waits.
    `missed_at` is the last missed occasion while no run has made up for it, `missed` how many
    there were in a row. `seen_at` and `run_id` tell of the last run seen.
    """

    name: str
    rule: str
    product: str = ""
    due_at: datetime | None = None
    look_at: datetime | None = None
    missed_at: datetime | None = None
    missed: int = 0
    seen_at: datetime | None = None
    run_id: str = ""
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One time at which a run was due; `seen_at` is when its run began, None when none did."""

    name: str
    due_at: datetime
    outcome: Outcome
    product: str = ""
    seen_at: datetime | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What follows from time passing or from a run.

    `occasions` are new; `amended` change only what is known already.
    """

    standing: Standing
    occasions: tuple[Occasion, ...] = ()
    amended: tuple[Occasion, ...] = ()
    alert: Alert | None = None


class ExpectedRuns:
    """All expectations in force, found by name or by the run that meets them.

    Of two with one name the first stays. `complete` is False while the catalogue has not been
    read: what is not listed is then not known to be gone. `schedules` has when products run for
    whose runs nobody waits.
    """

    def __init__(
        self,
        expectations: Iterable[Expectation] = (),
        *,
        complete: bool = True,
        schedules: Mapping[str, Schedule] | None = None,
    ) -> None:
        self.complete = complete
        self.schedules = schedules or {}
        self._named: dict[str, Expectation] = {}
        for one in expectations:
            self._named.setdefault(one.name, one)
        self._of_pipeline: dict[tuple[str, str], list[Expectation]] = {}
        self._of_product: dict[str, list[Expectation]] = {}
        for one in self._named.values():
            if one.pipeline:
                self._of_pipeline.setdefault((one.source, one.pipeline), []).append(one)
            else:
                self._of_product.setdefault(one.product, []).append(one)

    def __iter__(self) -> Iterator[Expectation]:
        return iter(self._named.values())

    def __len__(self) -> int:
        return len(self._named)

    def get(self, name: str) -> Expectation | None:
        return self._named.get(name)

    def of_pipeline(self, source: str, pipeline: str) -> tuple[Expectation, ...]:
        return tuple(self._of_pipeline.get((source, pipeline), ()))

    def of_product(self, product: str) -> tuple[Expectation, ...]:
        """Return those that any run about the product meets."""
        return tuple(self._of_product.get(product, ()))

    def about(self, product: str) -> Expectation | None:
        """Return the first that waits for the product, be it for any run or for a pipeline's."""
        return next((one for one in self if product and one.product == product), None)

    @property
    def by_product(self) -> bool:
        """Tell whether any expectation is met by whatever run is about its product."""
        return bool(self._of_product)

    def met_by(self, run: Run, products: Iterable[str]) -> tuple[Expectation, ...]:
        """Return those that a run about these products meets."""
        met = {one.name: one for one in self.of_pipeline(run.source, run.pipeline)}
        for product in products:
            met |= {one.name: one for one in self.of_product(product)}
        return tuple(met.values())


def begin(expected: Expectation, now: datetime) -> Standing:
    """Start to count: the first occasion is the next one."""
    fresh = Standing(name=expected.name, rule=expected.rule, product=expected.product)
    return _waiting(fresh, expected, expected.schedule.due_after(now))


def adapt(standing: Standing, expected: Expectation, now: datetime) -> Judgement:
    """Go on with an expectation that was changed, or that was gone and is back.

    An occasion that is due now by the old rule and by the new one is still waited for; a run
    that has started already is not asked for again.
    """
    rule, product = expected.rule, expected.product
    changed = standing.rule != rule
    back = standing.retired_at is not None and now - standing.retired_at > _BACK_WITHIN
    kept = replace(standing, rule=rule, product=product, retired_at=None)
    if standing.due_at is not None and not back:
        same = not changed or expected.schedule.due_until(now) == standing.due_at
        if same or (standing.due_at > now and standing.due_at == expected.schedule.due_after(now)):
            return Judgement(standing=_waiting(kept, expected, standing.due_at))
    due = expected.schedule.due_after(now)
    if due and standing.seen_at and expected.occasion_of(standing.seen_at) == due:
        due = expected.schedule.due_after(due)
    over = replace(kept, missed_at=None, missed=0) if changed else kept
    gone = kept.missed_at is not None and changed
    words = f"{expected.name} is expected at other times now"
    alert = _end(expected, words, now) if gone else None
    return Judgement(standing=_waiting(over, expected, due), alert=alert)


def retire(standing: Standing, now: datetime) -> Judgement:
    """Stop waiting for what is not expected any more."""
    alert = None
    if standing.missed_at is not None:
        gone = Expectation(name=standing.name, schedule=Schedule("0 0 * * *"))
        alert = _end(gone, f"{standing.name} is not expected any more", now)
    over = replace(standing, look_at=None, missed_at=None, missed=0, retired_at=now)
    return Judgement(standing=over, alert=alert)


def judge(standing: Standing, expected: Expectation, now: datetime) -> Judgement:
    """Say what has been missed once a deadline has passed: only the last occasion is told."""
    due_at = standing.due_at
    if due_at is None:
        return Judgement(standing=_waiting(standing, expected, expected.schedule.due_after(now)))
    if now < expected.late_at(due_at):
        return Judgement(standing=_waiting(standing, expected, due_at))
    last = expected.schedule.due_until(now - expected.grace) or due_at
    while last > due_at and now < expected.late_at(last):
        last = expected.schedule.due_until(last - _INSTANT) or due_at
    count, kept = 0, deque[datetime](maxlen=MOST_OCCASIONS)
    for at in (due_at, *expected.schedule.due_between(due_at + _INSTANT, last + _INSTANT)):
        count += 1
        kept.append(at)
    last = kept[-1]
    after = replace(standing, missed_at=last, missed=standing.missed + count)
    return Judgement(
        standing=_waiting(after, expected, expected.schedule.due_after(last)),
        occasions=tuple(_occasion(expected, at, Outcome.MISSED) for at in kept),
        alert=_missed(after, expected, last, now),
    )


_INSTANT = timedelta(microseconds=1)


def observe(standing: Standing, expected: Expectation, run: Run, now: datetime) -> Judgement | None:
    """Let a run serve its occasion; None when it serves none.

    A backfill serves none: it is about another day. A run that failed has an alert of its own,
    so it serves as one that went well. The occasion is that of the time the run was scheduled
    for, or of its start.
    """
    began = run.began_at or now
    moment = min(run.nominal_at or began, now)
    occasion = expected.occasion_of(moment)
    if run.kind == BACKFILL or occasion is None or standing.look_at is None:
        return None
    seen = replace(standing, seen_at=max(began, standing.seen_at or began), run_id=run.run_id)
    assert standing.due_at is not None
    if occasion < standing.due_at:
        told = _served(expected, occasion, run, began)
        if standing.missed_at is None or occasion < standing.missed_at:
            return Judgement(standing=seen, amended=(told,))
        over = replace(seen, missed_at=None, missed=0)
        return Judgement(
            standing=over, amended=(told,), alert=_made_up(expected, occasion, began, now)
        )
    passed = expected.schedule.due_between(standing.due_at, occasion + _INSTANT)
    kept = deque[datetime](passed, maxlen=MOST_OCCASIONS)
    alert = None
    if standing.missed_at is not None:
        alert = _end(expected, f"{expected.name} has started again", now)
    over = replace(seen, missed_at=None, missed=0)
    return Judgement(
        standing=_waiting(over, expected, expected.schedule.due_after(occasion)),
        occasions=tuple(
            _served(expected, at, run, began)
            if at == occasion or moment <= expected.late_at(at)
            else _occasion(expected, at, Outcome.MISSED)
            for at in kept
        ),
        alert=alert,
    )


def _waiting(standing: Standing, expected: Expectation, due: datetime | None) -> Standing:
    return replace(standing, due_at=due, look_at=expected.late_at(due) if due else None)


def _occasion(expected: Expectation, at: datetime, outcome: Outcome) -> Occasion:
    return Occasion(name=expected.name, product=expected.product, due_at=at, outcome=outcome)


def _served(expected: Expectation, at: datetime, run: Run, began: datetime) -> Occasion:
    served = _occasion(expected, at, _OUTCOMES[run.state])
    return replace(served, seen_at=began, run_id=run.run_id)


def _missed(standing: Standing, expected: Expectation, last: datetime, now: datetime) -> Alert:
    zone = ZoneInfo(expected.schedule.zone)
    local = last.astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f" on {local:%Y-%m-%d}"
    count = standing.missed
    more = f"; {count} occasions in a row were missed" if count > 1 else ""
    if standing.seen_at is None:
        since = "No run of it has ever been seen. Does its source tell of runs that start or end?"
    else:
        seen = standing.seen_at.astimezone(zone)
        since = f"The last run that was seen began on {seen:%Y-%m-%d at %H:%M} ({zone.key})."
    return Alert(
        source=EXPECTED,
        dedup_key=expected.dedup_key,
        status=AlertStatus.FIRING,
        severity=Severity.ERROR,
        title=f"{expected.name} was due at {local:%H:%M}{day} and has not started{more}",
        description=f"Due {local:%Y-%m-%d %H:%M} {zone.key}, "
        f"with {duration_text(expected.grace)} of grace. {since}",
        occurred_at=expected.late_at(last),
        labels={**expected.labels, "expected_run": expected.name, "due_at": _iso(last)},
    )


def _made_up(expected: Expectation, occasion: datetime, began: datetime, now: datetime) -> Alert:
    late = began - occasion
    if began <= expected.late_at(occasion):
        words = f"{expected.name} started in time, and its source told of it late"
        return _end(expected, words, now)
    minute = timedelta(minutes=1)
    told = duration_text(late - late % minute if late >= minute else late)
    return _end(expected, f"{expected.name} started {told} late", now)


def _end(expected: Expectation, title: str, now: datetime) -> Alert:
    return Alert(
        source=EXPECTED,
        dedup_key=expected.dedup_key,
        status=AlertStatus.RESOLVED,
        severity=Severity.INFO,
        title=title,
        occurred_at=now,
        labels={**expected.labels, "expected_run": expected.name},
    )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
