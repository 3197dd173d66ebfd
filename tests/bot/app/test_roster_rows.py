"""Overrides of Slack and rows of the roster, kept the same: real files, both databases."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app.roster.given_up import RowsGivenUp
from bot.app.roster.row_jobs import RowDeliverer
from bot.app.roster.rows import RosterRows, conflicts_of
from bot.app.roster.source import row_writer
from bot.outbox import Outbox, OutboxSettings
from bot.ports.delivering import Outcome
from bot.ports.jobs import Job
from bot.ports.store import Transaction
from bot.roster.google_faults import SheetFaultError, later
from bot.roster.roster import Roster, RosterFile
from bot.roster.row_orders import Put, RowOrder, RowWriter
from bot.roster.settings import RosterSettings, RotationSettings
from bot.store.opening import OpenedStore
from rules.people import People, Person
from rules.schedule.held import Slot
from rules.schedule.roster import Override, OverrideKind, OverrideState
from rules.schedule.swapping import SwapRequest, SwapState
from tests.fakes.clock import FakeClock
from tests.fakes.deliverer import RecordingDeliverer

MONDAY_10 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 10:00 in Berlin
HOUR = timedelta(hours=1)
PEOPLE = People(
    Person(f"{name}@example.com", name.capitalize(), email=f"{name}@example.com", zone="UTC")
    for name in ("ana", "bo", "cy")
)
ANA, BO, CY = (f"{name}@example.com" for name in ("ana", "bo", "cy"))


class Office:
    """A roster that people edit, and a bot that reads and writes it."""

    def __init__(self, file: RosterFile, store: OpenedStore, clock: FakeClock) -> None:
        self.file, self.store, self.clock = file, store, clock
        self.told = RecordingDeliverer(clock)
        self.start(row_writer(file))

    def start(self, writer: RowWriter) -> None:
        self.roster = Roster(self.file, rows_merged=True)
        self.rows = RosterRows(self.roster, self.store.store, self.store.roster_rows, self.clock)
        self.deliverer = RowDeliverer(
            self.roster, writer, self.store.store, self.clock, editors=lambda: (ANA,)
        )
        self.outbox = Outbox(
            queue=self.store.queue,
            store=self.store.store,
            deliverers={"roster_row": self.deliverer, "tell_person": self.told,
                        "show_cover": self.told},
            clock=self.clock,
            on_finished=self._finished,
            settings=OutboxSettings(random=lambda: 0.5),
        )  # fmt: skip
        self.given_up = RowsGivenUp(
            self.store.reader, self.outbox.retry_dead, self.deliverer, self.clock
        )

    async def _finished(self, tx: Transaction, job: Job, outcome: Outcome, now: datetime) -> None:
        self.deliverer.gave_up(tx, job, outcome, now)

    async def settle(self) -> None:
        """Let a few seconds pass: looks, merges and jobs."""
        for _ in range(4):
            self.clock.advance(seconds=1)
            await self.look()

    async def look(self) -> None:
        await asyncio.to_thread(self.file.poll, self.clock.now())
        await self.rows.tick()
        await self.given_up.tick()
        while await self.outbox.run_due():
            pass

    async def makes(self, **more: object) -> Override:
        now = self.clock.now()
        usual = Override(
            id="aa01", rotation="data", role="primary", person=BO, starts_at=now,
            ends_at=now + 8 * HOUR, by=ANA, created_at=now, why="=HYPERLINK(1)", origin="slack",
        )  # fmt: skip
        made = replace(usual, **more)  # type: ignore[arg-type]
        async with self.store.store.begin() as tx:
            await tx.roster.hold_roster()
            tx.roster.save_override(made)
        return made

    async def ends(self, one: Override) -> None:
        now = self.clock.now()
        ended = replace(one, ends_at=max(one.starts_at, now), state=OverrideState.ENDED,
                        changed_by=ANA, changed_at=now)  # fmt: skip
        async with self.store.store.begin() as tx:
            await tx.roster.hold_roster()
            tx.roster.save_override(ended)

    async def stored(self, its_id: str = "aa01") -> Override:
        found = await self.store.reader.override(its_id)
        assert found is not None
        return found

    async def primary(self, at: datetime | None = None) -> tuple[str, ...]:
        now = self.clock.now()
        changes = await self.store.reader.changes(now - timedelta(days=1))
        return self.roster.on_call(changes, now).at("data", "primary", at or now)

    def messages(self) -> list[str]:
        return [str(one.job.payload["sentence"]) for one in self.told.sent]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "roster"
    path.mkdir()
    (path / "Shifts.csv").write_text(
        "Rotation,Role,Start,End,Person\ndata,primary,2026-11-16 09:00,2026-12-28 09:00,Ana\n"
    )
    (path / "Overrides.csv").write_text("Id;Start;End;Who;Anmerkung\n")
    return path


@pytest.fixture
def office(folder: Path, opened_store: OpenedStore, clock: FakeClock) -> Office:
    return opened(folder, opened_store, clock)


def opened(path: Path, store: OpenedStore, clock: FakeClock) -> Office:
    clock.set(MONDAY_10)
    settings = RosterSettings(default=RotationSettings("Europe/Berlin"), rotation="data")
    file = RosterFile(path, PEOPLE, settings)
    assert not file.load(clock.now()).errors
    return Office(file, store, clock)


def lines(folder: Path) -> list[str]:
    return (folder / "Overrides.csv").read_text().splitlines()


def edit(folder: Path, change: Callable[[str], str]) -> None:
    path = folder / "Overrides.csv"
    path.write_text(change(path.read_text()))


async def test_an_override_becomes_a_row_once(office: Office, folder: Path) -> None:
    await office.makes()
    assert await office.primary() == (BO,)
    for _ in range(3):
        await office.settle()
    header, row = lines(folder)
    assert header == "Id;Start;End;Who;Anmerkung;Rotation;Role;Kind;State"
    assert row == "aa01;2026-11-23 10:00;2026-11-23 18:00;Bo;;data;primary;cover;active"
    assert not office.file.loaded.errors
    assert await office.primary() == (BO,)
    assert office.roster.told == []


async def test_an_editor_changes_its_end_and_deletes_it(office: Office, folder: Path) -> None:
    await office.makes()
    await office.settle()
    edit(folder, lambda text: text.replace("18:00", "12:00"))
    await office.settle()
    assert (await office.stored()).ends_at == MONDAY_10 + 2 * HOUR
    assert await office.primary(MONDAY_10 + 3 * HOUR) == (ANA,)
    assert "changed an override" in office.messages()[-1]
    edit(folder, lambda text: text.splitlines()[0] + "\n")
    await office.settle()
    gone = await office.stored()
    assert gone.state is OverrideState.ENDED
    assert gone.changed_by == "the roster"
    assert await office.primary() == (ANA,)
    assert await office.primary(MONDAY_10) == (BO,), "what has passed stays in history"
    await office.settle()
    assert len(lines(folder)) == 1, "what an editor deleted is not written again"


async def test_undo_in_slack_edits_the_state(office: Office, folder: Path) -> None:
    made = await office.makes()
    await office.settle()
    await office.ends(made)
    await office.settle()
    assert (
        lines(folder)[1]
        == "aa01;2026-11-23 10:00;2026-11-23 18:00;Bo;;data;primary;cover;cancelled"
    )
    assert await office.primary() == (ANA,)


async def test_a_restart_does_not_bring_back_what_was_ended_and_not_yet_written(
    office: Office,
) -> None:
    """Overdue steps run at once after a start, before the rows have been looked at."""
    made = await office.makes()
    await office.settle()
    await office.ends(made)
    assert await office.primary() == (ANA,)
    office.start(row_writer(office.file))
    assert await office.primary() == (ANA,)


async def test_both_sides_change_and_both_people_are_told(office: Office, folder: Path) -> None:
    made = await office.makes(starts_at=MONDAY_10 + HOUR)
    await office.settle()
    moved = replace(made, ends_at=MONDAY_10 + 5 * HOUR)
    async with office.store.store.begin() as tx:
        await tx.roster.hold_roster()
        tx.roster.save_override(moved)
    edit(folder, lambda text: text.replace("18:00", "16:00"))
    office.clock.advance(seconds=2)
    office.file.poll(office.clock.now())
    office.file.poll(office.clock.now())
    await office.rows.tick()
    (told,) = office.roster.told or ()
    assert told.code == "E17"
    assert str(told) == (
        "Overrides!D2: aa01 was changed both here (end Mon 2026-11-23 16:00) and in Slack (end Mon"
        " 2026-11-23 15:00). What the row says is kept."
    )
    assert (await office.stored()).ends_at == MONDAY_10 + 6 * HOUR
    await office.settle()
    assert sum("both here" in said for said in office.messages()) == 2


async def test_a_sheet_that_cannot_be_written_changes_nothing_about_who_is_paged(
    office: Office, folder: Path
) -> None:
    class Unreachable:
        tried = 0

        def put(self, order: RowOrder) -> Put:
            self.tried += 1
            raise later("Google answers 503.")

    away = Unreachable()
    office.start(away)
    await office.makes()
    await office.settle()
    assert away.tried
    assert await office.primary() == (BO,)
    office.start(row_writer(office.file))  # and the process was restarted meanwhile
    office.clock.advance(minutes=10)
    await office.settle()
    assert len(lines(folder)) == 2


async def test_rows_that_were_given_up_are_written_once_the_sheet_is_back(
    office: Office, folder: Path
) -> None:
    real = row_writer(office.file)

    class Forbidding:
        def __init__(self) -> None:
            self.tried: list[str] = []
            self.allows = False

        def put(self, order: RowOrder) -> Put:
            self.tried.append(order.id)
            if self.allows:
                return real.put(order)
            raise SheetFaultError("the service account may not write to the sheet.")

    writer = Forbidding()
    office.start(writer)
    for number in range(3):
        await office.makes(id=f"aa0{number}", kind=OverrideKind.ADD, person=(ANA, BO, CY)[number])
    await office.settle()
    await office.settle()
    assert await office.given_up.standing() == (
        "3 overrides are in force without a row, tried again every ten minutes: the service"
        " account may not write to the sheet."
    )
    office.clock.advance(hours=1)
    tried = len(writer.tried)
    await office.settle()
    assert len(writer.tried) == tried + 1, "one is enough to know"
    writer.allows = True
    office.clock.advance(minutes=10)
    await office.settle()
    await office.settle()
    assert sorted(line.split(";")[0] for line in lines(folder)[1:]) == ["aa00", "aa01", "aa02"]
    assert await office.given_up.standing() == ""
    assert sum("could not be written" in said for said in office.messages()) == 1


async def test_two_replicas_write_each_row_once(
    folder: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    one, other = opened(folder, opened_store, clock), opened(folder, opened_store, clock)
    for number in range(6):
        asker = (one, other)[number % 2]
        await asker.makes(id=f"aa0{number}", starts_at=clock.now() + number * HOUR,
                          ends_at=clock.now() + (number + 1) * HOUR)  # fmt: skip
    for _ in range(12):
        clock.advance(seconds=1)
        await asyncio.gather(one.look(), other.look())
    ids = [line.split(";")[0] for line in lines(folder)[1:]]
    assert sorted(ids) == [f"aa0{number}" for number in range(6)]
    for replica in (one, other):
        assert await replica.primary() == (BO,)
        assert not replica.file.loaded.errors
    await one.ends(await one.stored("aa03"))
    for _ in range(6):
        clock.advance(seconds=1)
        await asyncio.gather(one.look(), other.look())
    assert len(lines(folder)) == 7
    assert sum("cancelled" in line for line in lines(folder)) == 1


async def test_killed_between_append_and_commit_leaves_one_row(
    office: Office, folder: Path
) -> None:
    real = row_writer(office.file)

    class Dying:
        def put(self, order: RowOrder) -> Put:
            real.put(order)
            raise later("the process dies here")

    office.start(Dying())
    await office.makes()
    await office.settle()
    office.start(real)
    office.clock.advance(minutes=10)
    await office.settle()
    assert len(lines(folder)) == 2
    assert await office.primary() == (BO,)


async def test_a_swap_becomes_two_rows_and_an_editor_may_end_one(
    office: Office, folder: Path
) -> None:
    slot = Slot(rotation="data", role="primary", starts_at=MONDAY_10 + 24 * HOUR,
                ends_at=MONDAY_10 + 48 * HOUR)  # fmt: skip
    other = replace(slot, starts_at=MONDAY_10 + 72 * HOUR, ends_at=MONDAY_10 + 96 * HOUR)
    swap = SwapRequest(
        id="bb02", asker=ANA, other=CY, mine=slot, theirs=other, asked_at=MONDAY_10,
        state=SwapState.APPLIED, approved_at=MONDAY_10,
    )  # fmt: skip
    async with office.store.store.begin() as tx:
        await tx.roster.hold_roster()
        tx.roster.save_swap(swap)
    await office.settle()
    assert [line.split(";")[0] for line in lines(folder)] == ["Id", "bb02-1", "bb02-2"]
    assert await office.primary(slot.starts_at) == (CY,)
    edit(folder, lambda text: "\n".join(text.splitlines()[:1] + text.splitlines()[2:]) + "\n")
    await office.settle()
    assert await office.primary(slot.starts_at) == (ANA,)
    undone = replace(swap, state=SwapState.UNDONE, closed_by=CY, closed_at=office.clock.now())
    async with office.store.store.begin() as tx:
        await tx.roster.hold_roster()
        tx.roster.save_swap(undone)
    await office.settle()
    assert "cancelled" in lines(folder)[1]
    assert await office.primary(other.starts_at) == (ANA,)


async def test_one_csv_file_has_no_place_and_it_is_said_once(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("Start,End,Primary\n2026-11-16 09:00,2026-12-28 09:00,Ana\n")
    office = opened(path, opened_store, clock)
    await office.makes()
    await office.makes(id="aa02", kind=OverrideKind.ADD, person=CY)
    before = path.read_bytes()
    await office.settle()
    await office.settle()
    assert path.read_bytes() == before
    assert await office.primary() == (BO, CY)
    assert sum("no place for overrides" in said for said in office.messages()) == 1


async def test_an_older_read_says_nothing_about_a_newer_row(office: Office, folder: Path) -> None:
    await office.makes()
    await office.settle()
    stale = replace(office.file.seen, rows={}, as_of=MONDAY_10, version="older")
    office.file.seen = stale
    await office.rows.tick()
    assert (await office.stored()).state is OverrideState.ACTIVE


async def test_a_row_that_cannot_be_read_keeps_the_override(office: Office, folder: Path) -> None:
    await office.makes()
    await office.settle()
    edit(folder, lambda text: text.replace("18:00", "whenever"))
    await office.settle()
    assert (await office.stored()).state is OverrideState.ACTIVE
    (folder / "Overrides.csv").unlink()
    await office.settle()
    assert (await office.stored()).state is OverrideState.ACTIVE, "a lost tab deletes no rows"


async def test_a_check_at_a_terminal_tells_what_both_changed(office: Office, folder: Path) -> None:
    made = await office.makes(starts_at=MONDAY_10 + HOUR)
    await office.settle()
    async with office.store.store.begin() as tx:
        await tx.roster.hold_roster()
        tx.roster.save_override(replace(made, ends_at=MONDAY_10 + 5 * HOUR))
    edit(folder, lambda text: text.replace("18:00", "16:00"))
    office.clock.advance(seconds=2)
    office.file.poll(office.clock.now())
    office.file.poll(office.clock.now())
    await office.rows.tick()
    kept = await office.store.roster_rows.rows(office.clock.now())
    (problem,) = conflicts_of(kept)
    assert (problem.code, problem.address) == ("E17", "Overrides!D2")
