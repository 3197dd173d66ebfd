"""The measures, against a minute-by-minute replay of a year in three zones by other arithmetic."""

import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from whenever import Date, Instant, PlainDateTime, Time

from rules.alert import AlertStatus
from rules.decide import decide
from rules.events import Acked, AlertReceived, Event, Reopened, Resolved, Unacked
from rules.grouping import open_incident
from rules.incident import Incident
from rules.issues.issue import Standing, standing_of
from rules.issues.measures import Course, Measures, breached, course_of, measured
from rules.verification import Verdict, Verification
from tests.rules.build import (
    ANA,
    BO,
    HOUR,
    MINUTE,
    NOW,
    make_alert,
    make_book,
    make_incident,
    resolved,
)

ZONES = ("Europe/London", "America/Chicago", "Asia/Kolkata")
CLOCK_CHANGES = ("2026-03-29T00:30", "2026-10-25T00:30", "2026-03-08T01:30", "2026-11-01T01:10")
"""Wall times whose next hours are skipped or repeated somewhere."""


@dataclass
class Told:
    """One incident of the year: what happened at which instant, as words."""

    broke: Instant
    steps: list[tuple[Instant, str]] = field(default_factory=list)


def a_year(seed: int, count: int = 200) -> list[Told]:
    """Make incidents begin at wall times, a quarter around a change of clocks, many at weekends."""
    chance = random.Random(seed)
    return [_one(chance, n) for n in range(count)]


def _one(chance: random.Random, number: int) -> Told:
    if number % 4 == 0:
        wall = PlainDateTime.parse_iso(chance.choice(CLOCK_CHANGES))
    else:
        day = Date(2026, 1, 1).add(days=chance.randrange(365))
        wall = day.at(Time(chance.randrange(24), chance.randrange(60)))
    broke = wall.assume_tz(chance.choice(ZONES), disambiguation="later").to_instant()
    told = Told(broke)
    at = broke.add(minutes=chance.choice((0, 0, 7, 55, 300)))
    told.steps.append((at, "fires"))
    for step in chance.choice(
        (
            ("ack", "fixed"),
            ("fixed",),
            ("clears",),
            ("ack", "other fires", "clears", "other clears"),
            ("ack", "other fires", "clears", "unack", "ack", "fixed"),
            ("other fires", "other clears", "ack", "clears"),
            ("ack", "fixed", "reopened", "ack", "fixed"),
            ("ack", "clears", "reopened", "fires", "fixed"),
            ("ack", "clears", "reopened", "fixed"),
            ("ack",),
            (),
        )
    ):
        at = at.add(minutes=chance.choice((1, 5, 45, 61, 600, 700)))
        told.steps.append((at, step))
    return told


def lived(told: Told) -> Incident:
    """Let the rules decide it, step by step."""
    book = make_book()
    incident: Incident | None = None
    before: dict[str, AlertStatus] = {}
    for at, step in told.steps:
        now = _stdlib(at)
        event = _event(step, told, before)
        if incident is None:
            assert isinstance(event, AlertReceived)
            incident = open_incident(event.alert, book, incident_id="i", number=1, now=now)
        decided = decide(incident, event, book, now).incident
        incident = decided.but(version=decided.version + 1)
    assert incident is not None
    return incident


def _event(step: str, told: Told, before: dict[str, AlertStatus]) -> Event:
    people: dict[str, Event] = {
        "ack": Acked(ANA),
        "unack": Unacked(ANA),
        "fixed": Resolved(BO),
        "reopened": Reopened(ANA),
    }
    if step in people:
        return people[step]
    key = "other" if step.startswith("other") else "orders"
    fires = step.endswith("fires")
    known = before.get(key)
    before[key] = AlertStatus.FIRING if fires else AlertStatus.RESOLVED
    alert = make_alert(key, occurred_at=_stdlib(told.broke)) if fires else resolved(key)
    return AlertReceived(alert, known)


def _stdlib(at: Instant) -> datetime:
    return datetime.fromtimestamp(at.timestamp(), UTC)


def replayed(told: Told) -> dict[str, int | None]:
    """Count minutes, one by one, in each of which the state is known."""
    start, end = told.steps[0][0], told.steps[-1][0]
    happens: dict[int, list[str]] = {}
    for at, step in told.steps:
        happens.setdefault(_minutes(start, at), []).append(step)
    firing: set[str] = set()
    taken = claimed = doubted = False
    untaken = harmful = unclaimed = 0
    for minute in range(_minutes(start, end) + 1):
        for step in happens.get(minute, ()):
            thing = "other" if step.startswith("other") else "one"
            firing |= {thing} if step.endswith("fires") else set()
            firing -= {thing} if step.endswith("clears") else set()
            doubted = doubted or step == "reopened"
            taken = taken or step in {"ack", "fixed"}
            claimed = step == "fixed" or (claimed and step != "reopened")
            claimed = claimed or (step.endswith("clears") and not firing)
        untaken = untaken if taken else minute + 1
        harmful = minute + 1 if (firing or doubted) and not claimed else harmful
        unclaimed = unclaimed if claimed else minute + 1
    calm = claimed or not (firing or doubted)
    return {
        "ttd": _minutes(told.broke, start),
        "tta": untaken if taken else None,
        "ttm": harmful if calm else None,
        "ttr": unclaimed if claimed else None,
        "ttv": None,
    }


