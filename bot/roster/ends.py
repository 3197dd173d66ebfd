"""When a written shift ends: as written, through its last day, or at the next one's start."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from bot.roster.dates import Written, read_time_only
from bot.roster.settings import RotationSettings
from bot.roster.table import Cell, Problem, Severity, quoted
from rules.hours import to_instant

_A_WEEK = timedelta(days=7)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Draft:
    """One person's cell with the start of its row; the end may depend on other rows.

    `end` is text when the cell holds only a time of day.
    """

    rotation: str
    role: str
    start_cell: Cell
    start: Written
    person_cell: Cell
    end_cell: Cell | None
    end: Written | str | None
    settings: RotationSettings

    @cached_property
    def starts_at(self) -> datetime:
        if self.start.instant is not None:
            return self.start.instant
        return self.instant(self.start.day, self.start.at)

    @cached_property
    def local_start(self) -> datetime:
        """The start as clocks in the rotation's zone show it, without a zone."""
        if self.start.instant is not None:
            return self.start.instant.astimezone(ZoneInfo(self.settings.zone)).replace(tzinfo=None)
        return datetime.combine(self.start.day, self.start.at or self.settings.handoff)

    def instant(self, day: date, at: time | None) -> datetime:
        return to_instant(day, self.settings.handoff if at is None else at, self.settings.zone)


class _EndError(ValueError):
    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Following:
    """What comes after a draft in its slot: the next start, and the usual length of a turn."""

    local: datetime | None
    instant: datetime | None
    period: timedelta


def close(
    drafts: Sequence[Draft], *, week: bool
) -> tuple[list[tuple[Draft, datetime]], list[Problem]]:
    """Give every draft its end in UTC, never before its start.

    With `week` a row without an end lasts one week at most. Problems name the end's cell.
    """
    starts: dict[tuple[str, str], dict[datetime, datetime]] = {}
    for draft in drafts:
        slot = starts.setdefault((draft.rotation, draft.role), {})
        slot[draft.starts_at] = draft.local_start
    ordered = {slot: sorted(by_instant.items()) for slot, by_instant in starts.items()}
    closed: list[tuple[Draft, datetime]] = []
    problems: list[Problem] = []
    for draft in drafts:
        following = _following(draft, ordered[draft.rotation, draft.role])
        try:
            closed.append((draft, max(draft.starts_at, _end(draft, following, week=week))))
        except _EndError as error:
            cell = draft.end_cell or draft.start_cell
            problem = Problem(cell.address, str(error), Severity.ERROR, draft.rotation, error.code)
            problems.append(problem)
    return closed, problems


def _following(draft: Draft, starts: list[tuple[datetime, datetime]]) -> _Following:
    at = bisect_right(starts, draft.starts_at, key=lambda pair: pair[0])
    if at < len(starts):
        instant, local = starts[at]
        return _Following(local, instant, _A_WEEK)
    period = starts[-1][1] - starts[-2][1] if len(starts) > 1 else _A_WEEK
    return _Following(None, None, period)


def _end(draft: Draft, following: _Following, *, week: bool) -> datetime:
    match draft.end:
        case None:
            return _open_end(draft, following, week=week or draft.start.is_week)
        case str(text):
            return _same_day(draft, text)
        case end:
            return _written_end(draft, end, following)


def _open_end(draft: Draft, following: _Following, *, week: bool) -> datetime:
    if following.instant is not None and not week:
        return following.instant
    local = draft.local_start + (_A_WEEK if week else following.period)
    end = draft.instant(local.date(), local.time())
    return end if following.instant is None else min(end, following.instant)


def _same_day(draft: Draft, text: str) -> datetime:
    read = read_time_only(text)
    if read is None:
        raise _EndError(f"{quoted(text)} is not a time.")
    at, next_day = read
    local = draft.local_start
    later = next_day or at <= local.time()
    return draft.instant(local.date() + (_A_DAY if later else timedelta(0)), at)


def _written_end(draft: Draft, end: Written, following: _Following) -> datetime:
    if end.instant is not None:
        if end.instant <= draft.starts_at:
            raise _backwards(draft)
        return end.instant
    if end.at is not None:
        day = end.day + (_A_DAY if end.next_day else timedelta(0))
        if datetime.combine(day, end.at) <= draft.local_start:
            raise _backwards(draft)
        return draft.instant(day, end.at)
    last = end.day + timedelta(days=6) if end.is_week else end.day
    if last < draft.local_start.date():
        raise _backwards(draft)
    if following.instant is not None and following.local and following.local.date() == last:
        return following.instant
    return draft.instant(last + _A_DAY, None)


def _backwards(draft: Draft) -> _EndError:
    end = quoted(draft.end_cell.text if draft.end_cell else "")
    start = draft.start_cell
    return _EndError(
        f"the end ({end[1:-1]}) is not after the start in {start.place} "
        f"({quoted(start.text)[1:-1]}). Correct one of them.",
        "E04",
    )
