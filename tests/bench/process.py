"""What one `watchbill serve` takes: to start, of memory, and of a core while nothing happens."""

import asyncio
import time
from statistics import median

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.bench.rounds import Run
from tests.bench.serving import serving
from tests.bench.table import Figure, of_rounds, promised
from tests.process.harness import Setup, alert, pause, running, set_up, team
from tests.process.measure import cpu_seconds, memory
from tests.process.stored import settled

TIMERS = 10_000
_COPY_INCIDENTS = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :most)
INSERT INTO incident (id, number, source, dedup_key, group_key, title, state, storm, priority,
                      channel, assigned_to, opened_at, resolved_at, wake_at, version, body)
SELECT 'timer-' || n, number + 1000 + n, source, dedup_key || n, '', title, 'triggered', 0,
       priority, channel, '', opened_at, NULL, wake_at + 86400000000, version, body
FROM incident, numbers WHERE number = 1
"""


def measure(run: Run) -> list[Figure]:
    return asyncio.run(_measure(run))


async def _measure(run: Run) -> list[Figure]:
    setup = set_up(run.made("process"), waits="30m 30m")
    run.progress.tell("process: first start")
    first = await _first_start(setup)
    await _add_timers(setup)
    bare = await _bare(run)
    starts, used = [], []
    for number in range(run.rounds(4)):
        run.progress.tell(f"process: start {number + 1}")
        took, spent = await _start(setup)
        starts.append(took)
        used.append(spent)
    run.progress.tell("process: idle")
    idle, small = await _idle(setup, 5 if run.quick else 10)
    beside = f"{median(used):.2f} s of a core"
    return [
        Figure("first start, with the tables to make", first, "s"),
        promised("start", of_rounds("start until ready", starts, "s", beside)),
        promised(
            "memory",
            Figure(
                "resident memory, idle", small / 1e6, "MB", beside=f"bare aiohttp, {bare / 1e6:.0f}"
            ),
        ),
        promised("idle", Figure("of a core, idle with 10,000 timers", idle * 100, "%")),
    ]


async def _bare(run: Run) -> int:
    async with serving(run.made("bare"), "bare") as server:
        return server.memory


async def _first_start(setup: Setup) -> float:
    """Start on no database at all, and leave one incident behind."""
    async with running(setup, ready=False):
        began = time.perf_counter()
        await setup.bot.ready()
        took = time.perf_counter() - began
        assert setup.bot.post(alert("orders", of=team(0))) == 202
        await settled(setup.bot)
        await setup.bot.process.terminate()
        return took


async def _add_timers(setup: Setup) -> None:
    engine = create_async_engine(
        setup.bot.config["database"].replace("sqlite:", "sqlite+aiosqlite:")
    )
    async with engine.begin() as connection:
        await connection.execute(text(_COPY_INCIDENTS), {"most": TIMERS})
    await engine.dispose()


async def _start(setup: Setup) -> tuple[float, float]:
    """Return the seconds until it is ready, and those of a core that it used by then."""
    try:
        await setup.slack.start()
        began = time.perf_counter()
        await setup.bot.start()
        return time.perf_counter() - began, cpu_seconds(setup.bot.process.pid)
    finally:
        setup.bot.process.kill()
        setup.slack.process.kill()


async def _idle(setup: Setup, seconds: float) -> tuple[float, int]:
    """Return the share of a core and the memory, once the start has been digested."""
    async with running(setup):
        await pause(4)
        pid = setup.bot.process.pid
        before, began = cpu_seconds(pid), time.perf_counter()
        await pause(seconds)
        used = (cpu_seconds(pid) - before) / (time.perf_counter() - began)
        return used, memory(pid)
