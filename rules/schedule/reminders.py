"""What to tell people of their shifts, and when: reminders, corrections, gaps and double bookings."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.hours import Hours, to_instant
from rules.rotation import OnCall
from rules.schedule.coverage import double_booked, gaps, within
from rules.schedule.roster import LOOK_AHEAD

BEFORE = (timedelta(days=7), timedelta(days=1), timedelta(hours=1))
PAUSE = timedelta(days=1)
"""Turns of one person that are less apart are one shift with a pause."""
_LATEST = timedelta(hours=6)
_LOOK_BACK = timedelta(days=8)
_FAR = timedelta(days=30)
_WINDOW = timedelta(days=60)
_SOON = timedelta(days=2)
"""Quiet hours move a moment by less than this: what is further away need not be worked out."""
_DAY, _QUARTER = timedelta(days=1), timedelta(minutes=15)
_NEAR = timedelta(hours=36)
"""A shift that begins so much earlier or later than was said is the same one, moved."""


class NoticeKind(StrEnum):
    REMINDER = "reminder"
    MOVED = "moved"
    CANCELLED = "cancelled"
    GAP = "gap"
    NOBODY = "nobody"
    DOUBLE_BOOKING = "double_booking"
    QUESTION = "question"
    HANDOFF = "handoff"
    UNREACHABLE = "unreachable"
    ONE_WAY = "one_way"


_OF_SHIFTS = {NoticeKind.REMINDER, NoticeKind.MOVED, NoticeKind.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell, or told: about [start, end). `key` is what it is told once by.

    `was` is the start that a correction takes back. Of a gap that nothing ends, `end` is as far
    as was looked. `told_at` is None until it was told.
    """

    key: str
    kind: NoticeKind
    start: datetime
    end: datetime
    person: str = ""
    rotation: str = ""
    role: str = ""
    was: datetime | None = None
    told_at: datetime | None = None

    @property
    def slot(self) -> tuple[str, str, str]:
        return self.rotation, self.role, self.person


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which a person has a role; `lasts` goes on over pauses of less than a day.

    `rested` is how long they had not had it before, None when never in sight.
    """

    rotation: str
    role: str
    person: str
    start: datetime
    end: datetime
    lasts: datetime
    rested: timedelta | None

    @property
    def slot(self) -> tuple[str, str, str]:
        return self.rotation, self.role, self.person


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be told now, and when to look again at the latest (None: when things change)."""

    notices: tuple[Notice, ...]
    again: datetime | None = None


QuietHours = Callable[[str], Hours | None]
"""The quiet hours of a person, by key."""


def turns(on_call: OnCall, now: datetime) -> list[Turn]:
    """Return everybody's turns around `now`, merged, in order of time."""
    found: list[Turn] = []
    for rotation in on_call.rotations:
        for role in on_call.roles(rotation):
            found += _of_role(on_call, rotation, role, now)
    return sorted(found, key=lambda turn: (turn.start, turn.slot))


def reminders(
    found: Iterable[Turn],
    told: Sequence[Notice],
    now: datetime,
    *,
    quiet: QuietHours,
    before: Sequence[timedelta] = BEFORE,
) -> Plan:
    """Return the reminders that are due and were not sent, at most one a shift.

    One whose moment passed long ago is left to the next. A shift after a pause is told of only
    by what fits into the pause.
    """
    keys = {notice.key for notice in told}
    due, ahead = [], []
    for turn in (turn for turn in found if turn.start > now):
        hours = quiet(turn.person)
        moments = {
            stage: _moment(turn.start, stage, hours)
            for stage in sorted(before)
            if (turn.rested is None or stage <= turn.rested)
            and abs(turn.start - stage - now) < _SOON
        }
        ahead += [at for at in moments.values() if at > now]
        moved = _moved_at(turn, told)
        if moved is not None:
            moments = {stage: at for stage, at in moments.items() if at > moved}
        open_ = (s for s, at in moments.items() if at <= now < at + min(s / 4, _LATEST))
        stage = next(open_, None)
        if stage is not None and (notice := _reminder(turn, stage, told)).key not in keys:
            due.append(notice)
    return Plan(tuple(due), min(ahead, default=None))


