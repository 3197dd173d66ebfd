"""A table of cells to roster rows, or to problems that name the cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.roster.cells import CellError, check_formula
from bot.roster.dates import DateError, SlashOrder, Written, read_date, read_time_only, slash_order
from bot.roster.ends import Draft, close
from bot.roster.header import (
    PRIMARY,
    Header,
    HeaderError,
    RoleColumn,
    find_header,
    is_comment,
    read_role,
)
from bot.roster.people_cells import is_nobody, people_of
from bot.roster.settings import RosterSettings, read_comments
from bot.roster.swapped_dates import swapped
from bot.roster.table import Cell, Problem, Severity, Table, quoted
from rules.people import People
from rules.schedule.coverage import Overlap, overlaps
from rules.schedule.roster import Shift
from rules.sentence import duration_text
from rules.spoken_time import local_note

_LONG_OVER = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Unread:
    """A person's cell that cannot be read: it says nothing of the role in [start, end)."""

    problem: Problem
    role: str
    start: datetime
    end: datetime

    @property
    def rotation(self) -> str:
        return self.problem.rotation


@dataclass(frozen=True, slots=True)
class Parsed:
    """`rows` of every rotation that could be read; errors in `problems` say what could not.

    `unread` are cells that spoil nothing but their own time.
    """

    rows: tuple[Shift, ...] = ()
    problems: tuple[Problem, ...] = ()
    zones: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()

    @property
    def unusable(self) -> bool:
        return any(p.severity is Severity.ERROR and not p.rotation for p in self.problems)

    @property
    def broken_rotations(self) -> set[str]:
        """Return the rotations with errors that spoil more than one cell's time."""
        alone = {unread.problem for unread in self.unread}
        errors = (p for p in self.problems if p.severity is Severity.ERROR and p not in alone)
        return {problem.rotation for problem in errors if problem.rotation}


def parse(
    table: Table,
    people: People,
    settings: RosterSettings,
    now: datetime,
    *,
    tab: str = "",
    slashes: SlashOrder = SlashOrder.UNKNOWN,
    may_be_empty: bool = False,
) -> Parsed:
    """Read shifts; rows that ended before `now` may name people who have left.

    `slashes` is the order of 03/04/2026 where no cell proves one.
    """
    warnings = [Problem(tab, text, Severity.WARNING) for text in table.warnings]
    try:
        header = find_header(table, tab)
    except HeaderError as error:
        return Parsed(problems=(*warnings, error.problem))
    top = [row for row in table.rows if row and row[0].row < header.row]
    settings, problems = read_comments(top, settings)
    sheet = _Sheet(header, people, settings, now, [*warnings, *problems, *header.problems])
    sheet.slashes = slashes
    rows = sheet.read([row for row in table.rows if row and row[0].row > header.row])
    if (
        not rows
        and not may_be_empty
        and not any(p.severity is Severity.ERROR for p in sheet.problems)
    ):
        where = Cell(header.row + 1, 1, "", tab).address
        sheet.problems.append(Problem(where, "no row below the header. Write at least one shift."))
    zones = {row.rotation: sheet.settings.of(row.rotation).zone for row in rows}
    problems = list(dict.fromkeys(sheet.problems))
    return Parsed(tuple(rows), tuple(problems), zones, tuple(sheet.unread))


