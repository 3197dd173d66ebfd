"""What will go wrong with the roster soon: gaps, its end, people away, booked twice, unreachable."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.roster.table import Problem, Severity
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.coverage import (
    AwayOnCall,
    DoubleBooking,
    Gap,
    away_but_on_call,
    double_booked,
    gaps,
)
from rules.schedule.resolution import on_call
from rules.schedule.roster import LOOK_AHEAD, RotationPlan, Schedule
from rules.sentence import duration_text


def outlook(schedule: Schedule, now: datetime) -> list[Problem]:
    """Return warnings about the 14 days from `now`; what is past is nobody's business."""
    told = _Outlook(schedule, now)
    return [
        *told.ends(),
        *told.gaps(),
        *told.away(),
        *told.twice(),
        *told.unreachable(),
    ]


class _Outlook:
    def __init__(self, schedule: Schedule, now: datetime) -> None:
        self._schedule = schedule
        self._people: People = schedule.people
        self._now = now
        self._until = now + LOOK_AHEAD
        newest = sorted(schedule.plans, key=lambda plan: plan.valid_from)
        self._plans: dict[str, RotationPlan] = {plan.name: plan for plan in newest}
        self._on_call: OnCall = on_call(schedule, now, self._until, whole=True)
        self._ends = {name: end for name, plan in self._plans.items() if (end := _end(plan))}

    def ends(self) -> Iterator[Problem]:
        for name, end in sorted(self._ends.items()):
            if end >= self._until:
                continue
            when = self._local(end, name)
            if end <= self._now:
                text = f"the last row of {name} ended {when}. Nobody follows; add rows."
            else:
                left = _days(end - self._now)
                text = f"the last row of {name} ends {when}, in {left}. Add rows."
            yield Problem(_tab(self._plans[name]), text, Severity.WARNING, name, "E16")

    def gaps(self) -> Iterator[Problem]:
        for gap in gaps(self._on_call, self._now, self._until):
            if gap.start < self._ends.get(gap.rotation, gap.end):
                yield self._gap(gap)

    def away(self) -> Iterator[Problem]:
        """Yield who would be on call though away, and who moves up."""
        absences = [a for plan in self._plans.values() for a in plan.away]
        absences += self._schedule.away
        if not absences:
            return
        planned = on_call(self._schedule.without_away(), self._now, self._until)
        for found in away_but_on_call(planned, absences, self._now, self._until):
            yield self._away(found)

    def twice(self) -> Iterator[Problem]:
        """Yield who has two roles at once; shifts of one row are told of by the reader."""
        for booking in double_booked(self._on_call, self._now, self._until):
            if not self._written(booking):
                yield self._twice(booking)

    def unreachable(self) -> Iterable[Problem]:
        seen: dict[str, str] = {}
        for span in self._on_call.all_spans():
            seen.update(dict.fromkeys(span.people, span.rotation) | seen)
        for key, rotation in sorted(seen.items()):
            person = self._people.by_key(key)
            if not (person.slack or person.email or "@" in key or key.startswith("slack:")):
                text = f"{person.name} has neither a Slack id nor an e-mail and cannot be paged."
                yield Problem("", f"{text} Add one to people.", Severity.WARNING, rotation)

    def _gap(self, gap: Gap) -> Problem:
        start, end = (self._local(at, gap.rotation) for at in (gap.start, gap.end))
        length = duration_text(gap.end - gap.start)
        between = self._between(gap)
        text = f"nobody is {gap.role} of {gap.rotation} from {start} to {end} ({length}){between}."
        where = _tab(self._plans[gap.rotation]) if gap.rotation in self._plans else ""
        return Problem(where, text, Severity.WARNING, gap.rotation, "E11")

    def _between(self, gap: Gap) -> str:
        plan = self._plans.get(gap.rotation)
        own = [s for s in plan.shifts if s.role == gap.role and s.people] if plan else []
        before = next((s.where for s in own if s.end == gap.start), "")
        after = next((s.where for s in own if s.start == gap.end), "")
        return f", between {before} and {after}" if before and after else ""

    def _away(self, found: AwayOnCall) -> Problem:
        span, rotation = found.span, found.span.rotation
        name = self._people.by_key(found.away.person).name
        start, end = (self._local(at, rotation) for at in (found.start, found.end))
        now = self._on_call.at(rotation, span.role, found.start)
        if now:
            who = " and ".join(self._people.by_key(key).name for key in now)
            instead = f"{who} {'is' if len(now) == 1 else 'are'} {span.role} instead"
        else:
            instead = "Nobody stands in; write an override"
        text = (
            f"{name} is {span.role} of {rotation} but away from {start} to {end} ({span.source}). "
            f"{instead}."
        )
        return Problem(found.away.where, text, Severity.WARNING, rotation, "E12")

    def _written(self, booking: DoubleBooking) -> bool:
        first, second = booking.first, booking.second
        plan = self._plans.get(first.rotation)
        if plan is None or first.rotation != second.rotation:
            return False
        sources = {shift.source for shift in plan.shifts}
        return {first.source, second.source} <= sources

    def _twice(self, booking: DoubleBooking) -> Problem:
        first, second = booking.first, booking.second
        name = self._people.by_key(booking.person).name
        start, end = (self._local(at, second.rotation) for at in (booking.start, booking.end))
        text = (
            f"{name} is both {first.role} of {first.rotation} ({first.source}) and {second.role} "
            f"of {second.rotation} ({second.source}) from {start} to {end}."
        )
        return Problem("", text, Severity.WARNING, second.rotation, "E13")

    def _local(self, at: datetime, rotation: str) -> str:
        plan = self._plans.get(rotation)
        return f"{at.astimezone(ZoneInfo(plan.zone if plan else 'UTC')):%a %Y-%m-%d %H:%M}"


def _end(plan: RotationPlan) -> datetime | None:
    """Return when the last shift or layer ends, None for turns that go on."""
    if any(layer.effective_until is None for layer in plan.layers):
        return None
    ends = [layer.effective_until for layer in plan.layers if layer.effective_until]
    return max((*ends, *(shift.end for shift in plan.shifts)), default=None)


def _tab(plan: RotationPlan) -> str:
    where = plan.shifts[-1].where if plan.shifts else ""
    return where.rpartition("!")[0]


def _days(left: timedelta) -> str:
    if left < timedelta(days=1):
        return duration_text(left)
    return f"{left.days} day{'s' if left.days > 1 else ''}"
