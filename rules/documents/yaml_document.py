"""A YAML document as plain values that still know where they stand in the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rules.plain_line import plain_line

Path = tuple[str | int, ...]
"""Keys and indexes from the root to a value."""


_TELLING = 8
"""So many characters in a row of a secret would tell it."""


class Place(NamedTuple):
    """Both count from one."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong, and where; line 0 stands for the file as a whole."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return plain_line(f"{where}: {self.message}")


@dataclass(frozen=True, slots=True)
class Document:
    """`data` is made of dict, list, str, int, float, bool and None.

    `written` has, by path, the texts that were replaced after reading, as the file has them.
    """

    file: str
    data: object = field(repr=False)  # it may hold secrets
    places: Mapping[Path, Place] = field(default_factory=dict)
    key_places: Mapping[Path, Place] = field(default_factory=dict)
    written: Mapping[Path, str] = field(default_factory=dict)

    def value(self, path: Path) -> object:
        """Return the value at a path, None when there is none."""
        here = self.data
        for part in path:
            here = _child(here, part)
        return here

    def existing(self, path: Sequence[str | int]) -> Path:
        """Drop the parts of a path that name nothing in the document."""
        here, found = self.data, list[str | int]()
        for part in path:
            if (child := _child(here, part)) is not None or _has(here, part):
                here = child
                found.append(part)
        return tuple(found)

    def fault(self, path: Path, message: str) -> Fault:
        """Build a fault that points at the value, or at its key when it spans several lines."""
        path = self.existing(path)
        place = self.places.get(path, Place(1, 1))
        if isinstance(self.value(path), dict | list):
            place = self.key_places.get(path, place)
        return Fault(self.file, place.line, place.column, message)

    def key_fault(self, path: Path, message: str) -> Fault:
        place = self.key_places.get(path) or self.places.get(self.existing(path), Place(1, 1))
        return Fault(self.file, place.line, place.column, message)

    def without_replaced(self, path: Path, message: str) -> str:
        """Show the reference where a message quotes what replaced it, which may be a secret."""
        value, written = self.value(path), self.written.get(path)
        if written is None or not isinstance(value, str):
            return message
        shown = message.replace(f'"{value}"', f'"{written}"')
        parts = (value[at : at + _TELLING] for at in range(len(value) - _TELLING + 1))
        if any(part in shown.replace(written, "") for part in parts):
            return f"the value of {written} does not fit here"
        return shown


def _has(here: object, part: str | int) -> bool:
    if isinstance(here, dict):
        return part in here
    return isinstance(here, list) and isinstance(part, int) and 0 <= part < len(here)


def _child(here: object, part: str | int) -> object:
    if isinstance(here, dict):
        return here.get(part)
    if isinstance(here, list) and isinstance(part, int) and 0 <= part < len(here):
        return here[part]
    return None
