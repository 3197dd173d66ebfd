"""Kills a running bot again and again under load, then counts what was lost, and what was doubled.

`python -m tests.process.chaos --kills 50 --database sqlite --seed 1`
"""

import argparse
import asyncio
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.process.harness import (
    Bot,
    Setup,
    pause,
    running,
    set_up,
    until,
)
from tests.process.load import TEAMS, Load, Sent
from tests.process.postgresql import database, postgresql

SHORTEST_LIFE, LONGEST_LIFE = 0.05, 0.6
"""Seconds from being able to answer until the kill; every fourth is killed while it starts."""
MUTE = 0.15
"""Seconds before every second kill in which Slack takes requests and does not answer."""


@dataclass
class Report:
    """What a campaign found."""

    kills: int = 0
    accepted: int = 0
    incidents: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    unpaged: list[str] = field(default_factory=list)
    rootless: list[str] = field(default_factory=list)
    second_roots: list[str] = field(default_factory=list)
    doubled_pages: list[str] = field(default_factory=list)
    pages: int = 0

    def lines(self) -> Iterator[str]:
        yield f"{'kills':<22}{self.kills:>7}"
        yield f"{'alerts accepted':<22}{self.accepted:>7}"
        yield f"{'incidents':<22}{self.incidents:>7}"
        yield f"{'pages':<22}{self.pages:>7}"
        for name in ("lost", "repeated", "unpaged", "rootless", "second_roots", "doubled_pages"):
            found = getattr(self, name)
            shown = f"  {', '.join(found[:5])}" if found else ""
            yield f"{name.replace('_', ' '):<22}{len(found):>7}{shown}"

    @property
    def faults(self) -> list[str]:
        """What must never be there; doubled pages are rare, not impossible."""
        return [
            *self.lost,
            *self.repeated,
            *self.unpaged,
            *self.rootless,
            *self.second_roots,
        ]


async def campaign(setup: Setup, *, kills: int, seed: int) -> Report:
    """Run a whole campaign on a set-up with TEAMS teams, and count."""
    chance = random.Random(seed)
    load = Load(setup.bot, chance)
    async with running(setup):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for number in range(kills):
                if number % 4 != 3:
                    await until(lambda: answers(setup.bot), "serve answers")
                await pause(chance.uniform(SHORTEST_LIFE, LONGEST_LIFE))
                await _kill(setup, mute=number % 2 == 0)
            load.sent.stopped = True
        await settled(setup.bot, 150)
        return await count(setup, load.sent, kills)


async def _kill(setup: Setup, *, mute: bool) -> None:
    """Kill and start again; `mute`: with requests on their way that Slack takes afterwards."""
    if mute:
        setup.slack.process.signal(signal.SIGSTOP)
        await pause(MUTE)
    setup.bot.process.kill()
    if mute:
        setup.slack.process.signal(signal.SIGCONT)
    setup.bot.process.start()


async def answers(bot: Bot) -> bool:
    return (await bot.readiness())[0] != 0


async def query(bot: Bot, statement: str) -> Sequence[Any]:
    """Ask the bot's database, past the bot."""
    url = make_url(bot.config["database"])
    driver = "sqlite+aiosqlite" if url.get_backend_name() == "sqlite" else "postgresql+asyncpg"
    engine = create_async_engine(url.set(drivername=driver))
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(statement))).all()
    finally:
        await engine.dispose()


async def settled(bot: Bot, seconds: float = 60) -> None:
    """Wait until nothing is new, nothing is to do, and no timer ends soon."""

    async def nothing_waits() -> bool:
        rows = await query(
            bot,
            "SELECT (SELECT count(*) FROM inbound WHERE state = 'new'),"
            # reminders of hours to come are left to wait
            f" (SELECT count(*) FROM job WHERE state = 'todo' AND next_at < {_soon(bot)}),"
            # every policy here ends with a step of half an hour
            " (SELECT count(*) FROM incident WHERE state = 'triggered'"
            f"   AND wake_at < {_soon(bot)})",
        )
        return not any(rows[0])

    await until(nothing_waits, "everything is carried out", seconds)


def _soon(bot: Bot) -> str:
    if bot.config["database"].startswith("sqlite"):
        return "(strftime('%s', 'now') + 600) * 1000000"
    return "now() + interval '10 minutes'"


async def count(setup: Setup, sent: Sent, kills: int) -> Report:
    """Compare what was accepted with the database, and the database with what Slack got."""
    report = Report(kills=kills, accepted=len(sent.accepted))
    stored = await query(setup.bot, "SELECT dedup_key, sum(count) FROM alert GROUP BY dedup_key")
    times = {key: int(count) for key, count in stored}
    report.lost = sorted(key for key in sent.accepted.values() if not times.get(key))
    report.repeated = sorted(key for key, count in times.items() if count > 1)
    incidents = [row[0] for row in await query(setup.bot, "SELECT id FROM incident")]
    report.incidents = len(incidents)
    roots = Counter(m["key"].removeprefix("show:") for m in await setup.slack.roots())
    report.rootless = sorted(set(incidents) - set(roots))
    report.second_roots = sorted(key for key, times in roots.items() if times > 1)
    pages = Counter(message["key"] for message in await setup.slack.pages())
    report.pages = sum(pages.values())
    paged = {key.partition(":")[0] for key in pages}
    report.unpaged = sorted(set(incidents) - paged)
    report.doubled_pages = sorted(key for key, times in pages.items() if times > 1)
    return report


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'watchbill.db'}"
        return
    with postgresql() as server:
        yield database(server, "chaos")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.process.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchbill-chaos-") as made:
        folder = Path(made)
        with _database(options.database, folder) as url:
            setup = set_up(folder, url, teams=TEAMS)
            report = asyncio.run(campaign(setup, kills=options.kills, seed=options.seed))
        sys.stdout.write(f"{'database':<22}{options.database:>7}\n{'seed':<22}{options.seed:>7}\n")
        sys.stdout.write("\n".join(report.lines()) + "\n")
        if report.faults:
            sys.stdout.write(setup.bot.process.output()[-4000:])
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
