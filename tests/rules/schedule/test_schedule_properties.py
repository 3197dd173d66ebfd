"""What holds for every schedule, and at every instant the same answer as the slow evaluator."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.hours import DAYS, Hours
from rules.rotation import Span
from rules.schedule.resolution import on_call, resolve
from rules.schedule.roster import (
    ALWAYS,
    AdvanceOn,
    Away,
    Holiday,
    Layer,
    OnHolidays,
    Override,
    OverrideKind,
    RotationPlan,
    Schedule,
    Shift,
    Swap,
    Unit,
)
from tests.rules.schedule.schedule_oracle import answers

CHANGES = (
    ("America/New_York", date(2026, 11, 1)),
    ("America/New_York", date(2027, 3, 14)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kolkata", date(2026, 11, 16)),
)
"""Zones, each with a day on which its clocks change, or none at all, or a day that is skipped."""

LONG = timedelta(days=20)
TICK = timedelta.resolution
PEOPLE = ("ana", "bo", "cy", "di")
ROLES = ("primary", "secondary", "shadow")
persons = st.sampled_from(PEOPLE)
roles = st.sampled_from(ROLES)
clock_times = st.builds(
    time, st.sampled_from((0, 1, 2, 3, 9, 17, 22, 23)), st.sampled_from((0, 15, 30))
)


@st.composite
def stretches(draw: st.DrawFn, around: datetime) -> tuple[datetime, datetime]:
    start = around + timedelta(minutes=15 * draw(st.integers(-1000, 1000)))
    return start, start + timedelta(minutes=15 * draw(st.integers(0, 400)))


@st.composite
def layers(draw: st.DrawFn, zone: str, change: date) -> Layer:
    own_zone = draw(st.sampled_from((zone, zone, "Europe/Berlin")))
    day = change - timedelta(days=draw(st.integers(0, 25)))
    windows = st.builds(
        Hours,
        clock_times,
        clock_times,
        st.just(own_zone),
        st.sampled_from((DAYS, DAYS[:5], DAYS[5:], ("sat", "wed"))),
    )
    noon = datetime.combine(change, time(12), UTC)
    edges = st.none() | st.integers(-300, 300).map(lambda n: noon + timedelta(hours=n))
    turn = st.lists(persons, max_size=2, unique=True).map(tuple)
    return Layer(
        role=draw(roles),
        order=tuple(draw(st.lists(turn, min_size=1, max_size=4))),
        unit=draw(st.sampled_from(Unit)),
        every=draw(st.integers(1, 3)),
        starts=datetime.combine(day, draw(clock_times)),
        zone=own_zone,
        priority=draw(st.sampled_from((0, 0, 1, 10, 11))),
        windows=tuple(draw(st.lists(windows, max_size=2))),
        skip_dates=frozenset(draw(st.lists(st.just(change), max_size=1))),
        on_holidays=draw(st.sampled_from(OnHolidays)),
        place=draw(st.sampled_from(("", "Berlin"))),
        advance_on=draw(st.sampled_from(AdvanceOn)),
        effective_from=draw(edges),
        effective_until=draw(edges),
        source="layer",
    )


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    """Return a schedule and an instant in the middle of what happens in it."""
    zone, change = draw(st.sampled_from(CHANGES))
    middle = datetime.combine(change, time(12), UTC)
    times = stretches(middle)

    def several(make: Any, most: int = 3) -> Any:
        return st.lists(times, max_size=most).map(lambda found: list(map(make, enumerate(found))))

    def shift(entry: Any) -> Shift:
        n, (start, end) = entry
        people = (PEOPLE[n % 4],) if n % 3 else (PEOPLE[n % 4], PEOPLE[(n + 1) % 4])
        return Shift(
            rotation="data", role=ROLES[n % 2], start=start, end=end, people=people, source="row"
        )

    def override(entry: Any) -> Override:
        n, (start, end) = entry
        return Override(
            id=str(n),
            rotation="data",
            role=draw(roles),
            person=draw(persons),
            starts_at=start,
            ends_at=end,
            by="bo",
            created_at=middle + timedelta(seconds=draw(st.integers(0, 3))),
            kind=draw(st.sampled_from(OverrideKind)),
            instead_of=draw(persons),
        )

    def swap(entry: Any) -> Swap:
        n, (start, end) = entry
        approved = middle - timedelta(seconds=draw(st.integers(0, 3)))
        return Swap(
            id=str(n),
            rotation="data",
            role=draw(roles),
            giver=draw(persons),
            taker=draw(persons),
            starts_at=start,
            ends_at=end,
            approved_at=draw(st.sampled_from((approved, approved, None))),
        )

    def away(entry: Any) -> Away:
        _, (start, end) = entry
        return Away(person=draw(persons), start=start, end=end)

    @st.composite
    def plans(draw: st.DrawFn, valid_from: datetime) -> RotationPlan:
        chain = st.sampled_from(("primary", "secondary", "shadow", "lead"))
        return RotationPlan(
            name="data",
            zone=zone,
            layers=tuple(draw(st.lists(layers(zone, change), max_size=3))),
            shifts=tuple(draw(several(shift, 4))),
            roles=draw(st.sampled_from(((), ROLES, ("shadow", "primary")))),
            holidays=(
                Holiday(
                    day=change + timedelta(days=2),
                    place=draw(st.sampled_from(("", "Berlin", "Paris"))),
                ),
            ),
            away=tuple(draw(several(away, 2))),
            stand_ins=draw(st.dictionaries(chain, chain, max_size=3)),
            valid_from=valid_from,
        )

    versions = [draw(plans(ALWAYS))]
    if draw(st.booleans()):
        versions.append(draw(plans(draw(times)[0])))
    if draw(st.booleans()):
        # those who swap across rotations are away by the other one's rows
        for valid_from in (ALWAYS, draw(times)[0]):
            gone = tuple(draw(several(away, 2)))
            versions.append(RotationPlan(name="web", away=gone, valid_from=valid_from))
    schedule = Schedule(
        plans=versions,
        overrides=draw(several(override, 4)),
        swaps=draw(several(swap)),
        away=draw(several(away, 2)),
        known=draw(st.sampled_from((None, None, frozenset(PEOPLE[:3])))),
    )
    return schedule, middle


def merged(spans: list[Span]) -> list[Span]:
    """Join spans of one role that touch and do not differ."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.role, s.start)):
        last = found[-1] if found else None
        alike = last and (last.role, last.people, last.source) == (
            span.role,
            span.people,
            span.source,
        )
        if last and alike and last.end == span.start:
            found[-1] = Span(last.start, span.end, "data", span.role, span.people, span.source)
        else:
            found.append(span)
    return found


