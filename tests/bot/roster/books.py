"""Whole workbooks as rows of text, read and accepted the way the bot does."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.roster.acceptance import Loaded
from bot.roster.book import BookRead, read_book
from bot.roster.csv_table import read_csv
from bot.roster.directory import KnownPeople
from bot.roster.files import FileSource
from bot.roster.roster import Roster, RosterFile
from bot.roster.settings import RosterSettings
from bot.roster.table import Problem
from bot.roster.workbook import Workbook
from rules.people import People, Person

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
PEOPLE = People(
    [
        Person("ana@example.com", "Ana Klein", "ana@example.com"),
        Person("bo@example.com", "Bo Chen", "bo@example.com"),
        Person("cy@example.com", "Cy Haddad", "cy@example.com"),
        Person("sam.i@example.com", "Sam Ito", "sam.i@example.com"),
        Person("sam.r@example.com", "Sam Rey", "sam.r@example.com"),
    ]
)
SETTINGS = RosterSettings(rotation="data")

Tabs = Mapping[str, list[list[str]]]


def book(tabs: Mapping[str, str]) -> Workbook:
    """Return a workbook of tabs written as CSV."""
    return Workbook(
        {name: read_csv(text.encode()).named(name) for name, text in tabs.items()}, "v1"
    )


def read_tabs(tabs: Mapping[str, str], now: datetime = NOW) -> BookRead:
    return read_book(book(tabs), PEOPLE, SETTINGS, now)


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def text_of(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def roster_file(path: Path) -> RosterFile:
    return RosterFile(FileSource(path), KnownPeople(PEOPLE), SETTINGS)


def lines(problems: tuple[Problem, ...] | list[Problem]) -> list[str]:
    """Return each problem as "E01 error Shifts!C4: text"."""
    return [f"{p.code} {p.severity} {p}".strip() for p in problems]


def on_call_at(file: RosterFile, at: datetime, rotation: str = "data") -> dict[str, str]:
    """Return role to who has it, by the first parts of their addresses."""
    on_call = Roster(file).on_call((), at)
    return {
        role: " ".join(key.split("@")[0] for key in on_call.at(rotation, role, at))
        for role in on_call.roles(rotation)
    }


def write_tabs(folder: Path, tabs: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in tabs.items():
        (folder / f"{name}.csv").write_text(text)


def errors(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.errors]
