"""Times as people type them: "18:00", "fri 18:00", "tomorrow 9am", "2h", ISO; and durations."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.hours import next_local, to_instant

_EXAMPLES = 'Write "18:00", "fri 18:00", "tomorrow 9am", "2026-11-23 09:00" or "2h".'
_YEARS = range(2000, 2100)
_LONGEST = timedelta(days=366)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION_PART = re.compile(
    r"(\d{1,6}(?:\.\d{1,3})?)\s*"
    r"(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\s*"
)
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|h|uhr)?")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[t ]\s*(.+))?")
_OFFSET = re.compile(r"(.+?)\s*(z|utc|[+-]\d{2}:?\d{2})")
_DAYS = {
    name: number
    for number, names in enumerate(
        ("mon monday", "tue tues tuesday", "wed wednesday", "thu thur thurs thursday",
         "fri friday", "sat saturday", "sun sunday")
    )
    for name in names.split()
}  # fmt: skip
_RELATIVE = {"today": 0, "tomorrow": 1}
_FILLERS = ("from", "to", "until", "till", "at", "in", "for", "-", "–")
_MOST_WORDS = 4
_ENDS = ",;!?"


class UnclearTimeError(ValueError):
    """The text is no time, or more than one; it says what to write."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and what the person should be told about how it was read."""

    at: datetime
    note: str = ""


def read_duration(text: str) -> timedelta:
    """Read "2h", "1h30m", "90 min", "3 days"; raises UnclearTimeError."""
    rest = text.strip().lower()
    total, at = timedelta(0), 0
    while total <= _LONGEST and (part := _DURATION_PART.match(rest, at)):
        total += timedelta(**{_UNITS[part[2][0]]: float(part[1])})
        at = part.end()
    if at == 0 or (at < len(rest) and total <= _LONGEST):
        raise UnclearTimeError(f'"{text.strip()}" is not a duration. Write "90m", "2h" or "3d".')
    if not timedelta(0) < total <= _LONGEST:
        raise UnclearTimeError(f'"{text.strip()}" must be more than nothing and at most a year.')
    return total


def read_clock(text: str) -> tuple[time, int]:
    """Read a time of day, and how many days to add: 1 for "24:00", else 0.

    Knows "9", "9:00", "09.00", "9am", "9h30", "9 Uhr". Raises UnclearTimeError.
    """
    match = _CLOCK.fullmatch(text.strip().lower())
    if match is None:
        raise UnclearTimeError(f'"{text.strip()}" is not a time. Write "09:00".')
    hour, minute, second = (int(match[n] or 0) for n in (1, 2, 3))
    if match[4] and match[4][0] in "ap":
        if not 1 <= hour <= 12:
            raise UnclearTimeError(f'"{text.strip()}" is not a time. Write "09:00" or "21:00".')
        hour = hour % 12 + (12 if match[4][0] == "p" else 0)
    if (hour, minute, second) == (24, 0, 0):
        return time(0), 1
    if hour > 23 or minute > 59 or second > 59:
        raise UnclearTimeError(f'"{text.strip()}" is not a time: a day ends at 24:00.')
    return time(hour, minute, second), 0


