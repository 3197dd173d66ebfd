"""Zone and hand-off of each rotation: from the configuration, or from comments atop the file."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.roster.header import is_comment, normalise
from bot.roster.table import Cell, Problem, quoted
from rules.spoken_time import UnclearTimeError, read_clock

_REGIONS = {
    "CET": "Europe/Berlin", "CEST": "Europe/Berlin", "MEZ": "Europe/Berlin", "MET": "Europe/Berlin",
    "GMT": "Europe/London", "BST": "Europe/London", "WET": "Europe/Lisbon", "EET": "Europe/Athens",
    "EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago",
    "CDT": "America/Chicago", "MST": "America/Denver", "MDT": "America/Denver",
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RotationSettings:
    """`zone` is a region name; `handoff` the local time at which a date without time begins."""

    zone: str = "UTC"
    handoff: time = time(9)


@dataclass(frozen=True, slots=True)
class RosterSettings:
    """Settings by rotation, and those of every other; `rotation` names a file's unnamed one."""

    default: RotationSettings = RotationSettings()
    rotations: Mapping[str, RotationSettings] = field(default_factory=dict)
    rotation: str = "default"

    def of(self, rotation: str) -> RotationSettings:
        return self.rotations.get(rotation, self.default)


def zone_fault(zone: str) -> str:
    """Say why `zone` is not the name of a region, or return "" when it is."""
    if zone == "UTC":
        return ""
    try:
        ZoneInfo(zone)
        known = "/" in zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if known:
        return ""
    nearest = _REGIONS.get(zone.upper()) or _nearest(zone)
    hint = f" Did you mean {nearest}?" if nearest else ' Write it like "Europe/Berlin".'
    return f"{quoted(zone)} is not a region name.{hint}"


def _nearest(zone: str) -> str:
    cities = {name.rpartition("/")[2].casefold(): name for name in sorted(available_timezones())}
    wanted = zone.rpartition("/")[2].replace(" ", "_").casefold()
    hits = difflib.get_close_matches(wanted, cities, n=1, cutoff=0.7)
    return cities[hits[0]] if hits else ""


def read_comments(
    rows: Sequence[Sequence[Cell]], settings: RosterSettings
) -> tuple[RosterSettings, list[Problem]]:
    """Lay `# zone: ...`, `# handoff: ...` and `# rotation: ...` over the default settings."""
    problems: list[Problem] = []
    for row in rows:
        if not is_comment(row):
            continue
        key, colon, value = ",".join(c.text for c in row).rstrip(", ").lstrip("# ").partition(":")
        if colon:
            try:
                settings = _lay_over(settings, normalise(key), value.strip())
            except ValueError as error:
                problems.append(Problem(row[0].address, str(error)))
    return settings, problems


def _lay_over(settings: RosterSettings, key: str, value: str) -> RosterSettings:
    match key:
        case "zone" | "time zone" | "timezone":
            if fault := zone_fault(value):
                raise ValueError(fault)
            return replace(settings, default=replace(settings.default, zone=value))
        case "handoff" | "hand-off" | "hand off":
            at, days = read_clock(value)
            if days:
                raise UnclearTimeError('"24:00" is only an end. Write "00:00".')
            return replace(settings, default=replace(settings.default, handoff=at))
        case "rotation" if value:
            return replace(settings, rotation=value)
        case _:
            return settings
