"""How long the table of production issues takes at 100,000 rows: `python -m tests.bench.issues`."""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import SystemClock
from bot.ports.issues import IssueFilter, IssueQuery, SortBy
from bot.store import jobs
from bot.store.issues.rows import values_of
from bot.store.opening import OpenedStore, open_store
from bot.store.tables.issues import ISSUE
from rules.category import Category
from rules.issues.issue import Issue, Standing
from rules.issues.measures import Measures
from rules.priority import Impact, Priority, Urgency
from tests.bench.rounds import Run
from tests.bench.table import Figure, rendered
from tests.process.postgresql import database, postgresql

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
_A_PIECE = 500


def some_issues(count: int) -> list[Issue]:
    """Make issues of three years: 400 products, 30 owners, every fifth still without a cause."""
    chance = random.Random(1)
    return [_one(chance, number, count) for number in range(1, count + 1)]


def _one(chance: random.Random, number: int, count: int) -> Issue:
    at = NOW - timedelta(days=1000) * (1 - number / count)
    product = f"product_{chance.randrange(400)}"
    over = number < count - 60

    def span(most: int) -> timedelta | None:
        return timedelta(seconds=chance.randrange(most)) if chance.random() < 0.9 else None

    return Issue(
        number=number,
        incident_id=f"incident-{number:032}",
        title=f"{product}.fct_{chance.randrange(3000)}: {chance.choice(_TROUBLE)}",
        opened_at=at,
        priority=chance.choice(list(Priority)),
        standing=Standing.CLOSED if over else chance.choice(list(Standing)),
        product=product,
        tier=chance.randrange(1, 5),
        category=chance.choice(list(Category)),
        impact=chance.choice(list(Impact)),
        urgency=chance.choice(list(Urgency)),
        owner=f"team-{chance.randrange(30)}",
        on_call=f"person{chance.randrange(40)}@example.com",
        measures=Measures(
            ttd=span(7_200), tta=span(3_600), ttm=span(20_000), ttr=span(90_000), ttv=span(86_400)
        ),
        deadline=at + timedelta(hours=chance.randrange(12)) if chance.random() < 0.5 else None,
        healthy_at=at + timedelta(hours=chance.randrange(24)) if over else None,
        cause=chance.choice(("", "schema change", "late source", "code", "capacity")),
        recurs=max(1, number - 300) if chance.random() < 0.3 else None,
        follow_up="add a test" if chance.random() < 0.1 else "",
    )


_TROUBLE = ("is late", "has null keys", "failed after three tries", "row count fell by 40 %")
QUERIES = {
    "first page": IssueQuery(),
    "page from the middle": IssueQuery(after=50_000),
    **{f"sorted by {by}": IssueQuery(sort=by) for by in SortBy},
    "sorted by ttr from the middle": IssueQuery(sort=SortBy.TTR, after=40_000),
    "P1, sorted by ttr": IssueQuery(sort=SortBy.TTR, filter=IssueFilter(priorities=(Priority.P1,))),
    "breached, of one owner": IssueQuery(filter=IssueFilter(breached=True, owner="team-7")),
    "breached, sorted by ttr": IssueQuery(sort=SortBy.TTR, filter=IssueFilter(breached=True)),
    "open": IssueQuery(filter=IssueFilter(standings=(Standing.TRIGGERED, Standing.ACKNOWLEDGED))),
    "open, sorted by tta": IssueQuery(
        sort=SortBy.TTA, filter=IssueFilter(standings=(Standing.TRIGGERED,))
    ),
    "one product": IssueQuery(filter=IssueFilter(product="product_17")),
    "one product, sorted by ttd": IssueQuery(
        sort=SortBy.TTD, filter=IssueFilter(product="product_17")
    ),
    "a common word": IssueQuery(filter=IssueFilter(text="late")),
    "two words": IssueQuery(filter=IssueFilter(text="product_17 late")),
    "a rare word": IssueQuery(filter=IssueFilter(text="fct_2999")),
    "a word nobody wrote": IssueQuery(filter=IssueFilter(text="zebra")),
    "a letter": IssueQuery(filter=IssueFilter(text="p")),
    "the beginning of a word": IssueQuery(filter=IssueFilter(text="nul")),
    "three beginnings": IssueQuery(filter=IssueFilter(text="prod fct tri")),
    "a common word, sorted by ttv": IssueQuery(sort=SortBy.TTV, filter=IssueFilter(text="late")),
    "a common word, P1, sorted by ttr": IssueQuery(
        sort=SortBy.TTR, filter=IssueFilter(text="late", priorities=(Priority.P1,))
    ),
    "a common word, one product": IssueQuery(filter=IssueFilter(text="null", product="product_17")),
    "a common word, four filters": IssueQuery(
        sort=SortBy.TTM,
        filter=IssueFilter(
            text="failed", impact=Impact.MINOR, urgency=Urgency.LOW, tier=3, breached=True
        ),
    ),
    "four filters": IssueQuery(
        filter=IssueFilter(
            impact=Impact.MINOR, urgency=Urgency.LOW, tier=3, category=Category.FRESHNESS
        )
    ),
    "a rare word, P1, sorted by ttr": IssueQuery(
        sort=SortBy.TTR, filter=IssueFilter(text="fct_2999", priorities=(Priority.P1,))
    ),
}


