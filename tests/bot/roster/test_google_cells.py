"""Cells of a spreadsheet as Google tells them, to tabs as every reader gives them."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from bot.local_google.a1 import Area
from bot.local_google.google import LocalGoogle
from bot.local_google.spreadsheet import Cell, Written
from bot.roster.dates import SlashOrder
from bot.roster.google_cells import slashes_of, tabs_of, without_tabs, workbook
from bot.roster.google_client import GoogleSheets
from bot.roster.google_faults import SheetFaultError
from bot.roster.google_sheet import GoogleSheet
from bot.roster.table import TableError
from bot.roster.workbook import Workbook
from tests.fakes.clock import FakeClock
from tests.fakes.google import BOT, google_in_a_thread, key_file


@pytest.fixture(scope="module")
def google() -> Iterator[LocalGoogle]:
    with google_in_a_thread() as one:
        yield one


@pytest.fixture
def sheets(google: LocalGoogle, tmp_path: Path) -> Iterator[GoogleSheets]:
    google._reads.clear()
    one = GoogleSheets(key_file(google, tmp_path), api_url=f"{google.url}/", timeout=5)
    yield one
    one.close()


def book(google: LocalGoogle, sheets: GoogleSheets, rows: list[list[Written]]) -> Workbook:
    google.add_spreadsheet("abc", {"Shifts": rows}, shared={BOT: "reader"})
    return GoogleSheet("abc", sheets, FakeClock()).read()


def texts(read: Workbook, tab: str = "Shifts") -> list[list[str]]:
    return [[cell.text for cell in row] for row in read.tabs[tab].rows]


def test_typed_cells_become_text_that_the_parser_knows(
    google: LocalGoogle, sheets: GoogleSheets
) -> None:
    rows: list[list[Written]] = [
        ["Start", "Who", "Notes"],
        [date(2026, 11, 16), " Ana "],
        [datetime(2026, 3, 29, 2, 30), "Bo", 46342],  # noqa: DTZ001 - local, as in a sheet
        [],
        [datetime(2026, 3, 29), time(18, 0), 1.5],  # noqa: DTZ001
        ["16/11/2026", True, "#REF!"],
        [date(1905, 1, 1), -3.0],
    ]
    read = book(google, sheets, rows)
    assert texts(read) == [
        ["Start", "Who", "Notes"],
        ["2026-11-16", "Ana"],
        ["2026-03-29 02:30", "Bo", "46342"],
        [],
        ["2026-03-29 00:00", "18:00", "1.5"],
        ["16/11/2026", "yes", "#REF!"],
        ["1905-01-01", "-3"],
    ]
    assert read.tabs["Shifts"].rows[2][1].address == "Shifts!B3"
    assert (read.zone, read.slashes) == ("Europe/Berlin", SlashOrder.DAY_FIRST)
    assert read.links == {"Shifts": "https://docs.google.com/spreadsheets/d/abc/edit#gid=0"}


def test_a_time_is_rounded_to_the_second(google: LocalGoogle, sheets: GoogleSheets) -> None:
    read = book(google, sheets, [["Start"], [0.0]])
    tab = google.sheets["abc"].tab("Shifts")
    tab.cells[1, 0] = Cell(46342.375, "DATE")
    tab.cells[2, 0] = Cell(46342.99999999, "DATE_TIME")
    tab.cells[3, 0] = Cell(1.0, "TIME")
    tab.cells[4, 0] = Cell(46342 + 5 / 86_400, "DATE_TIME")
    tab.cells[5, 0] = Cell(2_000_000.0, "DATE")
    read = GoogleSheet("abc", sheets, FakeClock()).read()
    assert [row[0].text for row in read.tabs["Shifts"].rows[1:]] == [
        "2026-11-16 09:00",
        "2026-11-17 00:00",
        "24:00",
        "2026-11-16 00:00:05",
        "2000000",
    ]


def test_a_merged_cell_speaks_for_all_its_rows(google: LocalGoogle, sheets: GoogleSheets) -> None:
    rows: list[list[Written]] = [
        ["Week of", "Primary"],
        [date(2026, 11, 16), "Ana"],
        [date(2026, 11, 23), ""],
        [date(2026, 11, 30), "Bo"],
    ]
    book(google, sheets, rows)
    google.sheets["abc"].tab("Shifts").merge(Area(1, 1, 3, 2))
    read = GoogleSheet("abc", sheets, FakeClock()).read()
    cell = read.tabs["Shifts"].rows[2][1]
    assert (cell.text, cell.merged) == ("Ana", "B2:B3")
    assert read.tabs["Shifts"].rows[1][1].merged == ""


def test_a_merge_of_a_million_rows_costs_nothing(google: LocalGoogle, sheets: GoogleSheets) -> None:
    book(google, sheets, [["Week of", "Primary"], [date(2026, 11, 16), "Ana"]])
    tab = google.sheets["abc"].tab("Shifts")
    tab.row_count = 1_000_000
    tab.merges.append(Area(1, 1, 1_000_000, 26))
    read = GoogleSheet("abc", sheets, FakeClock()).read()
    assert len(read.tabs["Shifts"].rows) == 2


def test_what_is_hidden_or_struck_out_counts_and_is_said(
    google: LocalGoogle, sheets: GoogleSheets
) -> None:
    book(google, sheets, [["Week of", "Primary"], [date(2026, 11, 16), "Ana"]])
    sheet = google.sheets["abc"]
    sheet.tab("Shifts").cells[1, 1] = Cell("Ana", struck=True)
    sheet.tab("Shifts").hidden_rows.add(1)
    sheet.add_tab("Old", [["x"]]).hidden = True
    read = GoogleSheet("abc", sheets, FakeClock()).read()
    said = [str(remark) for table in read.tabs.values() for remark in table.remarks]
    assert said == [
        "Shifts: hidden and counted all the same: row 2.",
        "Shifts: struck out and counted all the same: B2.",
        "Old: the tab is hidden, and is read all the same.",
    ]


def test_names_of_tabs_cannot_mislead(google: LocalGoogle, sheets: GoogleSheets) -> None:
    tabs = {"A1": [["a"]], "Bo's tab": [["b"]], "x!y": [["c"]], "Schichtplan 2026": [["d"]]}
    google.add_spreadsheet("abc", tabs, shared={BOT: "reader"})
    read = GoogleSheet("abc", sheets, FakeClock()).read()
    assert [texts(read, tab) for tab in tabs] == [[["a"]], [["b"]], [["c"]], [["d"]]]


def test_a_formula_that_is_still_loading_is_no_version(
    google: LocalGoogle, sheets: GoogleSheets
) -> None:
    with pytest.raises(TableError, match="Shifts!B2 is still being calculated"):
        book(google, sheets, [["Week of", "Primary"], ["2026-11-16", "Loading..."]])


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [(20_001, 2, "more than 20,000 rows"), (2, 201, "or 200 columns")],
)
def test_a_huge_tab_is_refused(
    google: LocalGoogle, sheets: GoogleSheets, rows: int, columns: int, words: str
) -> None:
    google.add_spreadsheet("abc", {"Shifts": []}, shared={BOT: "reader"})
    google.type_in("abc", "Shifts!A1", [["x"]])
    tab = google.sheets["abc"].tab("Shifts")
    tab.put(rows - 1, columns - 1, "y")
    with pytest.raises(TableError, match=words):
        GoogleSheet("abc", sheets, FakeClock()).read()


def test_a_sheet_with_too_many_tabs_is_refused(google: LocalGoogle, sheets: GoogleSheets) -> None:
    tabs = {f"T{n}": [["x"]] for n in range(51)}
    google.add_spreadsheet("abc", tabs, shared={BOT: "reader"})
    with pytest.raises(TableError, match="51 tabs"):
        GoogleSheet("abc", sheets, FakeClock()).read()


@pytest.mark.parametrize(
    ("locale", "order"),
    [
        ("en_US", SlashOrder.MONTH_FIRST),
        ("en_GB", SlashOrder.DAY_FIRST),
        ("de_DE", SlashOrder.DAY_FIRST),
        ("fr_FR", SlashOrder.DAY_FIRST),
        ("en_CA", SlashOrder.UNKNOWN),
        ("ja_JP", SlashOrder.UNKNOWN),
        ("zh_CN", SlashOrder.UNKNOWN),
        ("", SlashOrder.UNKNOWN),
    ],
)
def test_the_locale_tells_the_order_of_slashes(locale: str, order: SlashOrder) -> None:
    assert slashes_of(locale) is order


OUTLINE: dict[str, Any] = {
    "sheets": [
        {
            "properties": {"sheetId": 0, "title": "Shifts", "gridProperties": {"rowCount": 9}},
            "merges": [{"startRowIndex": 1, "endRowIndex": 3}],
        }
    ]
}


@pytest.mark.parametrize("junk", [None, 7, "x", [], [None], ["x"], {"a": 1}, float("inf"), -1])
@pytest.mark.parametrize(
    "name", ["values", "looks", "merges", "properties", "gridProperties", "sheet"]
)
def test_an_answer_that_is_not_googles_is_read_again_later(name: str, junk: object) -> None:
    outline = copy.deepcopy(OUTLINE)
    values: list[dict[str, object]] = [{"values": [["Start", "End"], ["2026-11-16", 5]]}]
    looks: dict[str, object] = {"sheets": [{"properties": {"sheetId": 0}, "data": []}]}
    first = outline["sheets"][0]
    match name:
        case "values":
            values = [{"values": junk}]
        case "looks":
            looks = {"sheets": [{"properties": {"sheetId": 0}, "data": junk}]}
        case "gridProperties":
            first["properties"] = {"sheetId": 0, "title": "Shifts", "gridProperties": junk}
        case "sheet":
            outline["sheets"] = [junk]
        case _:
            first[name] = junk
    with suppress(SheetFaultError, TableError):
        tabs = tabs_of(without_tabs(outline, lambda title: title == "Status"))
        workbook(outline, tabs, values[: len(tabs)], looks, "abc")
