"""Overrides that people write into the roster, beside those that they make in Slack."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.roster.roster import Roster, RosterFile
from bot.roster.table import Severity
from rules.schedule.roster import Override
from tests.bot.roster.books import NOW, roster_file, write_tabs

SHIFTS = "Start,End,Person\n2026-11-16 09:00,2026-12-14 09:00,ana\n"
HEADER = "Id,Start,End,Person,Created\n"
ROW = ",2026-11-23 09:00,2026-11-30 09:00,bo,\n"
NAMED = "x1" + ROW
WITHIN = NOW.replace(month=11, day=25, hour=12)
DAY = timedelta(days=1)


def primary(file: RosterFile, stored: list[Override], now: datetime) -> str:
    people = Roster(file, rows_merged=True).on_call(stored, now).at("data", "primary", WITHIN)
    return " ".join(key.split("@")[0] for key in people)


def in_slack(person: str, made: datetime) -> Override:
    return Override(
        id="o1",
        rotation="data",
        role="primary",
        person=f"{person}@example.com",
        starts_at=WITHIN - DAY,
        ends_at=WITHIN + DAY,
        by="lead@example.com",
        created_at=made,
    )


@pytest.mark.parametrize("row", [ROW, NAMED])
def test_a_row_without_a_date_counts_as_made_when_it_was_first_read(
    tmp_path: Path, row: str
) -> None:
    write_tabs(tmp_path / "roster", {"Shifts": SHIFTS, "Overrides": HEADER + row})
    file = roster_file(tmp_path / "roster")
    file.load(NOW)
    later = NOW + timedelta(hours=1)
    assert primary(file, [], later) == "bo"
    assert primary(file, [in_slack("cy", later)], later) == "cy", "the latest is on top"
    assert primary(file, [in_slack("cy", NOW - DAY)], later) == "bo"


def test_the_time_of_the_first_reading_is_kept(tmp_path: Path) -> None:
    write_tabs(tmp_path / "roster", {"Shifts": SHIFTS, "Overrides": HEADER + ROW})
    file = roster_file(tmp_path / "roster")
    version = file.load(NOW).rows_version
    for now in (NOW + DAY, WITHIN, WITHIN + 30 * DAY):
        again = RosterFile(file.source, file.people, file.settings)
        again.restore(file.good, ())
        assert again.load(now).rows_version == file.load(now).rows_version == version
    assert primary(file, [in_slack("cy", NOW + DAY)], WITHIN) == "cy"


@pytest.mark.parametrize(
    ("by", "made", "code", "where"),
    [
        ("the boss", "", "E01", "E2"),
        ("Sam", "", "E02", "E2"),
        ("", "yesterday", "", "F2"),
        ("Eve", "2026-11-17", "E01", "E2"),
    ],
)
def test_who_made_a_row_and_when_does_not_decide_whether_it_counts(
    tmp_path: Path, by: str, made: str, code: str, where: str
) -> None:
    tabs = {
        "Shifts": SHIFTS,
        "People": "Name,E-mail,Active\nEve,eve@example.com,no\n",
        "Overrides": "Id,Start,End,Person,By,Created\n"
        f"x1,2026-11-23 09:00,2026-11-30 09:00,bo,{by},{made}\n"
        f"x2,2026-11-09 09:00,2026-11-10 09:00,bo,{by},{made}\n",
    }
    write_tabs(tmp_path / "roster", tabs)
    file = roster_file(tmp_path / "roster")
    loaded = file.load(NOW)
    assert primary(file, [], NOW) == "bo"
    assert file.seen.rows is not None
    assert {"x1", "x2"} <= file.seen.rows.keys()
    (problem,) = loaded.problems  # nobody needs to repair what is over
    assert (problem.severity, problem.code) == (Severity.WARNING, code)
    assert problem.address == f"Overrides!{where}"
    assert problem.text.endswith("The row counts all the same.")


def test_a_row_that_was_pasted_twice_is_no_fault(tmp_path: Path) -> None:
    write_tabs(tmp_path / "roster", {"Shifts": SHIFTS, "Overrides": HEADER + ROW + ROW})
    file = roster_file(tmp_path / "roster")
    assert file.load(NOW).problems == ()
    assert primary(file, [], NOW) == "bo"
    write_tabs(tmp_path / "roster", {"Overrides": HEADER + NAMED + NAMED.replace("bo", "cy")})
    (problem,) = file.load(NOW).problems
    assert "the id x1 stands in two rows" in problem.text


def test_a_row_that_says_when_it_was_made_is_believed(tmp_path: Path) -> None:
    row = ",2026-11-23 09:00,2026-11-30 09:00,bo,{made}\n"
    first, later = (row.format(made=made) for made in ("2026-11-10", "2026-11-17"))
    file = roster_file(tmp_path / "roster")
    made = NOW.replace(day=14)
    for text, expected in ((first, "cy"), (later, "bo")):
        write_tabs(tmp_path / "roster", {"Shifts": SHIFTS, "Overrides": HEADER + text})
        file.load(NOW)
        assert primary(file, [in_slack("cy", made)], NOW) == expected
