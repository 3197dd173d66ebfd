"""A replica is frozen for longer than its lease, and wakes when others have done its work."""

import asyncio
import random
import signal
from dataclasses import dataclass

from tests.process.harness import Bot, pause, until
from tests.process.load import TEAMS, Load
from tests.process.metrics import metric
from tests.process.promises import Report, count
from tests.process.replicas import Replicas, running_replicas
from tests.process.scenario import Found, Stage
from tests.process.stored import leased, settled

REPLICAS = 2
FROZEN = 8.0
"""Seconds: a lease is six, a request's time-out four."""
JOBS = "watchbill_jobs_total"


@dataclass
class _Seen:
    """What the replicas said of themselves around each freeze."""

    lost: float = 0
    frozen_unready: int = 0
    woken_ready: int = 0
    with_effects: int = 0


async def freezing(stage: Stage) -> Found:
    """Freeze one of two at random instants of its work, half the time with requests begun."""
    if not stage.database:
        return Found(skipped="one SQLite file has one process, and nobody who takes over")
    chance, seen = random.Random(stage.seed), _Seen()
    async with running_replicas(stage.folder, stage.database, REPLICAS, teams=TEAMS) as replicas:
        load = Load(replicas.balancer.url, chance, rate=10)
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for number in range(stage.times):
                await pause(chance.uniform(0.5, 2.0))
                victim = replicas.bots[number % REPLICAS]
                await _freeze(replicas, victim, seen, begun=number % 2 == 0)
                stage.progress(number + 1, stage.times)
            load.sent.stopped = True
        await settled(replicas.setup.bot, 180)
        report = await count(replicas.setup.bot, replicas.slack, load.sent)
        seen.lost = sum([await metric(bot, JOBS, 'outcome="lost"') for bot in replicas.bots])
    return _found(report, seen, stage.times)


async def _freeze(replicas: Replicas, victim: Bot, seen: _Seen, *, begun: bool) -> None:
    """Let it sleep past its leases while the other one works, then let it go on.

    `begun`: with requests that have left, or are just about to leave, when it falls asleep.
    """
    if begun:
        replicas.mute(on=True)
        await pause(0.3)
    seen.with_effects += await leased(victim) > 0
    victim.process.signal(signal.SIGSTOP)
    if begun:
        replicas.mute(on=False)
    seen.frozen_unready += (await victim.readiness(seconds=0.5))[0] == 0
    await pause(FROZEN)
    victim.process.signal(signal.SIGCONT)

    async def ready() -> bool:
        return (await victim.readiness())[0] == 200

    await until(ready, "it is ready after it has slept", 60)
    seen.woken_ready += 1


def _found(report: Report, seen: _Seen, times: int) -> Found:
    found = Found(
        {
            "freezes": f"{times}",
            "with effects begun": f"{seen.with_effects}",
            "not answering while frozen": f"{seen.frozen_unready}",
            "ready again": f"{seen.woken_ready}",
            "effects left to who had taken over": f"{seen.lost:.0f}",
        }
    )
    found.add(report)
    found.expect(not report.doubled_pages, f"doubled pages: {report.doubled_pages}")
    found.expect(seen.with_effects > 0, "nothing was under way in any freeze")
    found.expect(seen.frozen_unready == times, "a frozen replica answered /readyz")
    return found
