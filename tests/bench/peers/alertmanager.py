"""Prometheus's Alertmanager in the same run, where Debian's package is installed."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from statistics import median, quantiles

import aiohttp

from tests.bench.load import Body, alert_about, press
from tests.bench.peers import candidate as driven
from tests.bench.peers.candidate import CONNECTIONS, first_answer
from tests.bench.peers.columns import Cell, Column
from tests.bench.rounds import Run
from tests.bench.serving import Server
from tests.ports import free_port
from tests.process.harness import Process, pause, until

PROGRAM = "prometheus-alertmanager"
_BURST = 1_000
_THING = re.compile(r"thing-[a-z]+-\d+-\d+-")
_CONFIG = """
route: {{receiver: slack, {grouping}}}
receivers:
  - name: slack
    slack_configs:
      - api_url: http://127.0.0.1:{sink}/
        channel: '#data-alerts'
        text: '{{{{ range .Alerts }}}}{{{{ .Labels.instance }}}} {{{{ end }}}}'
"""
_ALONE = "group_by: ['...'], group_wait: 0s, group_interval: 1s"
_GROUPED = "group_by: [alertname], group_wait: 30s"
_runs = count()


def installed() -> bool:
    return shutil.which(PROGRAM) is not None


class Alertmanager:
    """One process of it: a page per alert, without waiting."""

    path = "/api/v2/alerts"

    def __init__(self, folder: Path, sink: int, grouping: str = _ALONE) -> None:
        self.port = free_port()
        self._folder = folder
        config = _CONFIG.format(sink=sink, grouping=grouping)
        (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def bodies(self, kind: Body) -> Iterator[bytes]:
        return _bodies(kind, "load")

    def pids(self) -> Sequence[int]:
        assert self._popen is not None
        return [self._popen.pid]

    def kill(self) -> None:
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait(timeout=10)
            self._popen = None

    async def restart(self) -> None:
        await self.start()

    async def start(self) -> float:
        """Start it; return the seconds until it took an alert."""
        self._popen = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={self._folder / 'alertmanager.yml'}",
                f"--storage.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        headers = {"Content-Type": "application/json"}
        return await first_answer(self.url, next(_bodies(Body.SINGLE, "start")), headers)


def _bodies(kind: Body, name: str) -> Iterator[bytes]:
    run = f"thing-{name}-{next(_runs)}"
    for number in count():
        things = [f"{run}-{number * kind.alerts + n}-" for n in range(kind.alerts)]
        if kind is Body.SAME:
            things = [f"{run}-0-"]
        yield json.dumps([_alert(thing, number) for thing in things]).encode()


def _alert(thing: str, number: int) -> dict[str, object]:
    told = alert_about(thing)
    annotations = {**told["annotations"], "turn": str(number)}
    return {"labels": told["labels"], "annotations": annotations}


async def measure(run: Run, bare: Server) -> Column:
    """Measure all that Watchbill is asked for, too."""
    folder, sink_port = run.made("alertmanager"), free_port()
    arguments = ("tests.bench.peers.sink", str(sink_port))
    sink = Process(arguments, folder / "sink.log")
    sink.start()
    started = partial(_started, run, sink_port)
    cells: dict[str, Cell] = {}
    try:
        await until(lambda: _taken(sink_port), "the sink listens")
        cells |= await driven.ingest(run, started, bare, run.rounds(3))
        async with started() as candidate:
            cells |= await _pages(run, candidate, sink_port)
        async with started() as candidate:
            cells |= await _burst(candidate, sink_port)
        cells |= await _footprint(run, started)
        cells |= await _growth(run, partial(started, _GROUPED))
    finally:
        sink.kill()
    return Column("Alertmanager 0.25, a page per alert", here=True, stores=False, cells=cells)


@asynccontextmanager
async def _started(run: Run, sink: int, grouping: str = _ALONE) -> AsyncIterator[Alertmanager]:
    one = Alertmanager(run.made("alertmanager"), sink, grouping)
    try:
        await one.start()
        yield one
    finally:
        one.kill()


async def _taken(sink: int) -> list[tuple[float, str]] | None:
    """Return what the sink got since it was last asked, newest last; None while it starts."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{sink}/taken") as answer,
        ):
            found = [(at, about) for at, about in await answer.json()]
    except aiohttp.ClientError:
        return None
    return found or [(0.0, "")]


