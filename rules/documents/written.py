"""Values as people write them in YAML, read one by one; each raises ValueError in words."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.durations import parse_duration
from rules.hours import DAYS
from rules.matching.expression import expression_fault
from rules.matching.glob_index import glob_fault
from rules.matching.matcher import parse_matchers
from rules.matching.phrases import phrase_fault
from rules.nearest import did_you_mean
from rules.priority import Priority
from rules.zones import checked_zone

NEVER = timedelta.max
"""What `never` reads as, where a duration may be `never`."""

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def duration(written: object) -> timedelta:
    if isinstance(written, timedelta):
        return written
    if isinstance(written, int) and not isinstance(written, bool):
        ways = f"{written}s, {written}m, {written}h or {written}d"
        raise ValueError(f"{written} has no unit; write {ways}")  # noqa: TRY004  pydantic's
    if not isinstance(written, str):
        raise ValueError("not a duration; write 90s, 5m, 2h or 3d")  # noqa: TRY004  pydantic's
    return parse_duration(written)


def duration_or_never(written: object) -> timedelta:
    return NEVER if written == "never" else duration(written)


def positive(read: timedelta) -> timedelta:
    if read <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return read


def time_of_day(written: object) -> time:
    if isinstance(written, time):
        return written
    hit = _TIME.fullmatch(written) if isinstance(written, str) else None
    if hit is None:
        raise ValueError('not a time of day; write it like "09:00"')
    return time(int(hit[1]), int(hit[2]))


def closing_time(written: object) -> time:
    return time(0) if written == "24:00" else time_of_day(written)


def days(written: object) -> object:
    if not isinstance(written, str):
        return written
    found: list[str] = []
    for part in written.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first in DAYS and last in DAYS:
            at, until = DAYS.index(first), DAYS.index(last)
            found += [DAYS[n % 7] for n in range(at, until + (8 if until < at else 1))][:7]
        else:
            found.append(part if dash else first)
    return found


def day(name: str) -> str:
    if name not in DAYS:
        raise ValueError(f'"{name}" is not a day{did_you_mean(name, DAYS)}')
    return name


def instant(written: object) -> datetime:
    if isinstance(written, datetime):
        return written
    text = written.strip() if isinstance(written, str) else ""
    head, _, zone = text.rpartition(" ")
    if head and ("/" in zone or zone == "UTC"):
        local = _read_instant(head)
        if local.tzinfo is not None:
            raise ValueError("says its zone twice; leave one of them out")
        return _in_utc(local.replace(tzinfo=ZoneInfo(checked_zone(zone))))
    when = _read_instant(text)
    if when.tzinfo is None:
        raise ValueError("say in which zone, like 2026-10-03 08:00 Europe/Berlin")
    return _in_utc(when)


def _read_instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            "not an instant; write it like 2026-10-03T08:00Z or 2026-10-03 08:00 Europe/Berlin"
        ) from None


def _in_utc(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError:
        raise ValueError("too near to the end of the calendar") from None


def matchers(text: str) -> str:
    found, rest = parse_matchers(text)
    if rest or not found:
        raise ValueError(
            f'cannot read "{rest or text}" as a matcher; write team=finance or dag_id=~"daily.*"'
        )
    return text


def expression(text: str) -> str:
    if fault := expression_fault(text):
        raise ValueError(fault)
    return text


def as_list(written: object) -> object:
    return [written] if isinstance(written, str) else written


def paging(written: object) -> object:
    """Read the short form, a list of the priorities that page, as the long one."""
    if not isinstance(written, list) or not all(isinstance(p, str) for p in written):
        return written
    shown: dict[object, str] = {str(priority): "show" for priority in Priority}
    return shown | dict.fromkeys(written, "page")


def role(written: object) -> object:
    return {"role": written} if isinstance(written, str) else written


def outcome(written: object) -> object:
    return {"category": written} if isinstance(written, str) else written


def test_pattern(text: str) -> str:
    if fault := glob_fault(text):
        raise ValueError(fault)
    return text


def phrase(text: str) -> str:
    if fault := phrase_fault(text):
        raise ValueError(fault)
    return text
