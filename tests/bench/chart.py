"""Draws the comparison as bars, each ten times as long for ten times as much: an SVG picture."""

from collections.abc import Iterator, Sequence
from html import escape
from math import log10

from tests.bench.peers.columns import MORE, ROWS, Column, Row

SHOWN = ("single", "p95", "burst last", "memory", "start", "list")
_WIDE, _PANEL, _BAR, _GAP = 860, 30, 18, 5
_NAMES, _FIGURES = 250, 190
_OURS, _OTHERS, _VOLATILE = "#2f6f4f", "#7a8794", "#c3cad1"


def drawn(columns: Sequence[Column]) -> str:
    """Return the picture; a column without a figure has no bar."""
    rows = [row for row in ROWS if row.key in SHOWN]
    parts: list[str] = []
    top = 24
    for row in rows:
        panel = list(_panel(row, columns, top))
        parts += panel
        top += _PANEL + _BAR * sum(1 for one in columns if row.key in one.cells) + _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {top + 20}"'
        f' width="{_WIDE}" height="{top + 20}" font-family="sans-serif" font-size="12">'
    )
    ground = f'<rect width="{_WIDE}" height="{top + 20}" fill="#ffffff"/>'
    legend = _text(
        10,
        top + 10,
        "Logarithmic. Green: Watchbill. Grey: others that store what they accept. "
        "Light: stores nothing.",
        fill="#555555",
    )
    return "\n".join([head, ground, *parts, legend, "</svg>", ""])


def _panel(row: Row, columns: Sequence[Column], top: int) -> Iterator[str]:
    better = "more is better" if row.better == MORE else "less is better"
    yield _text(10, top, f"{row.title} ({better})", weight="bold")
    cells = [(one, one.cells[row.key]) for one in columns if row.key in one.cells]
    values = [cell.value for _, cell in cells if cell.value > 0]
    least, most = (min(values), max(values)) if values else (1.0, 1.0)
    for number, (one, cell) in enumerate(cells):
        y = top + 8 + number * _BAR
        share = _share(cell.value, least, most)
        long = round(8 + (_WIDE - _NAMES - _FIGURES - 8) * share, 1)
        colour = _VOLATILE
        if one.stores:
            colour = _OURS if one.name.startswith("Watchbill") else _OTHERS
        yield _text(_NAMES - 8, y + 12, one.name.split(",")[0] + _kind(one), anchor="end")
        yield f'<rect x="{_NAMES}" y="{y}" width="{long}" height="{_BAR - 4}" fill="{colour}"/>'
        yield _text(_NAMES + long + 6, y + 12, cell.shown(row).partition(" (")[0])


def _kind(column: Column) -> str:
    return f", {column.name.rpartition(' ')[2]}" if column.name.startswith("Watchbill") else ""


def _share(value: float, least: float, most: float) -> float:
    if value <= 0 or least == most:
        return 0.0
    return log10(value / least) / log10(most / least)


def _text(
    x: float, y: float, words: str, *, weight: str = "", anchor: str = "", fill: str = "#222222"
) -> str:
    more = f' font-weight="{weight}"' if weight else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x}" y="{y}" fill="{fill}"{more}>{escape(words)}</text>'
