"""Several bots on one PostgreSQL and one Slack, each a process of its own, behind a balancer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.process.balancer import Balancer, balancing
from tests.process.harness import Bot, LocalSlack, Setup, set_up


@dataclass
class Replicas:
    """What stands together; `setup` is the first of them with the Slack they share."""

    setup: Setup
    bots: Sequence[Bot]
    balancer: Balancer

    @property
    def slack(self) -> LocalSlack:
        return self.setup.slack

    def others(self, bot: Bot) -> Sequence[Bot]:
        return [one for one in self.bots if one is not bot]

    def mute(self, *, on: bool) -> None:
        """Let Slack take requests without answering any, or answer them all."""
        self.slack.process.signal(signal.SIGSTOP if on else signal.SIGCONT)


@asynccontextmanager
async def running_replicas(
    folder: Path, database: str, count: int, *, teams: int, waits: str = "2s 4s"
) -> AsyncIterator[Replicas]:
    """Start Slack, `count` replicas and a balancer; leave none of them behind."""
    setup = set_up(folder, database, teams=teams, waits=waits)
    setup.bot.write_config(roster=str(setup.roster))
    bots = [setup.bot, *(_another(setup, folder / f"replica-{n}") for n in range(2, count + 1))]
    try:
        await setup.slack.start()
        async with asyncio.TaskGroup() as group:
            for bot in bots:
                group.create_task(bot.start())
        async with balancing([bot.url for bot in bots]) as balancer:
            yield Replicas(setup, bots, balancer)
    finally:
        for bot in bots:
            bot.process.kill()
        setup.slack.process.kill()


def _another(setup: Setup, folder: Path) -> Bot:
    folder.mkdir()
    return Bot(folder, setup.bot.config, setup.bot.process.environment)
