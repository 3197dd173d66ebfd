"""The header of a tab: which column means what, and its rows by those meanings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.roster.cells import check_formula
from bot.roster.header import HeaderError, extent, is_comment, normalise
from bot.roster.table import Cell, Problem, Severity, Table, quoted

_LOOKED_AT = 15
_MOST_NAMED = 8

Meanings = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the header; a cell that is not there is empty."""

    number: int
    tab: str
    _columns: Mapping[str, int]
    _cells: Mapping[int, Cell]

    def cell(self, meaning: str) -> Cell:
        column = self._columns.get(meaning, 0)
        found = self._cells.get(column)
        return found or Cell(self.number, column or 1, "", self.tab)

    def text(self, meaning: str) -> str:
        """Return what the cell says. Raises CellError for a formula without a value."""
        cell = self.cell(meaning)
        check_formula(cell)
        return cell.text

    def any(self, *meanings: str) -> bool:
        return any(self.cell(meaning).text for meaning in meanings)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a tab, and what is to be said of its header."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the header is, and which of its cells mean what."""

    header: Sequence[Cell]
    by_meaning: Mapping[str, Cell]
    unknown: Sequence[Cell]


def read_rows(table: Table, tab: str, meanings: Meanings, needed: Sequence[str]) -> Rows:
    """Find the header among the first rows and return the rows below it that say something.

    `needed` are the meanings without which the tab says nothing. Raises HeaderError.
    """
    rows = _told(table)
    if not rows:
        return Rows(())
    columns = find_columns(table, meanings, needed)
    at = {meaning: cell.column for meaning, cell in columns.by_meaning.items()}
    below = (row for row in rows if row[0].row > columns.header[0].row)
    found = tuple(Row(row[0].row, tab, at, {c.column: c for c in row}) for row in below)
    return Rows(found, tuple(_not_read(columns.unknown)))


def find_columns(table: Table, meanings: Meanings, needed: Sequence[str]) -> Columns:
    """Find the header of a table that is not empty. Raises HeaderError."""
    known = {alias: meaning for meaning, aliases in meanings.items() for alias in aliases}
    rows = _told(table)
    header = _header(rows[:_LOOKED_AT], known)
    columns: dict[str, Cell] = {}
    unknown: list[Cell] = []
    for cell in (c for c in header or () if c.text):
        meaning = known.get(normalise(cell.text))
        if meaning is None:
            unknown.append(cell)
        elif meaning in columns:
            where = f"{columns[meaning].address} and {cell.place}"
            text = f'both columns mean "{meaning}". Rename one of them.'
            raise HeaderError(Problem(where, text, code="E06"))
        else:
            columns[meaning] = cell
    missing = next((meaning for meaning in needed if meaning not in columns), None)
    if header is None or missing is not None:
        meaning = missing or needed[0]
        names = ", ".join(alias.capitalize() for alias in meanings[meaning][:4])
        text = f"no column for the {meaning}. Name one of these: {names}."
        raise HeaderError(Problem(extent(header or rows[0]), text, code="E05"))
    return Columns(header, columns, unknown)


def _told(table: Table) -> list[Sequence[Cell]]:
    return [row for row in table.rows if any(c.text for c in row) and not is_comment(row)]


def _header(rows: Sequence[Sequence[Cell]], known: Mapping[str, str]) -> Sequence[Cell] | None:
    """Return the first row in which two columns are known, or else the first with one."""
    counted = [({known.get(normalise(c.text)) for c in row} - {None}, row) for row in rows]
    by_count = sorted(counted, key=lambda pair: -min(len(pair[0]), 2))
    return by_count[0][1] if by_count[0][0] else None


def _not_read(cells: Sequence[Cell]) -> Iterator[Problem]:
    if len(cells) == 1:
        text = f"the column {quoted(cells[0].text)} is not read."
        yield Problem(cells[0].address, text, Severity.INFO)
    elif cells:
        names = ", ".join(f"{quoted(c.text)} ({c.place})" for c in cells[:_MOST_NAMED])
        text = f"these columns are not read: {names}."
        yield Problem(cells[0].address, text, Severity.INFO)
