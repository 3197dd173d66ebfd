"""Slack goes away in ways of its own: sockets cut, answers that never come, answers that are lost."""

import asyncio
import random
import signal

from tests.process.harness import Setup, alert, pause, person, running, set_up, team, until
from tests.process.load import TEAMS, Clicks, Load
from tests.process.promises import count
from tests.process.scenario import Found, Stage
from tests.process.stored import query, settled

HANGS = 7.0
"""Seconds: longer than a request's time-out, and than a lease."""
_AMBIGUOUS = ("drop_after_commit", "timeout_after_commit", "http_503", "http_502", "html")


async def cut_sockets(stage: Stage) -> Found:
    """Cut all Socket Mode connections again and again; what people click still comes in."""
    setup = set_up(stage.folder, stage.database, teams=TEAMS)
    chance = random.Random(stage.seed)
    load = Load(setup.bot.url, chance, rate=8)
    people = [Clicks(setup.slack, person(number), chance) for number in range(0, TEAMS, 3)]
    found = Found()
    async with running(setup):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for one in people:
                group.create_task(one.run())
            for number in range(stage.times):
                await pause(chance.uniform(2.0, 4.0))
                how = ({"drop": True}, {"refresh": True}, {"drop": True, "refuse": 2})[number % 3]
                await setup.slack.control("sockets", **how)
                await until(lambda: _connected(setup), "both connections are back", 60)
                stage.progress(number + 1, stage.times)
            load.sent.stopped = True
            for one in people:
                one.stopped = True
        await until(lambda: _ready(setup), "it is ready again", 60)
        await settled(setup.bot, 120)
        clicked = {incident for one in people for incident in one.acked}
        report = await count(setup.bot, setup.slack, load.sent, clicked=clicked)
    found.figures["cuts"] = f"{stage.times}"
    found.add(report)
    found.expect(not report.doubled_pages, f"doubled pages: {report.doubled_pages}")
    return found


async def hanging_slack(stage: Stage) -> Found:
    """Let Slack hang, and lose answers to what it has taken: all is sent, and nothing twice."""
    setup = set_up(stage.folder, stage.database, teams=TEAMS)
    chance = random.Random(stage.seed)
    load = Load(setup.bot.url, chance, rate=8)
    found, told = Found(), 0
    async with running(setup):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for number in range(stage.times):
                for kind in _AMBIGUOUS:
                    await setup.slack.control(
                        "faults", method="chat.postMessage", kind=kind, times=2
                    )
                await pause(chance.uniform(0.5, 1.5))
                setup.slack.process.signal(signal.SIGSTOP)
                await pause(HANGS)
                told += setup.bot.post(alert(f"hang-{number}", of=team(0))) == 202
                load.sent.accepted[f"hang-{number}"] = f"hang-{number}"
                setup.slack.process.signal(signal.SIGCONT)
                await until(lambda: _ready(setup), "it is ready again", 60)
                stage.progress(number + 1, stage.times)
            load.sent.stopped = True
        await setup.slack.control("faults", clear=True)
        await settled(setup.bot, 240)
        report = await count(setup.bot, setup.slack, load.sent)
        retried = await query(setup.bot, "SELECT count(*) FROM job WHERE attempts > 1")
    found.figures["hangs"] = f"{stage.times}"
    found.figures["effects tried more than once"] = f"{retried[0][0]}"
    found.add(report)
    found.expect(told == stage.times, "it did not take alerts while Slack hung")
    found.expect(retried[0][0] > 0, "no effect was ever tried again")
    found.expect(not report.doubled_pages, f"doubled pages: {report.doubled_pages}")
    return found


async def _connected(setup: Setup) -> bool:
    connections: int = (await setup.slack.control("sockets"))["connections"]
    return connections == 2


async def _ready(setup: Setup) -> bool:
    return (await setup.bot.readiness())[0] == 200
