"""The Rotations tab: who takes turns in which role, by which clocks, and who stands in."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TypeVar

from bot.roster.cells import CellError
from bot.roster.columns import Meanings, Row, read_rows
from bot.roster.dates import SlashOrder, slash_order
from bot.roster.header import PRIMARY, read_role
from bot.roster.moments import Clocks, ends_at, local_start, read_day, starts_at
from bot.roster.people_cells import is_nobody, people_of
from bot.roster.settings import RosterSettings, RotationSettings, sentence
from bot.roster.table import Cell, Problem, Severity, Table, quoted
from bot.roster.words import (
    read_advance,
    read_days,
    read_every,
    read_hand_off,
    read_hours,
    read_on_holidays,
)
from rules.people import People
from rules.schedule.roster import EXPLICIT, Layer, Unit, first_hand_off
from rules.sentence import counted
from rules.zones import checked_zone

MEANINGS: Meanings = {
    "rotation": ("rotation", "rota", "schedule", "team", "rotacion", "equipo", "equipe"),
    "role": ("role", "rolle", "rol", "level"),
    "order": ("order", "people", "people in turns", "persons", "who", "members", "reihenfolge",
              "personen", "ordre", "personnes", "orden", "personas"),
    "every": ("every", "turn", "turn length", "length", "alle", "dauer", "chaque", "cada"),
    "hand-off": ("hand-off", "handoff", "hand off", "handover", "change", "wechsel", "ubergabe",
                 "releve", "relevo"),
    "zone": ("time zone", "timezone", "zone", "zeitzone", "fuseau horaire", "zona horaria"),
    "start": ("start", "starts", "start date", "first turn", "beginn", "debut", "inicio"),
    "from": ("from", "effective from", "von", "ab", "de", "desde"),
    "until": ("until", "to", "effective until", "bis", "jusqu'au", "hasta"),
    "layer": ("layer", "priority", "ebene", "couche", "capa"),
    "days": ("days", "weekdays", "tage", "jours", "dias"),
    "hours": ("hours", "times", "stunden", "uhrzeit", "heures", "horas"),
    "skip": ("skip", "not on", "except", "ausser", "sauf", "excepto"),
    "holidays": ("holidays", "on holidays", "feiertage", "jours feries", "festivos"),
    "advances on": ("advances on", "advance on", "advances", "counts"),
    "stand-in": ("stand-in", "stand in", "when away", "on unavailable", "vertretung"),
    "fallback": ("fallback", "last resort", "notfall", "secours"),
    "notes": ("notes", "note", "comment", "comments", "notizen", "remarques", "notas"),
    "elsewhere": ("calendar", "user group", "usergroup", "kalender", "calendrier", "calendario"),
}  # fmt: skip
_TURNS = re.compile(r"\s*(?:[,;>\n\r]|->|→)\s*")
_ENDS_WITH_AND = re.compile(r"[,;][^,;+&>→]*\b(?:and|und|et|y)\b[^,;+&>→]*$")
_TOGETHER = (
    "the last two are on call together, for they are joined by a word. For a turn each, separate "
    'all by commas; for a turn of both, write "+".'
)
_MOST_TURNS = 200
_LAYERS = range(-99, 100)
_T = TypeVar("_T")


@dataclass(slots=True)
class RotationsTab:
    """What the tab says, by rotation; `settings` has the rotations' clocks laid over the others.

    A problem of severity ERROR with a rotation spoils that rotation.
    """

    settings: RosterSettings
    layers: dict[str, list[Layer]] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    stand_ins: dict[str, dict[str, str]] = field(default_factory=dict)
    fallback: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_rotations(
    table: Table, tab: str, people: People, settings: RosterSettings, slashes: SlashOrder
) -> RotationsTab:
    """Read the tab. Raises HeaderError when there is no header that can be used."""
    found = read_rows(table, tab, MEANINGS, ("rotation",))
    texts = (row.cell(name).text for row in found.rows for name in ("start", "from", "until"))
    proven = slash_order(texts)
    reading = _Reading(people, settings, slashes if proven is SlashOrder.UNKNOWN else proven)
    reading.tab.problems += found.problems
    for row in found.rows:
        reading.read(row)
    if elsewhere := next(
        (row.cell("elsewhere") for row in found.rows if row.any("elsewhere")), None
    ):
        text = "calendars and user groups are set in config.yaml, not here."
        reading.tab.problems.append(Problem(elsewhere.address, text, Severity.INFO))
    return reading.tab


class _Reading:
    def __init__(self, people: People, settings: RosterSettings, slashes: SlashOrder) -> None:
        self.tab = RotationsTab(settings)
        self._people = people
        self._slashes = slashes
        self._names = {name.casefold(): name for name in settings.rotations}
        self._stated: dict[str, RotationSettings] = {}

    def read(self, row: Row) -> None:
        """Read one layer; what cannot be read spoils its rotation."""
        name = ""
        try:
            name = self._rotation(row)
            if name:
                self._layer(name, row)
        except CellError as error:
            self.tab.problems.append(error.problem(name))

    def _rotation(self, row: Row) -> str:
        written = " ".join(row.text("rotation").split())
        if not written and row.any("role", "order", "every", "hand-off", "start"):
            raise CellError(row.cell("rotation"), "no rotation in this row. Write its name.")
        return self._names.setdefault(written.casefold(), written)

    def _layer(self, name: str, row: Row) -> None:
        tab = self.tab
        mine = self._clocks(name, row)
        role = read_role(row.text("role")) if row.text("role") else PRIMARY
        tab.layers.setdefault(name, [])
        if row.any("fallback"):
            tab.fallback[name] = people_of(row.cell("fallback"), self._people)
        if row.any("stand-in"):
            stand_in = row.text("stand-in")
            tab.stand_ins.setdefault(name, {})[role] = (
                "" if is_nobody(stand_in) else read_role(stand_in)
            )
        roles = tab.roles.setdefault(name, [])
        if role not in roles:
            roles.append(role)
        if row.any("order"):
            tab.layers[name].append(self._turns(name, role, row, mine))

    def _clocks(self, name: str, row: Row) -> RotationSettings:
        """Return the row's clocks; a rotation's own are those of its first row."""
        own = self._stated.get(name) or self.tab.settings.of(name)
        zone, handoff = own.zone, own.handoff
        if row.any("zone"):
            cell = row.cell("zone")
            row.text("zone")
            try:
                zone = checked_zone(cell.text)
            except ValueError as error:
                raise CellError(cell, sentence(str(error)), "E09") from None
        _, at = _cell_value(row, "hand-off", read_hand_off)
        mine = RotationSettings(zone, handoff if at is None else at)
        if name not in self._stated:
            self._stated[name] = mine
            self.tab.settings = self.tab.settings.with_rotation(name, mine)
        return mine

    def _turns(self, name: str, role: str, row: Row, mine: RotationSettings) -> Layer:
        clocks = Clocks(mine.zone, self._slashes)
        every, unit = _cell_value(row, "every", read_every) if row.any("every") else (1, Unit.WEEK)
        weekday, at = _cell_value(row, "hand-off", read_hand_off)
        days = _cell_value(row, "days", read_days)
        on_holidays, place = _cell_value(row, "holidays", read_on_holidays)
        order = self._order(row.cell("order"))
        if len(order[-1]) > 1 and _ENDS_WITH_AND.search(row.text("order")):
            problem = Problem(row.cell("order").address, _TOGETHER, Severity.WARNING, name)
            self.tab.problems.append(problem)
        try:
            layer = Layer(
                role=role,
                order=order,
                unit=unit,
                every=every,
                starts=self._first(row, weekday, mine.handoff if at is None else at, clocks),
                zone=mine.zone,
                priority=_priority(row),
                windows=_cell_value(row, "hours", lambda text: read_hours(text, days, mine.zone)),
                skip_dates=frozenset(self._skipped(row)),
                on_holidays=on_holidays,
                place=place,
                advance_on=_cell_value(row, "advances on", read_advance),
                effective_from=self._edge(row, "from", clocks),
                effective_until=self._edge(row, "until", clocks),
                source=f"row {row.number}",
                where=row.cell("order").address,
            )
        except ValueError as error:
            if isinstance(error, CellError):
                raise
            raise CellError(row.cell("start"), sentence(str(error))) from None
        if weekday and not _keeps_weekday(layer):
            text = (
                f"turns of {counted(every, unit.value)} do not begin on a {weekday.title()} each "
                "time: it only says when the first one did. Write the time alone, or turns of weeks."
            )
            problem = Problem(row.cell("hand-off").address, text, Severity.WARNING, name)
            self.tab.problems.append(problem)
        return layer

    def _order(self, cell: Cell) -> tuple[tuple[str, ...], ...]:
        turns = [turn for turn in _TURNS.split(cell.text) if turn]
        if len(turns) > _MOST_TURNS:
            raise CellError(cell, f"{len(turns)} turns; at most {_MOST_TURNS}.")
        order = [
            () if is_nobody(turn) else people_of(_part(cell, turn), self._people) for turn in turns
        ]
        if not order:
            raise CellError(cell, "nobody takes turns. Write names, separated by commas.")
        return tuple(order)

    def _first(self, row: Row, weekday: str, at: time, clocks: Clocks) -> datetime:
        cell = row.cell("start") if row.any("start") else row.cell("from")
        if not cell.text:
            text = "no start. Write the date on which the first of the order begins."
            raise CellError(row.cell("start"), text)
        first = local_start(cell, clocks, at)
        return first_hand_off(first.date(), first.time(), weekday)

    def _edge(self, row: Row, name: str, clocks: Clocks) -> datetime | None:
        if not row.any(name):
            return None
        cell = row.cell(name)
        return starts_at(cell, clocks) if name == "from" else ends_at(cell, clocks)

    def _skipped(self, row: Row) -> Iterator[date]:
        cell = row.cell("skip")
        for text in _TURNS.split(row.text("skip")):
            if text:
                yield read_day(_part(cell, text), self._slashes).day


def standing_in(stated: Mapping[str, str], roles: Sequence[str]) -> dict[str, str]:
    """Return who moves up for whom: as stated, else secondary for primary where both are."""
    usual = {PRIMARY: "secondary"} if {PRIMARY, "secondary"} <= set(roles) else {}
    return {role: other for role, other in {**usual, **stated}.items() if other}


def _keeps_weekday(layer: Layer) -> bool:
    hours = {Unit.HOUR: 1, Unit.DAY: 24, Unit.WEEK: 168}.get(layer.unit, 0) * layer.every
    return hours > 0 and (hours % 168 == 0 or 168 % hours == 0)


def _cell_value(row: Row, name: str, read: Callable[[str], _T]) -> _T:
    text = row.text(name)
    try:
        return read(text)
    except ValueError as error:
        raise CellError(row.cell(name), sentence(str(error))) from None


def _priority(row: Row) -> int:
    text = row.text("layer")
    if not text:
        return 0
    number = text.casefold().removeprefix("layer").strip()
    try:
        found = int(number)
    except ValueError:
        found = min(_LAYERS) - 1
    if found not in _LAYERS:
        said = f"{quoted(text)} is no layer. Write a number; the highest is on top"
        raise CellError(row.cell("layer"), f"{said}, and shifts have {EXPLICIT}.")
    return found


def _part(cell: Cell, text: str) -> Cell:
    return Cell(cell.row, cell.column, text.strip(), cell.tab)
