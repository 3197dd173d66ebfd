"""Kills a bot again and again: while it works, starts, stops, or has requests on their way."""

import asyncio
import random
import signal
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.clock import SystemClock
from tests.process.harness import Setup, pause, person, running, set_up, until
from tests.process.load import TEAMS, Clicks, Load
from tests.process.promises import Report, count
from tests.process.scenario import Found, Stage
from tests.process.stored import answers, settled

SHORTEST_LIFE, LONGEST_LIFE = 0.02, 0.8
"""Seconds from being able to answer until the kill."""
LONG_LIFE = 6.0
"""Every twentieth life is so long, so that there is work in every state."""
MUTE = 0.15
"""Seconds in which Slack takes requests and does not answer, before it goes on after the kill."""
STOPPING = 1.0
"""Seconds at most between SIGTERM and the kill."""
KILLS_A_DOUBLE = 200
CLICKERS = (0, 8, 16)
"""Who of the people acknowledges pages."""
STARTING = 2.5
"""Seconds at most between a start and a kill that does not wait for it to be over."""

_CLOCK = SystemClock()


class Mood(StrEnum):
    """What the process is at when it dies."""

    WORKING = "at work"
    STARTING = "starting"
    STOPPING = "stopping"
    SENDING = "with requests on their way"


_MOODS = (Mood.WORKING, Mood.SENDING, Mood.STARTING, Mood.STOPPING)
_WEIGHTS = (30, 30, 20, 20)


@dataclass
class Killer:
    """Kills one bot, as chance has it, and remembers when."""

    setup: Setup
    chance: random.Random
    deaths: list[datetime] = field(default_factory=list)
    moods: dict[Mood, int] = field(default_factory=dict)

    async def kill(self) -> None:
        """Kill it once and start it again."""
        (mood,) = self.chance.choices(_MOODS, _WEIGHTS)
        self.moods[mood] = self.moods.get(mood, 0) + 1
        bot, slack = self.setup.bot.process, self.setup.slack.process
        if mood is Mood.STARTING:
            await pause(self.chance.uniform(SHORTEST_LIFE, STARTING))
        else:
            await until(lambda: answers(self.setup.bot), "serve answers", 90)
            long = self.chance.random() < 0.05
            await pause(self.chance.uniform(SHORTEST_LIFE, LONG_LIFE if long else LONGEST_LIFE))
        if mood is Mood.STOPPING:
            bot.signal(signal.SIGTERM)
            await pause(self.chance.uniform(0, STOPPING))
        if mood is Mood.SENDING:
            slack.signal(signal.SIGSTOP)
            await pause(self.chance.uniform(0, MUTE))
        bot.kill()
        self.deaths.append(_CLOCK.now())
        if mood is Mood.SENDING:
            slack.signal(signal.SIGCONT)
        bot.start()


async def kills(stage: Stage) -> Found:
    """Kill it as often as told, and hold what Slack got against what was accepted."""
    killer, report = await campaign(set_up(stage.folder, stage.database, teams=TEAMS), stage)
    found = Found({mood.value: f"{n}" for mood, n in sorted(killer.moods.items())})
    found.add(report)
    found.expect(
        len(report.doubled_pages) <= max(1, stage.times // KILLS_A_DOUBLE),
        f"{len(report.doubled_pages)} doubled pages are more than one in {KILLS_A_DOUBLE} kills",
    )
    return found


async def campaign(setup: Setup, stage: Stage) -> tuple[Killer, Report]:
    """Run a whole campaign on a set-up with TEAMS teams, and count."""
    chance = random.Random(stage.seed)
    load = Load(setup.bot.url, chance)
    people = [Clicks(setup.slack, person(number), chance) for number in CLICKERS]
    killer = Killer(setup, chance)
    async with running(setup, ready=False):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for one in people:
                group.create_task(one.run())
            for number in range(stage.times):
                await killer.kill()
                stage.progress(number + 1, stage.times)
            load.sent.stopped = True
            for one in people:
                one.stopped = True
        await settled(setup.bot, 180 + stage.times)
        clicked = {incident for one in people for incident in one.acked}
        report = await count(
            setup.bot, setup.slack, load.sent, deaths=killer.deaths, clicked=clicked
        )
        return killer, report
