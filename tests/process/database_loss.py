"""PostgreSQL goes away: its connections are cut, it crashes and recovers, and it is not there."""

import asyncio
import random

from tests.process.harness import Setup, alert, pause, running, set_up, team, until
from tests.process.load import TEAMS, Load
from tests.process.metrics import metric
from tests.process.postgresql import Server, execute
from tests.process.promises import count
from tests.process.scenario import Found, Stage
from tests.process.stored import settled

AWAY = 3.0
"""Seconds between a crash of the server and its next start."""
_NEEDS = "SQLite has no server that could go away"
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'watchbill' AND pid <> pg_backend_pid()"
)


async def cut_connections(stage: Stage) -> Found:
    """Cut every connection of a working bot, at random instants."""
    if stage.server is None:
        return Found(skipped=_NEEDS)
    return await _under_load(stage, stage.server, crash=False)


async def crashed_server(stage: Stage) -> Found:
    """Crash the server under a working bot; while it is away nothing is accepted, and it says so."""
    if stage.server is None:
        return Found(skipped=_NEEDS)
    return await _under_load(stage, stage.server, crash=True)


async def _under_load(stage: Stage, server: Server, *, crash: bool) -> Found:
    setup = set_up(stage.folder, stage.database, teams=TEAMS)
    chance, found = random.Random(stage.seed), Found()
    load = Load(setup.bot.url, chance, rate=12)
    async with running(setup):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for number in range(stage.times):
                await pause(chance.uniform(0.5, 2.0))
                if crash:
                    await _crash(setup, server, found)
                else:
                    await execute(server.url, _CUT)
                stage.progress(number + 1, stage.times)
            await until(lambda: _ready(setup), "it is ready again", 60)
            load.sent.stopped = True
        await settled(setup.bot, 180)
        report = await count(setup.bot, setup.slack, load.sent)
        told = await metric(setup.bot, "watchbill_deliveries_total", 'result="not_stored"')
        alive = setup.bot.process.popen is not None and setup.bot.process.popen.poll() is None
    refused = ", ".join(f"{n} times {status}" for status, n in sorted(load.sent.refused.items()))
    found.figures |= {"times": f"{stage.times}", "refused meanwhile": refused or "nothing"}
    found.add(report)
    found.expect(alive, "the process ended instead of waiting")
    found.expect(not report.doubled_pages, f"doubled pages: {report.doubled_pages}")
    found.expect(told >= load.sent.refused.get(503, 0), f"/metrics tells of {told} refusals")
    odd = set(load.sent.refused) - {503}
    found.expect(not odd, f"senders were told {odd}, not 503")
    return found


async def _crash(setup: Setup, server: Server, found: Found) -> None:
    await asyncio.to_thread(server.crash)
    await pause(AWAY)
    status, said = await setup.bot.readiness()
    found.expect(status == 503, f"/readyz said {status} without a database")
    reason = said.get("checks", {}).get("database", "nothing")
    found.figures["/readyz without a database"] = reason
    posted = await asyncio.to_thread(setup.bot.post, alert("while-away", of=team(0)))
    found.expect(posted == 503, f"an alert was answered {posted} without a database")
    await asyncio.to_thread(server.start)
    await until(lambda: _ready(setup), "it is ready again", 60)


async def _ready(setup: Setup) -> bool:
    return (await setup.bot.readiness())[0] == 200
