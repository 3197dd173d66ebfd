"""How many deliveries a core takes and decides, against a bare handler that parses the same JSON."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp

from tests.bench.load import Rate, press
from tests.bench.table import Figure
from tests.process.harness import Process, free_port, get_json, pause, set_up, until
from tests.process.measure import cpu_seconds
from tests.process.postgresql import database

HOOK = "/hooks/alertmanager"
DATABASES = ("SQLite", "PostgreSQL")
ACCEPT, PROCESS = 0.50, 0.27


@dataclass
class _Rates:
    """By round: requests a second, processor time of each, and the median latency."""

    per_second: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)


async def measure(folder: Path, server: str, *, quick: bool) -> Sequence[Figure]:
    """Interleave rounds of all kinds; ratios are medians of the rounds' own ratios."""
    rounds, seconds, alerts = (2, 1.0, 1_000) if quick else (4, 1.2, 1_500)
    kinds = ["bare", *(f"{mode} {kind}" for mode in ("accept", "process") for kind in DATABASES)]
    rates = {kind: _Rates() for kind in kinds}
    for number in range(rounds):
        for kind in kinds:
            place = folder / f"{number}-{kind.replace(' ', '-')}"
            place.mkdir()
            url = await asyncio.to_thread(_database, server, place, kind, number)
            mode = kind.split()[0]
            rate, cpu = await _round(place, mode, url, seconds, alerts)
            rates[kind].cpu.append(cpu)
            rates[kind].per_second.append(rate.per_second)
            rates[kind].p50.append(rate.p50)
    return _figures(rates)


def _figures(rates: dict[str, _Rates]) -> list[Figure]:
    bare, bare_cpu = rates["bare"].per_second, median(rates["bare"].cpu)
    figures = [Figure("bare aiohttp handler, 64 connections", median(bare), "/s")]
    for kind, found in rates.items():
        if kind == "bare":
            continue
        ratios = [one / base for one, base in zip(found.per_second, bare, strict=True)]
        mode, name = kind.split()
        what, bound = (
            ("accepted and durable", ACCEPT)
            if mode == "accept"
            else ("accepted, decided, page due", PROCESS)
        )
        note = (
            f"{median(found.per_second):,.0f}/s; rounds {min(ratios):.2f} to {max(ratios):.2f};"
            f" {bare_cpu / median(found.cpu):.2f} by processor time"
            f" ({median(found.cpu) * 1e6:.0f} us each); answered in {median(found.p50) * 1000:.1f} ms"
        )
        figures.append(Figure(f"{what}, {name} / bare", median(ratios), "", bound, note=note))
    return figures


def _database(server: str, place: Path, kind: str, number: int) -> str:
    if kind.endswith("PostgreSQL"):
        return database(server, f"bench_{kind.split(maxsplit=1)[0]}_{number}")
    return f"sqlite:///{place / 'watchbill.db'}"


async def _round(
    place: Path, mode: str, url: str, seconds: float, alerts: int
) -> tuple[Rate, float]:
    setup = set_up(place, url, waits="30m 30m")
    port = free_port()
    config = () if mode == "bare" else (str(place / "config.yaml"),)
    arguments = ("tests.bench.server", mode, str(port), *config)
    process = Process(arguments, place / "server.log", setup.bot.process.environment)
    process.start()
    if 0 in os.sched_getaffinity(process.pid) or os.cpu_count() != 1:
        os.sched_setaffinity(process.pid, {0})
    try:
        await until(lambda: _listens(port, process), "the server listens")
        await press(port, HOOK, seconds=0.3, most=200)
        if mode == "process":
            await _all_decided(port)
        used, began = cpu_seconds(process.pid), time.perf_counter()
        if mode == "process":
            rate = await press(port, HOOK, seconds=60, most=alerts)
            await _all_decided(port)
            rate = Rate(rate.accepted, time.perf_counter() - began, rate.p50)
        else:
            rate = await press(port, HOOK, seconds=seconds)
        return rate, (cpu_seconds(process.pid) - used) / rate.accepted
    finally:
        process.kill()


async def _listens(port: int, process: Process) -> bool:
    assert process.popen is not None
    assert process.popen.poll() is None, process.output()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/"),
        ):
            return True
    except (OSError, aiohttp.ClientError):
        return False


async def _all_decided(port: int) -> None:
    async with aiohttp.ClientSession() as session:
        while (await get_json(session, f"http://127.0.0.1:{port}/waiting"))[1]["waiting"]:
            await pause(0.01)
