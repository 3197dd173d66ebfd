"""A sheet somebody is editing never leaves nobody on call: any prefix, any garbled cell."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.roster.acceptance import Read, accept
from bot.roster.directory import KnownPeople
from bot.roster.last_good import Good
from bot.roster.roster import Roster, RosterFile
from bot.roster.workbook import Workbook
from rules.schedule.coverage import covers
from rules.schedule.resolution import resolve
from rules.schedule.roster import ALWAYS, LOOK_AHEAD, Override, RotationPlan, Schedule
from tests.bot.roster.books import (
    NOW,
    PEOPLE,
    SETTINGS,
    book,
    errors,
    on_call_at,
    read_tabs,
    rows_of,
    text_of,
)

TABS = {
    "Rotations": (
        "Rotation,Role,Order,Every,Hand-off,Time zone,Start,Until\n"
        'web,Primary,"ana, bo",1 week,Mon 09:00,UTC,2026-11-02,\n'
        "web,Secondary,cy,1 week,Mon 09:00,UTC,2026-11-02,2027-06-30\n"
    ),
    "Shifts": (
        "Rotation,Role,Start,End,Person\n"
        "data,Primary,2026-11-16 09:00,2026-11-23 09:00,ana\n"
        "data,Secondary,2026-11-16 09:00,2026-11-23 09:00,bo\n"
        "data,Primary,2026-11-23 09:00,2026-12-07 09:00,bo\n"
    ),
    "People": "Name,E-mail\nAna Klein,ana@example.com\nDee Novak,dee@example.com\n",
    "Overrides": (
        "Id,Rotation,Role,Start,End,Person\no1,data,Primary,2026-11-18 10:00,2026-11-18 18:00,cy\n"
    ),
    "Away": "Person,From,To\nbo,2026-12-24,2026-12-26\n",
}
GARBAGE = st.sampled_from(
    ["", "-", "x", "#REF!", "2026-11-1", "2027-01-01", "2020-01-01", "99:99", "ana bo", "Sam", "bo",
     "web", "data", "UTC", "CET", "0", "Start", "End", "Rotation", "@", '"', "31.12.2026", "no"]
)  # fmt: skip


class Sheet:
    """A roster that is whatever it was last told to be."""

    name = "sheet"

    def __init__(self, tabs: dict[str, str]) -> None:
        self.tabs = tabs
        self.version = 0

    def become(self, tabs: dict[str, str]) -> None:
        self.tabs, self.version = tabs, self.version + 1

    def look(self) -> object:
        return self.version

    def read(self) -> Workbook:
        made = book(self.tabs)
        return Workbook(made.tabs, f"v{self.version}")


def started(tabs: dict[str, str] | None = None) -> tuple[Sheet, RosterFile]:
    sheet = Sheet(tabs or TABS)
    file = RosterFile(sheet, KnownPeople(PEOPLE), SETTINGS)
    assert errors(file.load(NOW)) == []
    return sheet, file


def manned(file: RosterFile) -> set[tuple[str, str]]:
    """Return which rotations have somebody now, and which at some time of the next 14 days."""
    spans = resolve(Schedule(plans=file.loaded.plans), NOW, NOW + LOOK_AHEAD)
    found = set()
    for rotation in ("data", "web"):
        own = [span for span in spans if span.rotation == rotation]
        found |= {(rotation, "soon")} if covers(own, NOW, NOW + LOOK_AHEAD) else set()
        found |= {(rotation, "now")} if covers(own, NOW, NOW + NOW.resolution) else set()
    return found


ALL = {("data", "now"), ("data", "soon"), ("web", "now"), ("web", "soon")}


@given(st.sampled_from(sorted(TABS)), st.data())
def test_whatever_one_cell_says_somebody_stays_on_call(tab: str, data: st.DataObject) -> None:
    sheet, file = started()
    rows = rows_of(TABS[tab])
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[row]) - 1))
    rows[row][column] = data.draw(st.one_of(GARBAGE, st.text(max_size=8)))
    sheet.become({**TABS, tab: text_of(rows)})
    file.load(NOW)
    assert manned(file) == ALL


@given(st.data())
def test_wherever_an_edit_stops_somebody_stays_on_call(data: st.DataObject) -> None:
    """Rows are deleted, cells emptied and typed anew in any order; every state is read."""
    sheet, file = started()
    tabs = {name: rows_of(text) for name, text in TABS.items()}
    for _ in range(data.draw(st.integers(1, 12))):
        rows = tabs[data.draw(st.sampled_from(sorted(tabs)))]
        if not rows:
            continue
        row = data.draw(st.integers(0, len(rows) - 1))
        match data.draw(st.sampled_from(["empty", "delete", "insert", "type"])):
            case "empty":
                rows[row] = [""] * len(rows[row])
            case "delete":
                del rows[row]
            case "insert":
                rows.insert(row, [""] * len(rows[row]))
            case _ if rows[row]:
                rows[row][data.draw(st.integers(0, len(rows[row]) - 1))] = data.draw(GARBAGE)
        sheet.become({name: text_of(own) for name, own in tabs.items() if any(map(any, own))})
        if sheet.tabs:
            file.load(NOW)
        assert manned(file) == ALL


@pytest.mark.parametrize("tab", sorted(TABS))
def test_every_prefix_of_a_tab_keeps_somebody_on_call(tab: str) -> None:
    sheet, file = started()
    for length in range(1, len(TABS[tab]) + 1):
        text = TABS[tab][:length]
        if text.count('"') % 2 or not text.strip():
            continue  # not a table at all: refused by the reader, which other tests show
        sheet.become({**TABS, tab: text})
        file.load(NOW)
        assert manned(file) == ALL, text


def test_a_bad_cell_keeps_what_stood_there_and_only_there() -> None:
    sheet, file = started()
    shifts = (
        TABS["Shifts"].replace("12-07 09:00,bo", "12-07 09:00,Zed").replace("09:00,bo", "09:00,cy")
    )
    sheet.become({**TABS, "Shifts": shifts})
    loaded = file.load(NOW)
    assert errors(loaded) == [
        (
            'Shifts!E4: nobody is called "Zed". Write their e-mail, or add them to people. '
            "The slot keeps its last good value (Bo Chen)."
        )
    ]
    assert loaded.refused == ()
    week = NOW + timedelta(days=7)
    assert on_call_at(file, NOW) == {"primary": "cy", "secondary": "cy"}
    assert on_call_at(file, week) == {"primary": "bo", "secondary": ""}
    again = file.load(NOW + timedelta(hours=1))
    assert again.rows_version == loaded.rows_version


def test_a_bad_cell_where_nobody_was_stays_empty() -> None:
    sheet, file = started()
    new = "data,Shadow,2026-11-16,2026-11-20,Sam\n"
    sheet.become({**TABS, "Shifts": TABS["Shifts"] + new})
    (error,) = errors(file.load(NOW))
    assert error == (
        'Shifts!E5: "Sam" fits Sam Ito and Sam Rey. Write the e-mail or @handle. '
        "It has no earlier value."
    )


def test_an_override_whose_row_breaks_stays_as_it_was() -> None:
    sheet, file = started()
    assert on_call_at(file, NOW)["primary"] == "cy"
    sheet.become({**TABS, "Overrides": TABS["Overrides"].replace("18:00,cy", "18:00,Zed")})
    (error,) = errors(file.load(NOW))
    assert error.startswith('Overrides!F2: nobody is called "Zed".')
    assert on_call_at(file, NOW)["primary"] == "cy"


WITHOUT_IDS = {
    **TABS,
    "Overrides": "Rotation,Role,Start,End,Person\ndata,Primary,2026-11-18 10:00,2026-11-18 18:00,cy\n",
    "Away": "Person,From,To\nana,2026-11-19,2026-11-20\n",
}


@pytest.mark.parametrize("typed", ["2026-11-31", "18", "x", "#REF!"])
def test_an_override_without_an_id_stays_while_its_end_is_typed_wrong(typed: str) -> None:
    """Who was relieved for the day must not be paged for somebody else's slip of the hand."""
    sheet, file = started(WITHOUT_IDS)
    assert on_call_at(file, NOW)["primary"] == "cy"
    broken = WITHOUT_IDS["Overrides"].replace("2026-11-18 18:00", typed)
    for _ in range(2):
        sheet.become({**WITHOUT_IDS, "Overrides": broken})
        (error,) = errors(file.load(NOW))
        assert error.startswith("Overrides!D2: ")
        assert error.endswith("The row keeps its last good value.")
        assert on_call_at(file, NOW)["primary"] == "cy"
    mended = WITHOUT_IDS["Overrides"].replace("18:00", "11:00")
    sheet.become({**WITHOUT_IDS, "Overrides": mended})
    assert errors(file.load(NOW)) == []
    assert on_call_at(file, NOW)["primary"] == "ana"


