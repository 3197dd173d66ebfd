"""A day on which Slack and the sheet both say who is on call, told with Google's own client."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.acts.roster import EndOverride, MakeOverride
from bot.app.roster.row_jobs import ROSTER_ROW, RowDeliverer
from bot.app.roster.rows import RosterRows
from bot.app.roster.source import row_writer
from bot.local_google.google import LocalGoogle
from bot.outbox import Outbox, OutboxSettings
from bot.roster.google_client import GoogleSheets
from bot.roster.google_sheet import GoogleSheet
from bot.roster.roster import Roster, RosterFile
from bot.roster.settings import RosterSettings, RotationSettings
from rules.people import People, Person
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.roster import Change, OverrideKind, OverrideState, Schedule
from tests.fakes.google import BOT, google_in_a_thread, key_file
from tests.stories.conftest import Tell
from tests.stories.story import PRIMARY, Story, _EveryKind, page, policy, rulebook

TEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # in Berlin
HOUR = timedelta(hours=1)
PEOPLE = People(Person(key, key.capitalize(), slack=f"U{key}") for key in ("ana", "bo", "cy"))


class OnSheet:
    """The rules of a bot whose roster is a sheet."""

    def __init__(self, book: RuleBook, roster: Roster, story: Story) -> None:
        self.the_book, self.roster, self.story = book, roster, story

    def book(self) -> RuleBook:
        return replace(self.the_book, on_call=self.on_call((), self.story.clock.now()))

    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall:
        return self.roster.on_call(changes, now)

    def schedule(self, changes: Sequence[Change]) -> Schedule:
        return self.roster.schedule(changes, self.story.clock.now())


class Day:
    """The story, the sheet, and a bot that looks at both."""

    def __init__(self, story: Story, google: LocalGoogle, sheets: GoogleSheets) -> None:
        self.story, self.google = story, google
        story.clock.set(TEN)
        sheet = GoogleSheet("abc", sheets, story.clock, jitter=lambda: 0.5)
        settings = RosterSettings(default=RotationSettings("Europe/Berlin"), rotation="data")
        self.file = RosterFile(sheet, PEOPLE, settings)
        assert self.file.load(story.clock.now()).errors == ()
        self.roster = Roster(self.file, rows_merged=True)
        self.begin()

    def begin(self) -> None:
        story = self.story
        store = story.store
        story.rules = OnSheet(story.rules.the_book, self.roster, story)  # type: ignore[assignment]
        story.restart()
        self.rows = RosterRows(self.roster, store.store, store.roster_rows, story.clock)
        writer = row_writer(self.file)
        write = RowDeliverer(self.roster, writer, store.store, story.clock, editors=lambda: ("cy",))
        story.outbox = Outbox(
            queue=store.queue,
            store=store.store,
            deliverers={**_EveryKind(story.slack), ROSTER_ROW: write},
            clock=story.clock,
            on_finished=story.engine.job_finished,
            settings=OutboxSettings(random=lambda: 0.5),
        )

    async def passes(self, **delta: float) -> None:
        """Let time pass; at its end everything has been looked at and written."""
        await self.story.after(**delta)
        for _ in range(3):
            self.story.clock.advance(seconds=11)
            self.file.poll(self.story.clock.now())
            self.file.poll(self.story.clock.now())
            await self.rows.tick()
            await self.story.settle()

    async def pages(self, key: str, who: str) -> None:
        await self.story.fires(key)
        await self.story.after(seconds=3)
        self.story.pages(who)
        await self.story.recovers(key)

    def row(self) -> list[str]:
        tab = self.google.sheets["abc"].tab("Overrides")
        own = [row for (row, column), cell in tab.cells.items() if column == 0 and row > 0]
        assert len(own) <= 1, "one override is one row"
        return [str(tab.cells[own[0], c].value) if (own[0], c) in tab.cells else ""
                for c in range(12)] if own else []  # fmt: skip

    def deletes_the_row(self) -> None:
        self.google.sheets["abc"].tab("Overrides").delete_rows(1, 2)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalGoogle]:
    with google_in_a_thread() as google:
        yield google


@pytest.fixture
def day(server: LocalGoogle, tell: Tell, tmp_path: Path) -> Iterator[Day]:
    server._reads.clear()
    header = ["Id", "Rotation", "Role", "Start", "End", "Person", "Instead of", "Kind", "Why",
              "By", "Created", "State"]  # fmt: skip
    shifts = [["Start", "End", "Primary"], ["2026-11-16 09:00", "2026-12-14 09:00", "Ana"]]
    server.add_spreadsheet("abc", {"Shifts": shifts, "Overrides": [header]}, shared={BOT: "writer"})
    sheets = GoogleSheets(key_file(server, tmp_path), api_url=f"{server.url}/", timeout=1)
    yield Day(tell(rulebook(steps=policy(page(PRIMARY, wait=600)))), server, sheets)
    sheets.close()
    server.faults.clear()


async def takes_over(day: Day) -> None:
    now = day.story.clock.now()
    act = MakeOverride(
        by="ana", person="bo", rotation="data", role="primary", starts_at=now,
        ends_at=TEN + 8 * HOUR, why="dentist",
    )  # fmt: skip
    await day.story.asks(act)


async def test_an_override_goes_to_the_sheet_and_comes_back(day: Day) -> None:
    await takes_over(day)
    await day.pages("at ten", "bo")
    await day.passes(seconds=2)
    assert day.row()[1:9] == ["data", "primary", "2026-11-23 10:00", "2026-11-23 18:00", "Bo", "",
                              "cover", "dentist"]  # fmt: skip
    assert day.row()[9:] == ["Ana", "2026-11-23 10:00", "active"]
    day.google.type_in("abc", "Overrides!E2", [["2026-11-23 20:00"]])
    await day.passes(minutes=1)
    await day.passes(hours=8, minutes=30)
    await day.pages("half past six", "bo")
    day.deletes_the_row()
    await day.passes(minutes=30)
    await day.pages("seven", "ana")
    (over,) = await day.story.store.reader.overrides(TEN)
    assert over.state is OverrideState.ENDED
    changes = await day.story.store.reader.changes(TEN)
    past = day.roster.on_call(changes, day.story.clock.now())
    assert past.at("data", "primary", TEN + 8.5 * HOUR) == ("bo",), "history keeps its answer"
    assert day.row() == []


async def test_who_has_a_shift_back_because_a_row_was_deleted_is_told(day: Day) -> None:
    now = day.story.clock.now()
    act = MakeOverride(
        by="cy", person="bo", rotation="data", role="primary", starts_at=now,
        ends_at=TEN + 8 * HOUR, how=OverrideKind.REPLACE, instead_of="ana",
    )  # fmt: skip
    await day.story.asks(act)
    await day.passes(minutes=1)
    day.deletes_the_row()
    await day.passes(minutes=1)
    await day.pages("at once", "ana")
    ended = [
        job.payload["person"]
        for job in day.story.sent("tell_person")
        if "ended the override" in str(job.payload["sentence"])
    ]
    assert sorted(ended) == ["ana", "bo", "cy"]


async def test_undo_in_slack_cancels_the_row_and_a_restart_changes_nothing(day: Day) -> None:
    await takes_over(day)
    await day.passes(seconds=2)
    day.begin()
    await day.passes(seconds=2)
    (made,) = await day.story.store.reader.overrides(TEN)
    await day.story.asks(EndOverride(by="bo", override_id=made.id))
    await day.pages("at once", "ana")
    await day.passes(seconds=2)
    assert day.row()[11] == "cancelled"
    assert day.row()[4] == "2026-11-23 18:00"
    await day.passes(seconds=2)
    assert (await day.story.store.reader.override(made.id)).state is OverrideState.ENDED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "kind", ["timeout_after_commit", "drop_after_commit", "too_many_429", "http_503"]
)
async def test_bad_days_at_google_change_nothing_about_pages_or_rows(day: Day, kind: str) -> None:
    day.google.faults.add(kind, "sheets.spreadsheets.values.append")  # type: ignore[arg-type]
    await takes_over(day)
    await day.pages("while it cannot be written", "bo")
    await day.passes(seconds=2)
    await day.passes(minutes=5)
    assert day.row()[5] == "Bo"
    await day.pages("afterwards", "bo")


async def test_who_may_only_view_is_told_and_the_override_counts(day: Day) -> None:
    day.google.sheets["abc"].shared = {BOT: "reader"}
    await takes_over(day)
    await day.passes(seconds=2)
    await day.pages("all the same", "bo")
    assert day.row() == []
