"""`python -m tests.bench.rotation`: what a year of rotations takes, and one "who"."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as clock

from rules.hours import DAYS, Hours
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.resolution import on_call, resolve
from rules.schedule.roster import Layer, Override, RotationPlan, Schedule, Unit
from rules.schedule.who import who
from tests.bench.rounds import Run
from tests.bench.table import Figure, promised, rendered

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
ASKED = 500


def main() -> None:
    sys.stdout.write("\n".join(rendered(figures())) + "\n")


def measure(_run: Run) -> list[Figure]:
    return figures()


def gates(_run: Run) -> list[Figure]:
    """Measure what CI asks for, and nothing else."""
    plain, full = _schedules()
    (name, one), (more, other) = plain, full
    year = least(lambda: resolve(one, START, START + YEAR))
    found, all_roles = (on_call(each, START, START + YEAR) for each in (one, other))
    return [
        promised("year", Figure(f"{name}: a year", year, "s")),
        promised("who", Figure(f"{name}: who, all rotations", asked(found) * 1e3, "ms")),
        promised("who", Figure(f"{name}: who, one", asked(found, "r7") * 1e3, "ms")),
        promised("who", Figure(f"{more}: who, one", asked(all_roles, "r7") * 1e3, "ms")),
    ]


def figures() -> list[Figure]:
    (_, plain), _ = schedules = _schedules()
    found_figures = []
    for name, one in schedules:
        took = least(lambda one=one: resolve(one, START, START + YEAR))  # type: ignore[misc]
        found = on_call(one, START, START + YEAR)
        year = Figure(f"{name}: a year", took, "s")
        everybody = Figure(f"{name}: who, all rotations", asked(found) * 1e3, "ms")
        found_figures += [
            Figure(f"{name}: spans of a year", len(found.all_spans())),
            promised("year", year) if one is plain else year,
            Figure(f"{name}: 14 days", least(lambda one=one: two_weeks(one)), "s"),  # type: ignore[misc]
            promised("who", everybody) if one is plain else everybody,
            promised("who", Figure(f"{name}: who, one", asked(found, "r7") * 1e3, "ms")),
        ]
    first = least(lambda: resolve(plain, START, START + YEAR))
    ten = least(lambda: resolve(plain, START + 10 * YEAR, START + 11 * YEAR))
    later = Figure("a year, ten years on, against this", ten / first, "x", 1.5, at_most=True)
    return [*found_figures, later]


def _schedules() -> tuple[tuple[str, Schedule], tuple[str, Schedule]]:
    return (
        ("20 rotations x 3 layers", schedule(("primary",))),
        ("x 3 roles", schedule(("primary", "secondary", "shadow"), overrides=12)),
    )


def schedule(roles: tuple[str, ...], overrides: int = 0) -> Schedule:
    """Return 20 rotations: weeks below, office hours by day above, nights of weekends on top."""
    plans = []
    for n in range(20):
        zone = ZONES[n % len(ZONES)]
        order = tuple((f"p{(n + k) % 12}",) for k in range(5))
        office, nights = (
            Hours(clock(9), clock(17), zone, DAYS[:5]),
            Hours(clock(22), clock(6), zone, DAYS[5:]),
        )
        began = datetime.combine(START - timedelta(days=360), clock(9))
        layers = [
            Layer(
                role=role,
                order=order,
                unit=unit,
                every=every,
                starts=began,
                zone=zone,
                windows=windows,
            )
            for role in roles
            for unit, every, windows in (
                (Unit.WEEK, 1, ()),
                (Unit.DAY, 1, (office,)),
                (Unit.HOUR, 12, (nights,)),
            )
        ]
        plans.append(RotationPlan(name=f"r{n}", zone=zone, layers=tuple(layers)))
    changed = [
        Override(
            id=f"{n}-{role}-{k}",
            rotation=f"r{n}",
            role=role,
            person="p1",
            starts_at=START + timedelta(days=30 * k, hours=n),
            ends_at=START + timedelta(days=30 * k + 1, hours=n),
            by="p1",
            created_at=START,
        )
        for n in range(20)
        for role in roles
        for k in range(overrides)
    ]
    return Schedule(plans=plans, overrides=changed)


def two_weeks(one: Schedule) -> object:
    return resolve(one, START + timedelta(days=100), START + timedelta(days=114))


def asked(found: OnCall, rotation: str = "") -> float:
    people = People()
    instants = [START + YEAR / ASKED * n for n in range(ASKED)]
    return _cpu(lambda: [who(found, people, at, rotation=rotation) for at in instants]) / ASKED


def least(work: Callable[[], object]) -> float:
    """Return the processor seconds of the best of three: the machine does other things, too."""
    return min(_cpu(work) for _ in range(3))


def _cpu(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


if __name__ == "__main__":
    main()
