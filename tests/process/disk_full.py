"""The disk is full: nothing is accepted that cannot be kept, it says so, and goes on with space."""

import asyncio
import errno
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process.harness import Setup, alert, pause, running, set_up, team, until
from tests.process.load import TEAMS, Load
from tests.process.metrics import metric
from tests.process.promises import count
from tests.process.scenario import Found, Stage
from tests.process.stored import settled

SIZE = "24m"
FULL = 4.0
"""Seconds for which it stays full."""


@contextmanager
def small_disk(folder: Path) -> Iterator[str]:
    """Put a small disk of its own at `folder`; yields why that is not possible here, or ""."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        yield "only root can mount a small disk"
        return
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "watchbill", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        yield f"a small disk cannot be mounted here: {made.stderr.strip()}"
        return
    try:
        yield ""
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def disk_full(stage: Stage) -> Found:
    """Fill the disk of a SQLite file under load, look what it says, and make room again."""
    if stage.database:
        return Found(skipped="a PostgreSQL that cannot write its log crashes: see crashed_server")
    disk = stage.folder / "disk"
    with small_disk(disk) as impossible:
        if impossible:
            return Found(skipped=impossible)
        setup = set_up(stage.folder, f"sqlite:///{disk / 'watchbill.db'}", teams=TEAMS)
        return await _under_load(stage, setup, disk)


async def _under_load(stage: Stage, setup: Setup, disk: Path) -> Found:
    chance, found = random.Random(stage.seed), Found()
    load = Load(setup.bot.url, chance, rate=12)
    async with running(setup):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            for number in range(stage.times):
                await pause(chance.uniform(1.0, 2.0))
                await _fill(setup, disk / "ballast", found, number)
                stage.progress(number + 1, stage.times)
            load.sent.stopped = True
        await settled(setup.bot, 180)
        report = await count(setup.bot, setup.slack, load.sent)
        told = await metric(setup.bot, "watchbill_deliveries_total", 'result="not_stored"')
        alive = setup.bot.process.popen is not None and setup.bot.process.popen.poll() is None
    refused = ", ".join(f"{n} times {status}" for status, n in sorted(load.sent.refused.items()))
    found.figures |= {"times full": f"{stage.times}", "refused meanwhile": refused or "nothing"}
    found.add(report)
    found.expect(alive, "the process ended instead of waiting for space")
    found.expect(not report.doubled_pages, f"doubled pages: {report.doubled_pages}")
    found.expect(told >= load.sent.refused.get(503, 0) > 0, f"/metrics tells of {told} refusals")
    found.expect(set(load.sent.refused) == {503}, f"senders were told {load.sent.refused}")
    return found


async def _fill(setup: Setup, ballast: Path, found: Found, number: int) -> None:
    await asyncio.to_thread(fill, ballast)
    refused = await until(lambda: _refused(setup, number), "an alert is refused", 30)
    found.expect(refused == 503, f"an alert was answered {refused} on a full disk")
    status, said = await setup.bot.readiness()
    reason = str(said.get("checks", {}).get("database", ""))
    found.figures["/readyz on a full disk"] = reason
    found.expect(status == 503, f"/readyz said {status} on a full disk")
    found.expect("space" in reason, f"/readyz does not say what to do: {reason}")
    await pause(FULL)
    ballast.unlink()
    await until(lambda: _ready(setup), "it is ready again", 60)


def fill(ballast: Path) -> None:
    """Write until the disk takes no more byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


async def _refused(setup: Setup, number: int) -> int:
    """Post until something is refused: the log may have room for a few more."""
    key = f"full-{number}-{random.Random().random()}"
    status = await asyncio.to_thread(setup.bot.post, alert(key, of=team(1)))
    return 0 if status == 202 else status


async def _ready(setup: Setup) -> bool:
    return (await setup.bot.readiness())[0] == 200
