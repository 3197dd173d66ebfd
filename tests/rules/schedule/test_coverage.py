"""One person twice, and people who are away, found in the resolved spans."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.rotation import OnCall, Span
from rules.schedule.coverage import AwayOnCall, DoubleBooking, away_but_on_call, double_booked, gaps
from rules.schedule.resolution import on_call
from rules.schedule.roster import OverrideKind, Schedule
from tests.rules.schedule.schedules import away, layer, override, plan, utc

T0 = utc("2026-11-16T09:00Z")
HOUR = timedelta(hours=1)


def span(start: int, end: int, *people: str, role: str = "primary", rotation: str = "data") -> Span:
    return Span(T0 + start * HOUR, T0 + end * HOUR, rotation, role, people, "row 1")


def test_one_person_in_two_roles_or_two_rotations_is_double_booked() -> None:
    first = span(0, 10, "ana")
    second = span(4, 6, "ana", "bo", role="secondary")
    other = span(5, 20, "ana", rotation="finance")
    found = double_booked(OnCall([first, second, other]), T0, T0 + 8 * HOUR)
    assert found == [
        DoubleBooking("ana", first, second, T0 + 4 * HOUR, T0 + 6 * HOUR),
        DoubleBooking("ana", first, other, T0 + 5 * HOUR, T0 + 8 * HOUR),
        DoubleBooking("ana", second, other, T0 + 5 * HOUR, T0 + 6 * HOUR),
    ]


def test_touching_spans_and_those_outside_the_window_are_not_double_booked() -> None:
    spans = [span(0, 4, "ana"), span(4, 8, "ana", role="secondary"), span(6, 9, "ana", role="x")]
    assert double_booked(OnCall(spans), T0, T0 + 6 * HOUR) == []
    assert len(double_booked(OnCall(spans), T0, T0 + 7 * HOUR)) == 1


def test_double_bookings_of_a_hostile_roster_are_bounded() -> None:
    spans = [span(n, n + 300, "ana", role=f"role{n}") for n in range(300)]
    assert len(double_booked(OnCall(spans), T0, T0 + 900 * HOUR)) == 100


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 9), st.sampled_from("ab"), st.integers(0, 40)),
        max_size=12,
    )
)
def test_double_bookings_are_those_found_hour_by_hour(
    drawn: list[tuple[int, int, str, int]],
) -> None:
    spans = [span(s, s + n, who, role=f"r{k}") for k, (s, n, who, _) in enumerate(drawn)]
    found = double_booked(OnCall(spans), T0 + 5 * HOUR, T0 + 25 * HOUR)
    for hour in range(5, 25):
        at = T0 + hour * HOUR
        pairs = {(d.first, d.second) for d in found if d.start <= at < d.end}
        here = [s for s in spans if at in s]
        slow = {frozenset((a, b)) for a in here for b in here if a != b and a.people == b.people}
        assert {frozenset(pair) for pair in pairs} == slow


def test_people_who_are_away_are_on_call_only_by_an_override() -> None:
    gone = away("ana", "2026-11-17T00:00Z", "2026-11-20T00:00Z")
    back = override("ana", "2026-11-18T09:00Z", "2026-11-18T17:00Z", kind=OverrideKind.ADD)
    schedule = Schedule(plans=(plan(layer("ana")),), overrides=(back,), away=(gone,))
    start, end = utc("2026-11-16T00:00Z"), utc("2026-11-30T00:00Z")
    (found,) = away_but_on_call(on_call(schedule, start, end), [gone], start, end)
    assert isinstance(found, AwayOnCall)
    assert (found.away, found.start, found.end) == (gone, back.starts_at, back.ends_at)
    (planned, *_) = away_but_on_call(
        on_call(schedule.without_away(), start, end), [gone], start, end
    )
    assert (planned.start, planned.end) == (gone.start, gone.end)


def test_a_role_that_never_has_anybody_is_a_gap_when_the_plan_names_it() -> None:
    schedule = Schedule(plans=(plan(layer("ana"), roles=("primary", "secondary")),))
    start, end = utc("2026-11-17T00:00Z"), utc("2026-11-18T00:00Z")
    (gap,) = gaps(on_call(schedule, start, end), start, end)
    assert (gap.role, gap.start, gap.end) == ("secondary", start, end)
