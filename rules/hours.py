"""Local hours in a named zone: when they hold, when they next open and close."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TWO_WEEKS = 16
"""Far enough to find a weekly window even when clocks skip the next one."""


def to_instant(day: date, at: time, zone: str) -> datetime:
    """Turn a local time into an instant by PEP 495 with fold=0.

    A time that clocks skip takes the offset from before the gap; a time that happens twice is
    the first one, as RFC 5545 section 3.3.5 has it.
    """
    return datetime.combine(day, at, ZoneInfo(zone)).replace(fold=0).astimezone(UTC)


def next_local(now: datetime, at: time, zone: str) -> datetime:
    """Return the first instant after `now` at which clocks in `zone` show `at`."""
    day = now.astimezone(ZoneInfo(zone)).date()
    candidates = (to_instant(day + timedelta(days=n), at, zone) for n in range(-1, 3))
    return next(instant for instant in candidates if instant > now)


def local_text(at: datetime, zone: str) -> str:
    """Show an instant as clocks in `zone` do: `Mon 2026-11-23 07:00 CET`.

    A zone without an abbreviation has its offset instead: `UTC-03`.
    """
    local = at.astimezone(ZoneInfo(zone))
    name = local.tzname() or ""
    return f"{local:%a %Y-%m-%d %H:%M} {f'UTC{name}' if name[:1] in {'+', '-'} else name}"


@dataclass(frozen=True, slots=True)
class Hours:
    """`opens` to `closes` on `days`, in `zone`; closing at or before opening means next day.

    A window belongs to the day on which it opens: "fri 22:00-06:00" ends on Saturday.
    """

    opens: time
    closes: time
    zone: str
    days: tuple[str, ...] = DAYS

    def hold(self, now: datetime) -> bool:
        return self.closes_after(now) is not None

    def closes_after(self, now: datetime) -> datetime | None:
        """Return when the window that holds `now` closes, or None outside of it."""
        return next((end for start, end in self._around(now) if start <= now < end), None)

    def opens_after(self, now: datetime) -> datetime:
        """Return `now` inside the hours, else when they next open."""
        if self.hold(now):
            return now
        return next(start for start, end in self._around(now) if start > now and end > start)

    def _around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        today = now.astimezone(ZoneInfo(self.zone)).date()
        for offset in range(-1, _TWO_WEEKS):
            day = today + timedelta(days=offset)
            if DAYS[day.weekday()] not in self.days:
                continue
            last = day if self.closes > self.opens else day + timedelta(days=1)
            yield to_instant(day, self.opens, self.zone), to_instant(last, self.closes, self.zone)
