from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.demo.roster import DEMO_PEOPLE, roster_for
from bot.roster.csv_table import read_csv
from bot.roster.parse import parse
from bot.roster.settings import RosterSettings
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.coverage import gaps
from rules.schedule.resolution import resolve_shifts
from tests.bot.roster.sheets import NOW, PEOPLE, read, said, settings, shifts


def test_a_grid_of_weeks_and_roles() -> None:
    parsed = read(
        "Week of,Primary,Secondary\n2026-11-16,Ana Ruiz,bo\n2026-11-23,bo,cy / ana ruiz\n"
    )
    assert shifts(parsed) == [
        ("primary", "11-16 09:00", "11-23 09:00", ("ana",)),
        ("secondary", "11-16 09:00", "11-23 09:00", ("bo",)),
        ("primary", "11-23 09:00", "11-30 09:00", ("bo",)),
        ("secondary", "11-23 09:00", "11-30 09:00", ("cy", "ana")),
    ]
    assert [(row.source, row.where) for row in parsed.rows[:2]] == [
        ("row 2", "B2"),
        ("row 2", "C2"),
    ]


def test_a_week_missing_from_the_grid_is_a_gap() -> None:
    parsed = read("Week of,Primary\n2026-11-16,bo\n2026-11-30,cy\n")
    assert [end for _, _, end, _ in shifts(parsed)] == ["11-23 09:00", "12-07 09:00"]
    (gap,) = gaps(OnCall(resolve_shifts(parsed.rows)), parsed.rows[0].start, parsed.rows[1].end)
    assert (gap.start.day, gap.end.day) == (23, 30)


def test_iso_weeks_begin_on_monday() -> None:
    parsed = read("KW,Primary\n2026-W48,bo\n2026-W49,cy\n")
    assert shifts(parsed) == [
        ("primary", "11-23 09:00", "11-30 09:00", ("bo",)),
        ("primary", "11-30 09:00", "12-07 09:00", ("cy",)),
    ]


def test_an_iso_week_as_an_end_goes_through_its_sunday() -> None:
    parsed = read("Start,End,Who\n2026-W48,2026-W49,bo\n")
    assert shifts(parsed) == [("primary", "11-23 09:00", "12-07 09:00", ("bo",))]


def test_a_date_only_end_goes_through_that_day() -> None:
    sheet = "Start,End,Primary\n2026-10-05,2026-10-11,ana ruiz\n2026-10-12,2026-10-18,bo\n"
    assert shifts(read(sheet, zone="Europe/Berlin")) == [
        ("primary", "10-05 07:00", "10-12 07:00", ("ana",)),
        ("primary", "10-12 07:00", "10-19 07:00", ("bo",)),
    ]


def test_a_date_only_end_on_the_day_of_the_next_start_ends_there() -> None:
    sheet = "Start,End,Primary\n2026-11-16,2026-11-23,bo\n2026-11-23 18:00,2026-11-30,cy\n"
    assert [(start, end) for _, start, end, _ in shifts(read(sheet))] == [
        ("11-16 09:00", "11-23 18:00"),
        ("11-23 18:00", "12-01 09:00"),
    ]


def test_rows_with_roles_times_and_rotations() -> None:
    sheet = (
        "Team;Von;Bis;Wer;Rolle;Bemerkung\n"
        "data;23.11.2026 08.00;23.11.2026 24:00;Bo Chen;;\n"
        "data;23 Nov 2026 8am;17:00;@cy;Sekundär;early\n"
        "web;2026/11/23;2026-11-24T06:00+01:00;<@U1>;shadow;\n"
    )
    parsed = read(sheet)
    assert said(parsed) == []
    assert [row.rotation for row in parsed.rows] == ["data", "data", "web"]
    assert shifts(parsed) == [
        ("primary", "11-23 08:00", "11-24 00:00", ("bo",)),
        ("secondary", "11-23 08:00", "11-23 17:00", ("cy",)),
        ("shadow", "11-23 09:00", "11-24 05:00", ("ana",)),
    ]


def test_without_an_end_a_row_holds_until_the_next_and_the_last_as_long_as_the_one_before() -> None:
    parsed = read("Start,Who\n2026-11-23,bo\n2026-11-25,cy\n2026-11-28,ana ruiz\n")
    assert [(start, end) for _, start, end, _ in shifts(parsed)] == [
        ("11-23 09:00", "11-25 09:00"),
        ("11-25 09:00", "11-28 09:00"),
        ("11-28 09:00", "12-01 09:00"),
    ]


