"""What the disk and the databases give, raw, and how near Watchbill's own writing comes to it."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import asyncpg

from bot.clock import SystemClock
from bot.ports.delivering import Delivered
from bot.ports.inbox import NewDelivery
from bot.ports.jobs import JobPriority, NewJob
from bot.store.inbox import SqliteBatchWriter
from bot.store.opening import OpenedStore, open_store
from bot.store.write_ahead import grow
from tests.bench.rounds import Run
from tests.bench.table import Figure, of_rounds, promised, ratios, told

_BODY = b"x" * 2_000
_MAKE = "CREATE TABLE IF NOT EXISTS one (id BIGINT PRIMARY KEY, body {kind} NOT NULL)"
_CLOCK = SystemClock()
_WAITERS = 64
_JOBS = 100
_ids = count()
Rates = Mapping[str, list[float]]


def measure(run: Run) -> list[Figure]:
    return _measured(run, 0.15 if run.quick else 0.25)


def gates(run: Run) -> list[Figure]:
    return _measured(run, 0.08)


def _measured(run: Run, seconds: float) -> list[Figure]:
    sqlite, postgresql = run.database("SQLite"), run.database("PostgreSQL")
    return asyncio.run(_measure(run, sqlite, postgresql, seconds))


async def _measure(run: Run, sqlite: str, postgresql: str, seconds: float) -> list[Figure]:
    folder = run.made("disk")
    stores = {
        "SQLite": await open_store(sqlite, _CLOCK),
        "PostgreSQL": await open_store(postgresql, _CLOCK),
    }
    hurried = await _hurried(folder / "hurried.db")
    for store in (stores["SQLite"], hurried):
        await grow(store.database)
    connection = await asyncpg.connect(postgresql)
    await connection.execute(_MAKE.format(kind="BYTEA"))
    ways: dict[str, Callable[[float], Awaitable[float]]] = {
        "fdatasync": partial(_fdatasync, folder / "raw"),
        "SQLite 1": partial(_sqlite, folder / "full.db", "FULL", 1),
        "SQLite 32": partial(_sqlite, folder / "full.db", "FULL", 32),
        "PostgreSQL 1": partial(_postgresql, connection, 1),
        "PostgreSQL 32": partial(_postgresql, connection, 32),
    }
    for name, store in stores.items():
        ways[f"{name} together"] = partial(_accept, store, _WAITERS)
        ways[f"{name} apart"] = partial(_accept, store, 1)
        ways[f"{name} claims"] = partial(_claims, store)
    ways["SQLite NORMAL together"] = partial(_accept, hurried, _WAITERS)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(run.rounds(5)):
        run.progress.tell(f"disk: round {number + 1}")
        for name, way in ways.items():
            rates[name].append(await way(seconds))
    await connection.close()
    for store in (*stores.values(), hurried):
        await store.close()
    return _figures(rates)


def _figures(rates: Rates) -> list[Figure]:
    ratio = partial(_ratio, rates)
    figures = [
        of_rounds("fdatasync of 4 KB, overwritten", rates["fdatasync"], "/s"),
        ratio("commit rate", "SQLite FULL, a commit a row / fdatasync", "SQLite 1", "fdatasync"),
        ratio(
            "full",
            f"SQLite, inbox, {_WAITERS} who wait together: FULL / NORMAL",
            "SQLite together",
            "SQLite NORMAL together",
        ),
    ]
    for kind in ("SQLite", "PostgreSQL"):
        figures += [
            ratio("rows together", f"{kind}, 32 rows a commit / one", f"{kind} 32", f"{kind} 1"),
            ratio(
                "group commit",
                f"{kind}, inbox, {_WAITERS} who wait together / one after the other",
                f"{kind} together",
                f"{kind} apart",
            ),
            ratio(
                "claims",
                f"{kind}, jobs claimed and finished / raw commits of a row",
                f"{kind} claims",
                f"{kind} 1",
            ),
        ]
    return figures


def _ratio(rates: Rates, key: str, name: str, ours: str, base: str) -> Figure:
    beside = f"{told(median(rates[ours]))}/s against {told(median(rates[base]))}/s"
    return promised(key, of_rounds(name, ratios(rates[ours], rates[base]), "x", beside))


async def _fdatasync(path: Path, seconds: float) -> float:
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(handle, _BODY * 2, 0)
        os.fsync(handle)
        done, began = 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            os.pwrite(handle, _BODY * 2, 0)
            os.fdatasync(handle)
            done += 1
    finally:
        os.close(handle)
    return done / passed


async def _sqlite(path: Path, synchronous: str, rows: int, seconds: float) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(_MAKE.format(kind="BLOB"))
        done, began = 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            connection.execute("BEGIN IMMEDIATE")
            batch = [(next(_ids), _BODY) for _ in range(rows)]
            connection.executemany("INSERT INTO one VALUES (?, ?)", batch)
            connection.execute("COMMIT")
            done += rows
    return done / passed


async def _hurried(path: Path) -> OpenedStore:
    """Open a file whose inbox does not wait for the disk: what waiting costs shows beside it."""
    store = await open_store(f"sqlite:///{path}", _CLOCK)
    writer = store.inbox._writer
    assert isinstance(writer, SqliteBatchWriter)

    def hurry() -> None:
        writer._connected().execute("PRAGMA synchronous=NORMAL")

    await asyncio.get_running_loop().run_in_executor(writer._thread, hurry)
    return store


async def _postgresql(connection: asyncpg.Connection, rows: int, seconds: float) -> float:
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        ids = [next(_ids) for _ in range(rows)]
        await connection.execute(
            "INSERT INTO one SELECT * FROM unnest($1::bigint[], $2::bytea[])", ids, [_BODY] * rows
        )
        done += rows
    return done / passed


async def _accept(store: OpenedStore, waiters: int, seconds: float) -> float:
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        deliveries = [
            NewDelivery(source="bench", key=f"bench-{next(_ids)}", body=_BODY)
            for _ in range(waiters)
        ]
        await asyncio.gather(*(store.inbox.accept(one) for one in deliveries))
        done += waiters
    return done / passed


async def _claims(store: OpenedStore, _seconds: float) -> float:
    """Claim and finish jobs as an outbox does that has much to do: many at a time."""
    now = _CLOCK.now()
    async with store.store.begin() as tx:
        for _ in range(_JOBS):
            key = f"job-{next(_ids)}"
            tx.enqueue(
                NewJob(key=key, kind="bench", lane="", priority=JobPriority.NOTE, due_at=now)
            )
    began, done = time.perf_counter(), 0
    while jobs := await store.queue.claim(_CLOCK.now(), _JOBS):
        async with store.store.begin() as tx:
            for job in jobs:
                assert await tx.finish_job(job, Delivered(), _CLOCK.now())
        done += len(jobs)
    return done / (time.perf_counter() - began)
