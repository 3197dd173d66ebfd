"""The Overrides, Away and Holidays tabs: who is there instead, who is not, and the days off."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.roster.cells import CellError
from bot.roster.columns import Meanings, Row, Rows, read_rows
from bot.roster.dates import SlashOrder, slash_order
from bot.roster.header import PRIMARY, normalise, read_role
from bot.roster.moments import Clocks, read_day, starts_at, stretch
from bot.roster.people_cells import is_nobody, person_of
from bot.roster.settings import RosterSettings
from bot.roster.table import Problem, Severity, Table, quoted
from rules.nearest import did_you_mean
from rules.people import People
from rules.schedule.roster import Away, Holiday, Override, OverrideKind, OverrideState

_NOTES = ("notes", "note", "comment", "comments", "notizen", "remarques", "notas")
_START = ("start", "from", "starts", "begin", "von", "ab", "beginn", "debut", "du", "inicio",
          "desde", "start date", "first day")  # fmt: skip
_END = ("end", "to", "until", "through", "ends", "bis", "ende", "fin", "au", "jusqu'au", "hasta",
        "end date", "last day")  # fmt: skip
_PERSON = ("person", "who", "name", "on call", "covered by", "wer", "personne", "qui", "persona",
           "quien")  # fmt: skip
OVERRIDE_COLUMNS: Meanings = {
    "start": _START,
    "end": _END,
    "person": _PERSON,
    "instead of": ("instead of", "for", "replaces", "statt", "anstelle von", "au lieu de",
                   "en lugar de"),
    "rotation": ("rotation", "rota", "schedule", "team", "rotacion", "equipo", "equipe"),
    "role": ("role", "rolle", "rol", "level"),
    "kind": ("kind", "type", "art", "tipo"),
    "id": ("id",),
    "why": ("why", "reason", "warum", "grund", "raison", "motivo", *_NOTES),
    "by": ("by", "made by", "entered by"),
    "created": ("created", "created at", "made", "entered"),
    "state": ("state", "status", "stand"),
}  # fmt: skip
_AWAY: Meanings = {
    "person": _PERSON,
    "from": (*_START, "date", "day"),
    "to": _END,
    "kind": ("kind", "type", "why", "reason", "art", "grund", "tipo", "motivo", *_NOTES),
}
_HOLIDAYS: Meanings = {
    "date": ("date", "day", "datum", "tag", "jour", "fecha", "dia"),
    "name": ("name", "holiday", "feiertag", "nom", "nombre", *_NOTES),
    "where": ("where", "place", "country", "region", "wo", "ort", "land", "pays", "lieu", "donde"),
}
OVERRIDE_NEEDS = ("start", "end", "person")
LEFT_OUT = "The row is left out."
_UNNAMED = "row-"
_ENDED = {"cancelled", "canceled", "removed", "ended", "rejected", "expired", "declined", "no"}
_PENDING = {"pending", "proposed", "requested", "asked"}
_IN_FORCE = {"", "active", "approved", "accepted", "confirmed", "yes", "done", "over"}


@dataclass(slots=True)
class Changes:
    """What a tab says, and what it says wrong; a row with an error is left out, alone.

    `unread` are the ids of overrides whose rows cannot be read. `rows` are overrides by the ids
    that stand in their rows, also cancelled ones: None where the rest cannot be read. `broken`
    says by the address of its person what is wrong with a row that has no id, and is not over.
    """

    overrides: list[Override] = field(default_factory=list)
    away: list[Away] = field(default_factory=list)
    holidays: list[Holiday] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    rows: dict[str, Override | None] = field(default_factory=dict)
    broken: dict[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the other tabs have told: people, clocks, and the rotations there are.

    `homes` are the zones by whose clocks people have their shifts, where that is one zone.
    """

    people: People
    settings: RosterSettings
    rotations: tuple[str, ...]
    now: datetime
    slashes: SlashOrder = SlashOrder.UNKNOWN
    homes: Mapping[str, str] = field(default_factory=dict)

    def zone_of(self, person: str) -> str:
        """Return where a person is: who has no zone of their own is where their shifts are."""
        own = self.people.by_key(person).zone
        return own if own != "UTC" else self.homes.get(person, own)


