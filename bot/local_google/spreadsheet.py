"""A spreadsheet: tabs of typed cells, with what moves along when rows come and go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.local_google.a1 import Area, read_range
from bot.local_google.errors import GoogleError, bad_range

Json = dict[str, Any]
Value = str | float | bool
"""What a cell holds; dates are days since 30 December 1899, as in the real one."""

Written = Value | date | time | None
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's times are local, of no zone


@dataclass(frozen=True, slots=True)
class Cell:
    """`format` is Google's type of a number's format: DATE, DATE_TIME, TIME, NUMBER or TEXT."""

    value: Value
    format: str = ""
    rule: Json | None = None
    """The rule by which a cell is checked: a drop-down list."""

    struck: bool = False


@dataclass(slots=True)
class Tab:
    """A sheet of the spreadsheet. Cells are addressed by row and column, counted from 0."""

    id: int
    title: str
    row_count: int = 1000
    column_count: int = 26
    hidden: bool = False
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    merges: list[Area] = field(default_factory=list)
    protected: dict[int, Json] = field(default_factory=dict)
    marks: dict[int, tuple[int, Json]] = field(default_factory=dict)
    """Developer metadata by its id, with the row it hangs on, -1 for the tab."""

    hidden_rows: set[int] = field(default_factory=set)

    @property
    def used_rows(self) -> int:
        return max((row for row, _ in self.filled()), default=-1) + 1

    def filled(self) -> Iterator[tuple[int, int]]:
        return (at for at, cell in self.cells.items() if cell.value != "")

    def whole(self, area: Area | None) -> Area:
        """Return the area with ends, within the tab."""
        area = area or Area()
        bottom = self.row_count if area.bottom is None else area.bottom
        right = self.column_count if area.right is None else area.right
        return replace(
            area, bottom=min(bottom, self.row_count), right=min(right, self.column_count)
        )

    def put(self, row: int, column: int, written: Written) -> None:
        """Write one cell as a person or `RAW` does; "" empties it, None leaves it."""
        if written is None:
            return
        old = self.cells.get((row, column), Cell(""))
        value, kind = _typed(written)
        kind = kind or (old.format if not isinstance(value, str) else "")
        new = replace(old, value=value, format=kind)
        if new.value == "" and new.rule is None:
            self.cells.pop((row, column), None)
        else:
            self.cells[row, column] = new
        self.row_count = max(self.row_count, row + 1)
        self.column_count = max(self.column_count, column + 1)

    def insert_rows(self, at: int, count: int) -> None:
        self.row_count += count
        self._move(lambda row: row + count if row >= at else row)

    def delete_rows(self, start: int, end: int) -> None:
        self.row_count -= end - start
        self._move(lambda row: None if start <= row < end else row - (end - start) * (row >= end))

    def merge(self, area: Area) -> None:
        """Merge as Sheets does: only the first cell keeps its value."""
        self.unmerge(area)
        self.merges.append(area)
        for row, column in list(self.cells):
            inside = area.top <= row < (area.bottom or 0) and area.left <= column < (
                area.right or 0
            )
            if inside and (row, column) != (area.top, area.left):
                del self.cells[row, column]

    def unmerge(self, area: Area) -> None:
        self.merges = [one for one in self.merges if not _overlap(one, area)]

    def _move(self, to: "Callable[[int], int | None]") -> None:
        moved = {(to(row), column): cell for (row, column), cell in self.cells.items()}
        self.cells = {(row, c): cell for (row, c), cell in moved.items() if row is not None}
        self.marks = {
            key: (row, mark)
            for key, (old, mark) in self.marks.items()
            if (row := -1 if old < 0 else to(old)) is not None
        }
        merges = ((area, to(area.top), to((area.bottom or 1) - 1)) for area in self.merges)
        self.merges = [
            replace(area, top=top, bottom=last + 1)
            for area, top, last in merges
            if top is not None and last is not None
        ]


@dataclass(slots=True)
class Spreadsheet:
    """A file of tabs; `shared` says who may do what: "reader" or "writer" by address."""

    id: str
    title: str = "On call"
    locale: str = "en_GB"
    time_zone: str = "Europe/Berlin"
    tabs: list[Tab] = field(default_factory=list)
    shared: dict[str, str] = field(default_factory=dict)
    marks: dict[int, Json] = field(default_factory=dict)
    """Developer metadata of the whole file."""

    changes: list[tuple[datetime, int]] = field(default_factory=list)
    """When each version came to be, oldest first."""

    _next: int = 0

    def add_tab(self, title: str, rows: Sequence[Sequence[Written]] = (), *, at: int = -1) -> Tab:
        """Add a tab as a person does; the first one has the id 0."""
        if any(tab.title.casefold() == title.casefold() for tab in self.tabs):
            words = f'A sheet with the name "{title}" already exists. Please enter another name.'
            raise GoogleError(400, words)
        tab = Tab(self.new_id() if self.tabs else 0, title)
        self.tabs.insert(len(self.tabs) if at < 0 else at, tab)
        self.write(title, 0, 0, rows)
        return tab

    def new_id(self) -> int:
        self._next += 1
        return self._next

    def tab(self, title: str) -> Tab:
        """Return the tab of that name, the first one for "". Raises GoogleError."""
        for tab in self.tabs:
            if not title or tab.title.casefold() == title.casefold():
                return tab
        raise bad_range(title)

    def tab_by_id(self, tab_id: int) -> Tab:
        for tab in self.tabs:
            if tab.id == tab_id:
                return tab
        raise GoogleError(400, f"No grid with id: {tab_id}")

    def find(self, text: str) -> tuple[Tab, Area]:
        """Return the tab and the area, with ends, of a range. Raises GoogleError."""
        try:
            title, area = read_range(text)
            tab = self.tab(title)
        except (ValueError, GoogleError):
            raise bad_range(text) from None
        if area and (area.top >= tab.row_count or area.left >= tab.column_count):
            words = f"Range ({text}) exceeds grid limits. Max rows: {tab.row_count}"
            raise GoogleError(400, f"{words}, max columns: {tab.column_count}")
        return tab, tab.whole(area)

    def write(self, title: str, row: int, column: int, rows: Sequence[Sequence[Written]]) -> None:
        """Write cells from that corner; dates and times become typed cells."""
        tab = self.tab(title)
        for down, line in enumerate(rows):
            for right, written in enumerate(line):
                tab.put(row + down, column + right, written)

    @property
    def version(self) -> int:
        return self.changes[-1][1] if self.changes else 0

    def touched(self, now: datetime) -> None:
        self.changes.append((now, self.version + 1))


def serial(written: datetime | date | time) -> float:
    """Return the number of days since 30 December 1899."""
    if isinstance(written, time):
        written = datetime.combine(_EPOCH.date(), written)
    elif not isinstance(written, datetime):
        return float((written - _EPOCH.date()).days)
    return (written.replace(tzinfo=None) - _EPOCH) / timedelta(days=1)


def moment(number: float) -> datetime:
    """Return the local time that a serial number means, to the second."""
    return _EPOCH + timedelta(seconds=round(number * 86_400))


def _typed(written: Value | date | time) -> tuple[Value, str]:
    match written:
        case datetime():
            return serial(written), "DATE_TIME"
        case date():
            return serial(written), "DATE"
        case time():
            return serial(written), "TIME"
        case _:
            return written, ""


def _overlap(one: Area, other: Area) -> bool:
    return (
        one.top < (other.bottom or 0)
        and other.top < (one.bottom or 0)
        and one.left < (other.right or 0)
        and other.left < (one.right or 0)
    )
