"""What people write for turns, hand-offs, days and hours in the Rotations tab."""

import re
from collections.abc import Iterator
from datetime import time

from bot.roster.dates import WEEKDAYS
from bot.roster.header import normalise
from bot.roster.table import quoted
from rules.hours import DAYS, Hours
from rules.schedule.roster import AdvanceOn, OnHolidays, Unit
from rules.spoken_time import UnclearTimeError, read_clock

_UNITS = {
    Unit.HOUR: "h hour hours hourly stunde stunden heure heures hora horas",
    Unit.DAY: "d day days daily tag tage taglich taeglich jour jours dia dias",
    Unit.WEEK: "w week weeks weekly woche wochen wochentlich semaine semaines semana semanas",
    Unit.MONTH: "month months monthly monat monate monatlich mois mes meses",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_EVERY = re.compile(r"(?:every\s+)?(\d{1,3})?\s*([^\W\d]*)")
_LONGEST_TURN = 366
_DAY_SETS = {
    "weekdays": DAYS[:5],
    "workdays": DAYS[:5],
    "working days": DAYS[:5],
    "werktags": DAYS[:5],
    "weekend": DAYS[5:],
    "weekends": DAYS[5:],
    "wochenende": DAYS[5:],
    "daily": DAYS,
    "every day": DAYS,
    "all": DAYS,
    "always": DAYS,
}
_RANGE = re.compile(r"\s*(?:-|–|—|to|bis|until)\s*")
_LIST = re.compile(r"\s*(?:[,;/+&\n]|\band\b|\bund\b)\s*")
_AROUND_THE_CLOCK = {"24h", "24/7", "always", "all day", "all", "24", "00:00-24:00", "0-24"}


def read_every(text: str) -> tuple[int, Unit]:
    """Read "1 week", "2 weeks", "daily", "12 h"; raises ValueError."""
    match = _EVERY.fullmatch(normalise(text))
    unit = _UNIT_OF.get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(f'{quoted(text)} is not a turn. Write "1 week", "1 day" or "12 hours".')
    every = int(match[1] or 1)
    if not 1 <= every <= _LONGEST_TURN:
        raise ValueError(f"a turn has 1 to {_LONGEST_TURN} {unit}s, not {every}.")
    return every, unit


def read_hand_off(text: str) -> tuple[str, time | None]:
    """Read "Mon 09:00", "09:00" or "Monday" to a day ("mon", or "") and a time; ValueError."""
    words = text.replace(",", " ").split()
    day = ""
    if words and (number := WEEKDAYS.get(normalise(words[0]))) is not None:
        day, words = DAYS[number], words[1:]
    rest = " ".join(words).removeprefix("at ").strip()
    if not rest:
        return day, None
    try:
        at, next_day = read_clock(rest)
    except UnclearTimeError:
        raise ValueError(f'{quoted(text)} is not a hand-off. Write "Mon 09:00".') from None
    if next_day:
        raise ValueError('"24:00" is only an end. Write "00:00" of the next day.')
    return day, at


def read_days(text: str) -> tuple[str, ...]:
    """Read "Mon-Fri", "Sat, Sun", "weekdays"; raises ValueError."""
    named = _DAY_SETS.get(normalise(text))
    if named or not text:
        return named or DAYS
    found: set[str] = set()
    for piece in _LIST.split(text.strip()):
        ends = [_day(word, text) for word in _RANGE.split(piece)]
        if len(ends) > 2:
            raise _no_days(text)
        first, last = ends[0], ends[-1]
        found |= {DAYS[n % 7] for n in range(first, last + (7 if last < first else 0) + 1)}
    return tuple(day for day in DAYS if day in found)


def read_hours(text: str, days: tuple[str, ...], zone: str) -> tuple[Hours, ...]:
    """Read "09:00-17:00" or several, to windows; () for around the clock. Raises ValueError."""
    if not text or normalise(text) in _AROUND_THE_CLOCK:
        return () if days == DAYS else (Hours(time(0), time(0), zone, days),)
    return tuple(Hours(opens, closes, zone, days) for opens, closes in _windows(text))


def read_advance(text: str) -> AdvanceOn:
    """Read what a turn without duty counts as; raises ValueError."""
    try:
        return AdvanceOn(normalise(text) or AdvanceOn.CALENDAR)
    except ValueError:
        raise ValueError(f'{quoted(text)} is neither "calendar" nor "active".') from None


def read_on_holidays(text: str) -> tuple[OnHolidays, str]:
    """Read "off", "only", "also" or "as usual", with a place behind it; raises ValueError."""
    folded = normalise(text)
    for kind in sorted(OnHolidays, key=len, reverse=True):
        if folded == kind or folded.startswith(f"{kind} "):
            return kind, " ".join(text.split())[len(kind) :].strip(" ,:()")
    if not folded:
        return OnHolidays.AS_USUAL, ""
    raise ValueError(f'{quoted(text)} is not known. Write "off", "only", "also" or "as usual".')


def _windows(text: str) -> Iterator[tuple[time, time]]:
    for piece in _LIST.split(text.strip()):
        ends = _RANGE.split(piece)
        if len(ends) != 2:
            raise ValueError(f'{quoted(text)} is not a span of hours. Write "09:00-17:00".')
        try:
            (opens, next_day), (closes, _) = (read_clock(end) for end in ends)
        except UnclearTimeError:
            raise ValueError(
                f'{quoted(text)} is not a span of hours. Write "09:00-17:00".'
            ) from None
        if next_day:
            raise ValueError('"24:00" is only an end. Write "00:00".')
        yield opens, closes


def _day(word: str, text: str) -> int:
    number = WEEKDAYS.get(normalise(word))
    if number is None:
        raise _no_days(text)
    return number


def _no_days(text: str) -> ValueError:
    return ValueError(f'{quoted(text)} are not days. Write "Mon-Fri" or "Sat, Sun".')