@settings(max_examples=120)
@given(drawn=schedules(), offsets=st.lists(st.integers(-28_000, 28_000), min_size=40, max_size=40))
def test_the_answer_is_that_of_the_slow_evaluator(
    drawn: tuple[Schedule, datetime], offsets: list[int]
) -> None:
    schedule, middle = drawn
    start, end = middle - LONG, middle + LONG
    found = on_call(schedule, start, end)
    edges = sorted({span.start for span in found.all_spans()})[:60]
    instants = [middle + timedelta(minutes=n) for n in offsets]
    for at in [start, *instants, *edges, *(edge - TICK for edge in edges if edge > start)]:
        told = {role: found.at("data", role, at) for role in found.roles("data")}
        assert {r: p for r, p in told.items() if p} == answers(schedule, "data", at), at


@given(drawn=schedules(), cut=st.integers(-28_000, 28_000))
def test_two_halves_are_the_whole(drawn: tuple[Schedule, datetime], cut: int) -> None:
    schedule, middle = drawn
    start, at, end = middle - LONG, middle + timedelta(minutes=cut), middle + LONG
    halves = [*resolve(schedule, start, at), *resolve(schedule, at, end)]
    assert merged(halves) == merged(resolve(schedule, start, end))


@given(drawn=schedules())
def test_spans_of_a_role_have_length_people_and_source_and_never_overlap(
    drawn: tuple[Schedule, datetime],
) -> None:
    schedule, middle = drawn
    spans = resolve(schedule, middle - LONG, middle + LONG)
    for role in {span.role for span in spans}:
        own = [span for span in spans if span.role == role]
        assert all(a.end <= b.start for a, b in pairwise(own))
        assert all(span.start < span.end and span.source and span.people for span in own)


@given(drawn=schedules(), shift_by=st.integers(0, 4000))
def test_whole_spans_are_the_same_however_the_window_moves(
    drawn: tuple[Schedule, datetime], shift_by: int
) -> None:
    schedule, middle = drawn
    wide = resolve(schedule, middle - LONG, middle + LONG, whole=True)
    start = middle - timedelta(days=3) + timedelta(minutes=shift_by)
    near = resolve(schedule, start, start + timedelta(days=2), whole=True)
    touching = [s for s in wide if s.start < start + timedelta(days=2) and s.end > start]
    assert near == touching


@given(drawn=schedules())
def test_outside_every_override_the_answer_is_the_one_without_them(
    drawn: tuple[Schedule, datetime],
) -> None:
    schedule, middle = drawn
    start, end = middle - LONG, middle + LONG
    plain = Schedule(
        plans=schedule.plans, swaps=schedule.swaps, away=schedule.away, known=schedule.known
    )
    with_them, without = on_call(schedule, start, end), on_call(plain, start, end)
    for hours in range(0, 960, 7):
        at = start + timedelta(hours=hours)
        if any(o.starts_at <= at < o.ends_at for o in schedule.overrides):
            continue
        for role in ROLES:
            assert with_them.at("data", role, at) == without.at("data", role, at)


@given(
    zone=st.sampled_from(CHANGES),
    unit=st.sampled_from(Unit),
    every=st.integers(1, 4),
    at=clock_times,
)
def test_a_layer_without_hours_has_neither_gap_nor_overlap(
    zone: tuple[str, date], unit: Unit, every: int, at: time
) -> None:
    name, change = zone
    began = datetime.combine(change - timedelta(days=40), at)
    order = (("ana",), ("bo",), ("cy",))
    layer = Layer(role="primary", order=order, unit=unit, starts=began, every=every, zone=name)
    schedule = Schedule(plans=(RotationPlan(name="data", zone=name, layers=(layer,)),))
    middle = datetime.combine(change, time(12), UTC)
    spans = resolve(schedule, middle - LONG, middle + LONG)
    assert (spans[0].start, spans[-1].end) == (middle - LONG, middle + LONG)
    assert all(a.end == b.start for a, b in pairwise(spans))
    if name != "Pacific/Apia":
        turns = [span.people for span in spans]
        assert all(order.index(b) == (order.index(a) + 1) % 3 for a, b in pairwise(turns))
