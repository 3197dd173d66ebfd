"""A table of cells as every reader gives it, and what is wrong with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MOST_SHOWN = 10
_LONGEST_QUOTE = 60


class Severity(StrEnum):
    ERROR = "error"  # the rotation keeps its last good version
    WARNING = "warning"  # used, but somebody should look
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell; an empty `rotation` concerns the whole file."""

    address: str
    text: str
    severity: Severity = Severity.ERROR
    rotation: str = ""

    def __str__(self) -> str:
        return f"{self.address}: {self.text}" if self.address else self.text


class TableError(ValueError):
    """The whole file cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` without surrounding blanks; a reader gives typed dates as ISO text."""

    row: int
    column: int
    text: str

    @property
    def address(self) -> str:
        return f"{column_letters(self.column)}{self.row}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, numbered from 1 as a spreadsheet numbers them; rows may be ragged."""

    rows: tuple[tuple[Cell, ...], ...]
    warnings: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, rows: Iterable[Sequence[str]], warnings: Sequence[str] = ()) -> "Table":
        return cls(
            tuple(
                tuple(Cell(number, column, text.strip()) for column, text in enumerate(row, 1))
                for number, row in enumerate(rows, 1)
            ),
            tuple(warnings),
        )


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
