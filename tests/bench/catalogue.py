"""`python -m tests.bench.catalogue`: what the catalogue takes at 10,000 models and products."""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles

from bot.catalogue.manifest import Manifest
from bot.catalogue.manifest_worker import import_manifest
from rules.catalogue import Catalogue, Product
from rules.claims import AssetPattern
from rules.lineage import Lineage
from tests.bench.rounds import Run
from tests.bench.table import Figure, rendered
from tests.bot.catalogue.synthetic import Size, write_manifest

LOOK_UPS = 20_000


def main() -> None:
    sys.stdout.write("\n".join(rendered(figures())) + "\n")


def measure(_run: Run) -> list[Figure]:
    return figures()


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="watchbill-bench-") as made:
        path = write_manifest(Path(made) / "manifest.json", Size())
        megabytes = path.stat().st_size / 1e6
        began = time.perf_counter()
        manifest = import_manifest(path)
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        # The same models with many more edges between them and no tests.
        dense = Size(tests=0, parents=9, padding=10)
        denser = import_manifest(write_manifest(path, dense))
    return [
        Figure("manifest", megabytes, "MB"),
        Figure("import", took, "s", 3, at_most=True),
        Figure("import, peak memory", peak, "MB", 250, at_most=True),
        *_radius("blast radius", manifest),
        *_radius("blast radius, dense", denser),
        *_look_ups(),
    ]


def _radius(name: str, manifest: Manifest) -> Iterator[Figure]:
    catalogue = Catalogue((), manifest.assets, manifest.tests)
    lineage = Lineage(catalogue, manifest.children)
    seeds = [one.id for one in manifest.assets[::7]]
    spent = [_cpu(lambda seed=seed: lineage.blast_radius([seed])) for seed in seeds]  # type: ignore[misc]
    yield Figure(f"{name}: edges", sum(len(found) for found in manifest.children.values()))
    reach = max(len(lineage.blast_radius([seed]).hits) for seed in seeds)
    yield Figure(f"{name}: most hits", reach)
    yield Figure(f"{name}: p50", median(spent) * 1e3, "ms")
    yield Figure(f"{name}: p99", quantiles(spent, n=100)[98] * 1e3, "ms", 10, at_most=True)


def _look_ups() -> Iterator[Figure]:
    times = [_look_up(size) for size in (10, 10_000)]
    for size, took in zip((10, 10_000), times, strict=True):
        yield Figure(f"look-up, {size:,} products", took * 1e6, "us")
    yield Figure("10,000 against 10", times[1] / times[0], "x", 2, at_most=True)


def _look_up(size: int) -> float:
    claims = [
        (AssetPattern("dag", f"team{at}_*"), AssetPattern("model", f"m{at}")) for at in range(size)
    ]
    catalogue = Catalogue(
        Product(id=f"p{at}", name=f"P {at}", assets=one) for at, one in enumerate(claims)
    )
    asked = [{"dag_id": f"team{at % size}_load", "task_id": "t"} for at in range(LOOK_UPS)]
    return _cpu(lambda: [catalogue.find(one) for one in asked]) / LOOK_UPS


def _cpu(work: Callable[[], object]) -> float:
    """Return processor seconds: other processes of the machine do not count."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


if __name__ == "__main__":
    main()
