"""Servers under load, each a process of its own on core 0; see tests.bench.server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import aiohttp

from tests.bench.load import Body, Rate, bodies, press
from tests.bench.rounds import pin
from tests.ports import free_port
from tests.process.harness import Process, get_json, pause, set_up, until
from tests.process.measure import cpu_seconds, memory

HOOK = "/hooks/alertmanager"


@dataclass(frozen=True)
class Pressed:
    """What one round took: `seconds` until all of it was done, `cpu` seconds of the server."""

    rate: Rate
    alerts: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        """Return alerts a second."""
        return self.alerts / self.seconds

    @property
    def cpu_each(self) -> float:
        return self.cpu / self.alerts


@dataclass(frozen=True)
class Server:
    """A server that listens; `decides`: it has the engine, and is done when that is."""

    process: Process
    port: int
    decides: bool

    async def press(self, body: Body, *, seconds: float, most: int = 10**9) -> Pressed:
        """Post for so long, or so many times, until everything is done."""
        loop = _Stopwatch(self.process.pid)
        rate = await press(self.port, HOOK, seconds=seconds, most=most, body=bodies(body))
        if self.decides:
            await self.all_decided()
        took, cpu = loop.passed()
        return Pressed(rate, rate.accepted * body.alerts, took, cpu)

    async def alone(self, most: int = 250) -> float:
        """Return the median seconds of an answer when there is one request at a time."""
        rate = await press(self.port, HOOK, seconds=20, most=most, connections=1)
        return rate.p50

    async def all_decided(self) -> None:
        async with aiohttp.ClientSession() as session:
            while (await get_json(session, f"http://127.0.0.1:{self.port}/waiting"))[1]["waiting"]:
                await pause(0.01)

    @property
    def memory(self) -> int:
        return memory(self.process.pid)


class _Stopwatch:
    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu = cpu_seconds(pid)
        self._began = perf_counter()

    def passed(self) -> tuple[float, float]:
        return perf_counter() - self._began, cpu_seconds(self._pid) - self._cpu


@asynccontextmanager
async def serving(
    folder: Path, mode: str, url: str = "", *, warm: bool = True, pinned: bool = True
) -> AsyncIterator[Server]:
    """Start a server of a mode: `bare`, `accept` or `process`, the last two on a database."""
    setup = set_up(folder, url, waits="30m 30m")
    port = free_port()
    arguments: tuple[str, ...] = (
        "tests.bench.server",
        mode,
        str(port),
        str(folder / "config.yaml"),
    )
    if mode == "bare":
        arguments = ("tests.bench.bare", str(port))
    process = Process(arguments, folder / "server.log", setup.bot.process.environment)
    process.start()
    if pinned:
        pin(process.pid)
    server = Server(process, port, decides=mode == "process")
    try:
        await until(lambda: _listens(port, process), "the server listens", 120)
        if warm:
            await press(port, HOOK, seconds=5, most=200)
        if warm and server.decides:
            await server.all_decided()
        yield server
    finally:
        process.kill()


async def _listens(port: int, process: Process) -> bool:
    assert process.popen is not None
    assert process.popen.poll() is None, process.output()
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/"):
            return True
    except (OSError, aiohttp.ClientError):
        return False
