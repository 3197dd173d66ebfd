"""Rosters as text, read the way the bot reads them."""

from datetime import UTC, datetime, time

from bot.roster.csv_table import read_csv
from bot.roster.parse import Parsed, parse
from bot.roster.settings import RosterSettings, RotationSettings
from rules.people import People, Person

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = People(
    [
        Person("ana@example.com", "Ana Ruiz", "ana@example.com", "U1"),
        Person("bo@example.com", "Bo Chen", "bo@example.com", "U2"),
        Person("cy@example.com", "Cy Haddad", "cy@example.com", "U3"),
        Person("sam.i@example.com", "Sam Ito", "sam.i@example.com"),
        Person("sam.r@example.com", "Sam Rey", "sam.r@example.com"),
        Person("mu@example.com", "Ana Müller", "mu@example.com"),
    ]
)


def settings(zone: str = "UTC", handoff: time = time(9), **rotations: str) -> RosterSettings:
    return RosterSettings(
        default=RotationSettings(zone, handoff),
        rotations={name: RotationSettings(its, handoff) for name, its in rotations.items()},
    )


def read(text: str | bytes, *, zone: str = "UTC", now: datetime = NOW) -> Parsed:
    data = text.encode() if isinstance(text, str) else text
    return parse(read_csv(data), PEOPLE, settings(zone), now)


def shifts(parsed: Parsed) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return role, start, end and names' first parts of every row, short enough to compare."""
    return [
        (
            row.role,
            f"{row.start:%m-%d %H:%M}",
            f"{row.end:%m-%d %H:%M}",
            tuple(key.split("@")[0] for key in row.people),
        )
        for row in parsed.rows
    ]


def said(parsed: Parsed) -> list[str]:
    return [f"{problem.severity}: {problem}" for problem in parsed.problems]
