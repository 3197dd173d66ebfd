"""Changes cells of a CSV file and leaves every other byte of its text as it was."""

import codecs
import csv
import io
from collections.abc import Mapping, Sequence

from bot.roster.csv_table import csv_layout
from rules.spreadsheet_cell import safe_cell


def new_csv(header: Sequence[str]) -> bytes:
    return (",".join(header) + "\n").encode()


def splice_csv(data: bytes, edits: Mapping[tuple[int, int], str]) -> bytes:
    """Return the file with cells changed, by row and column counted from 1. Raises TableError."""
    text, before, separator = csv_layout(data)
    newline = "\r\n" if "\r\n" in text else "\n"
    records = _records(text, separator)
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), value in edits.items():
        by_row.setdefault(row, {})[column] = value
    for row, cells in sorted(by_row.items()):
        while len(records) < row:
            if records and not records[-1].endswith(("\n", "\r")):
                records[-1] += newline
            records.append("" if len(records) + 1 == row else newline)
        records[row - 1] = _record(records[row - 1], cells, separator, newline)
    return _encoded(data, before + "".join(records))


def _records(text: str, separator: str) -> list[str]:
    """Return the text of each record; one may go over several lines."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(iter(lines), delimiter=separator, strict=True)
    found: list[str] = []
    start = 0
    for _ in reader:
        found.append("".join(lines[start : reader.line_num]))
        start = reader.line_num
    return found


def _record(text: str, cells: Mapping[int, str], separator: str, newline: str) -> str:
    row = next(csv.reader([text], delimiter=separator), []) if text.strip("\r\n") else []
    row += [""] * (max(cells) - len(row))
    for column, value in cells.items():
        row[column - 1] = safe_cell(value)
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=newline).writerow(row)
    return out.getvalue()


def _encoded(data: bytes, text: str) -> bytes:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text.encode("utf-16")
    if data.startswith(codecs.BOM_UTF8):
        return text.encode("utf-8-sig")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return text.encode("cp1252", "replace")
    return text.encode()
