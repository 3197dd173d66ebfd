"""Work waits for the first look at files, and not for ever."""

import asyncio
from datetime import datetime

import pytest

from bot.app.aftercare.watch import RunbookWatch
from bot.app.catalogue_watch import CatalogueWatch
from bot.app.file_watch import FIRST_LOOK, FileWatch
from bot.config.runbooks import RunbooksSpec
from tests.bot.app.conftest import Running
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize("what", ["catalogue", "runbooks"])
async def test_nobody_waits_long_for_files_on_a_drive_that_hangs(
    running: Running, clock: FakeClock, what: str
) -> None:
    watch: FileWatch = CatalogueWatch(["never read"], running.app.rules, clock)
    if what == "runbooks":
        watch = RunbookWatch(RunbooksSpec(folders=("never read",)), lambda _read: None, clock)
    began: list[datetime] = []
    start = clock.now()

    async def work() -> None:
        began.append(clock.now())

    async def pass_time() -> None:
        while not began:
            clock.advance(seconds=1)
            await asyncio.to_thread(str)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch.before(work))
        group.create_task(pass_time())
    assert FIRST_LOOK <= began[0] - start <= 2 * FIRST_LOOK