def corrections(
    found: Sequence[Turn], told: Sequence[Notice], now: datetime, *, quiet: QuietHours
) -> tuple[Notice, ...]:
    """Return what must be said to people whose shift is not any more as they were told.

    Whoever has quiet hours is told afterwards, if that is soon enough.
    """
    by_slot: dict[tuple[str, str, str], list[Turn]] = {}
    for turn in found:
        by_slot.setdefault(turn.slot, []).append(turn)
    made = []
    for slot, believed in beliefs(told).items():
        now_theirs = by_slot.get(slot, [])
        for start, end in believed.items():
            if start > now and (found_ := _correction(slot, (start, end), now_theirs, told, now)):
                made.append(found_)
    return tuple(notice for notice in made if not _can_wait(notice, now, quiet(notice.person)))


def beliefs(told: Iterable[Notice]) -> Mapping[tuple[str, str, str], dict[datetime, datetime]]:
    """Return the shifts people know of, start to end, by rotation, role and person.

    `told` is in the order in which it was told.
    """
    known: dict[tuple[str, str, str], dict[datetime, datetime]] = {}
    for notice in told:
        if notice.kind not in _OF_SHIFTS:
            continue
        theirs = known.setdefault(notice.slot, {})
        if notice.was is not None:
            theirs.pop(notice.was, None)
        if notice.kind is not NoticeKind.CANCELLED:
            theirs[notice.start] = notice.end
    return known


def gap_warnings(on_call: OnCall, now: datetime) -> Iterator[Notice]:
    """Yield the stretches of the next 14 days in which nobody has a role; each has one key."""
    for gap in gaps(on_call, now, now + LOOK_AHEAD):
        since = gap.start.isoformat()
        if gap.start == now:
            ended = [s.end for s in on_call.spans(gap.rotation, gap.role) if s.people]
            before = [end for end in ended if end <= now]
            since = max(before).isoformat() if before else "ever"
        yield Notice(
            key=f"gap:{gap.rotation}:{gap.role}:{since}",
            kind=NoticeKind.GAP,
            start=gap.start,
            end=gap.end,
            rotation=gap.rotation,
            role=gap.role,
        )


def nobody_warnings(on_call: OnCall, now: datetime) -> Iterator[Notice]:
    """Yield, anew each day, that there is no shift at all: without one there is no gap either."""
    if not on_call.rotations:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        key = f"nobody:{today.date()}"
        yield Notice(key=key, kind=NoticeKind.NOBODY, start=today, end=today + LOOK_AHEAD)


def double_warnings(on_call: OnCall, now: datetime) -> Iterator[Notice]:
    """Yield who has two roles at once in the next 14 days; `role` names both."""
    for twice in double_booked(on_call, now, now + LOOK_AHEAD):
        first, second = twice.first, twice.second
        start = max(first.start, second.start)
        places = f"{_place(first.rotation, first.role)} and {_place(second.rotation, second.role)}"
        yield Notice(
            key=f"double:{twice.person}:{places}:{start.isoformat()}",
            kind=NoticeKind.DOUBLE_BOOKING,
            start=twice.start,
            end=twice.end,
            person=twice.person,
            rotation=first.rotation,
            role=places,
        )


def _place(rotation: str, role: str) -> str:
    return f"{role} of {rotation}"


def _of_role(on_call: OnCall, rotation: str, role: str, now: datetime) -> Iterator[Turn]:
    open_: dict[str, list[datetime]] = {}
    runs: dict[str, list[list[datetime]]] = {}
    for span in within(on_call, rotation, role, now - _LOOK_BACK, now + _WINDOW):
        for person in span.people:
            run = open_.get(person)
            if run is not None and run[1] == span.start:
                run[1] = span.end
                continue
            open_[person] = run = [span.start, span.end]
            runs.setdefault(person, []).append(run)
    for person, theirs in runs.items():
        lasts = theirs[-1][1]
        for number in range(len(theirs) - 1, -1, -1):
            start, end = theirs[number]
            follows = theirs[number + 1][0] if number + 1 < len(theirs) else None
            lasts = lasts if follows is not None and follows - end < PAUSE else end
            rested = start - theirs[number - 1][1] if number else None
            yield Turn(rotation, role, person, start, end, lasts, rested)