def local_note(day: date, at: time, zone: str) -> str:
    """Say so when clocks in `zone` skip this local time or show it twice, else return ""."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    first, second = local.replace(fold=0), local.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return ""
    read = first.astimezone(UTC).astimezone(ZoneInfo(zone))
    if read.replace(tzinfo=None) != local.replace(tzinfo=None):
        return (
            f"{local:%Y-%m-%d %H:%M} does not exist in {zone}: clocks jump over it. "
            f"Read as {read:%H:%M}."
        )
    return (
        f"{local:%Y-%m-%d %H:%M} happens twice in {zone}. "
        f"Read as the first one ({read.tzname()}, {read.astimezone(UTC):%H:%M} UTC)."
    )


def read_moment(text: str, now: datetime, zone: str, *, said_at: datetime | None = None) -> Moment:
    """Read what a person typed as an instant at or after `now`, in local time of `zone`.

    A bare time is the next such time; a weekday the next such day; a duration counts from
    `now`. An ISO date-time stands as written, also in the past. Where `now` is the beginning
    that an end belongs to, `said_at` is when the person wrote both: their tomorrow is one day.
    Raises UnclearTimeError.
    """
    words = [bare for word in text.lower().split() if (bare := _bare(word))]
    while words and words[0] in _FILLERS:
        words.pop(0)
    said = " ".join(words)
    if not said:
        raise UnclearTimeError(f"The time is missing. {_EXAMPLES}")
    if said == "now":
        return Moment(now)
    if _DURATION.fullmatch(said):
        return Moment(now + read_duration(said))
    if iso := _ISO.fullmatch(said):
        return _iso(iso, zone)
    day, rest = words[0].rstrip(",."), " ".join(words[1:])
    if day in _RELATIVE or day in _DAYS:
        return _on_day(day, rest, now, zone, said_at or now)
    return _next_time(said, now, zone)


def is_day(word: str) -> bool:
    """Whether a word alone names a day: "fri", "tomorrow"."""
    day = word.lower().rstrip(",.")
    return day in _RELATIVE or day in _DAYS


def take_moment(
    words: Sequence[str], now: datetime, zone: str, *, said_at: datetime | None = None
) -> tuple[Moment, list[str]]:
    """Read a moment from the front of `words`; return it and the words that are left.

    The longest beginning that is a time counts, read as `read_moment` does. Raises
    UnclearTimeError.
    """
    left = list(words)
    while left and left[0].lower() in _FILLERS:
        left.pop(0)
    for count in range(min(_MOST_WORDS, len(left)), 0, -1):
        try:
            return read_moment(" ".join(left[:count]), now, zone, said_at=said_at), left[count:]
        except UnclearTimeError:
            if count == 1:
                raise
    raise UnclearTimeError(f"The time is missing. {_EXAMPLES}")


def _bare(word: str) -> str:
    """Return a word without what a phone or a sentence puts behind it: "2h." and "18:00," ."""
    return word.rstrip(_ENDS if word.endswith(".m.") else f"{_ENDS}.")


def _iso(iso: re.Match[str], zone: str) -> Moment:
    try:
        day = date.fromisoformat(iso[1])
    except ValueError:
        raise UnclearTimeError(f"{iso[1]} is not in the calendar.") from None
    if day.year not in _YEARS:
        raise UnclearTimeError(f"{iso[1]} is too far away. Correct the year.")
    if not iso[2]:
        raise UnclearTimeError(f'"{iso[1]}" needs a time: write "{iso[1]} 09:00".')
    if offset := _OFFSET.fullmatch(iso[2]):
        at, days = read_clock(offset[1])
        sign = offset[2].replace("utc", "+00:00").replace("z", "+00:00")
        try:
            return Moment(_with_offset(day + timedelta(days=days), at, sign))
        except ValueError:
            raise UnclearTimeError(f'"{offset[2]}" is not an offset. Write "+01:00".') from None
    at, days = read_clock(iso[2])
    return _moment(day + timedelta(days=days), at, zone)


def _with_offset(day: date, at: time, offset: str) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{at.isoformat()}{offset}").astimezone(UTC)


def _on_day(day: str, rest: str, now: datetime, zone: str, said_at: datetime) -> Moment:
    if not rest:
        raise UnclearTimeError(f'"{day}" needs a time: write "{day} 09:00".')
    at, extra = read_clock(rest.removeprefix("at "))
    if day in _RELATIVE:
        today = said_at.astimezone(ZoneInfo(zone)).date()
        moment = _moment(today + timedelta(days=_RELATIVE[day] + extra), at, zone)
        if moment.at <= said_at:
            raise UnclearTimeError(f'"{day} {rest}" is over. Write a time that is still to come.')
        return moment
    today = now.astimezone(ZoneInfo(zone)).date()
    ahead = (_DAYS[day] - today.weekday()) % 7
    moment = _moment(today + timedelta(days=ahead + extra), at, zone)
    return moment if moment.at > now else _moment(today + timedelta(days=7 + extra), at, zone)


def _next_time(said: str, now: datetime, zone: str) -> Moment:
    if said.isdigit():
        raise UnclearTimeError(f'"{said}" can be a time or a duration: write "{said}:00" or "2h".')
    try:
        at, _ = read_clock(said)
    except UnclearTimeError:
        raise UnclearTimeError(f'"{said}" is not a time. {_EXAMPLES}') from None
    instant = next_local(now, at, zone)
    local = instant.astimezone(ZoneInfo(zone))
    if local.time().replace(tzinfo=None) == at:
        return Moment(instant, local_note(local.date(), at, zone))
    return Moment(instant, _skipped_note(local, at, zone))


def _skipped_note(read: datetime, at: time, zone: str) -> str:
    days = (read.date(), read.date() - timedelta(days=1))
    return next((note for day in days if (note := local_note(day, at, zone))), "")


def _moment(day: date, at: time, zone: str) -> Moment:
    return Moment(to_instant(day, at, zone), local_note(day, at, zone))
