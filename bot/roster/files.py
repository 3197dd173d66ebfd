"""Rosters on disk: one CSV or XLSX file, or a folder with a CSV file for each tab."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.roster.csv_table import MOST_BYTES as MOST_CSV_BYTES
from bot.roster.csv_table import read_csv
from bot.roster.table import Table, TableError
from bot.roster.workbook import Workbook
from bot.roster.xlsx import MOST_BYTES as MOST_XLSX_BYTES
from bot.roster.xlsx import read_xlsx

_CSV = (".csv", ".tsv", ".txt")
_XLSX = (".xlsx", ".xlsm")
_MOST_FILES = 50

_Stat = tuple[str, int, int, int]


class FileSource:
    """One file or folder. Remembers what it read, to notice a file that was cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_before: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        return self.path.name

    def look(self) -> object:
        """Return names, times, sizes and inodes; None when nothing is there."""
        try:
            return tuple(sorted(_stat(path) for path in self._paths()))
        except (OSError, TableError):
            return None

    def read(self) -> Workbook:
        try:
            is_folder = self.path.is_dir()
            data = {path: self._bytes(path) for path in sorted(self._paths())}
            changed = max((path.stat().st_mtime for path in data), default=0.0)
        except OSError as error:
            raise TableError(f"the file cannot be read: {error.strerror}.") from None
        version = _hash(data, names=is_folder)
        changed_at = datetime.fromtimestamp(changed, UTC)
        if is_folder:
            tabs = {
                path.stem: _in_file(path, content).named(path.stem)
                for path, content in data.items()
            }
            return Workbook(tabs, version, changed_at=changed_at)
        ((path, content),) = data.items()
        if path.suffix.lower() in _XLSX:
            book = read_xlsx(content)
            return Workbook(book.tabs, version, author=book.author, changed_at=changed_at)
        return Workbook({"": read_csv(content)}, version, changed_at=changed_at)

    def _paths(self) -> Iterator[Path]:
        if not self.path.is_dir():
            if self.path.suffix.lower() not in (*_CSV, *_XLSX):
                known = ", ".join((*_CSV, ".xlsx"))
                raise TableError(
                    f"files that end in {self.path.suffix!r} are not read; use {known}."
                )
            yield self.path
            return
        found = [path for path in self.path.iterdir() if _is_tab(path)]
        if not found:
            raise TableError("the folder has no .csv file. Write Shifts.csv or Rotations.csv.")
        if len(found) > _MOST_FILES:
            raise TableError(f"the folder has {len(found)} files; at most {_MOST_FILES} are read.")
        yield from found

    def _bytes(self, path: Path) -> bytes:
        most = MOST_XLSX_BYTES if path.suffix.lower() in _XLSX else MOST_CSV_BYTES
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(most + 1)
        if len(data) < size and len(data) <= most:
            raise TableError("the file changed while it was read. It is read again at once.")
        if path.suffix.lower() in _CSV and _cut_short(data, self._read_before.get(path.name, b"")):
            raise TableError("the file stops in the middle of a row. Save it again.")
        self._read_before[path.name] = data
        return data


def _is_tab(path: Path) -> bool:
    return path.suffix.lower() in _CSV and not path.name.startswith((".", "~")) and path.is_file()


def _stat(path: Path) -> _Stat:
    stat = path.stat()
    return path.name, stat.st_mtime_ns, stat.st_size, stat.st_ino


def _hash(data: dict[Path, bytes], *, names: bool) -> str:
    digest = hashlib.sha256()
    for path, content in data.items():
        if names:
            digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def _in_file(path: Path, content: bytes) -> Table:
    try:
        return read_csv(content)
    except TableError as error:
        raise TableError(f"{path.name}: {error}") from None


def _cut_short(data: bytes, before: bytes) -> bool:
    """Whether `data` is the beginning of `before`, ending inside a row with further rows lost."""
    lost = before[len(data) :]
    inside = bool(data) and data[-1:] not in b"\r\n" and lost[:1] not in b"\r\n"
    return inside and before.startswith(data) and b"\n" in lost.rstrip()