def read_overrides(table: Table, tab: str, known: Knowledge) -> Changes:
    """Read the tab. Raises HeaderError when there is no header that can be used."""
    found = read_rows(table, tab, OVERRIDE_COLUMNS, OVERRIDE_NEEDS)
    slashes = _order(found, known, "start", "end")
    read = Changes(problems=list(found.problems))
    seen: set[str] = set()
    for row in found.rows:
        if not row.any("start", "end", "person"):
            continue
        own_id = row.cell("id").text
        try:
            if not _in_force(row):
                read.rows[own_id] = _cancelled(row, known, slashes)
                continue
            override = _override(row, known, slashes)
            if override.ends_at > known.now:
                clocks = Clocks(known.settings.of(override.rotation).zone, slashes)
                read.problems += _origin(row, known, clocks)[2]
            if override.id in seen:
                if not own_id:  # pasted twice, it says nothing else
                    continue
                raise CellError(row.cell("id"), f"the id {override.id} stands in two rows.")
            seen.add(override.id)
            read.overrides.append(override)
            read.rows[own_id] = override
        except CellError as error:
            problem = _problem(error, row, "end", known, slashes)
            read.problems.append(problem)
            read.unread.add(own_id)
            if not own_id:
                _note_broken(read, row, problem)
    read.rows = {key: found for key, found in read.rows.items() if key not in read.unread | {""}}
    return read


def read_away(table: Table, tab: str, known: Knowledge) -> Changes:
    """Read the tab. Raises HeaderError when there is no header that can be used."""
    found = read_rows(table, tab, _AWAY, ("person", "from"))
    slashes = _order(found, known, "from", "to")
    read = Changes(problems=list(found.problems))
    for row in found.rows:
        if not row.any("person", "from", "to"):
            continue
        try:
            person = person_of(row.cell("person"), known.people)
            names = ("from", "to" if row.any("to") else "from")
            start, end = stretch(row, names, Clocks(known.zone_of(person), slashes))
            where = row.cell("person").address
            read.away.append(
                Away(person=person, start=start, end=end, kind=row.text("kind"), where=where)
            )
        except CellError as error:
            last = "to" if row.any("to") else "from"
            problem = _problem(error, row, last, known, slashes)
            read.problems.append(problem)
            _note_broken(read, row, problem)
    return read


def read_holidays(table: Table, tab: str, known: Knowledge) -> Changes:
    """Read the tab. Raises HeaderError when there is no header that can be used."""
    found = read_rows(table, tab, _HOLIDAYS, ("date",))
    slashes = _order(found, known, "date")
    read = Changes(problems=list(found.problems))
    for row in found.rows:
        if not row.any("date"):
            continue
        try:
            cell = row.cell("date")
            day = read_day(cell, slashes).day
            name, place = row.text("name"), row.text("where")
            read.holidays.append(Holiday(day=day, name=name, place=place, where=cell.address))
        except CellError as error:
            read.problems.append(error.problem())
    return read


def _order(found: Rows, known: Knowledge, *names: str) -> SlashOrder:
    proven = slash_order(row.cell(name).text for row in found.rows for name in names)
    return known.slashes if proven is SlashOrder.UNKNOWN else proven


def _problem(
    error: CellError, row: Row, end: str, known: Knowledge, slashes: SlashOrder
) -> Problem:
    """Make an error of a row that is surely over a warning: nobody needs to repair the past."""
    try:
        over = starts_at(row.cell(end), Clocks("UTC", slashes)) < known.now.replace(hour=0)
    except CellError:
        over = False
    severity = Severity.WARNING if over else Severity.ERROR
    problem = error.problem(severity=severity)
    ending = "The row is over and was left out." if over else LEFT_OUT
    return Problem(problem.address, f"{problem.text} {ending}", severity, "", problem.code)


def _note_broken(read: Changes, row: Row, problem: Problem) -> None:
    if problem.severity is Severity.ERROR:
        read.broken[row.cell("person").address] = problem


def _in_force(row: Row) -> bool:
    state = normalise(row.text("state"))
    if state in _ENDED or state in _PENDING:
        return False
    if state not in _IN_FORCE:
        text = f'{quoted(row.text("state"))} is no state. Write "active" or "cancelled".'
        raise CellError(row.cell("state"), text)
    return True


