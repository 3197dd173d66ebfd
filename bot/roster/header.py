"""The header row: which column means what, and which of the two layouts it makes."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.roster.cells import is_formula_error
from bot.roster.table import Cell, Problem, Severity, Table, quoted

_LOOKED_AT = 15
PRIMARY = "primary"
_WEEK_OF = ("week of", "week commencing", "week starting", "week", "w/c", "woche", "woche ab",
            "kalenderwoche", "kw", "semaine", "semaine du", "semana", "semana del")  # fmt: skip
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "start": (*_WEEK_OF, "start", "starts", "start date", "starting", "from", "date", "begin",
              "begins", "von", "ab", "beginn", "datum", "startdatum", "debut", "du", "de", "inicio",
              "desde", "fecha", "fecha de inicio", "date de debut"),
    "end": ("end", "ends", "end date", "to", "until", "through", "till", "bis", "ende",
            "enddatum", "fin", "au", "jusqu'au", "hasta", "fecha de fin", "date de fin"),
    "person": ("person", "persons", "people", "who", "on call", "oncall", "on-call", "assignee",
               "engineer", "name", "responder", "wer", "diensthabende", "bereitschaft", "rufdienst",
               "personne", "qui", "d'astreinte", "astreinte", "nom", "persona", "quien", "de guardia",
               "guardia", "nombre"),
    "role": ("role", "rolle", "rol", "level"),
    "rotation": ("rotation", "rota", "schedule", "team", "rotacion", "equipo", "equipe"),
    "ignored": ("notes", "note", "comment", "comments", "remarks", "reason", "notizen", "notiz",
                "bemerkung", "bemerkungen", "kommentar", "commentaire", "commentaires", "remarques",
                "notas", "nota", "comentario", "comentarios", "phone", "telephone", "telefon",
                "telefono", "email", "e-mail", "slack", "id", "why", "by", "created", "state",
                "current", "hours", "holiday", "holidays", "week number"),
}  # fmt: skip
_MEANING = {alias: meaning for meaning, aliases in _ALIASES.items() for alias in aliases}
_ROLES = {
    alias: role
    for role, aliases in {
        PRIMARY: ("primary", "primar", "primaer", "primaire", "principal", "primario", "primaria"),
        "secondary": ("secondary", "sekundar", "sekundaer", "secondaire", "secundario",
                      "secundaria"),
        "tertiary": ("tertiary", "tertiar", "tertiaire", "terciario"),
"shadow": ("shadow",),
        "backup": ("backup",),
    }.items()
    for alias in aliases
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoleColumn:
    """A column of people; an empty `rotation` is the row's, or the file's."""

    column: int
    role: str
    rotation: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Columns counted from 1; `person` for the rows layout, `roles` for the grid."""

    row: int
    start: int
    is_week: bool
    end: int | None = None
    person: int | None = None
    role: int | None = None
    rotation: int | None = None
    roles: tuple[RoleColumn, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


class HeaderError(ValueError):
    """No header that can be used; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def normalise(text: str) -> str:
    """Fold case, accents, emoji and outer punctuation, so that "Début:" is "debut"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    kept = "".join(
        c if c.isalnum() or c in " '/-:_" else "" if unicodedata.combining(c) else " "
        for c in decomposed
    )
    return " ".join(kept.replace("_", " ").split()).strip(" :-/")


def read_role(text: str) -> str:
    """Name a role: "Primary on-call" and "Primär" are `primary`; any other name in lower case."""
    name = re.sub(r"\s*\bon[ -]?call\b\s*", " ", normalise(text)).strip() or PRIMARY
    return _ROLES.get(name, name)


def find_header(table: Table, tab: str = "") -> Header:
    """Find the first of the first rows that names a start and something else.

    Raises HeaderError when there is none, or when two columns mean the same.
    """
    candidates = [row for row in table.rows if any(c.text for c in row) and not is_comment(row)]
    for row in candidates[:_LOOKED_AT]:
        meanings = {_meaning(cell) for cell in row if cell.text}
        if "start" in meanings and sum(1 for cell in row if cell.text) > 1:
            return _header(row)
    where = extent(candidates[0]) if candidates else Cell(1, 1, "", tab).address
    known = "Start, From, Week of, Date, Von, Début, Inicio"
    text = f"no column for the start. Name one of these: {known}."
    raise HeaderError(Problem(where, text, code="E05"))


def is_comment(row: Sequence[Cell]) -> bool:
    """Whether the row is a `# comment` and no broken formula such as #REF!."""
    return bool(row) and row[0].text.startswith("#") and not is_formula_error(row[0].text)


def _meaning(cell: Cell) -> str:
    return _MEANING.get(normalise(cell.text), "")


def _header(row: Sequence[Cell]) -> Header:
    named: dict[str, Cell] = {}
    others: list[Cell] = []
    for cell in row:
        meaning = _meaning(cell)
        if not cell.text or meaning == "ignored":
            continue
        if not meaning:
            others.append(cell)
        elif meaning in named:
            raise HeaderError(
                Problem(
                    f"{named[meaning].address} and {cell.place}",
                    f'both columns mean "{meaning}". Rename one of them.',
                    code="E06",
                )
            )
        else:
            named[meaning] = cell
    return _layout(row, named, others)


def _layout(row: Sequence[Cell], named: dict[str, Cell], others: list[Cell]) -> Header:
    person = named.get("person")
    if person and "role" not in named and any(normalise(c.text) in _ROLES for c in others):
        others, person = sorted([person, *others], key=lambda cell: cell.column), None
    if person is None and "role" in named:
        raise HeaderError(
            Problem(
                extent(row),
                "no column for the person. Name one of these: Person, Who.",
                code="E05",
            )
        )
    if person is None and not others:
        raise HeaderError(
            Problem(
                extent(row),
                "no column for people. Name one Person, or one for each role: Primary, Secondary.",
                code="E05",
            )
        )
    start = named["start"]
    columns = {name: cell.column for name, cell in named.items()}
    return Header(
        row=start.row,
        start=start.column,
        is_week=normalise(start.text) in _WEEK_OF,
        end=columns.get("end"),
        person=person.column if person else None,
        role=columns.get("role"),
        rotation=columns.get("rotation"),
        roles=() if person else _role_columns(others),
        problems=tuple(_not_read(cell) for cell in others) if person else (),
    )


def _role_columns(cells: Sequence[Cell]) -> tuple[RoleColumn, ...]:
    columns: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        rotation, _, role = cell.text.rpartition(":")
        slot = (" ".join(rotation.split()), _grid_role(role))
        if slot in columns:
            raise HeaderError(
                Problem(
                    f"{columns[slot].address} and {cell.place}",
                    f"both columns mean the role {quoted(slot[1])}. Rename one of them.",
                    code="E06",
                )
            )
        columns[slot] = cell
    return tuple(
        RoleColumn(cell.column, role, rotation) for (rotation, role), cell in columns.items()
    )


def _grid_role(text: str) -> str:
    return PRIMARY if _MEANING.get(normalise(text)) == "person" else read_role(text)


def _not_read(cell: Cell) -> Problem:
    text = f"the column {quoted(cell.text)} is not read."
    return Problem(cell.address, text, Severity.INFO)


def extent(row: Sequence[Cell]) -> str:
    """Return the range of a row: "A1:F1"."""
    last = next((cell for cell in reversed(row) if cell.text), row[0])
    return row[0].address if last.column == 1 else f"{row[0].address}:{last.place}"
