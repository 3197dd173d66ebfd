"""Text in pictures: measured, wrapped, cut to its room, and harmless in XML."""

import re
from typing import NamedTuple
from xml.sax.saxutils import escape

from bot.picture.widths import BOLD, REGULAR

FONT = "Roboto"
_LONGEST = 400
_UNKNOWN = "?"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PARTS = re.compile(r"[^\s_./:-]*[\s_./:-]*")


class Face(NamedTuple):
    """How text is set: its size in pixels, and whether it is bold."""

    size: int
    bold: bool = False

    def width(self, text: str) -> float:
        """Return how wide `printable` text is, in pixels."""
        widths = BOLD if self.bold else REGULAR
        return sum(widths[char] for char in text) * self.size / 100


def printable(text: str) -> str:
    """Return text on one line, with `?` for whatever the font cannot draw."""
    line = " ".join(text.split())
    return "".join(char if char in REGULAR else _UNKNOWN for char in line)


def fit(text: str, room: float, face: Face) -> str:
    """Return the text if there is room for it, else its beginning and its end."""
    text = printable(text[:_LONGEST])
    if face.width(text) <= room:
        return text
    for kept in range(len(text) - 1, 1, -1):
        start = kept * 3 // 5
        shown = f"{text[:start].rstrip()}…{text[len(text) - (kept - start) :].lstrip()}"
        if face.width(shown) <= room:
            return shown
    return "…"


def wrap(text: str, room: float, face: Face, *, lines: int = 2) -> tuple[str, ...]:
    """Break text after its separators into so many lines at most; the last one is cut to fit."""
    text = printable(text[:_LONGEST])
    done: list[str] = []
    while text and len(done) < lines - 1 and face.width(text) > room:
        taken = 0
        for part in _PARTS.finditer(text):
            if not part[0] or face.width(text[: part.end()].rstrip()) > room:
                break
            taken = part.end()
        if not taken:
            break
        done.append(text[:taken].rstrip())
        text = text[taken:]
    return (*done, fit(text, room, face)) if text or not done else tuple(done)


def title_element(text: str) -> str:
    """Return what the picture says in words; unlike drawn text it may be in any script."""
    return f"<title>{escape(_NOT_XML.sub('', text))}</title>"


def text_element(
    shown: str, x: float, y: float, face: Face, fill: str, *, anchor: str = "start"
) -> str:
    """Return an SVG text whose baseline begins at x, y."""
    weight = ' font-weight="700"' if face.bold else ""
    aligned = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{face.size}"{weight}{aligned}'
        f' fill="{fill}">{escape(shown)}</text>'
    )
