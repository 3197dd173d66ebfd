"""TTV and TTR of fixes that runs prove, against a replay of a year by other arithmetic."""

import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from whenever import Date, Instant, PlainDateTime, Time

from rules.alert import AlertStatus
from rules.decide import decide
from rules.events import (
    Acked,
    AlertReceived,
    Event,
    Reopened,
    Resolved,
    RunObserved,
    Verified,
    Waived,
)
from rules.grouping import open_incident
from rules.incident import Incident
from rules.issues.measures import course_of, measured
from rules.run import Run, RunState
from rules.verifying.settings import VerifyingRules
from tests.rules.build import ANA, BO, make_alert, make_book

ZONES = ("Europe/London", "America/Chicago", "Asia/Kolkata")
CLOCK_CHANGES = ("2026-03-29T00:30", "2026-10-25T00:30", "2026-03-08T01:30", "2026-11-01T01:10")
"""Wall times whose next hours are skipped or repeated somewhere."""
LABELS = {"dag_id": "orders"}
RUN_TAKES, HEARD_AFTER = 20, 3
"""Minutes of a run, and until somebody tells of its end."""
LIVES = (
    ("ack", "fixed", "good"),
    ("fixed", "good"),
    ("ack", "fixed", "old", "good"),
    ("ack", "fixed", "bad", "fixed", "good"),
    ("fixed", "bad", "ack", "fixed", "bad", "fixed", "good"),
    ("ack", "fixed", "reopened", "fixed", "good"),
    ("ack", "fixed", "again", "ack", "fixed", "good"),
    ("ack", "fixed", "words"),
    ("ack", "fixed", "waived"),
    ("fixed", "bad", "fixed", "waived"),
    ("fixed", "bad", "fixed", "reopened", "fixed", "words"),
    ("ack", "fixed"),
    ("ack", "fixed", "bad"),
    ("fixed", "old"),
    ("ack", "good", "fixed", "good"),
)


@dataclass
class Lived:
    """What happened at which instant; a run is told of HEARD_AFTER minutes after its end."""

    steps: list[tuple[Instant, str]] = field(default_factory=list)


def a_year(seed: int, count: int = 240) -> list[Lived]:
    chance = random.Random(seed)
    return [_one(chance, n) for n in range(count)]


def _one(chance: random.Random, number: int) -> Lived:
    if number % 3 == 0:
        wall = PlainDateTime.parse_iso(chance.choice(CLOCK_CHANGES))
    else:
        wall = Date(2026, 1, 1).add(days=chance.randrange(365)).at(Time(chance.randrange(24)))
    at = wall.assume_tz(chance.choice(ZONES), disambiguation="earlier").to_instant()
    lived = Lived([(at, "fires")])
    for step in LIVES[number % len(LIVES)]:
        at = at.add(minutes=chance.choice((30, 61, 90, 600, 2_900)))
        lived.steps.append((at, step))
    return lived


def decided(lived: Lived) -> Incident:
    book = make_book(verifying=VerifyingRules(kinds={"airflow": "airflow"}))
    incident: Incident | None = None
    for at, step in lived.steps:
        now = _stdlib(at)
        event = _event(step, now, incident)
        if incident is None:
            assert isinstance(event, AlertReceived)
            incident = open_incident(event.alert, book, incident_id="i", number=1, now=now)
        found = decide(incident, event, book, now).incident
        incident = found.but(version=found.version + 1)
    assert incident is not None
    return incident


def _event(step: str, now: datetime, incident: Incident | None) -> Event:
    if step in {"fires", "again"}:
        alert = make_alert(occurred_at=now, labels=LABELS)
        return AlertReceived(alert, AlertStatus.FIRING if incident else None)
    if step in {"good", "bad", "old"}:
        return RunObserved(_run(step, now, incident))
    people: dict[str, Event] = {
        "ack": Acked(ANA),
        "fixed": Resolved(BO),
        "reopened": Reopened(ANA, "it is not"),
        "words": Verified(BO, "I compared the totals"),
        "waived": Waived(ANA, "the table is gone"),
    }
    return people[step]


def _run(step: str, now: datetime, incident: Incident | None) -> Run:
    ended = now - timedelta(minutes=HEARD_AFTER)
    started = ended - timedelta(minutes=RUN_TAKES)
    if step == "old" and incident and incident.verification:
        started = incident.verification.claimed_at - timedelta(minutes=1)
    return Run(
        source="airflow",
        pipeline="orders",
        run_id=f"{step}-{now:%H%M}",
        state=RunState.FAILED if step == "bad" else RunState.SUCCEEDED,
        started_at=started,
        ended_at=ended,
        labels=LABELS,
    )


def _stdlib(at: Instant) -> datetime:
    return datetime.fromtimestamp(at.timestamp(), UTC)


def replayed(lived: Lived) -> tuple[int | None, int | None]:
    """Count TTR and TTV in minutes, step by step, with a counter of minutes as the only clock."""
    clock = 0
    claimed = proved = healthy = None
    before = lived.steps[0][0]
    for at, step in lived.steps:
        clock += round((at - before).total("minutes"))
        before = at
        waits = claimed is not None and healthy is None
        if step == "fixed" and not waits and healthy is None:
            claimed = clock
        elif step == "good" and waits:
            proved = healthy = clock - HEARD_AFTER
        elif step == "words" and waits:
            proved = healthy = clock
        elif step == "waived" and waits:
            healthy = claimed
        elif step in {"bad", "reopened", "again"}:
            claimed = proved = healthy = None
    waiting = proved - claimed if proved is not None and claimed is not None else None
    return healthy, waiting


@pytest.mark.parametrize("seed", range(3))
def test_a_year_of_proofs_is_measured_as_a_replay_counts_it(seed: int) -> None:
    wrong = []
    for lived in a_year(seed):
        found = measured(course_of(decided(lived)))
        got = tuple(
            None if span is None else span // timedelta(minutes=1)
            for span in (found.ttr, found.ttv)
        )
        if got != replayed(lived):
            wrong.append((lived.steps, got, replayed(lived)))
    assert wrong == []


def test_the_year_has_what_makes_proofs_hard() -> None:
    year = a_year(0)
    spans = sorted((lived.steps[0][0], lived.steps[-1][0]) for lived in year)
    assert sum(one[1] > other[0] for one, other in itertools.pairwise(spans)) > 50
    told = [replayed(lived) for lived in year]
    assert sum(ttv is not None for _, ttv in told) > 100
    assert sum(ttr is not None and ttv is None for ttr, ttv in told) > 20
    assert sum(ttr is None for ttr, _ in told) > 20
