"""Slack's date tokens, in the reader's own zone and relative to the reader's today."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("Etc/UTC")


def _ordinal(day: int) -> str:
    if day % 100 in {11, 12, 13}:
        return f"{day}th"
    return f"{day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th') }"


def _pretty(local: datetime, now: datetime, otherwise: str) -> str:
    days = (local.date() - now.date()) / timedelta(days=1)
    return {0: "today", -1: "yesterday", 1: "tomorrow"}.get(int(days), otherwise)


def _ago(local: datetime, now: datetime) -> str:
    seconds = int((now - local).total_seconds())
    ahead, seconds = seconds < 0, abs(seconds)
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            text = f"{count} {word}{'s' if count != 1 else ''}"
            return f"in {text}" if ahead else f"{text} ago"
    return "now"


def format_date(timestamp: int, pattern: str, zone: ZoneInfo, now: datetime) -> str:
    """`pattern` with {date}, {time} and their kin filled in."""
    local = datetime.fromtimestamp(timestamp, UTC).astimezone(zone)
    here = now.astimezone(zone)
    day = _ordinal(local.day)
    date = f"{local:%B} {day}, {local.year}"
    short, long = f"{local:%b} {local.day}, {local.year}", f"{local:%A}, {date}"
    parts = {
        "date_num": f"{local:%Y-%m-%d}",
        "date_slash": f"{local:%m/%d/%Y}",
        "date": date,
        "date_short": short,
        "date_long": long,
        "date_pretty": _pretty(local, here, date),
        "date_short_pretty": _pretty(local, here, short),
        "date_long_pretty": _pretty(local, here, long),
        "day_divider_pretty": _pretty(local, here, f"{local:%A}, {local:%B} {day}"),
        "time": f"{local:%H:%M}",
        "time_secs": f"{local:%H:%M:%S}",
        "ago": _ago(local, here),
    }
    return re.sub(r"\{(\w+)\}", lambda m: parts.get(m.group(1), m.group()), pattern)
