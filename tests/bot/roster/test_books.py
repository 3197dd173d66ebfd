"""Whole workbooks: tabs become one schedule, and the sheet's own clocks and people win."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook as Xlsx

from bot.roster.directory import KnownPeople
from bot.roster.files import FileSource
from bot.roster.roster import RosterFile
from bot.roster.settings import RosterSettings, RotationSettings
from bot.roster.template import Layout, Setting, template_csv, template_tabs, template_xlsx
from rules.people import Person
from rules.schedule.resolution import on_call
from rules.schedule.roster import Schedule
from tests.bot.roster.books import (
    NOW,
    PEOPLE,
    lines,
    on_call_at,
    read_tabs,
    roster_file,
    write_tabs,
)

TURNS = (
    "Rotation,Role,Order,Every,Hand-off,Time zone,Start\n"
    'data,Primary,"ana, bo, cy",1 week,Mon 09:00,Europe/Berlin,2026-11-02\n'
)
SECOND = 'data,Secondary,"bo, cy, ana",1 week,Mon 09:00,Europe/Berlin,2026-11-02\n'


def who(tabs: dict[str, str], *times: str, role: str = "primary", rotation: str = "data") -> str:
    """Return who has the role at each time, "-" for nobody."""
    read = read_tabs(tabs)
    assert lines([p for p in read.problems if p.severity == "error"]) == []
    schedule = Schedule(plans=tuple(read.plans.values()), people=read.people)
    instants = [datetime.fromisoformat(time).replace(tzinfo=UTC) for time in times]
    answer = on_call(schedule, min(instants), max(instants) + timedelta(hours=1))
    found = [answer.at(rotation, role, instant) for instant in instants]
    return " ".join("+".join(key.split("@")[0] for key in people) or "-" for people in found)


def test_turns_hand_off_at_the_local_time_of_their_zone() -> None:
    assert who(
        {"Rotations": TURNS}, "2026-11-16T07:59", "2026-11-16T08:00", "2026-11-23T08:00"
    ) == ("bo cy ana")


def test_shifts_lie_over_turns_and_overrides_over_both() -> None:
    tabs = {
        "Rotations": TURNS,
        "Shifts": "Start,End,Person\n2026-11-24,2026-11-25,bo\n",
        "Overrides": (
            "Start,End,Person,Instead of,State\n"
            "2026-11-25 09:00,2026-11-25 12:00,cy,bo,\n"
            "2026-11-26 09:00,2026-11-27 09:00,cy,bo,\n"
            "2026-11-27 09:00,2026-11-27 18:00,bo,,cancelled\n"
            "2026-11-28 10:00,12:00,bo,,active\n"
        ),
    }
    times = ("2026-11-23T09:00", "2026-11-24T09:00", "2026-11-25T08:30", "2026-11-25T11:00",
             "2026-11-26T10:00", "2026-11-27T10:00", "2026-11-28T10:00", "2026-11-28T11:00")  # fmt: skip
    assert who(tabs, *times) == "ana bo cy bo ana ana bo ana"


def test_an_override_without_a_person_takes_somebody_off() -> None:
    tabs = {
        "Rotations": TURNS,
        "Overrides": "Start,End,Person,Instead of\n2026-11-24 09:00,2026-11-24 18:00,-,ana\n",
    }
    assert who(tabs, "2026-11-24T09:00", "2026-11-24T18:00") == "- ana"


def test_who_is_away_is_replaced_by_the_secondary() -> None:
    tabs = {
        "Rotations": TURNS + SECOND,
        "Away": "Person,From,To,Kind\nana,2026-11-24,2026-11-24,leave\n",
    }
    assert who(tabs, "2026-11-24T10:00", "2026-11-25T10:00") == "bo ana"
    assert who(tabs, "2026-11-24T10:00", "2026-11-25T10:00", role="secondary") == "- bo"


def test_a_stand_in_may_be_named_or_forbidden() -> None:
    header = "Rotation,Role,Order,Hand-off,Start,Stand-in\n"
    away = {"Away": "Person,From\nana,2026-11-16\n"}
    for stand_in, expected in (("", "bo"), ("shadow", "cy"), ("-", "-")):
        tabs = {
            "Rotations": header
            + f"data,primary,ana,Mon 09:00,2026-11-02,{stand_in}\n"
            + "data,secondary,bo,Mon 09:00,2026-11-02,\n"
            + "data,shadow,cy,Mon 09:00,2026-11-02,\n",
            **away,
        }
        assert who(tabs, "2026-11-16T12:00") == expected


def test_layers_have_days_hours_holidays_and_an_end() -> None:
    tabs = {
        "Rotations": (
            "Rotation,Order,Start,Layer,Days,Hours,Holidays,Until,Hand-off\n"
            "data,ana,2026-11-02,0,,,,,09:00\n"
            "data,bo,2026-11-02,1,Mon-Fri,09:00-17:00,off,2026-12-31,09:00\n"
            "data,cy,2026-11-02,2,Fri,22:00-06:00,,,09:00\n"
        ),
        "Holidays": "Date,Name\n2026-11-26,Thanksgiving\n",
    }
    times = ("2026-11-25T09:00", "2026-11-25T17:00", "2026-11-26T10:00", "2026-11-27T22:00",
             "2026-11-28T05:59", "2026-11-28T06:00", "2027-01-04T10:00")  # fmt: skip
    assert who(tabs, *times) == "bo ana ana cy cy ana ana"


@pytest.mark.parametrize(
    ("place", "answer", "told"),
    [("berlin", "nobody ana", []), ("", "nobody nobody", []), ("Berlim", "ana ana", ["Berlin"])],
)
def test_a_place_of_holidays_is_found_in_any_case_or_asked_about(
    place: str, answer: str, told: list[str]
) -> None:
    tabs = {
        "Rotations": "Rotation,Order,Start,Holidays,Hand-off\n"
        f"data,ana,2026-11-02,off {place},09:00\n",
        "Holidays": "Date,Name,Where\n2026-11-26,One,Berlin\n2026-11-27,Other,London\n",
    }
    assert who(tabs, "2026-11-26T12:00", "2026-11-27T12:00") == answer.replace("nobody", "-")
    found = [one for one in lines(read_tabs(tabs).problems) if "no row of Holidays" in one]
    assert [f"did you mean `{name}`?" in one for name, one in zip(told, found, strict=True)] == [
        True for _ in told
    ]


@pytest.mark.parametrize(
    ("every", "warned"),
    [("1 week", 0), ("1 day", 0), ("12 hours", 0), ("14 days", 0), ("month", 1), ("10 days", 1)],
)
def test_a_weekday_that_turns_do_not_keep_is_said(every: str, warned: int) -> None:
    tabs = {
        "Rotations": "Rotation,Order,Every,Hand-off,Start\n"
        f'data,"ana, bo",{every},Mon 09:00,2026-11-02\n'
    }
    found = [one for one in lines(read_tabs(tabs).problems) if "do not begin on a Mon" in one]
    assert len(found) == warned
    assert all(one.startswith("warning Rotations!D2: turns of") for one in found)


def test_holidays_are_known_where_nobody_takes_turns_too() -> None:
    tabs = {
        "Shifts": "Week of,Primary\n2026-11-23,ana\n",
        "Holidays": "Date,Name\n2026-11-26,Thanksgiving\n",
    }
    (plan,) = read_tabs(tabs).plans.values()
    assert [holiday.name for holiday in plan.holidays] == ["Thanksgiving"]


@pytest.mark.parametrize(
    ("order", "warned"),
    [
        ("ana, bo and cy", True),
        ("ana; bo; cy und Sam Ito", True),
        ("ana, bo + cy", False),
        ("ana and bo, cy", False),
        ("ana and bo", False),
        ("ana, bo, cy", False),
        ("ana, Dee and Sons", False),
    ],
)
def test_a_list_that_ends_with_and_is_asked_about(order: str, warned: bool) -> None:
    tabs = {
        "People": "Name,E-mail\nDee and Sons,dee@example.com\n",
        "Rotations": f'Rotation,Order,Start\ndata,"{order}",2026-11-16\n',
    }
    problems = lines(read_tabs(tabs).problems)
    assert len(problems) == warned
    assert not warned or problems[0].startswith(
        "warning Rotations!B2: the last two are on call together, for they are joined by a word."
    )


@pytest.mark.parametrize(
    "start", ["2026-11-16 09:00", "2026-11-16T08:00:00Z", "2026-11-15T23:00-09:00"]
)
def test_a_first_turn_with_an_offset_begins_at_that_instant(start: str) -> None:
    tabs = {
        "Rotations": "Rotation,Order,Every,Hand-off,Start,Time zone\n"
        f'data,"ana, bo",1 day,,{start},Europe/Berlin\n'
    }
    assert who(tabs, "2026-11-17T07:59+00:00", "2026-11-17T08:00+00:00") == "ana bo"


def test_an_end_that_is_only_a_time_is_of_the_day_that_the_zone_s_clocks_show() -> None:
    tabs = {
        "Rotations": "Rotation,Order,Start,Time zone\ndata,ana,2026-11-16,Europe/Berlin\n",
        "Overrides": "Start,End,Person\n2026-11-23T20:00-05:00,23:00,bo\n",
    }
    times = ("2026-11-24T00:59", "2026-11-24T01:00", "2026-11-24T21:59", "2026-11-24T22:00")
    assert who(tabs, *times) == "ana bo bo ana"


def test_a_first_turn_does_not_begin_at_the_end_of_a_day() -> None:
    tabs = {"Rotations": "Rotation,Order,Start\ndata,ana,2026-11-16 24:00\n"}
    (problem,) = [p for p in read_tabs(tabs).problems if p.severity == "error"]
    assert str(problem) == ('Rotations!C2: "24:00" is only an end. Write "00:00" of the next day.')


def test_several_people_share_a_turn_and_a_turn_may_be_empty() -> None:
    tabs = {
        "Rotations": 'Rotation,Order,Every,Hand-off,Start\ndata,"ana + bo, -, cy",1 day,09:00,2026-11-16\n'
    }
    assert who(tabs, "2026-11-16T09:00", "2026-11-17T09:00", "2026-11-18T09:00") == "ana+bo - cy"


def test_people_of_the_sheet_are_people() -> None:
    tabs = {
        "People": (
            "Name,E-mail,Slack,Time zone,Weight,Active\n"
            "Dee Novak,Dee@example.com,U0123ABCD,Europe/Prague,0.5,yes\n"
            "Ana Ruiz,ana@example.com,,,,\n"
            "Eve,,@eve,,50%,\n"
        ),
        "Shifts": "Start,End,Person\n2026-11-16,2026-11-20,Dee Novak\n2026-11-21,2026-11-25,Ana R / eve\n",
    }
    read = read_tabs(tabs)
    assert read.problems == ()
    shifts = read.plans["data"].shifts
    assert [shift.people for shift in shifts] == [
        ("dee@example.com",),
        ("ana@example.com", "slack:eve"),
    ]
    dee = read.people.by_key("dee@example.com")
    assert (dee.slack, dee.zone) == ("U0123ABCD", "Europe/Prague")
    assert read.people.by_key("ana@example.com").name == "Ana Ruiz"
    assert read.weights == {"dee@example.com": 0.5, "slack:eve": 0.5}


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("", "2026-12-24T08:00", "2026-12-25T08:00"),  # midnight in Los Angeles
        ("Europe/Madrid", "2026-12-23T23:00", "2026-12-24T23:00"),
    ],
)
def test_a_day_away_is_a_day_where_the_person_is_or_else_where_the_rotation_is(
    zone: str, first: str, last: str
) -> None:
    tabs = {
        "People": f"Name,E-mail,Time zone\nDee,dee@example.com,{zone}\n",
        "Rotations": (
            "Rotation,Role,Order,Start,Time zone\n"
            "data,Primary,dee,2026-11-16,America/Los_Angeles\n"
            "data,Secondary,bo,2026-11-16,America/Los_Angeles\n"
        ),
        "Away": "Person,From\nDee,2026-12-24\n",
    }
    before = datetime.fromisoformat(first) - timedelta(minutes=1)
    after = datetime.fromisoformat(last) - timedelta(minutes=1)
    times = (before.isoformat(), first, after.isoformat(), last)
    assert who(tabs, *times) == "dee bo bo dee"


@pytest.mark.parametrize("written", ["Eve", "eve@example.com", "Eve <eve@example.com>"])
def test_who_is_not_active_any_more_is_nobody_however_they_are_written(written: str) -> None:
    tabs = {
        "People": "Name,E-mail,Active\nEve,eve@example.com,no\nEve Adams,adams@example.com,yes\n",
        "Shifts": f"Start,End,Person\n2026-11-16,2026-11-20,{written}\n",
    }
    read = read_tabs(tabs)
    assert [problem.code for problem in read.problems] == ["E01"]
    assert "(Eve) is marked as not active" in str(read.problems[0]) or written == "Eve"


@pytest.mark.parametrize("unseen", ["\u200b", "\u200e", "\ufeff", "\u00ad"])
def test_letters_that_nobody_sees_are_no_part_of_a_cell(unseen: str) -> None:
    tabs = {
        "People": f"Name,E-mail\nEve Adams,eve@example.com{unseen}\n",
        "Shifts": f"Start,End,Person\n{unseen}2026-11-16,2026-11-20{unseen},{unseen}eve@example.com\n",
    }
    read = read_tabs(tabs)
    assert read.problems == ()
    assert read.plans["data"].shifts[0].people == ("eve@example.com",)


def test_a_namesake_further_down_the_tab_is_not_the_same_person() -> None:
    tabs = {
        "People": "Name,E-mail,Slack\nEve Adams,eve@example.com,\nEve Adams,,U0123EVE2\n",
        "Shifts": "Start,End,Person\n2026-11-16,2026-11-20,Eve Adams\n",
    }
    read = read_tabs(tabs)
    (problem,) = read.problems
    assert problem.address == "People!A3"
    assert problem.text == (
        "somebody of this name stands in row 2 already, so this row is left out. Two people need an "
        "e-mail each; for one person, write the e-mail in both rows."
    )
    assert read.people.by_key("eve@example.com").slack == "", "nobody else is paged for her"


@pytest.mark.parametrize(
    "second", ["Eve Adams,eve@example.com,U0123EVE1", "Eve Adams,,", "Eve A.,Eve@example.com,"]
)
def test_one_person_may_stand_in_two_rows(second: str) -> None:
    tabs = {
        "People": f"Name,E-mail,Slack,Team\nEve Adams,eve@example.com,,Web\n{second},Data\n",
        "Shifts": "Start,End,Person\n2026-11-16,2026-11-20,eve\n",
    }
    read = read_tabs(tabs)
    assert read.problems == ()
    assert read.plans["data"].shifts[0].people == ("eve@example.com",)


def test_two_people_of_one_name_are_not_taken_for_each_other() -> None:
    tabs = {
        "People": "Name,E-mail\nEve Adams,eve@example.com\nEve Adams,adams@example.com\n",
        "Shifts": "Start,End,Person\n2026-11-16,2026-11-20,Eve Adams\n",
    }
    (problem,) = read_tabs(tabs).problems
    assert problem.code == "E02"
    assert "eve@example.com and adams@example.com" in str(problem)


def test_the_sheet_s_clocks_win_over_the_configuration_s(tmp_path: Path) -> None:
    path = tmp_path / "roster"
    write_tabs(path, {"Rotations": TURNS, "Shifts": "Start,End,Person\n2026-11-25,2026-11-25,bo\n"})
    settings = RosterSettings(rotations={"data": RotationSettings("America/New_York")})
    file = RosterFile(FileSource(path), KnownPeople(PEOPLE), settings)
    file.load(NOW)
    assert file.loaded.zones == {"data": "Europe/Berlin"}
    (shift,) = file.loaded.rows
    assert shift.start == datetime(2026, 11, 25, 8, tzinfo=UTC)


def test_the_fallback_and_the_order_of_roles_come_from_the_sheet() -> None:
    tabs = {
        "Rotations": (
            "Rotation,Role,Order,Hand-off,Start,Fallback\n"
            "data,shadow,cy,Mon 09:00,2026-11-02,\n"
            "data,primary,ana,Mon 09:00,2026-11-02,bo\n"
        )
    }
    plan = read_tabs(tabs).plans["data"]
    assert plan.roles == ("shadow", "primary")
    assert plan.fallback == ("bo@example.com",)


def test_titles_above_the_header_and_blank_rows_mean_nothing() -> None:
    tabs = {"Rotations": "The data team\n\n,,\n" + TURNS + "\n\n" + SECOND}
    read = read_tabs(tabs)
    assert read.problems == ()
    assert len(read.plans["data"].layers) == 2


def test_german_tabs_and_headings_are_read() -> None:
    tabs = {
        "Dienstplan": "Woche,Primär\n2026-11-16,ana\n",
        "Urlaub": "Wer,Von,Bis\nana,2026-11-18,2026-11-19\n",
        "Feiertage": "Datum,Feiertag\n2026-12-25,Weihnachten\n",
    }
    read = read_tabs(tabs)
    assert read.problems == ()
    assert [away.person for away in read.plans["data"].away] == ["ana@example.com"]


def test_a_merged_person_counts_for_all_of_its_rows(tmp_path: Path) -> None:
    book = Xlsx()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Shifts"
    for row in (
        ["Week of", "Primary"],
        ["2026-11-16", "ana"],
        ["2026-11-23"],
        ["2026-11-30", "bo"],
    ):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    path = tmp_path / "roster.xlsx"
    book.save(path)
    file = roster_file(path)
    assert file.load(NOW).problems == ()
    assert [row.people for row in file.loaded.rows] == [
        ("ana@example.com",), ("ana@example.com",), ("bo@example.com",)
    ]  # fmt: skip


def test_a_date_and_midnight_are_told_apart_by_their_format(tmp_path: Path) -> None:
    book = Xlsx()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Shifts"
    sheet.append(["Start", "End", "Person"])
    sheet.append([datetime(2026, 11, 16), datetime(2026, 11, 17), "ana"])  # noqa: DTZ001 - a cell
    sheet["A2"].number_format, sheet["B2"].number_format = "yyyy-mm-dd", "dd.mm.yyyy hh:mm"
    path = tmp_path / "roster.xlsx"
    book.save(path)
    file = roster_file(path)
    file.load(NOW)
    (shift,) = file.loaded.rows
    assert (shift.start.hour, shift.end.hour) == (9, 0)


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("kind", ["folder", "xlsx"])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_template_is_read_back_without_a_word(
    tmp_path: Path, layout: Layout, kind: str, count: int
) -> None:
    people = tuple(Person(f"p{n}@x.io", f"P{n} Q", f"p{n}@x.io") for n in range(count))
    tabs = template_tabs(Setting("web", "Europe/Berlin", people=people), layout, NOW)
    path = tmp_path / ("roster.xlsx" if kind == "xlsx" else "roster")
    if kind == "xlsx":
        path.write_bytes(template_xlsx(tabs))
    else:
        write_tabs(path, {title: template_csv(cells).decode() for title, cells in tabs.items()})
    file = roster_file(path)
    assert lines(file.check(NOW)) == []
    assert file.load(NOW).problems == ()
    expected = {0: "ana", 1: "p0", 2: "p0", 5: "p0"}[count]
    assert on_call_at(file, NOW, "web")["primary"] == expected


@pytest.mark.parametrize("hours", range(0, 7 * 24, 5))
def test_a_template_written_at_any_hour_has_somebody_on_call(tmp_path: Path, hours: int) -> None:
    now = NOW + timedelta(hours=hours)
    tabs = template_tabs(Setting("web", "Europe/Berlin"), Layout.GRID, now)
    path = tmp_path / "roster"
    write_tabs(path, {title: template_csv(cells).decode() for title, cells in tabs.items()})
    file = roster_file(path)
    file.load(now)
    assert on_call_at(file, now, "web")["primary"] == "ana"


def test_the_template_offers_people_and_protects_the_status_tab(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    path = tmp_path / "roster.xlsx"
    path.write_bytes(template_xlsx(template_tabs(Setting(), Layout.GRID, NOW)))
    book = load_workbook(path)
    assert book["Status"].protection.sheet
    offered = {
        (sheet.title, str(one.sqref)): one.formula1
        for sheet in book.worksheets
        for one in sheet.data_validations.dataValidation
    }
    assert offered["Shifts", "B2:B200"] == "People!$A$2:$A$200"
    assert offered["Overrides", "K2:K200"] == '"active,cancelled"'
