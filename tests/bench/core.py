"""How many decisions a second the pure core takes, without a database or a network."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from rules.alert import AlertStatus
from rules.decide import decide
from rules.decision import Decision
from rules.events import Acked, AlertReceived, Resolved, Woken
from rules.grouping import open_incident
from rules.incident import Incident
from tests.bench.load import bodies
from tests.bench.rounds import Run
from tests.bench.table import Figure, of_rounds
from tests.rules.build import ANA, NOW, make_alert, make_book

_BOOK = make_book()


def measure(run: Run) -> list[Figure]:
    count = 500 if run.quick else 1_500
    opened = [_opened(at) for at in range(count)]
    woken = opened[0].incident.wake_at or NOW
    again = AlertReceived(make_alert("check-0"), AlertStatus.FIRING)
    body = next(bodies())
    ways: dict[str, Callable[[int], object]] = {
        "an alert that opens an incident": _opened,
        "a repeated alert": lambda at: decide(_saved(opened[at]), again, _BOOK, NOW),
        "an acknowledgement": lambda at: decide(_saved(opened[at]), Acked(ANA), _BOOK, NOW),
        "a step of the policy": lambda at: decide(_saved(opened[at]), Woken(), _BOOK, woken),
        "a resolution": lambda at: decide(_saved(opened[at]), Resolved(ANA), _BOOK, NOW),
    }
    parsing = _each(lambda _at: json.loads(body), count)
    return list(_figures(ways, run.rounds(5), count, parsing))


def _figures(
    ways: dict[str, Callable[[int], object]], rounds: int, count: int, parsing: float
) -> Iterator[Figure]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(1 / _each(way, count))
    for name, rates in taken.items():
        beside = f"{1 / parsing:,.0f} bodies of 2 KB parsed by json.loads"
        yield of_rounds(f"decided in a second: {name}", rates, "/s", beside)


def _opened(at: int) -> Decision:
    alert = make_alert(f"check-{at}")
    empty = open_incident(alert, _BOOK, incident_id=f"inc-{at}", number=at, now=NOW)
    return decide(empty, AlertReceived(alert), _BOOK, NOW)


def _saved(decision: Decision) -> Incident:
    return replace(decision.incident, version=1)


def _each(work: Callable[[int], object], count: int) -> float:
    """Return processor seconds of one: other processes of the machine do not count."""
    began = time.thread_time()
    for at in range(count):
        work(at)
    return (time.thread_time() - began) / count
