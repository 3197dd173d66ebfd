"""How long a delivery waits for its 202 while 100,000 old ones are backed up, and forgotten."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from statistics import median, quantiles

from sqlalchemy import text

from bot.clock import SystemClock
from bot.ports.inbox import NewDelivery
from bot.store.backups.sqlite import back_up
from bot.store.opening import OpenedStore, open_store
from bot.store.write_ahead import grow
from tests.bench.rounds import Run
from tests.bench.table import Figure, promised

DATABASES = ("SQLite", "PostgreSQL")
_OLD = 100_000
_SENDERS = 8
_EVERY = timedelta(milliseconds=40)
"""Between two deliveries of one sender: two hundred a second of all."""
_WITHOUT = timedelta(seconds=4)
_BREATH = timedelta(milliseconds=20)
_BODY = b'{"title": "orders failed", "status": "firing"}' * 20
_COLUMNS = "id, key, source, received_at, content_type, headers, body, state, next_at, attempts"
_SQLITE = f"""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {_OLD})
INSERT INTO inbound ({_COLUMNS}, error)
SELECT printf('%032d', i), 'old-' || i, 'bench', i, '', '{{}}', randomblob(1000), 'done', i, 1, ''
FROM n
"""
_POSTGRESQL = f"""
INSERT INTO inbound ({_COLUMNS}, error)
SELECT lpad(i::text, 32, '0'), 'old-' || i, 'bench', now() - interval '1 year', '', '{{}}',
  decode(repeat('5a', 1000), 'hex'), 'done', now(), 1, ''
FROM generate_series(1, {_OLD}) AS i
"""


def measure(run: Run) -> list[Figure]:
    """Return for each database the ratio of the 95th percentiles, and how fast it forgets."""
    return [
        figure
        for kind in DATABASES
        for figure in asyncio.run(_measured(run, kind, run.database(kind)))
    ]


async def _measured(run: Run, kind: str, url: str) -> list[Figure]:
    run.progress.tell(f"retention: filling {kind}")
    clock = SystemClock()
    opened = await open_store(url, clock)
    try:
        async with opened.database.write() as connection:
            fill = _SQLITE if opened.database.is_sqlite else _POSTGRESQL
            await connection.execute(text(fill))
        if opened.database.is_sqlite:
            await grow(opened.database)
        run.progress.tell(f"retention: {kind}")
        figures = []
        without, _ = await _beside(opened, clock.sleep_until(clock.now() + _WITHOUT))
        if opened.database.is_sqlite:
            file = run.made("backup") / "backup.db"
            work = asyncio.to_thread(back_up, opened.database.path, file, lambda *_told: None)
            waits, took = await _beside(opened, work)
            name = f"{kind}: accept while backing up / without"
            size = file.stat().st_size / 1e6
            figures.append(promised("backing up", _compared(name, without, waits)))
            figures.append(Figure(f"{kind}: backed up and checked", size / took, "MB/s"))
        pruning = opened.prune(clock.now() - timedelta(hours=1), _breathe)
        waits, took = await _beside(opened, pruning)
    finally:
        await opened.close()
    name = f"{kind}: accept while forgetting / without"
    return [
        *figures,
        promised("forgetting", _compared(name, without, waits)),
        Figure(f"{kind}: forgotten", _OLD / took, "rows/s"),
    ]


async def _beside(
    opened: OpenedStore, work: Coroutine[object, object, object]
) -> tuple[Sequence[float], float]:
    """Let senders post until the work is done; return their waits, and how long it took."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(_send(opened, stop))
        began = time.perf_counter()
        await work
        took = time.perf_counter() - began
        stop.set()
    return sending.result(), took


async def _breathe() -> None:
    clock = SystemClock()
    await clock.sleep_until(clock.now() + _BREATH)


async def _send(opened: OpenedStore, stop: asyncio.Event) -> Sequence[float]:
    """Let senders post at a steady pace until told to stop; return each wait in milliseconds."""
    clock, waits = SystemClock(), list[float]()
    named = time.monotonic_ns()

    async def sender(number: int) -> None:
        sent, due = 0, clock.now() + _EVERY * number / _SENDERS
        while not stop.is_set():
            await clock.sleep_until(due)
            began, sent = time.perf_counter(), sent + 1
            key = f"{named}-{number}-{sent}"
            await opened.inbox.accept(NewDelivery(source="bench", key=key, body=_BODY))
            waits.append((time.perf_counter() - began) * 1e3)
            due = max(due + _EVERY, clock.now())

    async with asyncio.TaskGroup() as group:
        for number in range(_SENDERS):
            group.create_task(sender(number))
    return waits


def _compared(name: str, without: Sequence[float], beside: Sequence[float]) -> Figure:
    late, usual = (quantiles(one, n=20)[-1] for one in (beside, without))
    told = (
        f"p95 {late:.1f} ms against {usual:.1f}, p50 {median(beside):.1f} against"
        f" {median(without):.1f}, worst {max(beside):.0f} against {max(without):.0f}"
    )
    return Figure(name, late / usual, beside=told)
