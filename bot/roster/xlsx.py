"""An Excel workbook to tabs of cells: values as typed, merges, formulas, hidden and struck rows."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.roster.csv_table import MOST_COLUMNS, MOST_ROWS
from bot.roster.table import (
    UNCALCULATED,
    Cell,
    Problem,
    Severity,
    Table,
    TableError,
    column_letters,
)
from rules.plain_line import seen

MOST_BYTES = 5_000_000
_MOST_UNPACKED = 60_000_000
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Others ask for as much memory as they like, and fail in ways of their own."""
_MOST_TABS = 50
_MOST_NAMED = 5
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_HALF_A_SECOND = timedelta(milliseconds=500)
_UNREADABLE = (
    ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What openpyxl and all below it raise for a file that is not well made."""


@dataclass(frozen=True, slots=True)
class Book:
    """Tabs by name in their order; `author` is who saved it last, "" when it does not say."""

    tabs: dict[str, Table]
    author: str = ""
    changed_at: datetime | None = None


def read_xlsx(data: bytes) -> Book:
    """Read every tab; raises TableError when this is no XLSX file of a sane size."""
    _check(data)
    # imported here: openpyxl takes a quarter of a second, and CSV rosters do not need it
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that we do not read
            values = load_workbook(io.BytesIO(data), data_only=True)
            written = load_workbook(io.BytesIO(data))
    except _UNREADABLE as error:
        raise TableError(
            f"the XLSX file cannot be read ({type(error).__name__}). Save it again."
        ) from None
    if len(values.worksheets) > _MOST_TABS:
        raise TableError(
            f"the file has {len(values.worksheets)} tabs; at most {_MOST_TABS} are read."
        )
    tabs = {
        sheet.title: _table(sheet, written[sheet.title])
        for sheet in values.worksheets
        if sheet.title in written.sheetnames
    }
    return Book(tabs, str(values.properties.lastModifiedBy or "")[:100])


def _check(data: bytes) -> None:
    if not data:
        raise TableError("the file is empty. Write the roster again, or restore it.")
    if len(data) > MOST_BYTES:
        raise TableError(
            f"the file has {len(data):,} bytes; at most {MOST_BYTES:,} are read. Remove old rows."
        )
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError("this is an old .xls file, or it has a password. Save it as .xlsx.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except _UNREADABLE:
        raise TableError("this is no XLSX file, or it is cut off. Save it again.") from None
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _MOST_UNPACKED:
        raise TableError(
            f"unpacked the file has {unpacked:,} bytes; at most {_MOST_UNPACKED:,} are read."
        )
    packed = {entry.compress_type for entry in entries}
    if not packed <= _PACKED or "[Content_Types].xml" not in {one.filename for one in entries}:
        raise TableError("this is a ZIP file and no XLSX file. Save the roster as .xlsx.")


def _table(sheet: Any, written: Any) -> Table:
    title = str(sheet.title)
    merged = _merged(sheet)
    found: dict[int, dict[int, Cell]] = {}
    struck: list[str] = []
    for row, column, cell in _cells(sheet):
        text, range_ = _text(cell), ""
        if (row, column) in merged:
            (top, left), range_ = merged[row, column]
            text = _text(sheet.cell(top, left))
        elif not text and _is_formula(written.cell(row, column)):
            text = UNCALCULATED
        if text:
            found.setdefault(row, {})[column] = Cell(row, column, text, title, range_)
            if cell.font is not None and cell.font.strike:
                struck.append(f"{column_letters(column)}{row}")
    _check_size(title, found)
    rows = tuple(_row(title, number, found.get(number, {})) for number in _numbers(found))
    return Table(rows, remarks=tuple(_remarks(sheet, found, struck)))


def _cells(sheet: Any) -> Iterator[tuple[int, int, Any]]:
    """Yield cells that exist, in order; a formatted but empty million of rows has none."""
    for row, column in sorted(sheet._cells):  # noqa: SLF001 - iter_rows would make what is missing
        if row <= MOST_ROWS + 1 and column <= MOST_COLUMNS + 1:
            yield row, column, sheet._cells[row, column]  # noqa: SLF001


def _merged(sheet: Any) -> dict[tuple[int, int], tuple[tuple[int, int], str]]:
    """Return for each cell inside a merge, but its first, where the first one is."""
    inside: dict[tuple[int, int], tuple[tuple[int, int], str]] = {}
    for merge in sheet.merged_cells.ranges:
        first = (merge.min_row, merge.min_col)
        if merge.size["rows"] * merge.size["columns"] > MOST_ROWS:
            continue
        for row, column in (one for line in merge.rows for one in line):
            if (row, column) != first:
                inside[row, column] = (first, str(merge.coord))
    return inside


def _check_size(title: str, found: dict[int, dict[int, Cell]]) -> None:
    rows, columns = max(found, default=0), max((max(row) for row in found.values()), default=0)
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise TableError(
            f"the tab {title} has more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns. "
            "Remove old rows."
        )


def _numbers(found: dict[int, dict[int, Cell]]) -> range:
    return range(1, max(found, default=0) + 1)


def _row(title: str, number: int, cells: dict[int, Cell]) -> tuple[Cell, ...]:
    last = max(cells, default=0)
    return tuple(cells.get(n) or Cell(number, n, "", title) for n in range(1, last + 1))


def _is_formula(cell: Any) -> bool:
    return cell.data_type == "f" or (isinstance(cell.value, str) and cell.value.startswith("="))


def _text(cell: Any) -> str:
    value = cell.value
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return _moment(value, str(cell.number_format))
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("minutes" if not value.second else "seconds")
        case timedelta():
            return _clock(value)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return seen(str(value))


def _moment(value: datetime, number_format: str) -> str:
    """Write a date without a time where the cell shows none: the file itself knows only midnight."""
    value = (value + _HALF_A_SECOND).replace(microsecond=0)
    shows_time = "h" in _QUOTED.sub("", number_format).lower()
    if value.time() == time(0) and not shows_time:
        return value.date().isoformat()
    return value.isoformat(" ", "minutes" if not value.second else "seconds")


def _clock(value: timedelta) -> str:
    minutes = round(value.total_seconds() / 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _remarks(sheet: Any, found: dict[int, dict[int, Cell]], struck: list[str]) -> Iterator[Problem]:
    title = str(sheet.title)
    if sheet.sheet_state != "visible":
        yield Problem(title, "the tab is hidden, and is read all the same.", Severity.INFO)
    hidden = [str(row) for row in found if sheet.row_dimensions[row].hidden]
    if hidden:
        rows = _few(hidden, lambda name: f"row {name}")
        yield Problem(title, f"hidden and counted all the same: {rows}.", Severity.INFO)
    if struck:
        cells = _few(struck, str)
        yield Problem(title, f"struck out and counted all the same: {cells}.", Severity.INFO)


def _few(names: list[str], say: Callable[[str], str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(say(name) for name in names[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