def _arrivals(taken: list[tuple[float, str]]) -> dict[str, float]:
    """Return when each thing was first told of."""
    found: dict[str, float] = {}
    for at, about in taken:
        for thing in _THING.findall(about):
            found.setdefault(thing, at)
    return found


async def _pages(run: Run, candidate: Alertmanager, sink: int) -> dict[str, Cell]:
    run.progress.tell("peers: Alertmanager's pages")
    await _taken(sink)
    sent: dict[str, float] = {}
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session:
        for number, body in enumerate(
            islice(_bodies(Body.SINGLE, "page"), 40 if run.quick else 80)
        ):
            thing = _THING.findall(body.decode())[0]
            sent[thing] = time.clock_gettime(time.CLOCK_REALTIME)
            async with session.post(candidate.url, data=body, headers=headers) as answer:
                assert answer.status == 200, number
            await pause(0.1)
    await pause(1)
    arrived = _arrivals(await _taken(sink) or [])
    waits = [(arrived[thing] - at) * 1e3 for thing, at in sent.items()]
    cuts = quantiles(waits, n=100, method="inclusive")
    return {"p50": Cell(cuts[49]), "p95": Cell(cuts[94]), "p99": Cell(cuts[98])}


async def _burst(candidate: Alertmanager, sink: int) -> dict[str, Cell]:
    await _taken(sink)
    began = time.clock_gettime(time.CLOCK_REALTIME)
    rate = await press(
        candidate.port, candidate.path, seconds=60, most=_BURST, connections=CONNECTIONS,
        body=_bodies(Body.SINGLE, "burst"),
    )  # fmt: skip
    await pause(3)
    taken = await _taken(sink) or []
    arrived = sorted(at for thing, at in _arrivals(taken).items() if "-burst-" in thing)
    assert len(arrived) == _BURST, f"{len(arrived)} of {_BURST} pages arrived"
    return {
        "burst in": Cell(rate.seconds),
        "burst first": Cell(arrived[0] - began),
        "burst last": Cell(arrived[-1] - began),
        "messages": Cell(len(taken), "one by one: Slack answers 429"),
        "pages": Cell(_BURST / (arrived[-1] - began), "to a sink without pace"),
    }


async def _footprint(run: Run, started: driven.Started) -> dict[str, Cell]:
    run.progress.tell("peers: Alertmanager's footprint")
    starts = []
    for _ in range(run.rounds(3)):
        one = Alertmanager(run.made("alertmanager"), 9)
        starts.append(await one.start())
        one.kill()
    cells = {"start": Cell(median(starts))}
    async with started() as candidate:
        cells |= await driven.idle(candidate, 3 if run.quick else 30)
        await driven.filled(candidate, 500)
        await pause(2)
        cells["memory after"] = Cell(driven.megabytes(candidate))
    async with started() as candidate:
        await driven.killed(candidate)
        assert isinstance(candidate, Alertmanager)
        async with aiohttp.ClientSession() as session, session.get(candidate.url) as answer:
            there = [one for one in await answer.json() if "start" not in str(one["labels"])]
        cells["durable"] = Cell(len(there), "kept in memory")
    return cells


async def _growth(run: Run, started: driven.Started) -> dict[str, Cell]:
    """Alerts that are all of one group, for which it waits: so it takes them fastest."""
    run.progress.tell("peers: Alertmanager with 100,000 alerts")
    async with started() as candidate, aiohttp.ClientSession() as session:
        assert isinstance(candidate, Alertmanager)
        await driven.filled(candidate, 50)
        few = await _rate(candidate)
        await driven.filled(candidate, 1_000 if run.quick else 5_000)
        await pause(2)
        many = await _rate(candidate)
        listed: list[float] = []
        found: list[float] = []
        for _ in range(2):
            for times, query in ((listed, ""), (found, '?filter=instance="thing-load-1-1-"')):
                began = time.perf_counter()
                async with session.get(candidate.url + query) as answer:
                    await answer.read()
                times.append((time.perf_counter() - began) * 1e3)
    note = "20,000 stored" if run.quick else "no pages"
    return {
        "list": Cell(median(listed), note),
        "search": Cell(median(found)),
        "growth": Cell(many / few, "all one group"),
    }


async def _rate(candidate: Alertmanager) -> float:
    rate = await press(
        candidate.port, candidate.path, seconds=1, connections=CONNECTIONS,
        body=candidate.bodies(Body.SINGLE),
    )  # fmt: skip
    return rate.per_second
