"""The rows that everybody is asked for, and the cells of a column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.table import told

LESS, MORE = "less", "more"


@dataclass(frozen=True, slots=True)
class Row:
    """One question; `better` says which way, "" is no contest."""

    key: str
    title: str
    unit: str = ""
    better: str = LESS


ROWS = (
    Row("single", "1 alert a post, new key: posts a second / bare", "", MORE),
    Row("twenty", "20 alerts a post: posts a second / bare", "", MORE),
    Row("same", "1 alert a post, same key: posts a second / bare", "", MORE),
    Row("posts", "1 alert a post, new key", "posts/s", ""),
    Row("answer", "answered, p50, 16 connections", "ms", ""),
    Row("durable", "of 50 accepted, there after kill -9", "", MORE),
    Row("pages", "alerts decided and paged for, sustained", "/s", MORE),
    Row("p50", "alert to page, idle, p50", "ms"),
    Row("p95", "alert to page, idle, p95", "ms"),
    Row("p99", "alert to page, idle, p99", "ms"),
    Row("burst in", "1,000 alerts at once: accepted in", "s", ""),
    Row("burst first", "1,000 alerts at once: first page after", "s"),
    Row("burst last", "1,000 alerts at once: all of them told after", "s"),
    Row("messages", "1,000 alerts at once: calls to Slack", ""),
    Row("start", "start to the first 2xx", "s"),
    Row("memory", "memory, idle", "MB"),
    Row("memory after", "memory after 10,000 alerts", "MB"),
    Row("idle", "of a core, idle", "%"),
    Row("list", "list with 100,000 stored", "ms"),
    Row("search", "search with 100,000 stored", "ms"),
    Row("growth", "ingest with 100,000 stored / with 1,000", "", MORE),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, and what must be known to read it."""

    value: float
    note: str = ""

    def shown(self, row: Row) -> str:
        number = f"{self.value:.4f}" if 0 < self.value < 0.01 else told(self.value)
        noted = f" ({self.note})" if self.note else ""
        return f"{number} {row.unit}".rstrip() + noted


@dataclass(frozen=True, slots=True)
class Column:
    """One product. `here`: measured in this run; `stores`: what it accepts outlives its process."""

    name: str
    here: bool
    stores: bool
    cells: Mapping[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the first column stands in one row beside the best of those that store anything."""

    row: Row
    ours: Cell
    best: Cell
    of: str

    @property
    def better(self) -> bool:
        if self.row.better == MORE:
            return self.ours.value >= self.best.value
        return self.ours.value <= self.best.value

    @property
    def times(self) -> float:
        """Return how many times better, below 1 when worse; 0 where it cannot be told."""
        one, other = self.ours.value, self.best.value
        if self.row.better == LESS:
            one, other = other, one
        return one / other if other else 0.0


def standings(columns: Sequence[Column]) -> list[Standing]:
    """Compare the first column with the best of the storing others, row by row."""
    ours, *others = columns
    found = []
    for row in ROWS:
        cells = [
            (one.cells[row.key], one.name) for one in others if one.stores and row.key in one.cells
        ]
        if not row.better or row.key not in ours.cells or not cells:
            continue
        choose = max if row.better == MORE else min
        best, name = choose(cells, key=lambda pair: pair[0].value)
        found.append(Standing(row, ours.cells[row.key], best, name))
    return found
