"""Zone and hand-off of each rotation: from the configuration, or from comments atop the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time

from bot.roster.header import is_comment, normalise
from bot.roster.table import Cell, Problem
from rules.spoken_time import UnclearTimeError, read_clock
from rules.zones import checked_zone

_LONGEST_ZONE = 60


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

    def with_zone(self, zone: str) -> "RosterSettings":
        """Return the settings with another zone for rotations that nobody gave one."""
        return replace(self, default=replace(self.default, zone=zone))

    def with_rotation(self, rotation: str, own: RotationSettings) -> "RosterSettings":
        return replace(self, rotations={**self.rotations, rotation: own})


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
                code = "E09" if "time zone" in str(error) else ""
                problems.append(Problem(row[0].address, sentence(str(error)), code=code))
    return settings, problems


def _lay_over(settings: RosterSettings, key: str, value: str) -> RosterSettings:
    match key:
        case "zone" | "time zone" | "timezone":
            zone = checked_zone(value[:_LONGEST_ZONE])
            return replace(settings, default=replace(settings.default, zone=zone))
        case "handoff" | "hand-off" | "hand off":
            at, days = read_clock(value)
            if days:
                raise UnclearTimeError('"24:00" is only an end. Write "00:00".')
            return replace(settings, default=replace(settings.default, handoff=at))
        case "rotation" if value:
            return replace(settings, rotation=value)
        case _:
            return settings


def sentence(text: str) -> str:
    """End a message as sentences end."""
    return text if text.endswith((".", "?")) else f"{text}."
