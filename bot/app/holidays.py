"""Calendars of holidays: lists of days in config.yaml, or .ics files it names."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from bot.config.settings import Config

Calendars = Mapping[str, frozenset[date]]

_LARGEST = 5_000_000
_LONGEST = 60
"""Days of one event: nobody has a holiday of a quarter."""
_YEARS = range(2000, 2100)
_MISSHAPEN = (OSError, ValueError, LookupError, AttributeError, TypeError, ArithmeticError)
"""What icalendar raises for a file that is none, and what a missing part of an event raises."""


def read_holidays(config: Config) -> tuple[Calendars, dict[str, str]]:
    """Return the days of each calendar, and by name what is wrong with a file."""
    days: dict[str, frozenset[date]] = {}
    faults: dict[str, str] = {}
    for name, written in config.holidays.items():
        if not isinstance(written, str):
            days[name] = frozenset(written)
            continue
        try:
            days[name] = frozenset(_of_file(Path(written)))
        except _MISSHAPEN as error:
            days[name] = frozenset()
            faults[name] = f"{written} cannot be read: {_words(error)}"
    return days, faults


def _of_file(path: Path) -> Iterator[date]:
    from icalendar import Calendar  # heavy, and most configurations have no such file

    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("it is larger than 5 MB")
    events = Calendar.from_ical(data).walk("VEVENT")
    if not events:
        raise ValueError("it has no events")
    for event in events:
        if "DTSTART" not in event:
            raise ValueError("an event has no DTSTART")
        yield from _days_of(event.decoded("DTSTART"), event.get("DTEND"), event.get("RRULE"))


def _days_of(start: object, end: object, rule: object) -> Iterator[date]:
    if not isinstance(start, date) or isinstance(start, datetime):
        return  # an event of some hours is no holiday
    last = getattr(end, "dt", None)
    count = (last - start).days if isinstance(last, date) and type(last) is type(start) else 1
    span = [start + timedelta(days=n) for n in range(min(max(count, 1), _LONGEST))]
    if rule is None:
        yield from span
        return
    plain = {key.upper() for key in rule} if isinstance(rule, dict) else set()
    if plain != {"FREQ"} or [str(one).upper() for one in rule["FREQ"]] != ["YEARLY"]:  # type: ignore[index]
        raise ValueError(f"it repeats {start} in a way that is not read; list the days")
    for day in span:
        for year in _YEARS:
            if (day.month, day.day) != (2, 29) or year % 4 == 0:
                yield day.replace(year=year)


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)[:200] if isinstance(error, ValueError) else "it is not a well-made calendar"
