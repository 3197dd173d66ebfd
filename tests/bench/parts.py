"""The parts of the bench, in the order they run, and what each takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench import (
    catalogue,
    classification,
    core,
    disk,
    ingest,
    issues,
    journal,
    latency,
    process,
    retention,
    rotation,
    sheet,
    stored,
    storm,
)
from tests.bench.peers import comparing
from tests.bench.rounds import Run
from tests.bench.table import Figure

Measure = Callable[[Run], Sequence[Figure]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the table; `seconds` is about how long it takes, `gates` what CI runs of it.

    One that is not `usual` runs only when it is named.
    """

    name: str
    title: str
    measure: Measure
    seconds: float
    gates: Measure | None = None
    gate_seconds: float = 0.0
    usual: bool = True


PARTS = (
    Part("ingest", "Ingest", ingest.measure, 65, ingest.gates, 25),
    Part("disk", "The disk, and what is made of it", disk.measure, 18, disk.gates, 8),
    Part("latency", "From the alert to the page", latency.measure, 45, latency.gates, 15),
    Part("storm", "A storm", storm.measure, 40),
    Part("process", "The process", process.measure, 28),
    Part("stored", "With much stored", stored.measure, 140),
    Part("retention", "While old deliveries are forgotten", retention.measure, 30),
    Part("core", "The pure core", core.measure, 3),
    Part("classify", "Classification", classification.measure, 8, classification.gates, 5),
    Part("rotation", "Rotations", rotation.measure, 6, rotation.gates, 2),
    Part("peers", "Beside others", comparing.measure, 220),
    Part("catalogue", "The catalogue", catalogue.measure, 30, usual=False),
    Part("journal", "The journal with 50,000 entries", journal.measure, 140, usual=False),
    Part("issues", "The table of 100,000 issues", issues.measure, 120, usual=False),
    Part("sheet", "From a change of who is on call", sheet.measure, 600, usual=False),
)


def chosen(only: Sequence[str]) -> list[Part]:
    """Return the parts that are named, or the usual ones; ValueError names what there is."""
    known = {part.name: part for part in PARTS}
    if unknown := [name for name in only if name not in known]:
        raise ValueError(f"there is no part {', '.join(unknown)}; there are {', '.join(known)}")
    return [part for part in PARTS if (part.name in only if only else part.usual)]
