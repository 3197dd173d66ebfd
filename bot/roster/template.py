"""A roster to start from: every tab with its headings, lists to choose from, and rows that resolve."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from rules.people import Person

Cells = Sequence[Sequence[str | date]]

_WEEKS = 6
_EXAMPLES = (
    Person("ana@example.com", "Ana Ruiz", "ana@example.com", zone="Europe/Madrid"),
    Person("bo@example.com", "Bo Chen", "bo@example.com", zone="Europe/Berlin"),
    Person("cy@example.com", "Cy Haddad", "cy@example.com", zone="Europe/Berlin"),
)
_MOST_LISTED = 200
_PEOPLE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Rotations": ("Fallback",),
    "Shifts": ("Primary", "Secondary", "Person"),
    "Overrides": ("Person", "Instead of"),
    "Away": ("Person",),
}
_LISTS: Mapping[tuple[str, str], str] = {
    ("Rotations", "Advances on"): '"calendar,active"',
    ("People", "Active"): '"yes,no"',
    ("Overrides", "State"): '"active,cancelled"',
}
_NARROW, _WIDE = 12, 34


class Layout(StrEnum):
    """How Shifts are written: a row for each week, or a row for each shift."""

    GRID = "grid"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Setting:
    """For whom a template is: without people, three are made up."""

    rotation: str = "data-platform"
    zone: str = "UTC"
    handoff: time = time(9)
    people: tuple[Person, ...] = ()


def template_tabs(setting: Setting, layout: Layout, now: datetime) -> dict[str, Cells]:
    """Return every tab's cells, from the last weekly hand-off before `now`; all of them are sound."""
    people = setting.people or _EXAMPLES
    local = now.astimezone(ZoneInfo(setting.zone)).replace(tzinfo=None)
    on_duty = (local - timedelta(hours=setting.handoff.hour, minutes=setting.handoff.minute)).date()
    monday = on_duty - timedelta(days=on_duty.weekday())
    return {
        "Rotations": _rotations(setting, people, monday),
        "Shifts": _shifts(setting, people, monday, layout),
        "People": [
            ["Name", "E-mail", "Slack", "Time zone", "Weight", "Active"],
            *([p.name, p.email, p.slack, p.zone, "1", "yes"] for p in people),
        ],
        "Overrides": [
            ["Id", "Rotation", "Role", "Start", "End", "Person", "Instead of", "Why", "By",
             "Created", "State"],
            ["", setting.rotation, "Primary", f"{monday - timedelta(days=3)} 18:00",
             f"{monday - timedelta(days=2)} 09:00", people[0].name, "", "An example: a past one",
             "", "", "cancelled"],
        ],
        "Away": [
            ["Person", "From", "To", "Kind"],
            [people[-1].name, monday - timedelta(days=7), monday - timedelta(days=5), "An example"],
        ],
        "Holidays": [
            ["Date", "Name", "Where"],
            [date(local.year, 12, 25), "Christmas Day", ""],
            [date(local.year + 1, 1, 1), "New Year's Day", ""],
        ],
    }  # fmt: skip


def template_csv(cells: Cells) -> bytes:
    """Return one tab as a CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([str(cell) for cell in row] for row in cells)
    return out.getvalue().encode()


def template_xlsx(tabs: Mapping[str, Cells]) -> bytes:
    """Return a workbook of these tabs, with lists to choose from and a protected Status tab."""
    # imported here: openpyxl takes a quarter of a second, and only XLSX files need it
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for title, cells in tabs.items():
        _fill(book.create_sheet(title), cells)
    status = book.create_sheet("Status")
    _fill(status, [["What", "Value"], ["Written by", "Watchbill, and by nobody else"]])
    status.protection.sheet = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _rotations(setting: Setting, people: Sequence[Person], monday: date) -> Cells:
    names = [person.name for person in people]
    turned = [*names[1:], names[0]]
    hand_off = f"Mon {setting.handoff:%H:%M}"
    header = ["Rotation", "Role", "Order", "Every", "Hand-off", "Time zone", "Start", "From",
              "Until", "Layer", "Days", "Hours", "Advances on", "Stand-in", "Fallback"]  # fmt: skip
    turns = [("Primary", names), ("Secondary", turned)][: 2 if len(names) > 1 else 1]
    rows: list[list[str | date]] = [
        [setting.rotation, role, ", ".join(order), "1 week", hand_off, setting.zone, monday,
         *[""] * 5, "calendar", "", ""]
        for role, order in turns
    ]  # fmt: skip
    return [header, *rows]


def _shifts(setting: Setting, people: Sequence[Person], monday: date, layout: Layout) -> Cells:
    roles = ("Primary", "Secondary")[: 2 if len(people) > 1 else 1]
    weeks = [
        (monday + timedelta(weeks=week), [people[(week + n) % len(people)].name for n in range(2)])
        for week in range(_WEEKS)
    ]
    if layout is Layout.GRID:
        grid: list[list[str | date]] = [[day, *names[: len(roles)], ""] for day, names in weeks]
        return [["Week of", *roles, "Notes"], *grid]
    header = ["Rotation", "Role", "Start", "End", "Person", "Notes"]
    rows: list[list[str | date]] = [
        [setting.rotation, role, day, day + timedelta(days=6), names[n], ""]
        for day, names in weeks
        for n, role in enumerate(roles)
    ]
    return [header, *rows]


def _fill(sheet: Any, cells: Cells) -> None:
    from openpyxl.styles import Font  # with the workbook
    from openpyxl.utils import get_column_letter

    for row in cells:
        sheet.append([value or None for value in row])
    for column, heading in enumerate(cells[0], start=1):
        letter = get_column_letter(column)
        sheet.cell(1, column).font = Font(bold=True)
        wide = heading in {"Order", "Notes", "Why", "E-mail", "Name"}
        sheet.column_dimensions[letter].width = _WIDE if wide else _NARROW + 4
        _choose(sheet, str(heading), letter)
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            if isinstance(cell.value, date):
                cell.number_format = "yyyy-mm-dd"
            elif isinstance(cell.value, str):
                cell.data_type = "s"  # the library would make a formula of "=..."
    sheet.freeze_panes = "A2"


def _choose(sheet: Any, heading: str, letter: str) -> None:
    """Offer the people of the People tab, or the few words that are known, in a column."""
    from openpyxl.worksheet.datavalidation import DataValidation  # with the workbook

    if heading in _PEOPLE_COLUMNS.get(sheet.title, ()):
        formula = f"People!$A$2:$A${_MOST_LISTED}"
    elif (sheet.title, heading) in _LISTS:
        formula = _LISTS[sheet.title, heading]
    else:
        return
    # other values stay allowed: two people in a cell, an e-mail, a dash
    offered = DataValidation(type="list", formula1=formula, showErrorMessage=False)
    sheet.add_data_validation(offered)
    offered.add(f"{letter}2:{letter}{_MOST_LISTED}")
