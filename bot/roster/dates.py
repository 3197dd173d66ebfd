"""Dates and times as people write them in a roster: strict, and never a guess."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from bot.roster.table import quoted
from rules.spoken_time import UnclearTimeError, read_clock

_YEARS = range(2000, 2100)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv enero ene janner",
            "feb february februar fevrier fevr febrero",
            "mar march marz mrz mars marzo maerz",
            "apr april avril avr abril abr",
            "may mai mayo",
            "jun june juni juin junio",
            "jul july juli juillet juil julio",
            "aug august aout agosto ago",
            "sep sept september septembre septiembre",
            "oct october oktober okt octobre octubre",
            "nov november novembre noviembre",
            "dec december dezember dez decembre diciembre dic",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "mon monday mo montag lundi lun lunes",
            "tue tues tuesday di dienstag mardi martes",
            "wed wednesday mi mittwoch mercredi mer miercoles mie",
            "thu thur thurs thursday do donnerstag jeudi jeu jueves jue",
            "fri friday fr freitag vendredi ven viernes vie",
            "sat saturday sa samstag samedi sam sabado sab",
            "sun sunday so sonntag dimanche dim domingo dom",
        )
    )
    for name in names.split()
}
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAY = re.compile(r"([^\W\d_]+)[.,]*\s+(?=\d|[^\W\d_]+\s*\d)")
_DATE = re.compile(
    r"(?P<iso>\d{4}-\d{2}-\d{2})|(?P<week>\d{4}-?w\d{1,2}(?:-[1-7])?)"
    r"|(?P<year_first>\d{4}/\d{1,2}/\d{1,2})|(?P<dots>\d{1,2}\.\s?\d{1,2}\.\s?\d{4})"
    r"|(?P<words>\d{1,2}(?:st|nd|rd|th)?[.\s-]\s?(?:de\s)?[^\W\d_]+\.?,?[\s-](?:de\s)?\d{4})"
    r"|(?P<month_first>[^\W\d_]+\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4})"
    r"|(?P<slashes>\d{1,2}/\d{1,2}/\d{4})"
)
_OFFSET = re.compile(r"(?P<time>.+?)\s*(?P<offset>z|utc|[+-]\d{2}:?\d{2})")
_SLASHES = re.compile(r"\b(\d{1,2})/(\d{1,2})/\d{4}\b")
_FRACTION = re.compile(r"(:\d{2}:\d{2})\.\d{1,9}")
_WRITE = 'Write it as "2026-11-16" or "2026-11-16 09:00".'


class SlashOrder(Enum):
    """What comes first in 25/12/2026; UNKNOWN when no cell proves it, MIXED when cells differ."""

    UNKNOWN = "unknown"
    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"
    MIXED = "mixed"


class DateError(ValueError):
    """The cell is no date, or more than one (`code` E03); the text says what to write."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Written:
    """A local day, with a time when one was written; `instant` when an offset was.

    `next_day` for "24:00"; `is_week` when an ISO week was written.
    """

    day: date
    at: time | None = None
    instant: datetime | None = None
    next_day: bool = False
    is_week: bool = False


def slash_order(texts: Iterable[str]) -> SlashOrder:
    """Return the order that unambiguous slash dates among `texts` prove."""
    orders = set()
    for match in (m for text in texts if (m := _SLASHES.search(text))):
        first, second = int(match[1]), int(match[2])
        if first > 12 >= second:
            orders.add(SlashOrder.DAY_FIRST)
        elif second > 12 >= first:
            orders.add(SlashOrder.MONTH_FIRST)
    if len(orders) > 1:
        return SlashOrder.MIXED
    return orders.pop() if orders else SlashOrder.UNKNOWN


