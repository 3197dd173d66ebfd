"""Two and three replicas behind a balancer: each does its part, and nothing is done twice."""

import asyncio
import random
from pathlib import Path

from tests.process.harness import pause
from tests.process.load import TEAMS, Load
from tests.process.metrics import metric
from tests.process.promises import count
from tests.process.replicas import Replicas, running_replicas
from tests.process.scenario import Found, Stage
from tests.process.stored import settled

LOADED = 4.0
"""Seconds of load for each time that the scenario is told to play."""


async def together(stage: Stage) -> Found:
    """Deliver to any of them, let all of them listen to Slack, and count who did what."""
    if stage.server is None:
        return Found(skipped="one SQLite file has one process")
    found = Found()
    for number in (2, 3):
        folder = stage.folder / f"{number}-replicas"
        folder.mkdir()
        url = await stage.server.another(f"together-{number}")
        await _play(stage, folder, url, number, found)
    return found


async def _play(stage: Stage, folder: Path, url: str, number: int, found: Found) -> None:
    chance = random.Random(stage.seed)
    async with running_replicas(folder, url, number, teams=TEAMS) as replicas:
        load = Load(replicas.balancer.url, chance)
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for turn in range(stage.times):
                await pause(LOADED)
                stage.progress(turn + 1, stage.times)
            load.sent.stopped = True
        await settled(replicas.setup.bot, 180)
        report = await count(replicas.setup.bot, replicas.slack, load.sent)
        found.add(report)
        await _look(replicas, number, found)
    found.expect(not report.doubled_pages, "a page was doubled although nobody died")


async def _look(replicas: Replicas, number: int, found: Found) -> None:
    sockets = (await replicas.slack.control("sockets"))["connections"]
    effects = [await metric(bot, "watchbill_jobs_total") for bot in replicas.bots]
    taken = [await metric(bot, "watchbill_deliveries_total") for bot in replicas.bots]
    ready = [(await bot.readiness())[0] for bot in replicas.bots]
    shown = {"deliveries": taken, "effects": effects, "Socket Mode connections": [sockets]}
    for name, values in shown.items():
        found.figures[f"{name} of {number}"] = ", ".join(f"{value:.0f}" for value in values)
    found.expect(sockets == 2 * number, f"{sockets} Socket Mode connections of {number} replicas")
    found.expect(all(effects), "a replica has carried out nothing")
    found.expect(all(taken), "a replica has taken no delivery")
    found.expect(ready == [200] * number, f"/readyz said {ready}")