def _minutes(start: Instant, end: Instant) -> int:
    return round((end - start).total("minutes"))


def in_minutes(measures: Measures) -> dict[str, int | None]:
    spans = {name: getattr(measures, name) for name in ("ttd", "tta", "ttm", "ttr", "ttv")}
    return {name: None if span is None else span // MINUTE for name, span in spans.items()}


@pytest.mark.parametrize("seed", range(3))
def test_a_year_is_measured_as_a_replay_counts_it(seed: int) -> None:
    year = a_year(seed)
    wrong = [
        (told.steps, got, want)
        for told in year
        if (got := in_minutes(measured(course_of(lived(told))))) != (want := replayed(told))
    ]
    assert wrong == []


def test_the_generated_year_has_what_makes_time_hard() -> None:
    year = a_year(0)
    begins = sorted((t.steps[0][0], t.steps[-1][0]) for t in year)
    overlaps = sum(one[1] > other[0] for one, other in itertools.pairwise(begins))
    weekend = sum(_stdlib(t.broke).weekday() >= 5 for t in year)
    assert overlaps > 50
    assert weekend > 50
    assert sum(replayed(t)["ttr"] is None for t in year) > 20


def test_proof_and_claim_are_told_apart() -> None:
    """The sample of a daily job: due at eight, claimed after 50 minutes, proved by 09:40."""
    due = NOW.replace(hour=8)
    course = Course(
        detected_at=due,
        occurred_at=due,
        claimed_at=due + 50 * MINUTE,
        proved_at=due + 100 * MINUTE,
        healthy_at=due + 100 * MINUTE,
    )
    assert in_minutes(measured(course)) == {
        "ttd": 0,
        "tta": None,
        "ttm": 50,
        "ttr": 100,
        "ttv": 50,
    }


def test_a_clock_ahead_of_ours_is_no_negative_time_and_one_far_behind_is_not_believed() -> None:
    ahead = Course(detected_at=NOW, occurred_at=NOW + HOUR)
    assert measured(ahead).ttd == timedelta(0)
    behind = Course(detected_at=NOW, occurred_at=datetime(1970, 1, 1, tzinfo=UTC))
    assert measured(behind).ttd is None


def test_what_ends_before_it_begins_is_not_told() -> None:
    early = Course(detected_at=NOW, acked_at=NOW - MINUTE, claimed_at=NOW, proved_at=NOW - MINUTE)
    assert (measured(early).tta, measured(early).ttv) == (None, None)


@pytest.mark.parametrize(
    ("healthy", "now", "missed"),
    [
        (NOW, NOW + HOUR, False),  # at the deadline is in time: the deadline's instant is the end
        (NOW + timedelta(microseconds=1), NOW + HOUR, True),
        (None, NOW, False),
        (None, NOW + MINUTE, True),
    ],
)
def test_a_promise_is_missed_after_its_deadline(
    healthy: datetime | None, now: datetime, missed: bool
) -> None:
    assert breached(NOW, healthy, now) is missed
    assert breached(None, healthy, now) is None


@pytest.mark.parametrize(
    ("verdict", "ended", "healthy", "proved", "standing"),
    [
        (Verdict.PENDING, None, None, None, Standing.RESOLVED),
        (Verdict.PASSED, 100 * MINUTE, 100 * MINUTE, 100 * MINUTE, Standing.CLOSED),
        (Verdict.WAIVED, 70 * MINUTE, 50 * MINUTE, None, Standing.CLOSED),
        (Verdict.NOT_NEEDED, None, 50 * MINUTE, None, Standing.CLOSED),
    ],
)
def test_the_end_is_the_proof_where_one_is_asked_for(
    verdict: Verdict,
    ended: timedelta | None,
    healthy: timedelta | None,
    proved: timedelta | None,
    standing: Standing,
) -> None:
    claimed = NOW + 50 * MINUTE
    incident = make_incident().resolve(BO, claimed)
    seen = Verification(
        verdict=verdict,
        claimed_at=claimed,
        look_at=claimed + HOUR if verdict is Verdict.PENDING else None,
        ended_at=NOW + ended if ended is not None else None,
    )
    course = course_of(incident.but(verification=seen))
    assert course.healthy_at == (None if healthy is None else NOW + healthy)
    assert course.proved_at == (None if proved is None else NOW + proved)
    assert standing_of(incident.but(verification=seen)) is standing


def test_quiet_before_a_failed_proof_is_no_mitigation() -> None:
    incident = make_incident().with_alert(resolved(), AlertStatus.FIRING, NOW + MINUTE)
    assert measured(course_of(incident)).ttm == MINUTE
    assert measured(course_of(incident.but(unproved=1))).ttm is None
