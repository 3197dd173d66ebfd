"""One tool as the comparison drives it: start it, post to it, look what it takes."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from statistics import median
from typing import Protocol

import aiohttp

from tests.bench.load import Body, press
from tests.bench.peers.columns import Cell
from tests.bench.rounds import Run
from tests.bench.serving import Server
from tests.process.measure import cpu_seconds

CONNECTIONS = 16
ACCEPTED = 50
_SECONDS, _BARE_SECONDS = 1.0, 0.5
_KEYS = {Body.SINGLE: "single", Body.TWENTY: "twenty", Body.SAME: "same"}


class Candidate(Protocol):
    """A tool that runs; `port` and `path` take alerts."""

    port: int
    path: str

    def bodies(self, kind: Body) -> Iterator[bytes]: ...
    def pids(self) -> Sequence[int]: ...
    def kill(self) -> None: ...
    async def restart(self) -> None: ...


Started = Callable[[], AbstractAsyncContextManager[Candidate]]


async def ingest(run: Run, started: Started, bare: Server, rounds: int) -> dict[str, Cell]:
    """Press a new process with each kind of body, in turns with the bare handler."""
    cells: dict[str, Cell] = {}
    for kind, key in _KEYS.items():
        run.progress.tell(f"peers: ingest, {kind}")
        async with started() as candidate:
            ratios, rates, answered = [], [], []
            for _ in range(rounds):
                base = await press(
                    bare.port, "/", seconds=_BARE_SECONDS, connections=CONNECTIONS,
                    body=candidate.bodies(kind),
                )  # fmt: skip
                ours = await press(
                    candidate.port, candidate.path, seconds=_SECONDS, connections=CONNECTIONS,
                    body=candidate.bodies(kind),
                )  # fmt: skip
                ratios.append(ours.per_second / base.per_second)
                rates.append(ours.per_second)
                answered.append(ours.p50 * 1e3)
        cells[key] = Cell(median(ratios))
        if kind is Body.SINGLE:
            cells |= {"posts": Cell(median(rates)), "answer": Cell(median(answered))}
    return cells


async def idle(candidate: Candidate, seconds: float) -> dict[str, Cell]:
    """Look at a process that has nothing to do."""
    await asyncio.sleep(3)  # noqa: TID251 - it digests its start
    before, began = _cpu(candidate), time.perf_counter()
    await asyncio.sleep(seconds)  # noqa: TID251 - a time to measure in
    used = (_cpu(candidate) - before) / (time.perf_counter() - began)
    return {"memory": Cell(megabytes(candidate)), "idle": Cell(used * 100)}


async def filled(candidate: Candidate, posts: int) -> None:
    """Post 20 alerts so many times."""
    await press(
        candidate.port, candidate.path, seconds=120, most=posts, connections=CONNECTIONS,
        body=candidate.bodies(Body.TWENTY),
    )  # fmt: skip


async def killed(candidate: Candidate) -> None:
    """Have it accept 50 posts on 4 connections, kill it at the last answer, start it again."""
    await press(
        candidate.port, candidate.path, seconds=20, most=ACCEPTED, connections=4,
        body=candidate.bodies(Body.SINGLE),
    )  # fmt: skip
    candidate.kill()
    await candidate.restart()


async def first_answer(url: str, body: bytes, headers: dict[str, str]) -> float:
    """Post until it is accepted; return the seconds that took."""
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        while time.perf_counter() - began < 60:
            try:
                async with session.post(url, data=body, headers=headers) as answer:
                    if answer.status in {200, 202}:
                        return time.perf_counter() - began
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.01)  # noqa: TID251 - it polls a process that starts
    raise TimeoutError(f"{url} took nothing within a minute")


def megabytes(candidate: Candidate) -> float:
    """Return the memory of its processes; what they share counts once."""
    return sum(_proportional(pid) for pid in candidate.pids()) / 1e3


def _proportional(pid: int) -> int:
    """Return kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _cpu(candidate: Candidate) -> float:
    return sum(cpu_seconds(pid) for pid in candidate.pids())
