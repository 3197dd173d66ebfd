"""Whom a cell names: one person, several, nobody on purpose, or somebody unknown."""

import re

from bot.roster.cells import CellError, check_formula
from bot.roster.table import Cell
from rules.people import AmbiguousPersonError, People, UnknownPersonError

_NOBODY = {
    "-", "--", "–", "—", "n/a", "tbd", "tba", "tbc", "nobody", "none", "no one", "noone", "empty",
    "niemand", "keiner", "offen", "personne", "nadie", "?",
}  # fmt: skip
_SEPARATORS = re.compile(r"\s*(?:[,;/+&\n\r]|\b(?:and|und|et|y)\b)\s*")
_MENTIONS = re.compile(r"<@[^<>\s]+>")
_NAME_AND_EMAIL = re.compile(r"[^<>@]*<([^<>@\s]+@[^<>@\s]+)>")
_EMAIL = re.compile(r"[^\s,;/<>@&]+@[^\s,;/<>@&+]+\.[^\s,;/<>@&+.]+")
_MOST_PEOPLE = 20


def is_nobody(text: str) -> bool:
    """Whether the cell says on purpose that nobody is on call."""
    return text.casefold() in _NOBODY


def people_of(cell: Cell, people: People) -> tuple[str, ...]:
    """Return the keys of those a cell names, at least one. Raises CellError."""
    check_formula(cell)
    try:
        return read_people(cell.text, people)
    except AmbiguousPersonError as error:
        raise CellError(cell, str(error), "E02") from None
    except UnknownPersonError as error:
        raise CellError(cell, str(error), "E01") from None


def person_of(cell: Cell, people: People) -> str:
    """Return the key of the one person a cell names. Raises CellError."""
    found = people_of(cell, people)
    if len(found) > 1:
        raise CellError(cell, f"{len(found)} people; write one, and a row for each of the others.")
    return found[0]


def read_people(text: str, people: People) -> tuple[str, ...]:
    """Return the keys of those named, in order, each once.

    A name with a separator in it is tried whole before it is split. Raises UnknownPersonError
    or AmbiguousPersonError.
    """
    if whole := _whole(text, people):
        return (whole,)
    pieces = _pieces(text)
    if len(pieces) > _MOST_PEOPLE:
        raise UnknownPersonError(f"{len(pieces)} people in one cell; at most {_MOST_PEOPLE}.")
    if not pieces:
        raise UnknownPersonError("the cell names nobody. Write a name or an e-mail.")
    return tuple(dict.fromkeys(_one(piece, people) for piece in pieces))


def _whole(text: str, people: People) -> str:
    if not _SEPARATORS.search(text):
        return ""
    if _EMAIL.fullmatch(text):
        return people.find(text).key
    family, comma, given = text.partition(",")
    spellings = [text, f"{given.strip()} {family.strip()}"] if comma else [text]
    for spelling in spellings:
        try:
            found = people.find(spelling)
        except (UnknownPersonError, AmbiguousPersonError):
            continue
        if found in set(people):
            return found.key
    return ""


def _pieces(text: str) -> list[str]:
    mentions = _MENTIONS.findall(text)
    rest = _MENTIONS.sub(",", text)
    emails = _EMAIL.findall(rest) if rest.count("@") > 1 else []
    if emails and not _SEPARATORS.sub("", _EMAIL.sub("", rest)).strip():
        return [*mentions, *emails]
    return mentions + [piece for piece in _SEPARATORS.split(rest) if piece.strip()]


def _one(text: str, people: People) -> str:
    if match := _NAME_AND_EMAIL.fullmatch(text.strip()):
        return people.find(match[1]).key
    found = people.find(text)
    if "@" in text.strip("@ ") and found not in set(people) and not _EMAIL.fullmatch(text.strip()):
        raise UnknownPersonError(f'"{text}" is not an e-mail. Write a name or name@example.com.')
    return found.key
