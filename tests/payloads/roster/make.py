"""Writes the broken rosters of this folder: `python -m tests.payloads.roster.make`.

Each is a real XLSX file, or a folder of CSV files, with one fault; `faults.json` has the message
that a check must give, with its address. All are read at noon of 18 November 2026, UTC.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904

FOLDER = Path(__file__).parent
D = datetime
Rows = list[list[Any]]

ROTATION = ["Rotation", "Role", "Order", "Every", "Hand-off", "Time zone", "Start", "Layer", "Days",
            "Hours"]  # fmt: skip
TURNS = ["data", "Primary", "ana, bo, cy", "1 week", "Mon 09:00", "UTC", D(2026, 11, 2)]
SECOND = ["data", "Secondary", "bo, cy, ana", "1 week", "Mon 09:00", "UTC", D(2026, 11, 2)]
ROWS = ["Rotation", "Role", "Start", "End", "Person"]
GRID = ["Week of", "Primary", "Secondary"]
OVERRIDE = ["Id", "Rotation", "Role", "Start", "End", "Person", "Instead of", "State"]
PEOPLE = ["Name", "E-mail", "Slack", "Time zone", "Weight", "Active"]
WEEKS = [
    [D(2026, 11, 16), "ana", "bo"],
    [D(2026, 11, 23), "bo", "cy"],
    [D(2026, 11, 30), "cy", "ana"],
]


@dataclass
class Case:
    name: str
    tabs: dict[str, Rows]
    says: str
    change: Callable[[Workbook], None] | None = None
    csv: bool = False
    others: list[str] = field(default_factory=list)


def grid(*rows: list[Any]) -> dict[str, Rows]:
    return {"Shifts": [GRID, *rows, *WEEKS[len(rows) :]]}


def rows(*shifts: list[Any]) -> dict[str, Rows]:
    return {"Shifts": [ROWS, *shifts]}


def turning(**tabs: Rows) -> dict[str, Rows]:
    return {"Rotations": [ROTATION, TURNS, SECOND], **tabs}


def with_turns(row: list[Any]) -> dict[str, Rows]:
    return {"Rotations": [ROTATION, row]}


def _replaced(index: int, value: Any) -> list[Any]:
    return [*TURNS[:index], value, *TURNS[index + 1 :]]


def _merge_dates(book: Workbook) -> None:
    book["Shifts"].merge_cells("A2:A3")


def _hide(book: Workbook) -> None:
    book["Shifts"].row_dimensions[3].hidden = True
    book["Shifts"]["B4"].font = Font(strike=True)


def _epoch(book: Workbook) -> None:
    book.epoch = CALENDAR_MAC_1904


NO_DATE = 'Write it as "2026-11-16" or "2026-11-16 09:00".'
CASES = [
    Case("01-unknown-person", grid([D(2026, 11, 16), "Anna Klien", "bo"]),
         'E01 error Shifts!B2: nobody is called "Anna Klien". Nearest: "Ana Klein".'),
    Case("02-two-people-fit", grid(WEEKS[0], [D(2026, 11, 23), "bo", "Sam"]),
         'E02 error Shifts!C3: "Sam" fits Sam Ito and Sam Rey. Write the e-mail or @handle.'),
    Case("03-slash-date", grid(["03/04/2026", "ana", "bo"]),
         'E03 error Shifts!A2: "03/04/2026" can be 3 April or 4 March. '
         'Write "2026-04-03" or "2026-03-04".'),
    Case("04-end-before-start", rows(["data", "", D(2026, 11, 16), D(2026, 11, 10), "ana"]),
         "E04 error Shifts!D2: the end (2026-11-10) is not after the start in C2 (2026-11-16). "
         "Correct one of them."),
    Case("05-no-start", {"Shifts": [["Monday", "Primary"], ["x", "ana"]]},
         "E05 error Shifts!A1:B1: no column for the start. "
         "Name one of these: Start, From, Week of, Date, Von, Début, Inicio."),
    Case("06-two-ends", {"Shifts": [["Start", "End", "Person", "Until"], [1, 2, "ana", 3]]},
         'E06 error Shifts!B1 and D1: both columns mean "end". Rename one of them.'),
    Case("07-skipped-time", {
        **with_turns(["data", "Primary", "ana", "1 week", "Mon 09:00", "America/New_York",
                      D(2026, 11, 2)]),
        "Shifts": [ROWS, ["data", "", "2027-03-14 02:30", "2027-03-15", "bo"]]},
         "E07 warning Shifts!C2: 2027-03-14 02:30 does not exist in America/New_York: clocks jump "
         "over it. Read as 03:30."),
    Case("08-repeated-time", {
        **with_turns(["data", "Primary", "ana", "1 week", "Mon 09:00", "America/New_York",
                      D(2026, 11, 2)]),
        "Shifts": [ROWS, ["data", "", "2027-11-07 01:30", "2027-11-08", "bo"]]},
         "E08 warning Shifts!C2: 2027-11-07 01:30 happens twice in America/New_York. "
         "Read as the first one (EDT, 05:30 UTC)."),
    Case("09-zone", with_turns(_replaced(5, "CET")),
         'E09 error Rotations!F2: "CET" is not a time zone; did you mean `Europe/Berlin`?'),
    Case("10-overlap", rows(["data", "", D(2026, 11, 16, 9), D(2026, 11, 24, 11), "ana"],
                            ["data", "", D(2026, 11, 24, 9), D(2026, 12, 8, 9), "bo"]),
         "E10 warning Shifts!E2 and E3: row 2 and row 3 overlap by 2 h (from Tue 2026-11-24 09:00 "
         "to Tue 2026-11-24 11:00): Ana Klein and Bo Chen are primary in that time."),
    Case("11-gap", rows(["data", "", D(2026, 11, 16, 9), D(2026, 11, 20, 9), "ana"],
                        ["data", "", D(2026, 11, 21, 9), D(2026, 12, 8, 9), "bo"]),
         "E11 warning Shifts: nobody is primary of data from Fri 2026-11-20 09:00 to Sat "
         "2026-11-21 09:00 (1 d), between Shifts!E2 and Shifts!E3."),
    Case("12-away", turning(Away=[["Person", "From", "To"],
                                  ["ana", D(2026, 11, 24), D(2026, 11, 25)]]),
         "E12 warning Away!A2: Ana Klein is primary of data but away from Tue 2026-11-24 00:00 "
         "to Thu 2026-11-26 00:00 (row 2). Bo Chen is primary instead."),
    Case("13-two-roles", grid([D(2026, 11, 16), "ana", "ana, bo"]),
         "E13 warning Shifts!B2 and C2: Ana Klein is both primary and secondary for 7 d "
         "(from Mon 2026-11-16 09:00 to Mon 2026-11-23 09:00)."),
    Case("14-formula-error", grid([D(2026, 11, 16), "#REF!", "bo"]),
         "E14 error Shifts!B2: a formula that gave #REF!. Correct it."),
    Case("15-formula-without-result", grid([D(2026, 11, 16), "=People!A2", "bo"]),
         "E14 error Shifts!B2: a formula without a result. "
         "Open the file in a spreadsheet and save it, or write the value."),
    Case("16-runs-out", grid(*[[day, "ana", "bo"] for day, *_ in WEEKS[:1]])
         | {"Shifts": [GRID, WEEKS[0]]},
         "E16 warning Shifts: the last row of data ends Mon 2026-11-23 09:00, in 4 days. Add rows."),
    Case("17-merged-dates", grid(*WEEKS),
         "error Shifts!A3: a date merged over A2:A3. Unmerge it and write a date in each row.",
         _merge_dates),
    Case("18-hidden-and-struck", grid(*WEEKS),
         "info Shifts: hidden and counted all the same: row 3.", _hide,
         others=["info Shifts: struck out and counted all the same: B4."]),
    Case("19-two-shift-tabs", {"Shifts": [GRID, *WEEKS], "Schedule": [GRID, *WEEKS]},
         "E06 error Schedule: the tabs Shifts and Schedule both mean shifts. Rename one of them."),
    Case("20-no-known-tab", {"Ideas": [["x"]], "Plans": [["y"]]},
         "E05 error no tab is called Shifts or Rotations. Rename the one with the roster."),
    Case("21-unread-tab", {"Shifts": [GRID, *WEEKS], "Ideas": [["x"]]},
         'info the tab "Ideas" is not read.'),
    Case("22-no-turn", with_turns(_replaced(3, "fortnightly")),
         'error Rotations!D2: "fortnightly" is not a turn. '
         'Write "1 week", "1 day" or "12 hours".'),
    Case("23-no-hand-off", with_turns(_replaced(4, "Mon noon")),
         'error Rotations!E2: "Mon noon" is not a hand-off. Write "Mon 09:00".'),
    Case("24-nobody-takes-turns", with_turns(_replaced(2, "ana, Zed Q")),
         'E01 error Rotations!C2: nobody is called "Zed Q". '
         "Write their e-mail, or add them to people."),
    Case("25-no-first-turn", with_turns(_replaced(6, None)),
         "error Rotations!G2: no start. "
         "Write the date on which the first of the order begins."),
    Case("26-days", with_turns([*TURNS, 1, "Mon-Fry", "09:00-17:00"]),
         'error Rotations!I2: "Mon-Fry" are not days. Write "Mon-Fri" or "Sat, Sun".'),
    Case("27-hours", with_turns([*TURNS, 1, "Mon-Fri", "nine to five"]),
         'error Rotations!J2: "nine to five" is not a span of hours. Write "09:00-17:00".'),
    Case("28-override-person", turning(Overrides=[
        OVERRIDE, ["o1", "data", "Primary", "2026-11-20 18:00", "2026-11-21 09:00", "Zed"]]),
         'E01 error Overrides!F2: nobody is called "Zed". '
         "Write their e-mail, or add them to people. The row is left out."),
    Case("29-override-rotation", turning(Overrides=[
        OVERRIDE, ["o1", "dta", "Primary", "2026-11-20 18:00", "2026-11-21 09:00", "bo"]]),
         'error Overrides!B2: there is no rotation "dta"; did you mean `data`? '
         "The row is left out."),
    Case("30-override-twice", turning(Overrides=[
        OVERRIDE, ["o1", "data", "Primary", "2026-11-20 18:00", "2026-11-21 09:00", "bo"],
        ["o1", "data", "Primary", "2026-11-22 18:00", "2026-11-23 09:00", "cy"]]),
         "error Overrides!A3: the id o1 stands in two rows. The row is left out."),
    Case("31-override-ends-first", turning(Overrides=[
        OVERRIDE, ["o1", "data", "Primary", "2026-11-20 18:00", "2026-11-20 09:00", "bo"]]),
         "E04 error Overrides!E2: the end (2026-11-20 09:00) is not after the start in D2 "
         "(2026-11-20 18:00). Correct one of them. The row is left out."),
    Case("32-person-unreachable", turning(People=[PEOPLE, ["Zed Q", "", "", "UTC", 1, "yes"]]),
         "error People!B2: Zed Q has neither an e-mail nor a Slack id, so nobody can page them. "
         "Write one."),
    Case("33-person-gone", {
        "People": [PEOPLE, ["Ana Klein", "ana@example.com", "", "UTC", 1, "no"]],
        **grid(*WEEKS)},
         'E01 error Shifts!B2: nobody is called "ana". Write their e-mail, or add them to people.',
         others=[('E01 error Shifts!C4: nobody is called "ana". '
                  "Write their e-mail, or add them to people.")]),
    Case("34-away-backwards", turning(Away=[["Person", "From", "To"],
                                            ["cy", D(2026, 12, 24), D(2026, 12, 20)]]),
         "E04 error Away!C2: the end (2026-12-20) is not after the start in B2 (2026-12-24). "
         "Correct one of them. The row is left out."),
    Case("35-holiday", turning(Holidays=[["Date", "Name"], ["Christmas", "x"]]),
         f'error Holidays!A2: "Christmas" is not a date. {NO_DATE}'),
    Case("36-unknown-columns", {"Rotations": [[*ROTATION, "Mood", "Colour"], TURNS]},
         'info Rotations!K1: these columns are not read: "Mood" (K1), "Colour" (L1).'),
    Case("37-csv-unknown-person", grid([D(2026, 11, 16), "Anna Klien", "bo"]),
         'E01 error Shifts!B2: nobody is called "Anna Klien". Nearest: "Ana Klein".', csv=True),
    Case("38-csv-no-order", {"Rotations": [["Rotation", "Order"], ["data", "-,-"], ["", "ana"]]},
         "error Rotations!A2: no start. Write the date on which the first of the order begins.",
         csv=True, others=["error Rotations!A3: no rotation in this row. Write its name."]),
    Case("39-other-epoch", rows(["data", "", D(2026, 11, 16, 9), D(2026, 11, 20, 9), "ana"]),
         "E16 warning Shifts: the last row of data ends Fri 2026-11-20 09:00, in 1 day. Add rows.",
         _epoch),
]  # fmt: skip


def write(case: Case) -> str:
    """Write one case; return the name of its file or folder."""
    if case.csv:
        folder = FOLDER / case.name
        folder.mkdir()
        for title, cells in case.tabs.items():
            text = "\n".join(",".join(_quoted(value) for value in row) for row in cells)
            (folder / f"{title}.csv").write_text(f"{text}\n", encoding="utf-8")
        return case.name
    book = Workbook()
    book.remove(book.active)
    for title, cells in case.tabs.items():
        sheet = book.create_sheet(title)
        for row in cells:
            sheet.append(row)
        _dates(sheet)
    if case.change is not None:
        case.change(book)
        for sheet in book.worksheets:
            _dates(sheet)
    book.save(FOLDER / f"{case.name}.xlsx")
    return f"{case.name}.xlsx"


def _quoted(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    text = "" if value is None else str(value)
    return f'"{text}"' if "," in text else text


def _dates(sheet: Any) -> None:
    for line in sheet.iter_rows():
        for cell in line:
            if isinstance(cell.value, datetime):
                timed = cell.value.hour or cell.value.minute
                cell.number_format = "yyyy-mm-dd hh:mm" if timed else "yyyy-mm-dd"


def main() -> None:
    for old in FOLDER.iterdir():
        if old.name[:2].isdigit():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    faults = {write(case): [case.says, *case.others] for case in CASES}
    text = json.dumps(faults, indent=2, ensure_ascii=False)
    (FOLDER / "faults.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
