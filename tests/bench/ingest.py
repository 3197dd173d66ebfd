"""How many alerts a core takes and decides, against a bare handler that parses the same JSON."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.load import Body
from tests.bench.rounds import Run, on_core
from tests.bench.serving import Pressed, Server, serving
from tests.bench.table import Figure, of_rounds, promised, ratios, told

DATABASES = ("SQLite", "PostgreSQL")
MODES = {"accept": "accepted and durable", "process": "accepted, decided, page due"}
_SECONDS, _ALERTS = 0.8, 1_000
_FEWER = 3
"""Rounds of what is only told, and not promised."""
_GATE_SECONDS, _GATE_ALERTS = 0.5, 500


@dataclass
class Series:
    """Round by round: what was pressed, and the answer to one request alone, in seconds."""

    pressed: list[Pressed] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [one.per_second for one in self.pressed]

    @property
    def cpu(self) -> list[float]:
        return [one.cpu_each for one in self.pressed]

    @property
    def p50(self) -> float:
        return median(one.rate.p50 for one in self.pressed)


Measured = Mapping[tuple[str, Body], Series]


def measure(run: Run) -> list[Figure]:
    """Press every server in turn, in rounds; ratios are medians of the rounds' own ratios."""
    places = _places(run)
    with on_core(1):
        found = asyncio.run(_pressed(run, places, tuple(Body), (_SECONDS, _ALERTS)))
    return [figure for body in Body for figure in figures(found, body)]


def gates(run: Run) -> list[Figure]:
    """Measure what CI asks for: single alerts."""
    places = _places(run)
    with on_core(1):
        most = (_GATE_SECONDS, _GATE_ALERTS)
        found = asyncio.run(_pressed(run, places, (Body.SINGLE,), most))
    return list(_by_processor(found))


def _places(run: Run) -> dict[str, tuple[Path, str]]:
    """Return folder and database of each server, by its name."""
    places = {"bare": (run.made("bare"), "")}
    for mode in MODES:
        for kind in DATABASES:
            places[f"{mode} {kind}"] = (run.made(mode), run.database(kind))
    return places


async def _pressed(
    run: Run,
    places: Mapping[str, tuple[Path, str]],
    kinds: tuple[Body, ...],
    most: tuple[float, int],
) -> Measured:
    """Press for so many seconds or, where there is an engine to wait for, so many alerts."""
    rounds = run.rounds(5)
    found = {(name, body): Series() for name in places for body in kinds}
    async with AsyncExitStack() as stack:
        servers: dict[str, Server] = {}
        for name, (folder, url) in places.items():
            run.progress.tell(f"ingest: starting {name}")
            servers[name] = await stack.enter_async_context(serving(folder, name.split()[0], url))
        for number in range(rounds):
            for body in kinds:
                if body is not Body.SINGLE and number >= _FEWER:
                    continue
                run.progress.tell(f"ingest: {body}, round {number + 1} of {rounds}")
                for name, server in servers.items():
                    await _round(server, body, most, found[name, body])
    return found


async def _round(server: Server, body: Body, most: tuple[float, int], series: Series) -> None:
    seconds, alerts = most
    if server.decides:
        series.pressed.append(await server.press(body, seconds=60, most=alerts // body.alerts))
        return
    series.pressed.append(await server.press(body, seconds=seconds))
    if body is Body.SINGLE:
        series.alone.append(await server.alone())


def figures(found: Measured, body: Body) -> Iterator[Figure]:
    bare = found["bare", body]
    name = f"{body}: bare aiohttp handler, 64 connections"
    each = f"{median(bare.cpu) * 1e6:.0f} us of a core an alert"
    yield of_rounds(name, bare.rates, "alerts/s", each)
    for name, mode, series in _compared(found, body):
        by_cpu = median(ratios(bare.cpu, series.cpu))
        beside = (
            f"{told(median(series.rates))} alerts/s against {told(median(bare.rates))};"
            f" {by_cpu:.2f} by processor time ({median(series.cpu) * 1e6:.0f} us);"
            f" answered in {series.p50 * 1e3:.1f} ms"
        )
        figure = of_rounds(f"{name} / bare", ratios(series.rates, bare.rates), "", beside)
        yield promised(mode, figure) if body is Body.SINGLE else figure
    if bare.alone:
        yield from _alone(found, body)


def _by_processor(found: Measured) -> Iterator[Figure]:
    """Compare processor times: a busy machine takes from both sides of their ratio alike."""
    bare = found["bare", Body.SINGLE]
    for name, mode, series in _compared(found, Body.SINGLE):
        beside = f"{median(series.cpu) * 1e6:.0f} us against {median(bare.cpu) * 1e6:.0f}"
        figure = of_rounds(f"{name} / bare", ratios(bare.cpu, series.cpu), "", beside)
        yield promised(mode, figure)
    yield from _alone(found, Body.SINGLE)


def _compared(found: Measured, body: Body) -> Iterator[tuple[str, str, Series]]:
    for mode, what in MODES.items():
        for kind in DATABASES:
            yield f"{body}: {what}, {kind}", mode, found[f"{mode} {kind}", body]


def _alone(found: Measured, body: Body) -> Iterator[Figure]:
    bare = found["bare", body].alone
    for kind in DATABASES:
        ours = found[f"accept {kind}", body].alone
        name = f"one request at a time, answered, {kind} / bare"
        beside = f"{median(ours) * 1e3:.2f} ms against {median(bare) * 1e3:.2f}"
        yield promised("answer", of_rounds(name, ratios(ours, bare), "x", beside))