def _moment(start: datetime, stage: timedelta, hours: Hours | None) -> datetime:
    """Return when to say it: after quiet hours that hold then, or before those that would be late."""
    at = start - stage
    if hours is None or (end := quiet_until(hours, at)) is None:
        return at
    if end < start:
        return end
    earlier = (at - n * _QUARTER for n in range(_DAY // _QUARTER))
    # hours that leave no time of the day would otherwise leave none to say it
    return next((one for one in earlier if quiet_until(hours, one) is None), at)


def quiet_until(hours: Hours, when: datetime) -> datetime | None:
    """Return when the quiet hours that hold `when` are over, None where none do.

    They are every day's, so that two days need a look.
    """
    today = when.astimezone(ZoneInfo(hours.zone)).date()
    for day in (today, today - timedelta(days=1)):
        last = day if hours.closes > hours.opens else day + timedelta(days=1)
        ends = to_instant(last, hours.closes, hours.zone)
        if to_instant(day, hours.opens, hours.zone) <= when < ends:
            return ends
    return None


def _moved_at(turn: Turn, told: Sequence[Notice]) -> datetime | None:
    """Return when the person was last told that the shift moved to where it is."""
    moves = (n for n in told if n.kind is NoticeKind.MOVED and n.slot == turn.slot)
    return max((n.told_at for n in moves if n.start == turn.start and n.told_at), default=None)


def _reminder(turn: Turn, stage: timedelta, told: Sequence[Notice]) -> Notice:
    taken_back = sum(
        n.slot == turn.slot
        and n.was == turn.start
        and (n.kind is NoticeKind.CANCELLED or n.start != n.was)
        for n in told
    )
    which = f"{turn.rotation}:{turn.role}:{turn.person}:{turn.start.isoformat()}"
    return Notice(
        key=f"reminder:{which}:{int(stage.total_seconds())}:{taken_back}",
        kind=NoticeKind.REMINDER,
        start=turn.start,
        end=turn.lasts,
        person=turn.person,
        rotation=turn.rotation,
        role=turn.role,
    )


def _correction(
    slot: tuple[str, str, str],
    believed: tuple[datetime, datetime],
    theirs: Sequence[Turn],
    told: Sequence[Notice],
    now: datetime,
) -> Notice | None:
    start, end = believed
    same = next((turn for turn in theirs if turn.start == start), None)
    if same is not None and (same.lasts == end or min(same.lasts, end) > now + _FAR):
        return None
    known = {n.start for n in told if n.slot == slot and n.kind is not NoticeKind.CANCELLED}
    others = [
        turn
        for turn in theirs
        if turn.end > now
        and turn.start not in known
        and (abs(turn.start - start) <= _NEAR or (turn.start < end and start < turn.end))
    ]
    moved = same or min(others, key=lambda turn: abs(turn.start - start), default=None)
    rotation, role, person = slot
    kind = NoticeKind.MOVED if moved else NoticeKind.CANCELLED
    count = sum(n.slot == slot for n in told)
    return Notice(
        key=f"{kind}:{rotation}:{role}:{person}:{start.isoformat()}:{count}",
        kind=kind,
        start=moved.start if moved else start,
        end=moved.lasts if moved else end,
        person=person,
        rotation=rotation,
        role=role,
        was=start,
    )


def _can_wait(notice: Notice, now: datetime, hours: Hours | None) -> bool:
    ends = quiet_until(hours, now) if hours else None
    earliest = min(notice.start, notice.was or notice.start)
    return ends is not None and ends < earliest
