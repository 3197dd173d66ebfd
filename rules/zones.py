"""Time zones by their IANA names, and what people write instead of them."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from rules.nearest import nearest

_MEANT_BY = {
    "BST": "Europe/London",
    "CDT": "America/Chicago",
    "CEST": "Europe/Berlin",
    "CET": "Europe/Berlin",
    "CST": "America/Chicago",
    "EDT": "America/New_York",
    "EEST": "Europe/Athens",
    "EET": "Europe/Athens",
    "EST": "America/New_York",
    "GMT": "Europe/London",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MDT": "America/Denver",
    "MET": "Europe/Berlin",
    "MEZ": "Europe/Berlin",
    "MST": "America/Denver",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "UTC": "UTC",
    "WET": "Europe/Lisbon",
    "Z": "UTC",
}


def checked_zone(name: str) -> str:
    """Return the name of a zone; raises ValueError naming the zone that was probably meant.

    Abbreviations are refused even where the database has them: `CET` and `EST` do not follow
    the clocks of any one place.
    """
    if name == "UTC":
        return name
    if "/" in name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return name
    meant = _meant(name)
    hint = f"; did you mean `{meant}`?" if meant else "; write it like `Europe/Berlin`, or `UTC`"
    raise ValueError(f'"{name}" is not a time zone{hint}')


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    """Return every name worth proposing; looking through the files takes 20 ms."""
    return (*(zone for zone in available_timezones() if "/" in zone), "UTC")


@lru_cache(maxsize=1_000)
def _meant(name: str) -> str | None:
    if abbreviated := _MEANT_BY.get(name.upper()):
        return abbreviated
    zones = _zones()
    city = name.casefold().replace(" ", "_")
    cities = sorted(zone for zone in zones if zone.casefold().endswith(f"/{city}"))
    return cities[0] if cities else nearest(name, zones)
