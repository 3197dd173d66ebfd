"""Targets: rosters as CSV, as XLSX, and as Google answers for a sheet."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.roster.book import read_book
from bot.roster.csv_table import read_csv
from bot.roster.google_cells import tabs_of, without_tabs, workbook
from bot.roster.google_faults import SheetFaultError
from bot.roster.outlook import outlook
from bot.roster.table import Table, TableError
from bot.roster.workbook import Workbook
from bot.roster.xlsx import read_xlsx
from rules.schedule.resolution import on_call
from rules.schedule.roster import LOOK_AHEAD, Schedule
from tests.bot.roster.books import NOW, PEOPLE, SETTINGS
from tests.fuzz.target import Target, files, short, text_in

ROSTERS = Path(__file__).parents[1] / "payloads" / "roster"
MOST_PROBLEMS = 20_100
_SHIFTS = b"""Start,End,Primary,Secondary,Notes
2026-11-16,2026-11-23,Ana Klein,Bo Chen,
2026-11-23,2026-11-30,"Bo Chen",Cy Haddad,"a
note"
2026-11-30 09:00,2026-12-07 09:00,ana@example.com,-,
"""
_ROTATIONS = b"""Rotation,Role,Order,Every,Hand-off,Time zone,Start,Days,Hours,Skip
data,primary,"Ana Klein, Bo Chen",1 week,Mon 09:00,Europe/Berlin,2026-11-16,,,
data,secondary,"Bo Chen, Cy Haddad",3 days,12:00,America/New_York,2026-11-01,mon-fri,22:00-06:00,
"""
_GRIDS = {
    "outline": {
        "properties": {"locale": "en_US", "timeZone": "Europe/Berlin"},
        "sheets": [
            {
                "properties": {
                    "sheetId": 0,
                    "title": "Shifts",
                    "gridProperties": {"rowCount": 10, "columnCount": 5},
                },
                "merges": [
                    {"startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 2,
                     "endColumnIndex": 3},
                ],
            }
        ],
    },
    "values": [
        {"range": "Shifts!A1:E10", "values": [["Start", "End", "Primary"], [46342, 46349.5, "Ana"],
                                              ["2026-11-30", "", True], [1e308, -5, None]]},
    ],
    "looks": {
        "sheets": [
            {"properties": {"sheetId": 0},
             "data": [{"rowMetadata": [{}, {"hiddenByUser": True}], "rowData": [
                 {"values": [{"userEnteredFormat": {"numberFormat": {"type": "DATE"}},
                              "effectiveFormat": {"textFormat": {"strikethrough": True}}}]},
             ]}]},
        ]
    },
}  # fmt: skip


def targets() -> list[Target]:
    return [
        Target(name="roster-csv", run=_csv, seeds=_csvs),
        Target(name="roster-tabs", run=_tabs, seeds=_books),
        Target(name="roster-xlsx", run=_xlsx, seeds=lambda: files(ROSTERS, "*.xlsx")),
        Target(name="roster-google", run=_google, seeds=lambda: [json.dumps(_GRIDS).encode()]),
    ]


def _csv(data: bytes) -> None:
    try:
        table = read_csv(data)
    except TableError as error:
        short(error, 1_000)
        return
    _read(Workbook({"Shifts": table.named("Shifts")}, "v1"))
    _read(Workbook({"": table}, "v1"))


def _tabs(data: bytes) -> None:
    """Read tabs of CSV, each after a line `== <title>`."""
    tabs: dict[str, Table] = {}
    for part in data.split(b"== ")[1:20]:
        title, _, rows = part.partition(b"\n")
        name = text_in(title).strip()[:40]
        try:
            tabs[name] = read_csv(rows).named(name)
        except TableError:
            continue
    _read(Workbook(tabs, "v1"))


def _xlsx(data: bytes) -> None:
    try:
        book = read_xlsx(data)
    except TableError as error:
        short(error, 1_000)
        return
    _read(Workbook(book.tabs, "v1", author=book.author))


def _google(data: bytes) -> None:
    """Read what Google, or whoever stands between, answers."""
    try:
        said = json.loads(text_in(data))
    except (ValueError, RecursionError):
        return
    if not isinstance(said, dict):
        return
    outline, looks, values = (said.get(one) for one in ("outline", "looks", "values"))
    if not (isinstance(outline, dict) and isinstance(looks, dict) and isinstance(values, list)):
        return  # the client has refused what is no object
    answered: list[dict[str, Any]] = [one for one in values if isinstance(one, dict)]
    try:
        outline = without_tabs(outline, lambda title: title == "Status")
        tabs = tabs_of(outline)
        if len(answered) != len(tabs):
            return  # the client has refused an answer with other ranges
        book = workbook(outline, tabs, answered, looks, "sheet")
    except (TableError, SheetFaultError) as error:
        short(error, 1_000)
        return
    _read(book)


def _read(book: Workbook) -> None:
    read = read_book(book, PEOPLE, SETTINGS, NOW)
    assert read.plans or read.problems, "nothing, and not a word why"
    assert len(read.problems) <= MOST_PROBLEMS
    for problem in read.problems[:50]:
        said = str(problem)
        assert "\n" not in said
        assert len(said) < 2_000, said[:200]
    schedule = Schedule(plans=tuple(read.plans.values()), people=read.people)
    answer = on_call(schedule, NOW, NOW + LOOK_AHEAD, whole=True)
    assert set(answer.rotations) <= set(read.plans)
    outlook(schedule, NOW)


def _csvs() -> Sequence[bytes]:
    return [*files(ROSTERS, "*/*.csv"), *(_SHIFTS, _ROTATIONS), b"sep=;\nStart;End;Primary\n"]


def _books() -> Sequence[bytes]:
    found = [b"== Shifts\n" + _SHIFTS, b"== Rotations\n" + _ROTATIONS + b"== Shifts\n" + _SHIFTS]
    for data in files(ROSTERS, "*.xlsx"):
        book = read_xlsx(data)
        found.append(b"".join(_as_tab(name, table) for name, table in book.tabs.items()))
    return found


def _as_tab(name: str, table: Table) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([cell.text for cell in row] for row in table.rows)
    return f"== {name}\n{out.getvalue()}".encode()
