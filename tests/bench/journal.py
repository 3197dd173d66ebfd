"""`python -m tests.bench.journal`: the journal of 50,000 entries, on both databases."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import quantiles

from sqlalchemy import text

from bot.clock import SystemClock
from bot.config.file import load
from bot.store.opening import OpenedStore, open_store
from rules.journal.entry import Facts
from rules.journal.similarity import subject_of
from rules.journal.words import SameWords
from tests.bench.journal_past import past_entries
from tests.bench.rounds import Run
from tests.bench.table import Figure, rendered
from tests.process.postgresql import postgresql

ENTRIES = 50_000
ROUNDS = 300
SEARCH_MS, SIMILAR_MS = 50.0, 20.0
_BATCH = 1_000
_QUERIES = (
    "deadlock orders", "freshness", "failed", "finance duplicated rows", "permission denied",
    "vendor", "full refresh", "oomkilled", "schema column added crm", "task load", "holiday",
    "marts sales orders", "stale hours ago", "ana", "retry twice payments", "zzz nothing",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.journal", description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchbill-bench-") as made, postgresql() as server:
        figures = of_both(f"sqlite:///{Path(made) / 'journal.db'}", server, options.entries)
    sys.stdout.write("\n".join(rendered(figures)) + "\n")
    return 0 if all(figure.kept for figure in figures) else 1


def measure(run: Run) -> list[Figure]:
    entries = ENTRIES // 10 if run.quick else ENTRIES
    return of_both(run.database("SQLite"), run.database("PostgreSQL"), entries)


def of_both(sqlite: str, postgresql: str, entries: int) -> list[Figure]:
    return [
        *asyncio.run(_measure("SQLite", sqlite, entries)),
        *asyncio.run(_measure("PostgreSQL", postgresql, entries)),
    ]


async def _measure(name: str, url: str, entries: int) -> list[Figure]:
    store = await open_store(url, SystemClock())
    try:
        began = time.perf_counter()
        await _fill(store, entries)
        filled = (time.perf_counter() - began) / entries * 1_000
        loaded = load(Path(__file__).resolve().parents[2] / "config.yaml", {})
        assert loaded.parts is not None
        return [
            Figure(f"{name}: write one of {entries} entries", filled, "ms"),
            *await _searching(name, store),
            *await _comparing(name, store, loaded.parts.journal.same_words),
        ]
    finally:
        await store.close()


async def _fill(store: OpenedStore, count: int) -> None:
    entries = list(past_entries(count, SystemClock().now()))
    for at in range(0, count, _BATCH):
        async with store.store.begin() as tx:
            for entry in entries[at : at + _BATCH]:
                tx.journal.save_entry(entry)
    async with store.database.write() as connection:
        await connection.execute(text("ANALYZE"))


async def _searching(name: str, store: OpenedStore) -> list[Figure]:
    chance = random.Random(1)

    async def one() -> None:
        await store.journal.search(chance.choice(_QUERIES))

    return _figures(f"{name}: search", await _times(one), SEARCH_MS, at=95)


async def _comparing(name: str, store: OpenedStore, same: SameWords) -> list[Figure]:
    new = list(past_entries(ROUNDS * 2, SystemClock().now(), first=900_000))
    left = iter(new)

    async def one() -> None:
        facts: Facts = next(left).facts
        await store.journal.seen(subject_of(facts), same)

    return _figures(f"{name}: similar incidents", await _times(one), SIMILAR_MS, at=95)


async def _times(one: Callable[[], Awaitable[None]]) -> list[float]:
    for _ in range(20):
        await one()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await one()
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def _figures(name: str, taken: list[float], bound: float, *, at: int) -> list[Figure]:
    cuts = quantiles(taken, n=100)
    return [
        Figure(f"{name}, p50", cuts[49], "ms"),
        Figure(f"{name}, p{at}", cuts[at - 1], "ms", bound, at_most=True),
        Figure(f"{name}, worst", max(taken), "ms"),
    ]


if __name__ == "__main__":
    sys.exit(main())
