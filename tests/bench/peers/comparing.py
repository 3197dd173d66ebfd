"""The comparison as a part of the bench: the columns, and how Watchbill stands in each row."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.bench.peers import alertmanager, watchbill
from tests.bench.peers.columns import MORE, Column, standings
from tests.bench.peers.known import ALERTMANAGER, KNOWN
from tests.bench.rounds import Run
from tests.bench.serving import serving
from tests.bench.table import Figure


def measure(run: Run) -> list[Figure]:
    """Measure what is here; the others are cited."""
    ours = asyncio.run(_measured(run))
    ours = [
        replace(one, cells={**one.cells, **watchbill.grown(run, kind)})
        for one, kind in zip(ours, ("SQLite", "PostgreSQL"), strict=True)
    ]
    run.columns[:] = [*ours, asyncio.run(_alertmanager(run)), *KNOWN]
    return [figure for one in ours for figure in _compared([one, *run.columns[2:]])]


async def _measured(run: Run) -> list[Column]:
    async with serving(run.made("bare"), "bare", pinned=False) as bare:
        return [await watchbill.measure(run, kind, bare) for kind in ("SQLite", "PostgreSQL")]


async def _alertmanager(run: Run) -> Column:
    if not alertmanager.installed():
        return ALERTMANAGER
    async with serving(run.made("bare"), "bare", pinned=False) as bare:
        return await alertmanager.measure(run, bare)


def _compared(columns: Sequence[Column]) -> Iterator[Figure]:
    """Hold the first column against the best of those that store anything."""
    for standing in standings(columns):
        row, best = standing.row, standing.best
        yield Figure(
            f"{columns[0].name}: {row.title}",
            standing.ours.value,
            row.unit,
            best.value,
            at_most=row.better != MORE,
            beside=f"the best that stores: {best.shown(row)}, {standing.of}",
            note=standing.ours.note,
            peer=True,
        )
