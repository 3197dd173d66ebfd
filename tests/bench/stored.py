"""Ingest, lists and searches with a thousand, 100,000 and a million alerts stored."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from bot.clock import SystemClock
from bot.ports.issues import IssueFilter, IssueQuery, SortBy
from bot.store import jobs
from bot.store.issues.rows import values_of
from bot.store.opening import OpenedStore, open_store
from bot.store.tables.issues import ISSUE
from rules.incident import State
from tests.bench.issues import NOW, some_issues
from tests.bench.load import Body, alert_about, press
from tests.bench.past import multiply
from tests.bench.rounds import Run, on_core
from tests.bench.serving import HOOK, Server, serving
from tests.bench.table import Figure, of_rounds, promised, ratios, told
from tests.process.harness import set_up

SIZES = (1_000, 100_000, 1_000_000)
EACH = 4
"""Alerts of one incident: what failed in one run."""
SEED = 250
"""Incidents that the bot itself makes; the others are copies of them."""
OPEN = 40
"""Incidents that are open, however many are stored."""
_ALERTS = 600
_LOOKS = 30
_CLOCK = SystemClock()
_OPEN_STATES = tuple(state for state in State if state is not State.RESOLVED)
Looks = Mapping[str, Callable[[OpenedStore], Awaitable[object]]]
LISTS: Looks = {
    "list of open incidents": lambda s: s.reader.incidents(states=_OPEN_STATES, limit=25),
    "list of all incidents": lambda s: s.reader.incidents(states=tuple(State), limit=25),
    "page of the table of issues": lambda s: s.issues.page(IssueQuery(), NOW),
    "page of the table, by time to resolve": lambda s: s.issues.page(
        IssueQuery(sort=SortBy.TTR), NOW
    ),
}
SEARCHES: Looks = {
    "search for a common word": lambda s: s.issues.page(
        IssueQuery(filter=IssueFilter(text="late")), NOW
    ),
    "search for two words": lambda s: s.issues.page(
        IssueQuery(filter=IssueFilter(text="product_17 late")), NOW
    ),
    "search for a word nobody wrote": lambda s: s.issues.page(
        IssueQuery(filter=IssueFilter(text="zebra")), NOW
    ),
}


@dataclass
class Stored:
    """A database with so many alerts, and what was measured of it."""

    size: int
    folder: Path
    url: str
    cpu: list[float] = field(default_factory=list)
    processed: list[float] = field(default_factory=list)
    looked: dict[str, list[float]] = field(default_factory=dict)
    memory: int = 0


def measure(run: Run) -> list[Figure]:
    sizes = SIZES[:2] if run.quick else SIZES
    figures: list[Figure] = []
    for kind in ("SQLite", "PostgreSQL"):
        run.stored[kind] = made(run, kind, sizes)
        figures += _figures(kind, run.stored[kind])
    return figures


def made(run: Run, kind: str, sizes: Sequence[int]) -> list[Stored]:
    """Fill a database of each size, and measure all of them in turns."""
    places = [Stored(size, run.made("stored"), run.database(kind)) for size in sizes]
    asyncio.run(_fill_all(run, kind, places))
    with on_core(1):
        asyncio.run(_press_all(run, kind, places))
    asyncio.run(_look_all(run, kind, places))
    for place in places:
        if kind == "SQLite":
            Path(place.url.removeprefix("sqlite:///")).unlink()  # it may be a gigabyte
    return places


async def _fill_all(run: Run, kind: str, places: list[Stored]) -> None:
    for place in places:
        run.progress.tell(f"stored: {place.size:,} alerts into {kind}")
        await fill(place.folder, place.url, place.size)


async def fill(folder: Path, url: str, alerts: int) -> None:
    """Store so many alerts: a few by the bot itself, most of them resolved; the rest as copies."""
    set_up(folder, url, waits="30m 30m")
    async with serving(folder, "process", url, warm=False) as server:
        await _post_runs(server, "firing", 0)
        await _post_runs(server, "resolved", OPEN)
    store = await open_store(url, _CLOCK)
    try:
        await _draw_issues(store)
        async with store.database.write() as connection:
            await connection.exec_driver_sql("DELETE FROM issue_change")
            await connection.exec_driver_sql("UPDATE job SET state = 'done', done_at = due_at")
    finally:
        await store.close()
    if copies := max(alerts // EACH // SEED - 1, 0):
        await multiply(url, copies, 1_000)


async def _post_runs(server: Server, status: str, first: int) -> None:
    bodies = iter([_run_of(number, status) for number in range(first, SEED)])
    rate = await press(server.port, HOOK, seconds=60, most=SEED - first, body=bodies)
    assert rate.accepted == SEED - first
    await server.all_decided()


def _run_of(number: int, status: str) -> bytes:
    """Return what is told of one run of which several things failed, or are well again."""
    alerts = [
        {**alert_about(f"stored-{number}-{n}", "It is late."), "status": status}
        for n in range(EACH)
    ]
    key = f"run-{number}"
    return json.dumps({"version": "4", "groupKey": key, "alerts": alerts}).encode()


async def _draw_issues(store: OpenedStore) -> None:
    async with store.database.write() as connection:
        insert = jobs.insert_for(ISSUE, connection.dialect.name)
        await connection.execute(insert, [values_of(one) for one in some_issues(SEED)])


async def _press_all(run: Run, kind: str, places: list[Stored]) -> None:
    async with AsyncExitStack() as stack:
        servers: list[tuple[Stored, Server]] = []
        for place in places:
            run.progress.tell(f"stored: starting on {place.size:,} alerts, {kind}")
            process = await stack.enter_async_context(serving(place.folder, "process", place.url))
            servers.append((place, process))
        rounds = run.rounds(5)
        for number in range(rounds):
            run.progress.tell(f"stored: ingest, {kind}, round {number + 1} of {rounds}")
            for place, process in servers:
                pressed = await process.press(Body.SINGLE, seconds=60, most=_ALERTS)
                place.processed.append(pressed.per_second)
                place.cpu.append(pressed.cpu_each)
        for place, process in servers:
            place.memory = process.memory


async def _look_all(run: Run, kind: str, places: list[Stored]) -> None:
    for place in places:
        run.progress.tell(f"stored: lists and searches in {place.size:,} alerts, {kind}")
        place.looked = await look(place.url, {**LISTS, **SEARCHES})


async def look(url: str, looks: Looks) -> dict[str, list[float]]:
    """Return the milliseconds of each look, in turns."""
    store = await open_store(url, _CLOCK)
    found: dict[str, list[float]] = {name: [] for name in looks}
    try:
        for number in range(_LOOKS + 2):
            for name, way in looks.items():
                began = time.perf_counter()
                await way(store)
                if number >= 2:
                    found[name].append(1_000 * (time.perf_counter() - began))
    finally:
        await store.close()
    return found


def _figures(kind: str, places: list[Stored]) -> Iterator[Figure]:
    base, most = places[0], places[-1]
    for place in places:
        name = f"{kind}, {place.size:,} alerts stored: decided"
        beside = f"{median(place.cpu) * 1e6:.0f} us of a core an alert"
        yield of_rounds(name, place.processed, "alerts/s", beside)
    for place in places[1:]:
        name = f"{kind}, ingest with {place.size:,} stored / with {base.size:,}"
        by_cpu = ratios(base.cpu, place.cpu)
        beside = f"{median(ratios(place.processed, base.processed)):.2f} by the clock"
        yield promised("growth", of_rounds(f"{name}, processor time", by_cpu, "", beside))
    for key, looks in (("list", LISTS), ("search", SEARCHES)):
        for name in looks:
            others = ", ".join(
                f"{told(median(place.looked[name]))} of {place.size:,}" for place in places[:-1]
            )
            p95 = quantiles(most.looked[name], n=20)[18]
            figure = Figure(
                f"{kind}, {name}, {most.size:,} stored, p95",
                p95,
                "ms",
                beside=f"p50 {told(median(most.looked[name]))}; p50 {others}",
            )
            yield promised(key, figure)
    name = f"{kind}, resident memory with {most.size:,} stored"
    beside = f"{base.memory / 1e6:.0f} with {base.size:,}; engine and web only"
    yield Figure(name, most.memory / 1e6, "MB", beside=beside)
