"""Ranges as people write them, `'My tab'!A1:C10`, and back."""

import re
from dataclasses import dataclass

_CORNER = re.compile(r"([A-Za-z]{0,3})(\d{0,7})")
_PLAIN = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Area:
    """Rows and columns counted from 0, half-open; an end of None goes on to the edge."""

    top: int = 0
    left: int = 0
    bottom: int | None = None
    right: int | None = None


def read_range(text: str) -> tuple[str, Area | None]:
    """Split a range into the tab's name, "" when there is none, and the area, None for all.

    Raises ValueError.
    """
    name, area = _split(text)
    if area is None:
        return name, None
    first, colon, second = area.partition(":")
    top, left = _corner(first)
    bottom, right = _corner(second) if colon else (top, left)
    if not colon and (top is None or left is None):
        raise ValueError(text)
    return name, Area(
        top or 0,
        left or 0,
        None if bottom is None else bottom + 1,
        None if right is None else right + 1,
    )


def written(title: str, area: Area, rows: int, columns: int) -> str:
    """Write a range of a tab of that many rows and columns."""
    bottom = rows if area.bottom is None else min(area.bottom, rows)
    right = columns if area.right is None else min(area.right, columns)
    first, last = f"{letters(area.left)}{area.top + 1}", f"{letters(right - 1)}{bottom}"
    return f"{quoted(title)}!{first}" + ("" if first == last else f":{last}")


def quoted(title: str) -> str:
    if _PLAIN.fullmatch(title) and not _is_corner(title):
        return title
    return "'" + title.replace("'", "''") + "'"


def letters(column: int) -> str:
    """Return the letters of a column counted from 0."""
    text, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("'"):
        end = 1
        while (end := text.index("'", end)) and text[end + 1 : end + 2] == "'":
            end += 2
        name, rest = text[1:end].replace("''", "'"), text[end + 1 :]
        if rest and not rest.startswith("!"):
            raise ValueError(text)
        return name, rest[1:] or None
    name, bang, area = text.rpartition("!")
    if bang:
        return name, area
    first, colon, _ = text.partition(":")
    return ("", text) if _is_corner(first) or colon else (text, None)


def _is_corner(text: str) -> bool:
    match = _CORNER.fullmatch(text)
    return match is not None and bool(match[1]) and bool(match[2])


def _corner(text: str) -> tuple[int | None, int | None]:
    """Read `B3`, `B` or `3` as row and column counted from 0."""
    match = _CORNER.fullmatch(text)
    if match is None or not text:
        raise ValueError(text)
    column = 0
    for letter in match[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1 if match[2] else None, column - 1 if match[1] else None