async def fill(store: OpenedStore, count: int) -> None:
    issues = some_issues(count)
    for n in range(0, count, _A_PIECE):
        async with store.database.write() as connection:
            insert = jobs.insert_for(ISSUE, connection.dialect.name)
            await connection.execute(insert, [values_of(one) for one in issues[n : n + _A_PIECE]])
    if not store.database.is_sqlite:
        async with store.database.write() as connection:
            await connection.exec_driver_sql("ANALYZE issue")


def measure(run: Run) -> list[Figure]:
    rows, rounds = (10_000, 10) if run.quick else (100_000, 20)
    figures: list[Figure] = []
    for name in ("SQLite", "PostgreSQL"):
        run.progress.tell(f"issues: {rows:,} rows into {name}")
        figures += asyncio.run(pages(name, run.database(name), rows, rounds))
    return figures


async def pages(name: str, url: str, rows: int, rounds: int) -> list[Figure]:
    """Fill a database and measure each page of the table, its count and its medians."""
    store = await open_store(url, SystemClock())
    try:
        await fill(store, rows)
        return [await _page(name, store, key, rounds) for key in QUERIES]
    finally:
        await store.close()


async def _page(name: str, store: OpenedStore, key: str, rounds: int) -> Figure:
    """The time of the processors stands beside it: it says the same on a machine that is busy."""
    query, times = replace(QUERIES[key], typical=True), []
    await store.issues.page(query, NOW)
    used = await processors(store)
    for _ in range(rounds):
        started = time.perf_counter()
        await store.issues.page(query, NOW)
        times.append(1000 * (time.perf_counter() - started))
    cpu = 1000 * (await processors(store) - used) / rounds
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    beside = f"p50 {p50:.1f}, of a core {cpu:.1f} ms"
    return Figure(f"{name}, {key}, p95", p95, "ms", beside=beside)


async def processors(store: OpenedStore) -> float:
    """Return the seconds of processor time used so far, here and by the database's processes."""
    if store.database.is_sqlite:
        return time.process_time()
    async with store.database.read() as connection:
        found = await connection.exec_driver_sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        )
    stats = [stat_of(row.pid) for row in found]
    here = sum(float(stat[11]) + float(stat[12]) for stat in stats)
    # those that have ended, as helpers of one query do, are told of by whoever started them
    ended = stat_of(int(stats[0][1]))
    ticks = here + float(ended[13]) + float(ended[14])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def stat_of(pid: int) -> list[str]:
    """Return what the kernel says of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextmanager
def databases(only: str) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        found = {
            "sqlite": f"sqlite:///{Path(folder) / 'bench.db'}",
            "postgresql": database(server, "bench_issues"),
        }
        yield {name: url for name, url in found.items() if only in {"", name}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), default="")
    given = parser.parse_args()
    with databases(given.only) as urls:
        for name, url in urls.items():
            figures = asyncio.run(pages(name, url, given.rows, given.rounds))
            sys.stdout.write("\n".join(rendered(figures)) + "\n")


if __name__ == "__main__":
    main()
