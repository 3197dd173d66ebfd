"""What one `watchbill serve` takes: to start, of memory, and of a core while nothing happens."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.bench.table import Figure
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


async def measure(folder: Path, *, quick: bool) -> Sequence[Figure]:
    setup = set_up(folder, waits="30m 30m")
    first = await _first_start(setup)
    await _add_timers(setup)
    starts = [await _start(setup) for _ in range(2 if quick else 4)]
    used, small = await _idle(setup, 5 if quick else 10)
    return [
        Figure("first start, with the tables to make", first, "s"),
        Figure("start until ready", median(starts), "s", 1.5, at_most=True),
        Figure("resident memory, idle", small / 1e6, "MB", 120, at_most=True),
        Figure("of a core, idle with 10,000 timers", used * 100, "%", 1, at_most=True),
    ]


async def _first_start(setup: Setup) -> float:
    """Start on no database at all, and leave one incident behind."""
    async with running(setup):
        took = 0.0
        setup.bot.process.kill()
        for left in ("", "-wal", "-shm"):
            Path(f"{setup.folder / 'watchbill.db'}{left}").unlink(missing_ok=True)
        began = time.perf_counter()
        await setup.bot.start()
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


async def _start(setup: Setup) -> float:
    try:
        await setup.slack.start()
        began = time.perf_counter()
        await setup.bot.start()
        return time.perf_counter() - began
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