def _cancelled(row: Row, known: Knowledge, slashes: SlashOrder) -> Override | None:
    """Read a row that has no effect; nobody needs to repair one."""
    try:
        return replace(_override(row, known, slashes), state=OverrideState.ENDED)
    except CellError:
        return None


def _override(row: Row, known: Knowledge, slashes: SlashOrder) -> Override:
    rotation = _rotation(row, known)
    own = known.settings.of(rotation)
    clocks = Clocks(own.zone, slashes)
    start, end = stretch(row, ("start", "end"), clocks, own.handoff)
    person, instead_of, kind = _people(row, known)
    role = read_role(row.text("role")) if row.text("role") else PRIMARY
    by, made, _ = _origin(row, known, clocks)
    return Override(
        id=row.text("id") or _id(rotation, role, start, end, person, instead_of),
        rotation=rotation,
        role=role,
        person=person,
        starts_at=start,
        ends_at=end,
        by=by,
        created_at=made or start,
        kind=kind,
        instead_of=instead_of,
        where=row.cell("person").address,
    )


def _origin(
    row: Row, known: Knowledge, clocks: Clocks
) -> tuple[str, datetime | None, list[Problem]]:
    """Return who made an override and when; what cannot be read of that leaves it in force."""
    by, made = "", None
    wrong: list[CellError] = []
    try:
        by = "" if is_nobody(row.text("by") or "-") else person_of(row.cell("by"), known.people)
    except CellError as error:
        wrong.append(error)
    try:
        made = starts_at(row.cell("created"), clocks) if row.any("created") else None
    except CellError as error:
        wrong.append(error)
    problems = [error.problem(severity=Severity.WARNING) for error in wrong]
    return by, made, [replace(p, text=f"{p.text} The row counts all the same.") for p in problems]


def _rotation(row: Row, known: Knowledge) -> str:
    written = " ".join(row.text("rotation").split())
    if not written:
        if len(known.rotations) > 1:
            raise CellError(row.cell("rotation"), "no rotation in this row. Write its name.")
        return known.rotations[0] if known.rotations else known.settings.rotation
    by_name = {name.casefold(): name for name in known.rotations}
    if written.casefold() not in by_name:
        hint = did_you_mean(written, known.rotations)
        text = f"there is no rotation {quoted(written)}{hint}"
        raise CellError(row.cell("rotation"), text if text.endswith("?") else f"{text}.")
    return by_name[written.casefold()]


def _people(row: Row, known: Knowledge) -> tuple[str, str, OverrideKind]:
    """Return who, instead of whom, and what that makes of it."""
    instead = row.text("instead of")
    instead_of = "" if not instead or is_nobody(instead) else _named(row, "instead of", known)
    if is_nobody(row.text("person")) or not row.text("person"):
        if not instead_of:
            text = "no person. Write who is on call, or who is not in the column Instead of."
            raise CellError(row.cell("person"), text)
        return instead_of, "", OverrideKind.REMOVE
    person = _named(row, "person", known)
    kind = normalise(row.text("kind"))
    if kind in {"", "override", "swap"}:
        return person, instead_of, OverrideKind.REPLACE if instead_of else OverrideKind.COVER
    try:
        found = OverrideKind(kind)
    except ValueError:
        text = f'{quoted(kind)} is not known. Write "cover", "replace", "add" or "remove".'
        raise CellError(row.cell("kind"), text) from None
    if found is OverrideKind.REPLACE and not instead_of:
        raise CellError(row.cell("instead of"), "nobody to replace. Write whom.")
    return person, instead_of if found is OverrideKind.REPLACE else "", found


def is_unnamed(override: Override) -> bool:
    """Whether its row has no id, so that only its place tells which row it is."""
    return override.id.startswith(_UNNAMED)


def _named(row: Row, name: str, known: Knowledge) -> str:
    return person_of(row.cell(name), known.people)


def _id(*content: object) -> str:
    """Name an override without an id by what it says, so that moving its row changes nothing."""
    return f"{_UNNAMED}{hashlib.sha256(repr(content).encode()).hexdigest()[:10]}"
