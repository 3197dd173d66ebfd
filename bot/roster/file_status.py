"""The status of a roster on disk: a file beside it, which people may open and nobody reads back.

It stands beside and not inside: a workbook that changes every few minutes would tell whoever has
it open that somebody else saved it.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from bot.roster.file_rows import replace_file
from bot.roster.google_faults import SheetFaultError, later
from rules.spreadsheet_cell import safe_cell

_OURS = b"Watchbill"
_COLUMNS = 3


class StatusFile:
    """Writes `roster.status.csv` for `roster.csv`, `roster.xlsx` or a folder `roster`."""

    def __init__(self, roster: Path) -> None:
        self._path = roster.parent / f"{roster.stem}.status.csv"

    def write(self, lines: Sequence[Sequence[str]]) -> None:
        """Replace the file's lines. Blocks; raises SheetFaultError."""
        try:
            self._refuse_foreign()
            replace_file(self._path, _text(lines).encode())
        except OSError as error:
            raise later(f"{self._path.name} cannot be written: {error.strerror}.") from None

    def _refuse_foreign(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            if not file.read(len(_OURS)).startswith(_OURS):
                words = f"{self._path.name} is somebody else's and is not written to. Rename it."
                raise SheetFaultError(words)


def _text(lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([safe_cell(cell) for cell in line[:_COLUMNS]] for line in lines)
    return out.getvalue()
