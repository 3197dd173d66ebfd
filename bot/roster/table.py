"""A table of cells as every reader gives it, and what is wrong with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rules.plain_line import plain_line, seen

MOST_SHOWN = 10
_LONGEST_QUOTE = 60
UNCALCULATED = "#UNCALCULATED!"


class Severity(StrEnum):
    ERROR = "error"  # the rotation keeps its last good version
    WARNING = "warning"  # used, but somebody should look
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell; an empty `rotation` concerns the whole file.

    `code` names the kind of message, E01 to E17, where it has one.
    """

    address: str
    text: str
    severity: Severity = Severity.ERROR
    rotation: str = ""
    code: str = ""

    def __str__(self) -> str:
        return plain_line(f"{self.address}: {self.text}" if self.address else self.text)


class TableError(ValueError):
    """The whole file cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` without surrounding blanks; a reader gives typed dates as ISO text.

    `tab` is "" where a file is one table. `merged` is the range of a merge of which this cell is
    not the first; it has the text of the first all the same. A formula without a result has the
    text UNCALCULATED.
    """

    row: int
    column: int
    text: str
    tab: str = ""
    merged: str = ""

    @property
    def place(self) -> str:
        """The address within the tab."""
        return f"{column_letters(self.column)}{self.row}"

    @property
    def address(self) -> str:
        return f"{self.tab}!{self.place}" if self.tab else self.place


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, numbered from 1 as a spreadsheet numbers them; rows may be ragged.

    `remarks` are said of the tab as it was read, such as rows that are hidden and count.
    """

    rows: tuple[tuple[Cell, ...], ...]
    warnings: tuple[str, ...] = field(default=())
    remarks: tuple[Problem, ...] = ()

    @classmethod
    def of(
        cls, rows: Iterable[Sequence[str]], warnings: Sequence[str] = (), *, tab: str = ""
    ) -> "Table":
        return cls(
            tuple(
                tuple(Cell(number, column, seen(text), tab) for column, text in enumerate(row, 1))
                for number, row in enumerate(rows, 1)
            ),
            tuple(warnings),
        )

    def named(self, tab: str) -> "Table":
        """Return the table with its cells' addresses naming the tab."""
        return replace(self, rows=tuple(tuple(replace(c, tab=tab) for c in r) for r in self.rows))


def column_letters(column: int) -> str:
    """Return the letters of a column counted from 1: A, Z, AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def show_problems(problems: Sequence[Problem], *, limit: int = MOST_SHOWN) -> str:
    """Render problems one a line, errors first, at most `limit` of them."""
    order = list(Severity)
    ranked = sorted(problems, key=lambda problem: order.index(problem.severity))
    lines = [f"{problem.severity}: {problem}" for problem in ranked[:limit]]
    if more := len(ranked) - limit:
        lines += [f"... and {more} more"] if more > 0 else []
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Quote what a cell says on one line, cut when it is long."""
    line = " ".join(text.split())
    return f'"{line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"}"'
