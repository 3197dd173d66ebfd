"""Times at which something is due: a cron expression in a time zone, less the holidays."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

GRACE = timedelta(minutes=15)
"""How long after it is due a run may start, where nobody says otherwise."""
_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - cron expressions tell local times
_SET_BACK = timedelta(hours=3)
"""More than clocks are set back at once."""
_MOST = 100_000
"""Local times looked at for one answer, holidays left out."""
_MOST_HOLIDAYS = 1_000
"""Holidays in a row; after more of them nothing is in sight."""
_END_OF_DAY = time(23, 59, 59)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def checked_cron(written: str) -> str:
    """Return a cron expression of five fields; raises ValueError for anything else."""
    words = " ".join(written.split())
    try:
        if len(words.split(" ")) != 5:
            raise CronSimError("Wrong number of fields")
        next(CronSim(words, _ANY_DAY))
    except StopIteration:
        raise ValueError(f'"{written[:80]}" names a day that never comes') from None
    except (CronSimError, ValueError) as error:
        raise ValueError(
            f'"{written[:80]}" is not a cron expression; write it like "0 6 * * mon-fri"'
        ) from error
    return words


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due at the local times of `cron` in `zone`, on days that are not `holidays`.

    A local time that clocks skip is due at the first instant after the gap; one that happens
    twice is due once, the first time.
    """

    cron: str
    zone: str = "UTC"
    holidays: frozenset[date] = field(default=frozenset())

    def due_after(self, after: datetime) -> datetime | None:
        """Return the first due time after `after`; None when there is none in sight."""
        return next(self._from(after), None)

    def due_until(self, until: datetime) -> datetime | None:
        """Return the last due time at or before `until`; None when there is none in sight."""
        return next(self._back_from(until), None)

    def due_between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the due times from `start` to before `end`, ascending."""
        for at in self._from(start - _SECOND):
            if at >= end:
                return
            if at >= start:
                yield at

    def latest_of(self, due: datetime) -> datetime:
        """Return the last instant that a scheduler may take for a due time.

        Where clocks change they differ: Airflow runs what is skipped by the offset from before the
        gap, and what happens twice the second time; but not where another is due before that.
        """
        tz = ZoneInfo(self.zone)
        before, after = ((due + by).astimezone(tz).utcoffset() for by in (-_SET_BACK, _SET_BACK))
        if before is None or after is None or before == after:
            return due
        local = due.astimezone(tz)
        latest = local.replace(fold=1).astimezone(UTC)
        if (due - _SECOND).astimezone(tz).utcoffset() == before < after == local.utcoffset():
            gap = local.replace(tzinfo=None) - (after - before)
            skipped = takewhile(
                lambda at: at - gap < after - before, CronSim(self.cron, gap - _SECOND)
            )
            latest = due + max((at - gap for at in skipped), default=timedelta(0))
        following = self.due_after(due)
        return latest if following is None or latest <= following else due

    def _from(self, after: datetime) -> Iterator[datetime]:
        last = after
        begin = self._local(min(after, _LAST))
        for local in self._working_times(begin):
            at = instant_of(local, self.zone)
            if at > last:
                last = at
                yield at

    def _back_from(self, until: datetime) -> Iterator[datetime]:
        begin = self._local(min(until, _LAST)) + _SET_BACK
        for local in self._working_times(begin, reverse=True):
            at = instant_of(local, self.zone)
            if at <= until:
                yield at

    def _working_times(self, begin: datetime, *, reverse: bool = False) -> Iterator[datetime]:
        """Yield local times from `begin` on; a holiday is left at its first, were it every minute."""
        in_a_row = 0
        while in_a_row < _MOST_HOLIDAYS:
            for local in islice(CronSim(self.cron, begin, reverse=reverse), _MOST):
                if (day := local.date()) in self.holidays:
                    in_a_row += 1
                    begin = datetime.combine(day, time.min if reverse else _END_OF_DAY)
                    break
                in_a_row = 0
                yield local
            else:
                return

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None, microsecond=0)


@lru_cache(maxsize=65_536)
def instant_of(local: datetime, zone: str) -> datetime:
    """Turn a naive local time into an instant; one that clocks skip is the end of the gap."""
    tz = ZoneInfo(zone)
    at = local.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if at.astimezone(tz).replace(tzinfo=None) == local:
        return at
    # in a gap: read with the offset before it and with the one after it, the change is between
    before, after = local.replace(tzinfo=tz, fold=1).astimezone(UTC), at
    old = before.astimezone(tz).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(tz).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
