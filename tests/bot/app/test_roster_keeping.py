"""Versions of the roster over restarts and replicas: one accepted version, and a past that stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app.roster.keeping import RosterKeeper
from bot.ports.inbox import NotStoredError
from bot.roster.acceptance import Loaded
from bot.roster.directory import KnownPeople
from bot.roster.files import FileSource
from bot.roster.roster import Roster, RosterFile
from bot.roster.settings import RosterSettings
from bot.store.opening import OpenedStore
from tests.bot.roster.sheets import PEOPLE
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
HEADER = "Week of,Primary\n"
GOOD = HEADER + "2026-11-16,ana ruiz\n2026-11-23,bo\n2026-11-30,cy\n"
OTHER = HEADER + "2026-11-16,bo\n2026-11-23,cy\n2026-11-30,ana ruiz\n"
LATE = HEADER + "2026-12-07,bo\n"
BROKEN = HEADER + "2026-11-16,bo\n2026-11-32,cy\n"
HOUR = timedelta(hours=1)


class Replica:
    """One process with its own copy of the file."""

    def __init__(self, path: Path, store: OpenedStore, clock: FakeClock) -> None:
        self.path = path
        self.clock = clock
        self.file = RosterFile(FileSource(path), KnownPeople(PEOPLE), RosterSettings())
        self.keeper = RosterKeeper(self.file, store.roster_versions, clock, shared=store.shared)

    def write(self, text: str) -> None:
        temporary = self.path.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(self.path)

    async def look(self) -> None:
        for _ in range(2):
            self.file.poll(self.clock.now())
        await self.keeper.follow()

    def primary(self, at: datetime) -> str:
        people = Roster(self.file).on_call((), at).at("default", "primary", at)
        return " ".join(key.split("@")[0] for key in people)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


async def started(path: Path, text: str, store: OpenedStore, clock: FakeClock) -> Replica:
    path.write_text(text)
    replica = Replica(path, store, clock)
    await replica.keeper.begin()
    return replica


async def test_the_last_good_version_outlives_a_restart_without_any_file(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    again = await started(tmp_path / "b.csv", BROKEN, opened_store, clock)
    assert again.primary(NOW) == "ana"
    assert again.file.loaded.refused == ("default",)


async def test_the_past_is_answered_by_the_version_then_in_force(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    replica = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    clock.advance(hours=1)
    replica.write(OTHER)
    await replica.look()
    clock.advance(hours=1)
    later = await started(tmp_path / "a.csv", OTHER, opened_store, clock)
    for one in (replica, later):
        assert (one.primary(NOW), one.primary(NOW + HOUR)) == ("ana", "bo")


async def test_every_replica_uses_the_one_accepted_version(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    second = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    clock.advance(hours=1)
    first.write(OTHER)
    await first.look()
    assert await second.keeper.follow()
    assert second.primary(clock.now()) == "bo"
    assert not await second.keeper.follow()


async def test_a_replica_that_starts_with_a_superseded_copy_changes_nothing(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    clock.advance(hours=1)
    first.write(OTHER)
    await first.look()
    clock.advance(hours=1)
    stale = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    await first.keeper.follow()
    if opened_store.shared:
        assert stale.primary(clock.now()) == first.primary(clock.now()) == "bo"
        assert stale.file.loaded.refused == ("default",)
    else:  # alone on its database, a bot believes its file
        assert stale.primary(clock.now()) == first.primary(clock.now()) == "ana"


async def test_a_superseded_copy_stays_refused_as_long_as_it_stays_the_same(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    if not opened_store.shared:
        pytest.skip("alone on its database, a bot believes its file")
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    clock.advance(hours=1)
    first.write(OTHER)
    await first.look()
    clock.advance(hours=1)
    stale = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    for _ in range(3):
        clock.advance(minutes=11)  # what is refused is looked at again now and then
        await stale.look()
    stale.write(GOOD)  # the same copy, put there once more
    await stale.look()
    await first.keeper.follow()
    assert stale.primary(clock.now()) == first.primary(clock.now()) == "bo"
    assert list(stale.file.loaded.refused) == ["default"]
    stale.write(OTHER)
    await stale.look()
    assert list(stale.file.loaded.refused) == []
    stale.write(GOOD)  # an editor takes the last edit back
    await stale.look()
    await first.keeper.follow()
    assert stale.primary(clock.now()) == first.primary(clock.now()) == "ana"


async def test_a_copy_of_long_ago_is_superseded_as_well(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    if not opened_store.shared:
        pytest.skip("alone on its database, a bot believes its file")
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    for text in (OTHER, OTHER + "2026-12-07,bo\n"):
        clock.advance(hours=1)
        first.write(text)
        await first.look()
    clock.advance(hours=24 * 60)
    stale = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    assert list(stale.file.loaded.refused) == ["default"]
    stale.write(GOOD + "# meant\n")
    await stale.look()
    assert list(stale.file.loaded.refused) == []


async def test_a_file_that_cannot_be_read_is_told_as_that_and_not_as_an_old_copy(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    second = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    second.path.unlink()
    await second.look()
    first.write(OTHER)
    await first.look()
    clock.advance(minutes=11)
    await second.look()
    clock.advance(minutes=11)
    await second.look()
    assert "cannot be read" in str(second.file.loaded.errors[0])


async def test_a_copy_that_is_looked_at_again_does_not_undo_what_others_took_meanwhile(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    if not opened_store.shared:
        pytest.skip("alone on its database, a bot believes its file")
    header = "Start,End,Rotation,Person\n"
    web = "2026-11-16,2026-12-13,web,{}\n"
    broken = (
        header + "2026-11-16,2026-12-13,default,ana ruiz\n" + web.format("cy").replace("13", "32")
    )
    mended = header + "2026-11-16,2026-12-13,default,bo\n" + web.format("cy")
    first = await started(tmp_path / "a.csv", broken, opened_store, clock)
    second = await started(tmp_path / "b.csv", broken, opened_store, clock)
    assert list(first.file.loaded.refused) == list(second.file.loaded.refused) == ["web"]
    clock.advance(minutes=5)
    first.write(mended)
    await first.look()
    await second.keeper.follow()
    for _ in range(3):
        clock.advance(minutes=11)  # what is refused is looked at again now and then
        for replica in (second, first):
            await replica.look()
            assert replica.primary(clock.now()) == "bo"
    second.write(mended)
    await second.look()
    assert list(second.file.loaded.refused) == []
    second.write(mended.replace("bo", "cy"))
    await second.look()
    await first.keeper.follow()
    assert first.primary(clock.now()) == "cy"


async def test_a_superseded_version_that_others_take_again_is_no_old_copy(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    clock.advance(hours=1)
    first.write(OTHER)
    await first.look()
    clock.advance(hours=1)
    second = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    first.write(GOOD)
    await first.look()
    for _ in range(2):
        clock.advance(minutes=11)
        await second.look()
    assert second.primary(clock.now()) == "ana"
    assert second.file.loaded.refused == ()


async def test_a_clock_that_is_set_back_keeps_nobody_from_following(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    second = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    await second.keeper.follow(pause=HOUR / 60)
    first.write(OTHER)
    await first.look()
    clock.advance(minutes=-30)
    assert await second.keeper.follow(pause=HOUR / 60)


async def test_a_held_version_is_taken_everywhere_once_it_is_confirmed(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    second = await started(tmp_path / "b.csv", GOOD, opened_store, clock)
    for replica in (first, second):
        replica.write(LATE)
        await replica.look()
        assert replica.file.loaded.held == ("default",)
        assert replica.primary(NOW) == "ana"
    clock.advance(hours=1)
    await first.keeper.confirm(first.file.loaded.version, "bo@example.com")
    for replica in (first, second):
        assert await replica.keeper.follow()
        assert replica.file.loaded.held == ()
        assert replica.primary(clock.now()) == ""
        assert replica.primary(NOW) == "ana"


async def test_what_was_confirmed_is_that_version_and_no_other(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    replica = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    replica.write(LATE)
    await replica.look()
    await replica.keeper.confirm("another", "bo@example.com")
    await replica.keeper.follow()
    assert replica.file.loaded.held == ("default",)


async def test_what_comes_back_from_the_database_is_no_change(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    replica = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    version = replica.file.loaded.rows_version
    assert not await replica.keeper.follow()
    assert replica.file.loaded.rows_version == version


async def test_nothing_is_written_while_nothing_changes(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    replica = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    number = await opened_store.roster_versions.roster_number()
    for _ in range(3):
        clock.advance(hours=1)
        replica.write(GOOD)
        await replica.look()
    assert await opened_store.roster_versions.roster_number() == number


async def test_what_could_not_be_taken_note_of_is_told_again(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    replica = await started(tmp_path / "a.csv", GOOD, opened_store, clock)
    heard: list[str] = []

    async def note(loaded: Loaded) -> None:
        heard.append(loaded.version)
        if len(heard) == 1:
            raise NotStoredError("disk full")

    replica.write(OTHER)
    await replica.keeper.look(note)
    assert not heard, "somebody may still be typing"
    with pytest.raises(NotStoredError):
        await replica.keeper.look(note)
    for _ in range(2):
        await replica.keeper.look(note)
    assert heard == [replica.file.loaded.version] * 2
