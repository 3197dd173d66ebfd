"""Where the rows of overrides stand in a tab, and what their cells are told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.roster.cells import CellError, is_formula_error
from bot.roster.changes_tabs import OVERRIDE_COLUMNS, OVERRIDE_NEEDS
from bot.roster.columns import find_columns
from bot.roster.people_cells import person_of
from bot.roster.table import Cell, Table
from rules.hours import to_instant
from rules.people import People
from rules.schedule.roster import Override, OverrideKind

HEADER = ("Id", "Rotation", "Role", "Start", "End", "Person", "Instead of", "Kind", "Why", "By",
          "Created", "State")  # fmt: skip
_NAMES = {name.casefold(): name for name in HEADER}
_ALWAYS = ("id", "start", "end", "person", "rotation")
_OPTIONAL = frozenset({"why", "by", "created"})
_LONGEST = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A tab of overrides, its rows and columns counted from 1; `rows` by the ids they carry.

    `columns` by meaning; a column that is missing is added at `width` + 1 and so on.
    """

    columns: Mapping[str, int]
    header_row: int
    width: int
    last_row: int
    rows: Mapping[str, int]

    def missing(self, cells: Mapping[str, str]) -> tuple[str, ...]:
        """Return meanings that need a column which the tab does not have."""
        return tuple(
            name
            for name, text in cells.items()
            if name not in self.columns and name not in _OPTIONAL and (text or name in _ALWAYS)
        )

    def with_columns(self, added: Sequence[str]) -> "Place":
        more = {name: self.width + n for n, name in enumerate(added, 1)}
        return Place(
            {**self.columns, **more},
            self.header_row,
            self.width + len(added),
            self.last_row,
            self.rows,
        )


def place_of(table: Table) -> Place | None:
    """Find the header and the ids; None when the tab is empty. Raises HeaderError."""
    if not any(cell.text for row in table.rows for cell in row):
        return None
    found = find_columns(table, OVERRIDE_COLUMNS, OVERRIDE_NEEDS)
    columns = {meaning: cell.column for meaning, cell in found.by_meaning.items()}
    header_row = found.header[0].row
    own = columns.get("id", 0)
    ids = {
        cell.text: cell.row
        for row in table.rows
        for cell in row
        if cell.row > header_row and cell.column == own and cell.text
    }
    filled = [cell for row in table.rows for cell in row if cell.text]
    return Place(
        columns=columns,
        header_row=header_row,
        width=max(cell.column for cell in filled),
        last_row=max(cell.row for cell in filled),
        rows=ids,
    )


def header_name(meaning: str) -> str:
    return _NAMES[meaning]


def cells_of(override: Override, zone: str, people: People) -> dict[str, str]:
    """Return what a new row says, by meaning; every text reads back as what it was."""
    return {
        "id": override.id,
        "created": moment_text(override.created_at, zone),
        "by": person_text(override.by, people) if override.by else "",
        "why": _plain(override.why),
        **{
            name: cell_text(name, getattr(override, field), zone, people)
            for field, name in _FIELDS.items()
        },
        "instead of": (
            person_text(override.instead_of, people)
            if override.kind is OverrideKind.REPLACE
            else ""
        ),
        "state": "active",
    }


def changed_cells(changed: Mapping[str, object], zone: str, people: People) -> dict[str, str]:
    """Return the cells of fields that are to say something else."""
    return {
        _FIELDS.get(field, "state"): cell_text(_FIELDS.get(field, "state"), value, zone, people)
        for field, value in changed.items()
    }


def cell_text(name: str, value: object, zone: str, people: People) -> str:
    match value:
        case bool():
            return "active" if value else "cancelled"
        case datetime():
            return moment_text(value, zone)
        case OverrideKind():
            return value.value
        case str() if name in {"person", "instead of"}:
            return person_text(value, people) if value else ""
        case _:
            return _plain(str(value))


def moment_text(at: datetime, zone: str) -> str:
    """Write a time as the rotation's people read it, with its offset where that is needed."""
    local = at.replace(microsecond=0).astimezone(ZoneInfo(zone))
    text = f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
    if to_instant(local.date(), local.time(), zone) != at.replace(microsecond=0):
        offset = f"{local:%z}"
        text = f"{text}{offset[:3]}:{offset[3:5]}"
    return text


def person_text(key: str, people: People) -> str:
    """Name a person as the reader understands it: their name, or what is sure."""
    person = people.by_key(key)
    mention = f"<@{person.slack}>" if person.slack else ""
    for text in (person.name, person.email, mention, key):
        if text and not is_formula_error(text) and _means(text, people) == key:
            return text
    return key


def _means(text: str, people: People) -> str:
    try:
        return person_of(Cell(1, 1, text), people)
    except CellError:
        return ""


def _plain(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())[:_LONGEST]


_FIELDS = {
    "rotation": "rotation",
    "role": "role",
    "starts_at": "start",
    "ends_at": "end",
    "person": "person",
    "instead_of": "instead of",
    "kind": "kind",
}
"""Fields of an override and of its facts, by the meaning of their column."""