def read_date(text: str, order: SlashOrder = SlashOrder.UNKNOWN) -> Written:
    """Read a date with an optional time and offset; raises DateError."""
    plain = _fold(text)
    weekday, plain = _take_weekday(plain)
    match = _DATE.match(plain)
    if match is None:
        raise DateError(f"{quoted(text)} is not a date. {_WRITE}")
    day = _day(match, text, order)
    if day.year not in _YEARS:
        raise DateError(f"{quoted(text)} is in the year {day.year}. {_WRITE}")
    if weekday is not None and day.weekday() != weekday:
        raise DateError(
            f"{quoted(text)} names a {_DAY_NAMES[weekday]}, but {day} is a {_DAY_NAMES[day.weekday()]}. "
            "Correct one of them."
        )
    rest = plain[match.end() :]
    if rest and rest[0] not in " t,":
        raise DateError(f"{quoted(text)} is not a date. {_WRITE}")
    is_week = match.lastgroup == "week"
    without_fraction = _FRACTION.sub(r"\1", rest.lstrip("t, "))
    return _with_time(day, without_fraction, text, is_week=is_week)


def read_time_only(text: str) -> tuple[time, bool] | None:
    """Read a cell that holds only a time, and whether it is "24:00"; None when it is not one."""
    if not re.search(r"[:hamp]", text.lower()):
        return None
    try:
        at, days = read_clock(text)
    except UnclearTimeError:
        return None
    return at, bool(days)


def _with_time(day: date, rest: str, text: str, *, is_week: bool) -> Written:
    if not rest:
        return Written(day, is_week=is_week)
    offset = _OFFSET.fullmatch(rest)
    try:
        at, days = read_clock(offset["time"] if offset else rest)
    except UnclearTimeError as error:
        raise DateError(f"in {quoted(text)}, {error}") from None
    if offset is None:
        return Written(day, at, next_day=bool(days))
    sign = offset["offset"].replace("utc", "+00:00").replace("z", "+00:00")
    stamp = f"{day + timedelta(days=days)}T{at.isoformat()}{sign}"
    try:
        instant = datetime.fromisoformat(stamp).astimezone(UTC)
    except ValueError:
        raise DateError(
            f'"{offset["offset"]}" in {quoted(text)} is not an offset. {_WRITE}'
        ) from None
    return Written(day, at, instant=instant)


def _day(match: re.Match[str], text: str, order: SlashOrder) -> date:
    found = match[0]
    try:
        match match.lastgroup:
            case "iso":
                return date.fromisoformat(found)
            case "week":
                year, week, *day = (int(n) for n in re.findall(r"\d+", found))
                return date.fromisocalendar(year, week, day[0] if day else 1)
            case "year_first":
                return date(*_numbers(found))
            case "dots":
                day_, month, year = _numbers(found)
                return date(year, month, day_)
            case "slashes":
                return _slashed(found, order)
            case _:
                return _with_month_name(found)
    except (ValueError, KeyError) as error:
        if isinstance(error, DateError):
            raise
        raise DateError(f"{quoted(text)} is not in the calendar. {_WRITE}") from None


def _numbers(text: str) -> tuple[int, int, int]:
    first, second, third = (int(n) for n in re.findall(r"\d+", text))
    return first, second, third


def _with_month_name(found: str) -> date:
    day, year = (int(n) for n in re.findall(r"\d+", found))
    words = re.findall(r"[^\W\d_]+", found)
    month = next((_MONTHS[word] for word in words if word in _MONTHS), None)
    if month is None:
        raise DateError(f'"{found}" has no month that is known. {_WRITE}')
    return date(year, month, day)


def _slashed(found: str, order: SlashOrder) -> date:
    first, second, year = _numbers(found)
    if first > 12 or (order is SlashOrder.DAY_FIRST and second <= 12) or first == second:
        return date(year, second, first)
    if second > 12 or order is SlashOrder.MONTH_FIRST:
        return date(year, first, second)
    day_first, month_first = date(year, second, first), date(year, first, second)
    raise DateError(
        f'"{found}" can be {_long(day_first)} or {_long(month_first)}. '
        f'Write "{day_first}" or "{month_first}".',
        "E03",
    )


def _long(day: date) -> str:
    return f"{day.day} {day:%B}"


def _take_weekday(text: str) -> tuple[int | None, str]:
    match = _WEEKDAY.match(text)
    if match and match[1] in WEEKDAYS and match[1] not in _MONTHS:
        return WEEKDAYS[match[1]], text[match.end() :]
    return None, text


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