class _Sheet:
    def __init__(
        self,
        header: Header,
        people: People,
        settings: RosterSettings,
        now: datetime,
        problems: list[Problem],
    ) -> None:
        self.settings = settings
        self.problems = problems
        self.unread: list[Unread] = []
        self.slashes = SlashOrder.UNKNOWN
        self._header = header
        self._people = people
        self._now = now
        self._order = SlashOrder.UNKNOWN
        self._swapped: Mapping[Cell, date] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        self._names = {name.casefold(): name for name in settings.rotations}

    def read(self, lines: Sequence[Sequence[Cell]]) -> list[Shift]:
        dates = [c.text for line in lines for c in line if c.column in self._date_columns()]
        proven = slash_order(dates)
        self._order = self.slashes if proven is SlashOrder.UNKNOWN else proven
        starts = (c for line in lines for c in line if c.column == self._header.start)
        self._swapped = swapped(starts, self._order, (self._now - _LONG_OVER).date())
        drafts = [draft for line in lines for draft in self._drafts(line)]
        closed, problems = close(drafts, week=self._header.is_week)
        self.problems += problems
        rows = [row for draft, end in closed for row in self._row(draft, end)]
        self.problems += [
            self._overlap(overlap) for overlap in overlaps(rows) if overlap.end > self._now
        ]
        return rows

    def _date_columns(self) -> set[int | None]:
        return {self._header.start, self._header.end}

    def _drafts(self, line: Sequence[Cell]) -> Iterator[Draft]:
        cells = {cell.column: cell for cell in line}
        header, number = self._header, line[0].row
        slots = header.roles or (RoleColumn(header.person or 0, ""),)
        manned = [s for s in slots if s.column in cells and cells[s.column].text]
        start_cell = cells.get(header.start) or Cell(number, header.start, "", line[0].tab)
        end_cell = cells.get(header.end) if header.end else None
        end_cell = end_cell if end_cell and end_cell.text else None
        if is_comment(line) or not (start_cell.text or manned):
            return
        try:
            rotation = self._rotation(cells, number)
            start = self._date(start_cell, "start")
            end = None if end_cell is None else self._end_date(end_cell)
        except CellError as error:
            if error.cell is not start_cell or manned or end_cell:
                self.problems.append(self._problem(error, cells, slots))
            return
        for slot in slots:
            name = self._canonical(slot.rotation) if slot.rotation else rotation
            at_role = cells.get(header.role) if header.role else None
            role = slot.role or (read_role(at_role.text) if at_role else PRIMARY)
            cell = cells.get(slot.column) or Cell(number, slot.column, "", line[0].tab)
            mine = self.settings.of(name)
            yield Draft(name, role, start_cell, start, cell, end_cell, end, mine)

    def _rotation(self, cells: Mapping[int, Cell], number: int) -> str:
        if self._header.rotation is None:
            return self._canonical(self.settings.rotation)
        cell = cells.get(self._header.rotation)
        if cell is None or not cell.text:
            where = Cell(number, self._header.rotation, "", next(iter(cells.values())).tab)
            raise CellError(where, "no rotation in this row. Write its name.")
        return self._canonical(cell.text)

    def _canonical(self, text: str) -> str:
        name = " ".join(text.split())
        return self._names.setdefault(name.casefold(), name)

    def _date(self, cell: Cell, what: str) -> Written:
        if not cell.text:
            raise CellError(cell, f"no {what} in this row. Write a date, or clear the row.")
        check_formula(cell)
        if cell.merged:
            text = f"a date merged over {cell.merged}. Unmerge it and write a date in each row."
            raise CellError(cell, text)
        try:
            written = read_date(cell.text, self._order)
        except DateError as error:
            raise CellError(cell, str(error), error.code) from None
        if meant := self._swapped.get(cell):
            text = (
                f"{quoted(cell.text)} is out of order here, and {meant} would not be: the spreadsheet "
                f'may have exchanged day and month. Write "{meant}", or put the row where it belongs.'
            )
            raise CellError(cell, text, "E03")
        if written.next_day and what == "start":
            raise CellError(cell, '"24:00" is only an end. Write "00:00" of the next day.')
        return written

    def _end_date(self, cell: Cell) -> Written | str:
        """Read an end; a bare time of day is handed on as text."""
        return cell.text if read_time_only(cell.text) else self._date(cell, "end")

    def _problem(
        self, error: "CellError", cells: Mapping[int, Cell], slots: Sequence[RoleColumn]
    ) -> Problem:
        try:
            own = self._rotation(cells, error.cell.row)
        except CellError:
            own = ""
        names = {self._canonical(slot.rotation) if slot.rotation else own for slot in slots}
        rotation = names.pop() if len(names) == 1 else ""
        return error.problem(rotation)

    def _row(self, draft: Draft, end: datetime) -> Iterator[Shift]:
        start, cell = draft.starts_at, draft.person_cell
        if end <= start:
            return
        people: tuple[str, ...] = ()
        if is_nobody(cell.text):
            self._note(draft, end, f"nobody is {draft.role} on purpose", Severity.INFO)
        elif not cell.text and self._header.person is not None:
            self._note(draft, end, 'no person. Write one, or "-" if nobody is meant')
        elif cell.text:
            found = self._people_in(draft, end)
            if found is None:
                return
            people = found
        self._clock_notes(draft, end)
        source = f"row {cell.row}"
        yield Shift(
            rotation=draft.rotation,
            role=draft.role,
            start=start,
            end=end,
            people=people,
            source=source,
            where=cell.address,
        )

    def _people_in(self, draft: Draft, end: datetime) -> tuple[str, ...] | None:
        cell = draft.person_cell
        try:
            if cell.text not in self._known:
                self._known[cell.text] = people_of(cell, self._people)
            return self._known[cell.text]
        except CellError as error:
            over = end <= self._now
            severity = Severity.WARNING if over else Severity.ERROR
            text = f"{error} The row is over and was left out." if over else str(error)
            problem = Problem(cell.address, text, severity, draft.rotation, error.code)
            self.problems.append(problem)
            if not over:
                unread = Unread(problem, draft.role, draft.starts_at, end)
                self.unread.append(unread)
            return None

    def _note(
        self, draft: Draft, end: datetime, text: str, severity: Severity = Severity.WARNING
    ) -> None:
        if end > self._now:
            zone = ZoneInfo(draft.settings.zone)
            start = max(draft.starts_at, self._now).astimezone(zone)
            when = f"from {start:%a %Y-%m-%d %H:%M} to {end.astimezone(zone):%a %Y-%m-%d %H:%M}"
            where = draft.person_cell.address
            self.problems.append(Problem(where, f"{text} ({when}).", severity, draft.rotation))

    def _clock_notes(self, draft: Draft, end: datetime) -> None:
        if end <= self._now:
            return
        zone, handoff = draft.settings.zone, draft.settings.handoff
        written = [(draft.start_cell, draft.start)]
        if draft.end_cell and isinstance(draft.end, Written) and draft.end.at:
            written.append((draft.end_cell, draft.end))
        for cell, moment in written:
            if moment.instant is None and (
                note := local_note(moment.day, moment.at or handoff, zone)
            ):
                self.problems.append(clock_problem(cell, note, draft.rotation))

    def _overlap(self, overlap: Overlap) -> Problem:
        first, second = overlap.first, overlap.second
        zone = ZoneInfo(self.settings.of(second.rotation).zone)
        span = duration_text(overlap.end - overlap.start)
        start, end = (t.astimezone(zone) for t in (overlap.start, overlap.end))
        when = f"{span} (from {start:%a %Y-%m-%d %H:%M} to {end:%a %Y-%m-%d %H:%M})"
        if first.role != second.role:
            both = " and ".join(self._name(k) for k in second.people if k in first.people)
            text, code = f"{both} is both {first.role} and {second.role} for {when}.", "E13"
        else:
            names = list(dict.fromkeys(map(self._name, (*first.people, *second.people))))
            who = f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} {second.role}"
            text = f"{first.source} and {second.source} overlap by {when}: {who} in that time."
            code = "E10"
        address = f"{first.where} and {second.where.rpartition('!')[2]}"
        return Problem(address, text, Severity.WARNING, second.rotation, code)

    def _name(self, key: str) -> str:
        return self._people.by_key(key).name


def clock_problem(cell: Cell, note: str, rotation: str) -> Problem:
    """Tell that clocks skip a time, or show it twice."""
    code = "E07" if "does not exist" in note else "E08"
    return Problem(cell.address, note, Severity.WARNING, rotation, code)
