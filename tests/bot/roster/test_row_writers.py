"""Writing rows: real workbooks, real CSV files, the real client against the local Google."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation

from bot.local_google.google import LocalGoogle
from bot.roster.csv_splice import splice_csv
from bot.roster.csv_table import read_csv
from bot.roster.file_rows import FileRows, replace_file
from bot.roster.google_client import GoogleSheets
from bot.roster.google_faults import SheetFaultError
from bot.roster.google_rows import GoogleRows
from bot.roster.overrides_place import moment_text
from bot.roster.row_orders import Put, RowOrder
from bot.roster.xlsx import read_xlsx
from tests.fakes.google import BOT, google_in_a_thread, key_file

WHOLE = {
    "id": "aa01", "rotation": "data", "role": "primary", "start": "2026-11-23 10:00",
    "end": "2026-11-23 18:00", "person": "Bo", "instead of": "", "kind": "cover",
    "why": "=cmd|' /C calc'!A0", "by": "Ana", "created": "2026-11-23 10:00", "state": "active",
}  # fmt: skip
NEW = RowOrder("aa01", WHOLE, {})
CANCEL = RowOrder("aa01", WHOLE, {"state": "cancelled"}, seen=True)
APPEND = "sheets.spreadsheets.values.append"


# --- files ------------------------------------------------------------------------------------


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "roster.xlsx"
    book = openpyxl.Workbook()
    shifts = book.active
    shifts.title = "Shifts"
    shifts.append(["Start", "End", "Primary"])
    shifts.append(["2026-11-16 09:00", "2026-12-28 09:00", "Ana"])
    shifts["D2"] = "=A2"
    own = book.create_sheet("Overrides")
    own.append(["Id", "Rotation", "Role", "Start", "End", "Person", "Why", "State", "Extra"])
    own.append(
        ["old", "data", "primary", "2026-01-05 09:00", "2026-01-06 09:00", "Ana", "", "", "n"]
    )
    own["F2"].font = openpyxl.styles.Font(bold=True)
    rule = DataValidation(type="list", formula1='"Ana,Bo"', sqref="F2:F99")
    own.add_data_validation(rule)
    book.save(path)
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def own_rows(path: Path, title: str = "Overrides") -> list[list[str]]:
    return [[cell.text for cell in row] for row in read_xlsx(path.read_bytes()).tabs[title].rows]


def test_a_row_in_a_workbook_leaves_every_other_part_as_it_was(workbook: Path) -> None:
    before = members(workbook)
    assert FileRows(workbook).put(NEW) is Put.WRITTEN
    after = members(workbook)
    differing = [name for name in before if before[name] != after[name]]
    assert differing == ["xl/worksheets/sheet2.xml"]
    row = own_rows(workbook)[2]
    assert row[:8] == ["aa01", "data", "primary", "2026-11-23 10:00", "2026-11-23 18:00", "Bo",
                       "=cmd|' /C calc'!A0", "active"]  # fmt: skip
    sheet = openpyxl.load_workbook(workbook)["Overrides"]
    assert sheet["G3"].data_type != "f"
    assert sheet["F3"].font.bold, "looks as the row above does"
    assert [str(one.sqref) for one in sheet.data_validations.dataValidation] == ["F2:F99"]


def test_it_is_written_once_then_changed_then_never_written_again(workbook: Path) -> None:
    rows = FileRows(workbook)
    rows.put(NEW)
    once = workbook.read_bytes()
    assert rows.put(NEW) is Put.WRITTEN
    assert workbook.read_bytes() == once
    assert rows.put(CANCEL) is Put.WRITTEN
    assert own_rows(workbook)[2][7] == "cancelled"
    assert own_rows(workbook)[1][:3] == ["old", "data", "primary"]
    gone = RowOrder("zz", {**WHOLE, "id": "zz"}, {}, seen=True)
    assert rows.put(gone) is Put.MISSING


def test_a_workbook_without_the_tab_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Shifts"
    book.active.append(["Start", "Primary"])
    book.save(path)
    path.chmod(0o640)
    assert FileRows(path).put(NEW) is Put.WRITTEN
    assert openpyxl.load_workbook(path).sheetnames == ["Shifts", "Overrides"]
    assert own_rows(path)[1][0] == "aa01"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["roster.xlsx"]


def test_a_workbook_that_is_open_waits(workbook: Path) -> None:
    lock = workbook.parent / "~$roster.xlsx"
    lock.touch()
    before = workbook.read_bytes()
    with pytest.raises(
        SheetFaultError, match=r"is open in a spreadsheet program\. Save and"
    ) as hit:
        FileRows(workbook).put(NEW)
    assert hit.value.later
    assert workbook.read_bytes() == before
    lock.unlink()
    assert FileRows(workbook).put(NEW) is Put.WRITTEN


def test_a_formula_is_not_written_over(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    book["Overrides"].append(["aa01", "data", "primary", "", "", "", "", '="active"'])
    book.save(workbook)
    with pytest.raises(SheetFaultError, match="H3 is a formula"):
        FileRows(workbook).put(CANCEL)


def test_what_excel_writes_with_prefixes_and_empty_rows_is_understood(workbook: Path) -> None:
    parts = members(workbook)
    name = "xl/worksheets/sheet2.xml"
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts[name] = (
        b'<?xml version="1.0" encoding="UTF-8"?><x:worksheet xmlns:x="' + main + b'"><x:sheetData>'
        b'<x:row r="1" spans="1:3"><x:c r="A1" t="inlineStr"><x:is><x:t>Start</x:t></x:is></x:c>'
        b'<x:c r="B1" t="inlineStr"><x:is><x:t>End</x:t></x:is></x:c>'
        b'<x:c r="C1" t="inlineStr"><x:is><x:t>Person</x:t></x:is></x:c></x:row>'
        b'<x:row r="2"/></x:sheetData></x:worksheet>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    workbook.write_bytes(out.getvalue())
    FileRows(workbook).put(NEW)
    header, row = own_rows(workbook)
    told = dict(zip(header, row, strict=False))
    assert (told["Id"], told["Person"], told["State"]) == ("aa01", "Bo", "active")


def test_a_csv_file_keeps_its_ways(tmp_path: Path) -> None:
    data = 'sep=;\r\nId;Start;End;Wer\r\nx;2026-01-01;2026-01-02;"Müller;\r\nAna"\r\n'.encode(
        "cp1252"
    )
    after = splice_csv(data, {(3, 1): "aa01", (3, 4): "=Bo"})
    assert after.startswith(data)
    assert after[len(data) :] == b"aa01;;;'=Bo\r\n"
    assert splice_csv(after, {(3, 2): "2026"}).endswith(b"aa01;2026;;'=Bo\r\n")
    assert [cell.text for cell in read_csv(after).rows[1]][3] == "Müller;\r\nAna"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_file_keeps_its_encoding_and_gets_a_last_newline(encoding: str) -> None:
    data = "Id,Start,End,Person\nü,1,2,Bo".encode(encoding)
    after = splice_csv(data, {(3, 1): "aa01"})
    assert after.decode(encoding) == "Id,Start,End,Person\nü,1,2,Bo\naa01\n"


def test_a_time_that_happens_twice_is_written_with_its_offset() -> None:
    from datetime import UTC, datetime

    zone = "America/New_York"
    assert moment_text(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), zone) == "2026-11-01 01:30"
    assert moment_text(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), zone) == "2026-11-01 01:30-05:00"


# --- Google -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[LocalGoogle]:
    with google_in_a_thread() as google:
        yield google


@pytest.fixture
def google(server: LocalGoogle) -> Iterator[LocalGoogle]:
    server._reads.clear()
    tabs: dict[str, Any] = {
        "Shifts": [["Start", "Primary"], ["2026-11-16", "Ana"]],
        "Overrides": [
            ["Who covers whom"],
            ["Id", "Rotation", "Role", "Start", "End", "Person", "Kind", "Why", "State"],
            ["old", "data", "primary", "2026-01-05", "2026-01-06", "Ana"],
            [],
            ["# below here: notes of Ana"],
        ],
    }
    server.add_spreadsheet("abc", tabs, shared={BOT: "writer"})
    yield server
    server.faults.clear()


@pytest.fixture
def rows(google: LocalGoogle, tmp_path: Path) -> Iterator[GoogleRows]:
    sheets = GoogleSheets(key_file(google, tmp_path), api_url=f"{google.url}/", timeout=1)
    yield GoogleRows("abc", sheets)
    sheets.close()


def sheet_rows(google: LocalGoogle, title: str = "Overrides") -> list[list[str]]:
    tab = google.sheets["abc"].tab(title)
    found: dict[int, dict[int, str]] = {}
    for (row, column), cell in tab.cells.items():
        found.setdefault(row, {})[column] = str(cell.value)
    return [[found[r].get(c, "") for c in range(max(found[r]) + 1)] for r in sorted(found)]


def ids(google: LocalGoogle) -> list[str]:
    return [row[0] for row in sheet_rows(google)]


def test_a_row_is_inserted_and_nothing_below_is_lost(google: LocalGoogle, rows: GoogleRows) -> None:
    assert rows.put(NEW) is Put.WRITTEN
    assert ids(google) == ["Who covers whom", "Id", "old", "aa01", "# below here: notes of Ana"]
    told = sheet_rows(google)[3]
    assert told[3:9] == [
        "2026-11-23 10:00",
        "2026-11-23 18:00",
        "Bo",
        "cover",
        WHOLE["why"],
        "active",
    ]
    assert rows.put(NEW) is Put.WRITTEN
    assert ids(google).count("aa01") == 1


def test_a_tab_without_room_for_a_column_is_made_wider(
    google: LocalGoogle, rows: GoogleRows
) -> None:
    google.sheets["abc"].tab("Overrides").column_count = 9
    replacing = RowOrder(
        "aa02", {**WHOLE, "id": "aa02", "instead of": "Ana", "kind": "replace"}, {}
    )
    assert rows.put(replacing) is Put.WRITTEN
    header, row = (line for line in sheet_rows(google) if line[0] in {"Id", "aa02"})
    assert (header[9], row[9]) == ("Instead of", "Ana")
    assert google.sheets["abc"].tab("Overrides").column_count == 10


@pytest.mark.parametrize("kind", ["drop_after_commit", "timeout_after_commit", "truncated"])
def test_a_lost_answer_makes_no_second_row(
    google: LocalGoogle, rows: GoogleRows, kind: Any
) -> None:
    google.faults.add(kind, APPEND)
    with pytest.raises(SheetFaultError) as hit:
        rows.put(NEW)
    assert hit.value.later
    assert rows.put(NEW) is Put.WRITTEN
    assert ids(google).count("aa01") == 1


@pytest.mark.parametrize(
    "kind", ["too_many_429", "rate_limited_403", "http_500", "http_503", "drop_before"]
)
def test_a_refusal_that_passes_is_tried_again(
    google: LocalGoogle, rows: GoogleRows, kind: Any
) -> None:
    google.faults.add(kind, APPEND, retry_after=7 if kind == "too_many_429" else None)
    with pytest.raises(SheetFaultError) as hit:
        rows.put(NEW)
    assert hit.value.later
    assert "aa01" not in ids(google)
    rows.put(NEW)
    assert ids(google).count("aa01") == 1


def test_a_change_follows_its_row_when_others_are_inserted(
    google: LocalGoogle, rows: GoogleRows
) -> None:
    rows.put(NEW)
    google.sheets["abc"].tab("Overrides").insert_rows(2, 3)
    assert rows.put(CANCEL) is Put.WRITTEN
    (own,) = [row for row in sheet_rows(google) if row[0] == "aa01"]
    assert own[8] == "cancelled"
    assert own[5] == "Bo", "only what changed was written"
    assert not any(
        "cancelled" in row for row in sheet_rows(google) if row is not own and row[0] != "aa01"
    )


def test_a_row_that_people_copied_without_its_mark_is_marked_anew(
    google: LocalGoogle, rows: GoogleRows
) -> None:
    line = ["bb", "data", "primary", "2026-11-23 10:00", "2026-11-23 18:00", "Bo"]
    google.type_in("abc", "Overrides!A4", [line])
    order = RowOrder("bb", {**WHOLE, "id": "bb"}, {"end": "2026-11-23 20:00"}, seen=True)
    assert rows.put(order) is Put.WRITTEN
    assert sheet_rows(google)[3][4] == "2026-11-23 20:00"


def test_a_deleted_row_stays_deleted(google: LocalGoogle, rows: GoogleRows) -> None:
    assert rows.put(CANCEL) is Put.MISSING
    assert "aa01" not in ids(google)


def test_a_sheet_without_the_tab_gets_one(google: LocalGoogle, rows: GoogleRows) -> None:
    google.add_spreadsheet("abc", {"Shifts": [["Start", "Primary"]]}, shared={BOT: "writer"})
    assert rows.put(NEW) is Put.WRITTEN
    assert ids(google) == ["Id", "aa01"]


def test_two_replicas_that_both_miss_the_tab_make_one(google: LocalGoogle, tmp_path: Path) -> None:
    google.add_spreadsheet("abc", {"Shifts": [["Start", "Primary"]]}, shared={BOT: "writer"})
    sheets = GoogleSheets(key_file(google, tmp_path), api_url=f"{google.url}/", timeout=1)
    before = sheets.outline("abc")
    other = {**WHOLE, "id": "bb02"}
    assert GoogleRows("abc", sheets).put(RowOrder("bb02", other, {}, seen=False)) is Put.WRITTEN
    late, looks = GoogleRows("abc", sheets), [before]
    sheets.outline = lambda sheet: looks.pop() if looks else seen(sheet)  # type: ignore[method-assign] # what it saw earlier
    seen = GoogleSheets.outline.__get__(sheets)
    assert late.put(NEW) is Put.WRITTEN
    sheets.close()
    assert ids(google) == ["Id", "bb02", "aa01"]
    assert [tab.title for tab in google.sheets["abc"].tabs] == ["Shifts", "Overrides"]


def test_a_viewer_is_told_what_to_share(google: LocalGoogle, rows: GoogleRows) -> None:
    google.sheets["abc"].shared = {BOT: "reader"}
    with pytest.raises(
        SheetFaultError, match=f"may not write to the sheet. Share it with {BOT} as"
    ):
        rows.put(NEW)


def test_what_a_killed_process_left_behind_is_removed(tmp_path: Path) -> None:
    path, abandoned = tmp_path / "roster.csv", tmp_path / ".watchbill-abandoned.tmp"
    young = tmp_path / ".watchbill-young.tmp"
    abandoned.write_text("half a roster")
    os.utime(abandoned, (1_000_000_000, 1_000_000_000))
    young.write_text("somebody is writing this")
    replace_file(path, b"Week of,Primary\n")
    assert path.read_bytes() == b"Week of,Primary\n"
    assert sorted(tmp_path.iterdir()) == sorted([path, young])
