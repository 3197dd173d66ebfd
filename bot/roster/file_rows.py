"""Rows of overrides in files: a new file takes the old one's place in one step."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bot.roster.book import TABS
from bot.roster.csv_splice import new_csv, splice_csv
from bot.roster.csv_table import read_csv
from bot.roster.google_faults import SheetFaultError, later
from bot.roster.header import HeaderError, normalise
from bot.roster.overrides_place import HEADER, Place, header_name, place_of
from bot.roster.row_orders import Put, RowOrder
from bot.roster.table import Table, TableError
from bot.roster.xlsx import read_xlsx
from bot.roster.xlsx_splice import add_sheet, splice_sheet

Edits = dict[tuple[int, int], str]
_XLSX = (".xlsx", ".xlsm")
_UNFINISHED = (".watchbill-", ".tmp")
_ABANDONED = 60.0
"""Seconds after which an unfinished file is nobody's."""
_TITLE = "Overrides"


class FileRows:
    """The RowWriter of a workbook or a folder of tabs; one CSV file has no place for rows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, order: RowOrder) -> Put:
        try:
            if self._path.is_dir():
                return self._in_folder(order)
            if self._path.suffix.lower() in _XLSX:
                _refuse_while_open(self._path)
                return _rewritten(self._path, lambda data: _in_workbook(data, order))
        except TableError as error:
            raise SheetFaultError(f"{self._path.name}: {error}") from None
        except HeaderError as error:
            raise SheetFaultError(f"{error} Overrides are written once it is repaired.") from None
        except OSError as error:
            raise later(f"{self._path.name} cannot be written: {error.strerror}.") from None
        return Put.NO_PLACE

    def _in_folder(self, order: RowOrder) -> Put:
        tabs = (one for one in sorted(self._path.iterdir()) if one.suffix.lower() == ".csv")
        own = next((one for one in tabs if normalise(one.stem) in TABS["overrides"]), None)
        if own is None:
            own = self._path / f"{_TITLE}.csv"
            replace_file(own, new_csv(HEADER))
        return _rewritten(own, lambda data: _in_csv(data, order))


def _in_workbook(data: bytes, order: RowOrder) -> tuple[bytes, Put]:
    tabs = read_xlsx(data).tabs
    title = next((title for title in tabs if normalise(title) in TABS["overrides"]), "")
    if not title:
        data, title = add_sheet(data, _TITLE, HEADER), _TITLE
        tabs = read_xlsx(data).tabs
    place = place_of(tabs[title])
    if place is None:
        header = {(1, column): text for column, text in enumerate(HEADER, 1)}
        data = splice_sheet(data, title, header)
        place = place_of(read_xlsx(data).tabs[title])
    edits, put = _edits(place, order)
    return (splice_sheet(data, title, edits) if edits else data), put


def _in_csv(data: bytes, order: RowOrder) -> tuple[bytes, Put]:
    if not data.strip(b"\xef\xbb\xbf\r\n\t ;,"):
        data = new_csv(HEADER)
    table: Table = read_csv(data)
    edits, put = _edits(place_of(table), order)
    return (splice_csv(data, edits) if edits else data), put


def _edits(place: Place | None, order: RowOrder) -> tuple[Edits, Put]:
    """Return the cells to write, by row and column."""
    assert place is not None, "a header was written"
    row = place.rows.get(order.id)
    if row is None and order.seen:
        return {}, Put.MISSING
    cells = order.whole if row is None else order.changed
    missing = place.missing(cells)
    edits: Edits = {
        (place.header_row, place.width + n): header_name(meaning)
        for n, meaning in enumerate(missing, 1)
    }
    place = place.with_columns(missing)
    at = row or place.last_row + 1
    edits |= {
        (at, place.columns[name]): text
        for name, text in cells.items()
        if name in place.columns and (text or row is not None)
    }
    return edits, Put.WRITTEN


def _rewritten(path: Path, change: Callable[[bytes], tuple[bytes, Put]]) -> Put:
    """Read, change and replace a file. Raises SheetFaultError when somebody else was faster."""
    before = path.read_bytes()
    after, put = change(before)
    if after != before:
        if path.suffix.lower() in _XLSX:
            _refuse_while_open(path)
        replace_file(path, after, expected=before)
    return put


def replace_file(path: Path, data: bytes, expected: bytes | None = None) -> None:
    """Put a file in another's place in one step. Raises OSError.

    With `expected`, raises SheetFaultError when the file no longer holds that.
    """
    target = path.resolve()  # of a link, the file itself is replaced
    handle, name = tempfile.mkstemp(prefix=_UNFINISHED[0], suffix=_UNFINISHED[1], dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, name)
        else:
            os.chmod(name, 0o644)  # noqa: PTH101 - a path as mkstemp gave it
        if expected is not None and target.read_bytes() != expected:
            raise later(f"{path.name} was changed while it was written.")
        _sweep(Path(name))
        os.replace(name, target)  # noqa: PTH105 - the promise is of this very call
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)  # noqa: PTH108 - as above


def _sweep(own: Path) -> None:
    """Remove what a process left behind that was killed while it wrote."""
    for left in own.parent.glob("*".join(_UNFINISHED)):
        with suppress(FileNotFoundError):
            if own.stat().st_mtime - left.stat().st_mtime > _ABANDONED:
                left.unlink()


def _refuse_while_open(path: Path) -> None:
    for lock in (f"~${path.name}", f".~lock.{path.name}#"):
        if (path.parent / lock).exists():
            raise later(f"{path.name} is open in a spreadsheet program. Save and close it.")