def test_columns_may_name_rotation_and_role_together() -> None:
    parsed = read("Week of,data: Primary,web: Primary on-call\n2026-11-23,bo,cy\n")
    assert [(row.rotation, row.role) for row in parsed.rows] == [
        ("data", "primary"),
        ("web", "primary"),
    ]


def test_a_grid_may_have_a_rotation_column_and_an_on_call_column() -> None:
    parsed = read(
        "Week of,Rotation,On call,Secondary\n2026-11-23,data,bo,cy\n2026-11-23,Data,cy,-\n"
    )
    assert [(row.rotation, row.role) for row in parsed.rows][:2] == [
        ("data", "primary"),
        ("data", "secondary"),
    ]
    assert {row.rotation for row in parsed.rows} == {"data"}


@pytest.mark.parametrize(
    "header",
    ["Start,End,Person", "From,To,Who", "von,bis,Bereitschaft", "Début,Fin,Qui", "Inicio,Hasta,Quién",
     "📅 START:,End date,On call"],
)  # fmt: skip
def test_headers_in_several_languages(header: str) -> None:
    parsed = read(f"{header}\n2026-11-23,2026-11-29,bo\n")
    assert shifts(parsed) == [("primary", "11-23 09:00", "11-30 09:00", ("bo",))]


@pytest.mark.parametrize(
    "written",
    ["2026-11-23", "23.11.2026", "23. 11. 2026", "2026/11/23", "23 Nov 2026", "23. November 2026",
     "23 novembre 2026", "23 de noviembre de 2026", "Nov 23, 2026", "23-Nov-2026", "Mon, 23 Nov 2026",
     "Montag 23.11.2026", "2026-W48", "2026-11-23 09:00", "2026-11-23T09:00:00.000Z", "11/23/2026",
     "23/11/2026", "2026-11-23 10:00 +01:00", "2026-11-23 9am", "2026-11-23 9 Uhr"],
)  # fmt: skip
def test_dates_as_people_write_them(written: str) -> None:
    (only,) = read(f'Start,Who\n"{written}",bo\n').rows
    assert only.start == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_one_clear_slash_date_settles_the_order_of_its_column() -> None:
    parsed = read("Start,Who\n03/12/2026,bo\n24/12/2026,cy\n")
    assert [row.start.date().isoformat() for row in parsed.rows] == ["2026-12-03", "2026-12-24"]
    mixed = read("Start,Who\n03/12/2026,bo\n24/12/2026,cy\n12/31/2026,bo\n")
    assert "can be 3 December or 12 March" in said(mixed)[0]


@pytest.mark.parametrize(
    ("written", "people"),
    [
        ("bo, cy", ("bo", "cy")),
        ("bo/cy + ana ruiz", ("bo", "cy", "ana")),
        ("Bo Chen and Cy Haddad", ("bo", "cy")),
        ("Müller, Ana", ("mu",)),
        ("Ruiz, Bo Chen", None),
        ("bo@example.com,cy@example.com", ("bo", "cy")),
        ("BO@EXAMPLE.COM", ("bo",)),
        ("new+tag@example.com", ("new+tag",)),
        ("<@U1> <@U2>", ("ana", "bo")),
        ("Bo <bo@example.com>", ("bo",)),
        ("bo\nbo", ("bo",)),
        ("ANA MULLER", ("mu",)),
    ],
)
def test_people_as_cells_name_them(written: str, people: tuple[str, ...] | None) -> None:
    parsed = read(f'Start,Who\n2026-11-23,"{written}"\n')
    assert [row[3] for row in shifts(parsed)] == ([people] if people else [])


def test_notes_titles_blank_rows_and_comments_are_no_shifts() -> None:
    sheet = (
        "Our roster,,\n\n# handoff: 10:00\nWeek of,Primary,Notes\n\n2026-11-23,bo,holiday\n"
        "Thanksgiving!,,\n,,only a note\n# until here\n2026-11-30,cy\n"
    )
    parsed = read(sheet)
    assert said(parsed) == []
    assert [(row.start.hour, row.source) for row in parsed.rows] == [(10, "row 6"), (10, "row 10")]


