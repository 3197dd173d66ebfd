"""SIGTERM in the middle of work, again and again: it ends in order, soon, and loses nothing."""

import asyncio
import random
import time
from statistics import median

from tests.process.harness import pause, running, set_up
from tests.process.load import TEAMS, Load
from tests.process.promises import count
from tests.process.scenario import Found, Stage
from tests.process.stored import settled

SOON = 30.0
"""Seconds that a stop may take at most, as the operations page says."""


async def stopping(stage: Stage) -> Found:
    """Stop and start it under load; time each stop."""
    setup = set_up(stage.folder, stage.database, teams=TEAMS)
    chance, found = random.Random(stage.seed), Found()
    load, took = Load(setup.bot.url, chance), list[float]()
    async with running(setup):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for number in range(stage.times):
                await pause(chance.uniform(0.1, 2.0))
                began = time.monotonic()
                status = await setup.bot.process.terminate(2 * SOON)
                took.append(time.monotonic() - began)
                found.expect(status == 0, f"it ended with status {status}")
                await setup.bot.start()
                stage.progress(number + 1, stage.times)
            load.sent.stopped = True
        await settled(setup.bot, 180)
        report = await count(setup.bot, setup.slack, load.sent)
    found.figures["stops"] = f"{median(took):.1f} s, at most {max(took):.1f} s, of {len(took)}"
    found.add(report)
    found.expect(max(took) <= SOON, f"a stop took {max(took):.0f} s")
    found.expect(not report.doubled_pages, f"doubled pages: {report.doubled_pages}")
    return found
