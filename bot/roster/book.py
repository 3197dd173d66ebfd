"""A whole workbook to one plan for each rotation, or to problems that name the cell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.roster.changes_tabs import (
    Changes,
    Knowledge,
    read_away,
    read_holidays,
    read_overrides,
)
from bot.roster.doubtful import doubtful, strange_places, strange_roles
from bot.roster.header import HeaderError, find_header, normalise
from bot.roster.parse import Parsed, Unread, parse
from bot.roster.people_tab import read_people_tab
from bot.roster.rotations_tab import RotationsTab, read_rotations, standing_in
from bot.roster.settings import RosterSettings
from bot.roster.table import Problem, Severity, Table, quoted
from bot.roster.workbook import Workbook
from rules.people import People
from rules.schedule.roster import Override, RotationPlan, Shift

TABS: Mapping[str, tuple[str, ...]] = {
    "rotations": ("rotations", "rotation", "layers", "rotationen", "rotaciones"),
    "shifts": ("", "shifts", "shift", "schedule", "roster", "rota", "on call", "oncall", "on-call",
               "dienstplan", "dienste", "schichten", "planning", "gardes", "turnos"),
    "people": ("people", "persons", "users", "personen", "personnes", "personas"),
    "overrides": ("overrides", "override", "changes", "vertretungen", "remplacements",
                  "sustituciones"),
    "away": ("away", "absences", "absence", "vacation", "vacations", "time off", "pto", "leave",
             "urlaub", "abwesend", "abwesenheiten", "conges", "ausencias", "vacaciones"),
    "holidays": ("holidays", "public holidays", "bank holidays", "feiertage", "jours feries",
                 "festivos"),
    "status": ("status",),
}  # fmt: skip
_MEANT = {alias: tab for tab, aliases in TABS.items() for alias in aliases}
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class BookRead:
    """What a workbook says.

    `plans` has every rotation that could be read, `broken` those among them with a fault that
    spoils more than one cell's time; `unusable` when no rotation can be trusted. `unread` are
    cells that spoil only their own time, `unread_overrides` ids of overrides left out.
    `broken_rows` say by the address of its person what is wrong with a row of an override without
    an id, or of an absence. `override_rows` are overrides by the ids in their rows, None without a tab for them.
    """

    plans: Mapping[str, RotationPlan] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    people: People = field(default_factory=People)
    weights: Mapping[str, float] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    unread_overrides: frozenset[str] = frozenset()
    broken_rows: Mapping[str, Problem] = field(default_factory=dict)
    override_rows: Mapping[str, Override | None] | None = None
    broken: frozenset[str] = frozenset()
    unusable: bool = False


@dataclass(slots=True)
class _Gathered:
    people: People
    settings: RosterSettings
    weights: Mapping[str, float] = field(default_factory=dict)
    rotations: RotationsTab | None = None
    shifts: Parsed = field(default_factory=Parsed)
    changes: Changes = field(default_factory=Changes)
    problems: list[Problem] = field(default_factory=list)
    rows: Mapping[str, Override | None] | None = None
    unusable: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        stated = self.rotations.layers if self.rotations else ()
        written = (*self.shifts.zones, *(row.rotation for row in self.shifts.rows))
        broken = sorted(self.shifts.broken_rotations)
        return tuple(dict.fromkeys((*stated, *written, *broken)))


def read_book(
    book: Workbook, configured: People, settings: RosterSettings, now: datetime
) -> BookRead:
    """Read every tab that is known; what the tabs state wins over `settings`."""
    tabs, problems = _tabs(book)
    if tabs is None:
        return BookRead(problems=tuple(problems), people=configured, unusable=True)
    told = _Gathered(configured, settings, problems=problems)
    _read_people(told, tabs)
    _read_rotations(told, tabs, book)
    _read_shifts(told, tabs, book, now)
    _read_changes(told, tabs, book, now)
    return _put_together(told, now)


def is_status(title: str) -> bool:
    """Whether a tab is the one in which the bot says how it reads the others."""
    return normalise(title) in TABS["status"]


def fault_of_file(name: str, text: str, people: People) -> BookRead:
    """Return what a file says that cannot be read at all."""
    return BookRead(problems=(Problem(name, text),), people=people, unusable=True)


def _tabs(book: Workbook) -> tuple[dict[str, Table] | None, list[Problem]]:
    """Return the tables by what they mean, None when none holds shifts or rotations."""
    problems: list[Problem] = []
    found: dict[str, Table] = {}
    named: dict[str, str] = {}
    others: list[str] = []
    for title, table in book.tabs.items():
        meaning = _MEANT.get(normalise(title))
        if meaning is None:
            others.append(title)
        elif meaning in found:
            text = f"the tabs {named[meaning]} and {title} both mean {meaning}. Rename one of them."
            return None, [Problem(title, text, code="E06")]
        else:
            found[meaning], named[meaning] = table, title
    if not found.keys() & {"shifts", "rotations"}:
        title = next((title for title in others if _holds_shifts(book.tabs[title])), "")
        if not title and len(book.tabs) == 1:
            title = others[0] if others else ""
        if not title:
            text = "no tab is called Shifts or Rotations. Rename the one with the roster."
            return None, [Problem("", text, code="E05")]
        found["shifts"] = book.tabs[title]
        others.remove(title)
    if others:
        names = ", ".join(quoted(title) for title in others[:_MOST_NAMED])
        several = f"these tabs are not read: {names}."
        text = several if len(others) > 1 else f"the tab {names} is not read."
        problems.append(Problem("", text, Severity.INFO))
    for table in found.values():
        problems += table.remarks
    return found, problems


def _holds_shifts(table: Table) -> bool:
    try:
        find_header(table)
    except HeaderError:
        return False
    return True


def _title(table: Table) -> str:
    return next((cell.tab for row in table.rows for cell in row), "")


def _warned(told: _Gathered, table: Table) -> None:
    title = _title(table)
    told.problems += [Problem(title, text, Severity.WARNING) for text in table.warnings]


def _read_people(told: _Gathered, tabs: Mapping[str, Table]) -> None:
    table = tabs.get("people")
    if table is None:
        return
    _warned(told, table)
    try:
        read = read_people_tab(table, _title(table), told.people)
    except HeaderError as error:
        _spoilt(told, error)
        return
    told.people, told.weights = read.people, read.weights
    told.problems += read.problems


def _read_rotations(told: _Gathered, tabs: Mapping[str, Table], book: Workbook) -> None:
    table = tabs.get("rotations")
    if table is None:
        return
    _warned(told, table)
    settings = told.settings
    if book.zone:
        settings = settings.with_zone(book.zone)
    try:
        read = read_rotations(table, _title(table), told.people, settings, book.slashes)
    except HeaderError as error:
        _spoilt(told, error)
        return
    told.rotations, told.settings = read, read.settings
    told.problems += read.problems
    if read.layers and told.settings.rotation not in read.layers:
        told.settings = replace(told.settings, rotation=next(iter(read.layers)))


def _read_shifts(told: _Gathered, tabs: Mapping[str, Table], book: Workbook, now: datetime) -> None:
    table = tabs.get("shifts")
    if table is None:
        return
    has_layers = bool(told.rotations and any(told.rotations.layers.values()))
    if has_layers and not any(cell.text for row in table.rows for cell in row):
        return
    told.shifts = parse(
        table,
        told.people,
        told.settings,
        now,
        tab=_title(table),
        slashes=book.slashes,
        may_be_empty=has_layers,
    )
    told.problems += told.shifts.problems
    told.unusable = told.unusable or told.shifts.unusable


_Reader = Callable[[Table, str, Knowledge], Changes]
_READERS: Sequence[tuple[str, _Reader]] = (
    ("overrides", read_overrides),
    ("away", read_away),
    ("holidays", read_holidays),
)


def _read_changes(
    told: _Gathered, tabs: Mapping[str, Table], book: Workbook, now: datetime
) -> None:
    known = Knowledge(told.people, told.settings, told.names, now, book.slashes, _homes(told))
    for name, read in _READERS:
        table = tabs.get(name)
        if table is None:
            continue
        _warned(told, table)
        try:
            changes = read(table, _title(table), known)
        except HeaderError as error:
            _spoilt(told, error)
            continue
        told.changes.overrides += changes.overrides
        told.changes.away += changes.away
        told.changes.holidays += changes.holidays
        told.changes.unread |= changes.unread
        told.changes.broken |= changes.broken
        if name == "overrides" and any(cell.text for row in table.rows for cell in row):
            told.rows = changes.rows
        told.problems += changes.problems


def _homes(told: _Gathered) -> dict[str, str]:
    """Return by whose clocks people have their shifts, where those are of one zone."""
    zones: dict[str, set[str]] = {}
    layers = told.rotations.layers.values() if told.rotations else ()
    for layer in (layer for own in layers for layer in own):
        for person in (person for turn in layer.order for person in turn):
            zones.setdefault(person, set()).add(layer.zone)
    for row in told.shifts.rows:
        for person in row.people:
            zones.setdefault(person, set()).add(told.settings.of(row.rotation).zone)
    return {person: own.pop() for person, own in zones.items() if len(own) == 1}


def _spoilt(told: _Gathered, error: HeaderError) -> None:
    told.problems.append(error.problem)
    told.unusable = True


def _put_together(told: _Gathered, now: datetime) -> BookRead:
    plans = {plan.name: plan for plan in _plans(told)}
    if not plans and not any(p.severity is Severity.ERROR for p in told.problems):
        told.problems.append(Problem("", "nothing is written. Write a rotation or a shift."))
        told.unusable = True
    told.problems += doubtful(plans.values(), told.people, now)
    told.problems += strange_roles(plans.values(), now)
    told.problems += strange_places(plans.values())
    problems = tuple(dict.fromkeys(told.problems))
    alone = {unread.problem for unread in told.shifts.unread}
    broken = {
        problem.rotation
        for problem in problems
        if problem.severity is Severity.ERROR and problem.rotation and problem not in alone
    }
    return BookRead(
        plans=plans,
        problems=problems,
        people=told.people,
        weights=told.weights,
        unread=told.shifts.unread,
        unread_overrides=frozenset(told.changes.unread - {""}),
        broken_rows=told.changes.broken,
        override_rows=told.rows,
        broken=frozenset(broken),
        unusable=told.unusable,
    )


def _plans(told: _Gathered) -> Iterator[RotationPlan]:
    by_rotation: dict[str, list[Shift]] = {}
    for row in told.shifts.rows:
        by_rotation.setdefault(row.rotation, []).append(row)
    tab = told.rotations
    stated = tab.layers if tab else {}
    for name in dict.fromkeys((*stated, *by_rotation)):
        layers, shifts = tuple(stated.get(name, ())), tuple(by_rotation.get(name, ()))
        overrides = tuple(o for o in told.changes.overrides if o.rotation == name)
        roles = tuple(tab.roles.get(name, ())) if tab else ()
        plan = RotationPlan(
            name=name,
            zone=told.settings.of(name).zone,
            layers=layers,
            shifts=shifts,
            roles=roles,
            holidays=tuple(told.changes.holidays),
            overrides=overrides,
            fallback=tab.fallback.get(name, ()) if tab else (),
        )
        own = people_in(plan)
        away = tuple(absence for absence in told.changes.away if absence.person in own)
        all_roles = (*roles, *(shift.role for shift in shifts))
        stand_ins = standing_in(tab.stand_ins.get(name, {}) if tab else {}, all_roles)
        yield replace(plan, away=away, stand_ins=stand_ins if away else {})


def people_in(plan: RotationPlan) -> set[str]:
    """Return everybody whom its layers and shifts name."""
    turns = (turn for layer in plan.layers for turn in layer.order)
    shifts = (shift.people for shift in plan.shifts)
    return {person for group in (*turns, *shifts) for person in group}
