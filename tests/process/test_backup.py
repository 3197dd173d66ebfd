"""A backup taken under load, restored in another place: every promise holds there as well."""

import asyncio
import random
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.process.harness import Bot, Process, Setup, pause, running, set_up, until
from tests.process.load import ALERTS_A_GROUP, TEAMS, Load, Sent
from tests.process.postgresql import PROGRAMS, database
from tests.process.promises import count
from tests.process.stored import query, settled

PATH = {"PATH": f"{PROGRAMS}:/usr/bin:/bin"}


async def _command(bot: Bot, *words: str) -> str:
    """Run a command of the command line to its good end."""
    arguments = ("bot", *words, "-c", str(bot.folder / "config.yaml"))
    log = bot.folder / f"{words[0]}.log"
    process = Process(arguments, log, {**bot.process.environment, **PATH})
    process.start()
    status = await process.ended(60)
    assert status == 0, process.output()
    return process.output()


async def _back_up_under_load(setup: Setup, file: Path) -> Sent:
    """Return what had been accepted when the backup began; Slack hangs while it is taken."""
    load = Load(setup.bot.url, random.Random(7), rate=40)

    async def enough() -> bool:
        return len(load.sent.accepted) > TEAMS * ALERTS_A_GROUP

    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        await until(enough, "every team had its first group of alerts")
        setup.slack.process.signal(signal.SIGSTOP)
        await pause(0.5)
        before = replace(load.sent, accepted=dict(load.sent.accepted))
        said = await _command(setup.bot, "backup", str(file))
        assert len(load.sent.accepted) > len(before.accepted), "it was taken under load"
        setup.slack.process.signal(signal.SIGCONT)
        await pause(1)
        load.sent.stopped = True
    assert "incidents" in said
    return before


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return where the bot works, and where its backup is restored."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'here.db'}", f"sqlite:///{tmp_path / 'there.db'}"
    server = request.getfixturevalue("postgresql_server")
    return database(server, "backed_up"), database(server, "restored")


@pytest.mark.timeout(300)
async def test_a_backup_under_load_restores_to_a_bot_that_keeps_its_promises(
    tmp_path: Path, databases: tuple[str, str]
) -> None:
    here, there = databases
    setup = set_up(tmp_path, here, teams=TEAMS)
    (tmp_path / "elsewhere").mkdir()
    config = {**setup.bot.config, "database": there, "roster": str(setup.roster)}
    restored = Bot(tmp_path / "elsewhere", config, setup.bot.process.environment)
    async with running(setup):
        before = await _back_up_under_load(setup, tmp_path / "backup")
        await settled(setup.bot, 120)
        assert await setup.bot.process.terminate() == 0
        await _command(restored, "restore", str(tmp_path / "backup"))
        known = {row[0] for row in await query(restored, "SELECT key FROM job")}
        waiting = {
            row[0] for row in await query(restored, "SELECT key FROM job WHERE state = 'todo'")
        }
        sent = {one["key"] for one in [*await setup.slack.pages(), *await setup.slack.roots()]}
        assert waiting & sent, "something was sent after the backup that it still held to be sent"
        try:
            await restored.start()
            await settled(restored, 120)
            report = await count(restored, setup.slack, before)
        finally:
            restored.process.kill()
    shown = "\n".join(report.lines())
    again = [one for one in report.doubled_pages if one in known]
    assert again == [], f"what the backup knew of is looked up, not sent anew\n{shown}"
    assert report.incidents > TEAMS, shown
    # what was decided after the backup is not known, and paged again: better twice than never
    faults = [one for one in report.faults if not one.startswith("doubled_outside")]
    assert faults == [], shown