def test_comments_give_zone_and_rotation_but_the_configuration_wins() -> None:
    sheet = "# zone: Europe/Berlin\n# rotation: data\nWeek of,Primary\n2026-11-23,bo\n"
    assert read(sheet).zones == {"data": "Europe/Berlin"}
    own = settings(DATA="Asia/Kolkata")
    parsed = parse(read_csv(sheet.encode()), PEOPLE, own, NOW)
    assert parsed.zones == {"DATA": "Asia/Kolkata"}
    assert parsed.rows[0].start == datetime(2026, 11, 23, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_as_spreadsheets_save_them(delimiter: str, newline: str) -> None:
    lines = ["Week of,Primary,Secondary", '2026-11-23,"bo\ncy",ana ruiz', "2026-11-30,cy"]
    text = newline.join(line.replace(",", delimiter) for line in lines)
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        parsed = read(data)
        assert said(parsed) == []
        assert [(row.where, len(row.people)) for row in parsed.rows] == [
            ("B2", 2), ("C2", 1), ("B3", 1), ("C3", 0),
        ]  # fmt: skip


def test_commas_inside_cells_do_not_fool_the_delimiter() -> None:
    parsed = read("sep=;\nWeek of;Primary\n2026-11-23;bo, cy\n2026-11-30;cy, bo\n")
    assert (parsed.rows[0].where, parsed.rows[0].people) == (
        "B2", ("bo@example.com", "cy@example.com"),
    )  # fmt: skip


def test_windows_text_is_read_with_a_warning() -> None:
    parsed = read("Début,Qui\n2026-11-23,Ana Müller\n".encode("cp1252"))
    assert shifts(parsed) == [("primary", "11-23 09:00", "11-30 09:00", ("mu",))]
    assert said(parsed) == [
        (
            "warning: line 1 is not UTF-8; the file was read as Windows text (cp1252). "
            "Save it as CSV (UTF-8)."
        )
    ]


def test_columns_beyond_z_have_two_letters() -> None:
    blanks = "," * 26
    (problem,) = read(f"Start{blanks},Who\n2026-11-23{blanks},Nobody Known\n").problems
    assert problem.address == "AB2"


@pytest.mark.parametrize(
    ("zone", "weeks", "hours"),
    [
        ("Europe/Berlin", ("2026-10-19", "2026-10-26", "2026-11-02"), [169, 168]),
        ("Europe/Berlin", ("2027-03-22", "2027-03-29", "2027-04-05"), [167, 168]),
        ("America/New_York", ("2026-10-26", "2026-11-02", "2026-11-09"), [169, 168]),
        ("America/New_York", ("2027-03-08", "2027-03-15", "2027-03-22"), [167, 168]),
        ("Australia/Lord_Howe", ("2026-09-28", "2026-10-05", "2026-10-12"), [167.5, 168]),
        ("Australia/Lord_Howe", ("2027-03-29", "2027-04-05", "2027-04-12"), [168.5, 168]),
    ],
)
def test_weeks_follow_the_clock_on_the_wall(
    zone: str, weeks: tuple[str, ...], hours: list[float]
) -> None:
    rows = read("Week of,Primary\n" + "".join(f"{week},bo\n" for week in weeks), zone=zone).rows
    assert [(row.end - row.start) / timedelta(hours=1) for row in rows][:2] == hours
    assert all(a.end == b.start for a, b in pairwise(rows))


def test_boundaries_never_go_backwards_where_clocks_jump() -> None:
    sheet = "Start,End,Who\n2027-03-14 02:30,2027-03-14 03:00,bo\n2027-03-14 03:00,2027-03-15,cy\n"
    parsed = read(sheet, zone="America/New_York")
    assert [row.people for row in parsed.rows] == [("cy@example.com",)]


@pytest.mark.parametrize("day", ["2026-11-22", "2027-03-28", "2031-01-01"])
def test_the_demo_roster_covers_any_day(day: str) -> None:
    now = datetime.fromisoformat(f"{day}T03:00:00+00:00")
    people = People(DEMO_PEOPLE)
    parsed = parse(read_csv(roster_for(now).encode()), people, RosterSettings(), now)
    assert parsed.problems == ()
    on_call = OnCall(resolve_shifts(parsed.rows))
    assert gaps(on_call, now - timedelta(days=20), now + timedelta(days=60)) == []
    assert on_call.at("default", "primary", now) != on_call.at("default", "secondary", now)


def test_the_shipped_demo_file_agrees_with_the_one_written_for_a_day() -> None:
    data = Path("bot/demo/roster.csv").read_bytes()
    shipped = parse(read_csv(data), People(DEMO_PEOPLE), RosterSettings(), NOW)
    assert shipped.problems == ()
    written = parse(read_csv(roster_for(NOW).encode()), People(DEMO_PEOPLE), RosterSettings(), NOW)
    assert OnCall(resolve_shifts(shipped.rows)).at("default", "primary", NOW) == OnCall(
        resolve_shifts(written.rows)
    ).at("default", "primary", NOW)