def test_who_is_away_stays_away_while_the_row_is_typed_wrong() -> None:
    sheet, file = started(WITHOUT_IDS)
    away = datetime(2026, 11, 19, 12, tzinfo=UTC)
    assert on_call_at(file, away)["primary"] == "bo", "the secondary moves up"
    sheet.become({**WITHOUT_IDS, "Away": WITHOUT_IDS["Away"].replace("11-20", "11-31")})
    (error,) = errors(file.load(NOW))
    assert error.endswith("The row keeps its last good value.")
    assert on_call_at(file, away)["primary"] == "bo"
    sheet.become({**WITHOUT_IDS, "Away": "Person,From,To\n"})
    assert errors(file.load(NOW)) == []
    assert on_call_at(file, away)["primary"] == "ana"


def test_a_new_row_that_cannot_be_read_is_left_out_alone() -> None:
    sheet, file = started(WITHOUT_IDS)
    new = "data,Secondary,2026-11-18 10:00,2026-11-18 18:00,Zed\n"
    sheet.become({**WITHOUT_IDS, "Overrides": WITHOUT_IDS["Overrides"] + new})
    (error,) = errors(file.load(NOW))
    assert error.endswith("The row is left out.")
    assert on_call_at(file, NOW) == {"primary": "cy", "secondary": "bo"}


