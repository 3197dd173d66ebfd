"""The load of a rotation drawn as SVG: a bar of hours for each person, and the share that is fair."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.picture.drawing import WIDTH
from bot.picture.text import FONT, Face, fit, text_element, title_element
from rules.schedule.fairness import WEIGHTS, Kind
from rules.schedule.load_report import LoadReport, PersonLoad

MOST_DRAWN = 20
_EDGE, _NAME_W, _FIGURES_W = 24, 150, 150
_BAR_X = _EDGE + _NAME_W
_BAR_W = WIDTH - _EDGE - _FIGURES_W - _BAR_X
_ROW, _BAR_H = 58, 30
_TITLE, _SMALL, _NAME = Face(26, bold=True), Face(17), Face(20, bold=True)
_PAPER, _RIM, _INK, _FAINT, _FAIR = "#f5f6f8", "#c9ced6", "#1c2430", "#56606e", "#1c2430"
_FILLS = {
    Kind.WEEKDAY: "#8fb4dc",
    Kind.NIGHT: "#2f4b7c",
    Kind.WEEKEND: "#e8a33d",
    Kind.HOLIDAY: "#c5302f",
}

Named = Callable[[str], str]


def load_svg(shown: LoadReport, named: Named, title: str) -> str:
    """Return the picture as an SVG document: weighted hours by kind, most for their share first."""
    rows = shown.people[:MOST_DRAWN]
    whole = sum(row.weighted for row in shown.people)
    longest = max((max(row.weighted, row.fair * whole) for row in rows), default=0.0) or 1.0
    parts = [
        text_element(fit(title, WIDTH - 2 * _EDGE, _TITLE), _EDGE, 46, _TITLE, _INK),
        text_element(_period(shown.start, shown.end), _EDGE, 72, _SMALL, _FAINT),
        *_legend(96),
    ]
    y = 128.0
    for row in rows:
        parts += _row(row, named(row.person), y, whole, longest)
        y += _ROW
    left = len(shown.people) - len(rows)
    foot = f"Evenness {shown.evenness:.0%}. The line is each one's fair share."
    foot = f"{foot} {left} more are not shown." if left else foot
    parts.append(text_element(fit(foot, WIDTH - 2 * _EDGE, _SMALL), _EDGE, y + 18, _SMALL, _FAINT))
    return _document(told(shown, named), y + 40, parts)


def told(shown: LoadReport, named: Named) -> str:
    """Say the same in words, for those who cannot see it."""
    lines = [
        f"{named(row.person)}: {row.load.hours:.0f} h, {row.share:.0%} of the load,"
        f" {row.fair:.0%} would be fair, {row.pages} pages, woken in {row.woken} nights"
        for row in shown.people[:MOST_DRAWN]
    ]
    return f"Load, {_period(shown.start, shown.end)}. " + "; ".join(lines)


def _row(row: PersonLoad, name: str, y: float, whole: float, longest: float) -> list[str]:
    scale = _BAR_W / longest
    parts = [text_element(fit(name, _NAME_W - 12, _NAME), _EDGE, y + 22, _NAME, _INK)]
    x = float(_BAR_X)
    for kind, fill in _FILLS.items():
        width = WEIGHTS[kind] * (row.load.time[kind] / timedelta(hours=1)) * scale
        if width > 0:
            parts.append(_rectangle(x, y, width, _BAR_H, fill))
            x += width
    fair = _BAR_X + row.fair * whole * scale
    for colour, width in ((_PAPER, 5), (_FAIR, 2)):
        parts.append(
            f'<line x1="{fair:.1f}" y1="{y - 4:.0f}" x2="{fair:.1f}" y2="{y + _BAR_H + 4:.0f}"'
            f' stroke="{colour}" stroke-width="{width}"/>'
        )
    right = WIDTH - _EDGE
    hours = f"{row.load.hours:.0f} h · {row.share:.0%}"
    parts.append(text_element(hours, right, y + 14, _SMALL, _INK, anchor="end"))
    woken = f"{_count(row.pages, 'page')}, {_count(row.woken, 'night')}"
    parts.append(text_element(woken, right, y + 35, _SMALL, _FAINT, anchor="end"))
    return parts


def _legend(y: float) -> list[str]:
    parts, x = [], float(_EDGE)
    for kind, fill in _FILLS.items():
        words = f"{kind.value} × {WEIGHTS[kind]:g}"
        parts.append(_rectangle(x, y, 16, 14, fill))
        parts.append(text_element(words, x + 22, y + 13, _SMALL, _FAINT))
        x += 44 + _SMALL.width(words.replace("×", "x"))
    return parts


def _rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.0f}" width="{width:.1f}" height="{height:.0f}" fill="{fill}"/>'
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _period(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"


def _document(described: str, height: float, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
        f' viewBox="0 0 {WIDTH} {height:.0f}" role="img" font-family="{FONT}, sans-serif">\n'
        f"{title_element(described)}\n"
        f'<rect x="1" y="1" width="{WIDTH - 2}" height="{height - 2:.0f}" rx="16"'
        f' fill="{_PAPER}" stroke="{_RIM}" stroke-width="2"/>\n{body}\n</svg>\n'
    )
