"""Watchbill as the comparison drives it: `watchbill serve` and a local Slack, nothing pinned."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from statistics import median, quantiles

import aiohttp

from bot.clock import SystemClock
from tests.bench import stored
from tests.bench.load import Body, bodies, press
from tests.bench.peers import candidate as driven
from tests.bench.peers.candidate import CONNECTIONS, first_answer
from tests.bench.peers.columns import Cell, Column
from tests.bench.rounds import Run
from tests.bench.serving import HOOK, Server
from tests.process.harness import SECRET, Json, LocalSlack, Setup, alert, pause, set_up, team
from tests.process.stored import one, settled

TEAMS = 20
_BURST = 1_000
_SIZE = 100_000
_QUIET = timedelta(seconds=3)
"""Nothing more was said for so long: all has been told."""
_TOLD = ("chat.postMessage", "chat.update")
_MESSAGE = re.compile(r"#(\d+): (?:Alert storm from [^:]+: ([\d,]+) alerts)?")
_CLOCK = SystemClock()
_HEADERS = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
_keys = count()
Began = Callable[..., AbstractAsyncContextManager["Watchbill"]]


class Watchbill:
    """One `serve` with its Slack, and the processes of its database where it has some."""

    path = HOOK

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.port = setup.bot.port

    @property
    def hook(self) -> str:
        return f"{self.setup.bot.url}/hooks/tests"

    def bodies(self, kind: Body) -> Iterator[bytes]:
        return bodies(kind)

    def pids(self) -> Sequence[int]:
        return [self.setup.bot.process.pid]

    def kill(self) -> None:
        self.setup.bot.process.kill()

    async def restart(self) -> None:
        await self.setup.bot.start()

    async def start(self) -> float:
        """Start it; return the seconds until it took an alert."""
        self.setup.bot.process.start()
        body = json.dumps(alert(f"start-{next(_keys)}", of=team(0))).encode()
        return await first_answer(self.hook, body, _HEADERS)


async def measure(run: Run, kind: str, bare: Server) -> Column:
    started = partial(_started, run, kind)
    run.progress.tell(f"peers: Watchbill's pages, {kind}")
    cells = await _pages(run, started)
    cells |= await _burst(started)
    cells |= await _footprint(run, kind, started)
    cells |= await driven.ingest(run, started, bare, run.rounds(3))
    return Column(f"Watchbill, {kind}", here=True, stores=True, cells=cells)


@asynccontextmanager
async def _started(run: Run, kind: str, **changes: object) -> AsyncIterator[Watchbill]:
    folder = run.made("watchbill")
    url = await asyncio.to_thread(run.database, kind)
    setup = set_up(folder, url, teams=TEAMS, waits="30m 30m")
    setup.bot.config = {k: v for k, v in setup.bot.config.items() if k != "storm"}
    setup.bot.write_config(**changes)
    found = Watchbill(setup)
    try:
        await setup.slack.start()
        await found.start()
        await setup.bot.ready()
        yield found
    finally:
        setup.bot.process.kill()
        setup.slack.process.kill()


async def _pages(run: Run, started: Began) -> dict[str, Cell]:
    sent: dict[str, datetime] = {}
    calm = {"storm": {"incidents": 100_000, "within": "1m"}}
    async with started(**calm) as found, aiohttp.ClientSession() as session:
        for number in range(TEAMS + (40 if run.quick else 80)):
            key = f"page-{number}"
            body = alert(key, of=team(number % TEAMS))
            sent[key] = _CLOCK.now()
            async with session.post(found.hook, json=body, headers=_HEADERS) as answer:
                assert answer.status == 202
            await pause(0.1)
        await pause(2)
        arrived = await _arrivals(found.setup.slack)
    waits = [(arrived[key] - at).total_seconds() * 1e3 for key, at in list(sent.items())[TEAMS:]]
    cuts = quantiles(waits, n=100, method="inclusive")
    return {"p50": Cell(cuts[49]), "p95": Cell(cuts[94]), "p99": Cell(cuts[98])}


async def _arrivals(slack: LocalSlack) -> Mapping[str, datetime]:
    found: dict[str, datetime] = {}
    for call in await slack.control("calls", method="chat.postMessage"):
        if str(call["args"].get("channel", "")).startswith("D"):
            words = str(call["args"].get("text", "")).split()
            for key in [word for word in words if word.startswith("page-")][:1]:
                found.setdefault(key, datetime.fromisoformat(call["at"]))
    return found


async def _burst(started: Began) -> dict[str, Cell]:
    async with started() as found:
        await settled(found.setup.bot)
        before = len(await _told(found.setup.slack))
        began = _CLOCK.now()
        rate = await press(
            found.port, found.path, seconds=60, most=_BURST, connections=CONNECTIONS,
            body=bodies(Body.SINGLE),
        )  # fmt: skip
        calls = await _until_quiet(found.setup.slack)
    times = [datetime.fromisoformat(call["at"]) for call in calls[before:]]
    direct = [
        at
        for at, call in zip(times, calls[before:], strict=True)
        if str(call["args"].get("channel", "")).startswith("D")
    ]
    told = all_told(calls[before:], _BURST)
    last = (times[-1] - began).total_seconds()
    note = f"at Slack's pace of 1 a second; edits and threads until {last:.0f} s"
    return {
        "burst in": Cell(rate.seconds),
        "burst first": Cell((direct[0] - began).total_seconds()),
        "burst last": Cell((told - began).total_seconds(), note),
        "messages": Cell(len(times)),
    }


def all_told(calls: Iterable[Json], alerts: int) -> datetime:
    """Return when the messages in the channel told of so many alerts: an incident's one, a storm's all.

    Raises ValueError when they never did.
    """
    told: dict[str, int] = {}
    for call in calls:
        args = call["args"]
        if not str(args.get("channel", "")).startswith("C") or args.get("thread_ts"):
            continue
        if found := _MESSAGE.search(str(args.get("text", ""))):
            told[found[1]] = int((found[2] or "1").replace(",", ""))
        if sum(told.values()) >= alerts:
            return datetime.fromisoformat(call["at"])
    message = f"the channel was told of {sum(told.values())} of {alerts} alerts"
    raise ValueError(message)


async def _until_quiet(slack: LocalSlack) -> list[Json]:
    end = _CLOCK.now() + timedelta(seconds=90)
    while _CLOCK.now() < end:
        calls = await _told(slack)
        if calls and _CLOCK.now() - datetime.fromisoformat(calls[-1]["at"]) > _QUIET:
            return calls
        await pause(0.5)
    raise TimeoutError("it had something to say for a minute and a half")


async def _told(slack: LocalSlack) -> list[Json]:
    return [call for call in await slack.control("calls") if call["method"] in _TOLD]


async def _footprint(run: Run, kind: str, started: Began) -> dict[str, Cell]:
    run.progress.tell(f"peers: Watchbill's footprint, {kind}")
    with_database = "without PostgreSQL" if kind == "PostgreSQL" else ""
    async with started() as found:
        await settled(found.setup.bot)
        starts = []
        for _ in range(run.rounds(3)):
            found.kill()
            starts.append(await found.start())
        await found.setup.bot.ready()
        looked = await driven.idle(found, 3 if run.quick else 30)
        before = await one(found.setup.bot, "SELECT count(*) FROM inbound")
        await driven.killed(found)
        there = await one(found.setup.bot, "SELECT count(*) FROM inbound") - before
        began = _CLOCK.now()
        await driven.filled(found, 500)
        await settled_deliveries(found)
        passed = (_CLOCK.now() - began).total_seconds()
        after = driven.megabytes(found)
    return {
        "start": Cell(median(starts)),
        "memory": Cell(looked["memory"].value, with_database),
        "idle": looked["idle"],
        "durable": Cell(there),
        "memory after": Cell(after, with_database),
        "pages": Cell(10_000 / passed, "20 a post, folded as a storm"),
    }


async def settled_deliveries(found: Watchbill) -> None:
    """Wait until everything that was accepted has been decided."""
    while await one(found.setup.bot, "SELECT count(*) FROM inbound WHERE state = 'new'"):
        await pause(0.05)


def grown(run: Run, kind: str) -> dict[str, Cell]:
    """Look at a database with 100,000 alerts: the part `stored` has it, if it ran before."""
    places: Sequence[stored.Stored] = run.stored.get(kind, ())
    made = {place.size: place for place in places or stored.made(run, kind, (1_000, _SIZE))}
    few, many = made[min(made)], made[_SIZE]
    listed = "list of all incidents"
    searched = max(stored.SEARCHES, key=lambda name: median(many.looked[name]))
    note = "the look-up alone"
    return {
        "list": Cell(median(many.looked[listed]), note),
        "search": Cell(median(many.looked[searched]), f"{note}, the slowest"),
        "growth": Cell(median(few.cpu) / median(many.cpu), "by processor time"),
    }