def test_an_override_that_is_deleted_ends_now_and_was_in_force_before() -> None:
    sheet, file = started()
    later = NOW + timedelta(hours=2)
    sheet.become({**TABS, "Overrides": "Id,Rotation,Role,Start,End,Person\n"})
    assert errors(file.load(later)) == []
    assert on_call_at(file, later)["primary"] == "ana"
    assert on_call_at(file, later - timedelta(minutes=1))["primary"] == "cy"


def test_a_version_that_ends_all_cover_is_held_until_it_is_confirmed() -> None:
    sheet, file = started()
    sheet.become({**TABS, "Shifts": TABS["Shifts"].splitlines()[0] + "\n"})
    held = file.load(NOW)
    assert held.held == held.refused == ("data",)
    (problem,) = (one for one in held.errors if one.code)
    assert (problem.code, str(problem)) == (
        "E15",
        (
            "sheet: the new version would leave data without anybody for the next 14 days, which the "
            "version of 2026-11-18 12:00 UTC covers. Held; confirm it or fix the file."
        ),
    )
    assert on_call_at(file, NOW)["primary"] == "cy"
    assert file.confirm(NOW).held == ()
    assert on_call_at(file, NOW)["primary"] == ""
    assert on_call_at(file, NOW, "web")["primary"] == "ana"


def test_a_version_that_leaves_nobody_now_is_held_too() -> None:
    sheet, file = started()
    rows = [row for row in TABS["Shifts"].splitlines() if "11-16 09:00" not in row]
    sheet.become({**TABS, "Shifts": "\n".join(rows), "Overrides": "Start,End,Person\n"})
    (problem,) = file.load(NOW).errors
    assert "without anybody from now until Mon 2026-11-23 09:00" in str(problem)
    assert on_call_at(file, NOW)["primary"] == "cy"


def stored(ends: datetime, starts: datetime = NOW - timedelta(hours=2)) -> Override:
    return Override(
        id="o1",
        rotation="data",
        role="primary",
        person="cy@example.com",
        starts_at=starts,
        ends_at=ends,
        by="bo@example.com",
        created_at=starts,
    )


def test_the_running_override_of_slack_wins_and_both_are_told() -> None:
    _, file = started()
    roster = Roster(file)
    until = datetime(2026, 11, 18, 20, tzinfo=UTC)
    ours = stored(until)
    (told,) = roster.conflicts([ours], NOW)
    assert (told.code, str(told)) == (
        "E17",
        (
            "Overrides!F2: o1 was changed both here (end Wed 2026-11-18 18:00) and in Slack (end Wed "
            "2026-11-18 20:00). The one of Slack is running and lasts; write its values here, or "
            "another row."
        ),
    )
    answer = roster.on_call([ours], NOW)
    span = answer.span_at("data", "primary", NOW)
    assert span is not None
    assert span.end == until


def test_before_it_runs_the_sheet_s_override_wins() -> None:
    _, file = started()
    roster = Roster(file)
    early = NOW - timedelta(hours=5)
    ours = stored(datetime(2026, 11, 18, 20, tzinfo=UTC), datetime(2026, 11, 18, 10, tzinfo=UTC))
    (told,) = roster.conflicts([ours], early)
    assert str(told).endswith("What is written here counts.")
    span = roster.on_call([ours], early).span_at("data", "primary", NOW)
    assert span is not None
    assert span.end == datetime(2026, 11, 18, 18, tzinfo=UTC)


def test_the_same_override_on_both_sides_is_no_conflict() -> None:
    _, file = started()
    same = stored(datetime(2026, 11, 18, 18, tzinfo=UTC), datetime(2026, 11, 18, 10, tzinfo=UTC))
    assert Roster(file).conflicts([same], NOW) == []


def test_a_rotation_that_leaves_the_roster_answers_for_its_time() -> None:
    before = RotationPlan(name="old", shifts=())
    read = Read("sheet", "v2", read_tabs(TABS))
    verdict = accept(read, {"old": Good("v1", NOW, before)}, NOW)
    assert verdict.held == ()
    assert {plan.name for plan in verdict.plans()} == {"data", "web", "old"}
    assert all(plan.valid_from == ALWAYS for plan in verdict.plans())
