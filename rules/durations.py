"""Durations as people write them: `90s`, `5m`, `2h`, `3d`, `1h30m`."""

import re
from datetime import timedelta

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WRITTEN = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
_LONGEST = timedelta(days=3_660)


def parse_duration(text: str) -> timedelta:
    """Read a duration; raises ValueError, in words for the person who wrote it."""
    hit = _WRITTEN.fullmatch(text.strip().lower().replace(" ", ""))
    if hit is None or not any(hit.groups()):
        raise ValueError(f'"{text}" is not a duration; write 90s, 5m, 2h or 3d')
    seconds = sum(
        int(count) * unit
        for count, unit in zip(hit.groups(), _UNITS.values(), strict=True)
        if count
    )
    if timedelta(seconds=seconds) > _LONGEST:
        raise ValueError(f'"{text}" is longer than ten years')
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write whole seconds the way `parse_duration` reads them: `1h30m`, `0s`."""
    left = int(duration.total_seconds())
    sign, left = ("-", -left) if left < 0 else ("", left)
    parts = []
    for letter, unit in _UNITS.items():
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{letter}")
    return sign + ("".join(parts) or "0s")
