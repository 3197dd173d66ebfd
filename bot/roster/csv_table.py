"""Bytes of a CSV file, as spreadsheets write them, to a table of cells."""

import codecs
import csv
import io
from collections import Counter

from bot.roster.table import Table, TableError

MOST_BYTES = 2_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 200
_DELIMITERS = (";", "\t", ",")
_SAMPLE_ROWS = 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_csv(data: bytes) -> Table:
    """Read cells; raises TableError when this is no CSV file of a sane size."""
    if len(data) > MOST_BYTES:
        raise TableError(
            f"the file has {len(data):,} bytes; at most {MOST_BYTES:,} are read. Remove old rows."
        )
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        raise TableError("the file is empty. Write the roster again, or restore it.")
    text, warnings = _decode(data)
    separator, text = _declared_separator(text)
    rows = _split(text, separator or _sniff(text))
    if len(rows) > MOST_ROWS or max(map(len, rows), default=0) > MOST_COLUMNS:
        raise TableError(
            f"the file has {len(rows):,} rows of up to {max(map(len, rows)):,} cells; "
            f"at most {MOST_ROWS:,} rows of {MOST_COLUMNS} cells are read. Remove old rows."
        )
    return Table.of(rows, warnings)


def csv_layout(data: bytes) -> tuple[str, str, str]:
    """Return a file's rows as text, what stands before them, and its separator.

    Raises TableError.
    """
    text, _ = _decode(data)
    separator, rest = _declared_separator(text)
    return rest, text[: len(text) - len(rest)], separator or _sniff(rest)


def _decode(data: bytes) -> tuple[str, list[str]]:
    if data.startswith(b"PK\x03\x04"):
        raise TableError("this is an XLSX or ZIP file. Save it as CSV, or name it .xlsx.")
    if data.startswith(_UTF16):
        return _decode_utf16(data), []
    if b"\x00" in data:
        raise TableError("this is not a text file. Save the roster as CSV (UTF-8).")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise TableError(
            f"line {line} is neither UTF-8 nor Windows text. Save the roster as CSV (UTF-8)."
        ) from None
    warning = f"line {line} is not UTF-8; the file was read as Windows text (cp1252). Save it as CSV (UTF-8)."
    return text, [warning]


def _decode_utf16(data: bytes) -> str:
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError:
        raise TableError("the UTF-16 text is broken. Save the roster as CSV (UTF-8).") from None


def _declared_separator(text: str) -> tuple[str, str]:
    """Take off Excel's own first line, `sep=;`, which no spreadsheet shows as a row."""
    first, newline, rest = text.partition("\n")
    declared = first.strip()
    if newline and declared.lower().startswith("sep=") and len(declared) == 5:
        return declared[4], rest
    return "", text


def _sniff(text: str) -> str:
    """Choose the delimiter by which most of the first rows have the same number of cells."""

    def agreement(delimiter: str) -> tuple[int, int]:
        sample = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        widths: Counter[int] = Counter()
        try:
            for row in sample:
                if row and not row[0].startswith("#") and len(row) > 1:
                    widths[len(row)] += 1
                if sample.line_num >= _SAMPLE_ROWS:
                    break
        except csv.Error:
            pass
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        return count, width

    scores = {delimiter: agreement(delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best][0] else ","


def _split(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    start = 1
    try:
        for row in reader:
            rows.append(row)
            start = reader.line_num + 1
    except csv.Error as error:
        raise TableError(
            f"the row that begins in line {start} cannot be read ({error}). "
            "Close its quotation marks."
        ) from None
    return rows
