"""Runbooks are read again when a file changes, and a checkout in the making unlearns nothing."""

import asyncio
from pathlib import Path

from bot.app.aftercare.watch import RunbookWatch
from bot.config.runbooks import RunbooksSpec
from rules.runbooks.choosing import Runbooks
from tests.bot.app.aftercare.test_in_slack import RUNBOOK
from tests.fakes.clock import FakeClock

PLAIN = RUNBOOK.replace("  - do: Clear the task.\n    action: clear-task\n", "")


async def test_a_change_is_known_and_a_broken_checkout_is_not(tmp_path: Path) -> None:
    known: list[list[str]] = []

    def know(read: Runbooks) -> None:
        known.append([one.title for one in read])

    watch = RunbookWatch(RunbooksSpec(folders=(str(tmp_path),)), know, FakeClock())
    late = tmp_path / "late.md"
    late.write_text(PLAIN)
    assert await watch.look()
    assert not await watch.look()
    late.write_text(PLAIN.replace("Orders is late", "Orders is very late"))
    assert await watch.look()
    late.write_text("no front matter any more")
    assert not await watch.look()
    assert known == [["Orders is late"], ["Orders is very late"]]
    assert watch.runbooks is not None
    assert [one.title for one in watch.runbooks] == ["Orders is very late"]


async def test_what_waits_for_runbooks_begins_once_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "late.md").write_text(PLAIN)
    seen: list[int] = []
    watch = RunbookWatch(RunbooksSpec(folders=(str(tmp_path),)), lambda _read: None, FakeClock())

    async def work() -> None:
        seen.append(len(watch.runbooks or ()))

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(watch.run())
        await watch.before(work)
        reading.cancel()
    assert seen == [1]


async def test_a_folder_that_is_empty_for_a_moment_unlearns_nothing(tmp_path: Path) -> None:
    """`rm -rf` and a copy: between them there is nothing to read, and nothing wrong with it."""
    watch = RunbookWatch(RunbooksSpec(folders=(str(tmp_path),)), lambda _read: None, FakeClock())
    late = tmp_path / "late.md"
    late.write_text(PLAIN)
    assert await watch.look()
    late.unlink()
    assert not await watch.look()
    assert [one.title for one in watch.runbooks or ()] == ["Orders is late"]
    late.write_text(PLAIN.replace("Orders is late", "Orders is later"))
    assert await watch.look()
    assert [one.title for one in watch.runbooks or ()] == ["Orders is later"]
    late.unlink()
    assert not await watch.look()
    assert await watch.look(), "what is still gone half a minute later is gone"
    assert len(watch.runbooks or ()) == 0
