"""The Status tab: what it says, how often, and that it is never read back."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from bot.app.roster.source import status_of
from bot.app.roster.status import RosterStatus
from bot.local_google.google import LocalGoogle
from bot.roster.file_status import StatusFile
from bot.roster.google_client import GoogleSheets
from bot.roster.google_sheet import GoogleSheet
from bot.roster.google_status import MOST_LINES, StatusTab
from bot.roster.roster import Roster, RosterFile
from bot.roster.template import template_xlsx
from rules.people import People, Person
from rules.schedule.roster import Change
from tests.fakes.clock import FakeClock
from tests.fakes.google import BOT, google_in_a_thread, key_file

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PEOPLE = People(Person(key, key.capitalize(), slack=f"U{key}") for key in ("ana", "bo"))
TABS = {
    "Shifts": [
        ["Start", "End", "Primary"],
        ["2026-11-16 09:00", "2026-11-30 09:00", "Ana"],
        ["2026-11-30 09:00", "2026-12-28 09:00", "Bo"],
        ["2026-12-28 09:00", "2026-12-29 09:00", "Zoe"],
    ]
}


class NoChanges:
    async def changes(self, since: datetime) -> Sequence[Change]:
        return ()


@pytest.fixture(scope="module")
def server() -> Iterator[LocalGoogle]:
    with google_in_a_thread() as google:
        yield google


class Bot:
    def __init__(self, google: LocalGoogle, sheets: GoogleSheets, clock: FakeClock) -> None:
        self.google, self.sheets, self.clock = google, sheets, clock
        self.file = RosterFile(GoogleSheet("abc", sheets, clock, jitter=lambda: 0.5), PEOPLE)
        self.file.load(clock.now())
        made = status_of(Roster(self.file), NoChanges(), clock)  # type: ignore[arg-type]
        self.status: RosterStatus = made

    def lines(self) -> list[list[str]]:
        tab = self.google.sheets["abc"].tab("Status")
        rows: dict[int, dict[int, str]] = {}
        for (row, column), cell in tab.cells.items():
            rows.setdefault(row, {})[column] = str(cell.value)
        return [[rows[r].get(c, "") for c in range(max(rows[r]) + 1)] for r in sorted(rows)]


@pytest.fixture
def bot(server: LocalGoogle, tmp_path: Path) -> Iterator[Bot]:
    server._reads.clear()
    server.add_spreadsheet("abc", TABS, shared={BOT: "writer"})
    sheets = GoogleSheets(key_file(server, tmp_path), api_url=f"{server.url}/", timeout=1)
    yield Bot(server, sheets, FakeClock(NOON))
    sheets.close()
    server.faults.clear()


async def test_it_is_made_protected_and_says_how_the_sheet_is_read(bot: Bot) -> None:
    assert await bot.status.tick()
    tab = bot.google.sheets["abc"].tab("Status")
    (protected,) = tab.protected.values()
    assert protected["editors"] == {"users": [BOT]}
    said = bot.lines()
    assert said[1] == ["Last read", "2026-11-23 12:00:00 UTC"]
    assert said[2] == ["Version", bot.file.loaded.version]
    problem = next(line for line in said if line[0] == "error")
    assert problem[1].startswith("Shifts!C4: nobody")
    assert problem[2].endswith(f"#gid={bot.google.sheets['abc'].tab('Shifts').id}&range=C4")
    (on_call,) = [line for line in said if line[0] == "default: primary"]
    assert on_call == ["default: primary", "Ana", "Bo from Mon 2026-11-30 09:00"]
    assert said.index(on_call) < said.index(problem), "problems may be too many for the tab"


async def test_what_a_tab_has_no_room_for_is_counted(bot: Bot) -> None:
    tab = StatusTab("abc", bot.sheets)
    tab.write([["Watchbill"], *([f"r{n}: primary", "Ana"] for n in range(MOST_LINES + 20))])
    said = bot.lines()
    assert said[1] == ["r0: primary", "Ana"]
    assert said[MOST_LINES - 1][0] == "and 22 more lines"
    tab.write([["Watchbill"], *([f"r{n}: primary", "Ana"] for n in range(MOST_LINES - 1))])
    assert bot.lines()[MOST_LINES - 1] == ["r58: primary", "Ana"]


async def test_a_tab_that_somebody_made_smaller_is_written_as_far_as_it_goes(bot: Bot) -> None:
    assert await bot.status.tick()
    tab = bot.google.sheets["abc"].tab("Status")
    tab.delete_rows(5, MOST_LINES)
    tab.column_count = 3
    bot.clock.advance(minutes=11)
    assert await bot.status.tick()
    assert bot.lines()[-1][0] == "and 5 more lines"


async def test_at_most_one_write_a_minute_and_none_without_news(bot: Bot) -> None:
    assert await bot.status.tick()
    bot.google.type_in("abc", "Shifts!C2", [["Bo"]])
    bot.clock.advance(seconds=20)
    bot.file.poll(bot.clock.now())
    bot.file.poll(bot.clock.now())
    assert not await bot.status.tick()
    bot.clock.advance(seconds=40)
    assert await bot.status.tick()
    assert "Bo" in [line[1] for line in bot.lines() if line[0] == "default: primary"]
    bot.clock.advance(minutes=5)
    assert not await bot.status.tick()
    bot.clock.advance(minutes=5)
    assert await bot.status.tick(), "the time of the last read is told again"


async def test_what_it_says_is_worked_out_once_a_minute_also_without_news(bot: Bot) -> None:
    """A look ahead of many rotations holds up pages: every two seconds is too often."""
    asked: list[datetime] = []

    class Counting(NoChanges):
        async def changes(self, since: datetime) -> Sequence[Change]:
            asked.append(since)
            return ()

    status = status_of(Roster(bot.file), Counting(), bot.clock)  # type: ignore[arg-type] # only asked for changes
    for _ in range(151):
        await status.tick()
        bot.clock.advance(seconds=2)
    assert len(asked) == 6


async def test_what_is_written_there_is_no_new_version(bot: Bot) -> None:
    version = bot.file.loaded.version
    await bot.status.tick()
    bot.clock.advance(minutes=11)
    bot.file.poll(bot.clock.now())
    bot.file.poll(bot.clock.now())
    assert bot.file.loaded.version == version
    assert not [p for p in bot.file.loaded.problems if "not read" in p.text]


async def test_a_tab_of_somebody_else_is_left_alone(bot: Bot) -> None:
    bot.google.sheets["abc"].add_tab("Status", [["Our quarter", "green"]])
    assert not await bot.status.tick()
    assert bot.lines() == [["Our quarter", "green"]]


async def test_a_failure_waits_a_minute(bot: Bot) -> None:
    bot.google.faults.add("http_503", "sheets.spreadsheets.values.batchUpdate")
    assert not await bot.status.tick()
    assert not await bot.status.tick()
    bot.clock.advance(minutes=1)
    assert await bot.status.tick()


class Beside:
    """A roster in a file of a folder, and the status beside it."""

    def __init__(self, roster: Path) -> None:
        self.clock = FakeClock(NOON)
        self.file = RosterFile(roster, PEOPLE)
        self.file.load(self.clock.now())
        self.status = status_of(Roster(self.file), NoChanges(), self.clock)  # type: ignore[arg-type] # only asked for changes
        self.path = roster.parent / "roster.status.csv"

    def lines(self) -> list[list[str]]:
        with self.path.open(newline="") as file:
            return list(csv.reader(file))


@pytest.fixture(params=["roster.csv", "roster.xlsx", "roster"])
def beside(request: pytest.FixtureRequest, tmp_path: Path) -> Beside:
    path = tmp_path / request.param
    rows = [["Start", "End", "Primary"], ["2026-11-16 09:00", "2026-11-30 09:00", "Ana"],
            ["2026-11-30 09:00", "2026-12-28 09:00", "Bo"],
            ["2026-12-28 09:00", "2026-12-29 09:00", "=HYPERLINK(1)"]]  # fmt: skip
    if path.suffix == ".xlsx":
        path.write_bytes(template_xlsx({"Shifts": rows}))
    else:
        tab = path if path.suffix else path / "Shifts.csv"
        tab.parent.mkdir(exist_ok=True)
        tab.write_text("".join(",".join(row) + "\n" for row in rows))
    return Beside(path)


async def test_a_file_has_its_status_beside_it_and_stays_as_it_is(beside: Beside) -> None:
    version, look = beside.file.loaded.version, beside.file.source.look()
    assert await beside.status.tick()
    said = beside.lines()
    assert said[1] == ["Last read", "2026-11-23 12:00:00 UTC"]
    assert said[2] == ["Version", version]
    assert any(line[:1] == ["error"] and "HYPERLINK" in line[1] for line in said)
    assert ["default: primary", "Ana", "Bo from Mon 2026-11-30 09:00"] in said
    assert beside.file.source.look() == look
    assert not [cell for line in said for cell in line if cell.startswith(("=", "+", "-", "@"))]


async def test_a_file_of_somebody_else_of_that_name_is_left_alone(beside: Beside) -> None:
    beside.path.write_text("our quarter,green\n")
    assert not await beside.status.tick()
    assert beside.path.read_text() == "our quarter,green\n"


async def test_a_folder_that_cannot_be_written_to_is_tried_again(
    beside: Beside, capfd: pytest.CaptureFixture[str]
) -> None:
    beside.path.mkdir()
    assert not await beside.status.tick()
    beside.clock.advance(minutes=1)
    assert not await beside.status.tick()
    assert capfd.readouterr().out.count("status not written") == 1
    beside.path.rmdir()
    beside.clock.advance(minutes=1)
    assert await beside.status.tick()


def test_names_that_look_like_formulas_stay_text(tmp_path: Path) -> None:
    text = '=HYPERLINK("http://evil","x")'
    book = openpyxl.load_workbook(BytesIO(template_xlsx({"Shifts": [["Person"], [text]]})))
    assert book["Shifts"]["A2"].data_type == "s"
    out = tmp_path / "a.status.csv"
    StatusFile(tmp_path / "a.csv").write([["Watchbill"], [text, "\uff1d1+1", "plain"]])
    with out.open(newline="") as file:
        assert list(csv.reader(file))[1] == [f"'{text}", "'\uff1d1+1", "plain"]
